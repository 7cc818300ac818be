// Memory of tensors that is given out again. A network makes activations of the same few sizes at every
// call; the allocator of the C library takes a twentieth of a small network's time to find room for
// them between others, and what it finds may not fit next time.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "allocator.h"

namespace {

/// A block's size stands before its data; data stay aligned.
constexpr size_t header = c10::gAlignment;
/// Blocks below a page and large ones are the C library's matter, and no more than so many bytes are
/// kept.
constexpr size_t page = size_t{1} << 12, largest = size_t{1} << 23, most = size_t{1} << 26;

bool is_kept(size_t size) { return size >= page && size <= largest; }

/// Blocks that nobody uses, by size.
class Kept {
 public:
  /// A block of exactly this size, or null.
  void* take(size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = blocks.find(size);
    if (found == blocks.end() || found->second.empty()) return nullptr;
    void* block = found->second.back();
    found->second.pop_back();
    bytes -= size;
    return block;
  }

  /// When there is no room, all that was kept so far goes: it may be of sizes that nobody asks for any
  /// more.
  void keep(void* block, size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    if (bytes + size > most) give_back();
    blocks[size].push_back(block);
    bytes += size;
  }

  void clear() {
    std::lock_guard<std::mutex> lock(mutex);
    give_back();
  }

 private:
  std::mutex mutex;
  std::unordered_map<size_t, std::vector<void*>> blocks;
  size_t bytes = 0;

  void give_back() {
    for (auto& [size, some] : blocks) {
      for (void* block : some) c10::free_cpu(block);
    }
    blocks.clear();
    bytes = 0;
  }
};

/// Lives as long as the process: tensors may go after everything else.
Kept& kept() {
  static Kept* all = new Kept;
  return *all;
}

void put_back(void* data) {
  if (!data) return;
  void* block = static_cast<char*>(data) - header;
  size_t size = *static_cast<size_t*>(block);
  if (is_kept(size)) {
    try {
      return kept().keep(block, size);
    } catch (const std::bad_alloc&) {
    }
  }
  c10::free_cpu(block);
}

struct Reusing : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    c10::Device processor(c10::DeviceType::CPU);
    if (bytes == 0) return {nullptr, nullptr, &put_back, processor};
    TORCH_CHECK(bytes <= PTRDIFF_MAX - header, "no memory has ", bytes, " bytes");
    // What is kept comes in whole pages, so that sizes that are nearly the same are the same.
    size_t size = bytes + header;
    if (is_kept(size)) size = (size + page - 1) / page * page;
    void* block = is_kept(size) ? kept().take(size) : nullptr;
    if (!block) block = c10::alloc_cpu(size);
    *static_cast<size_t*>(block) = size;
    void* data = static_cast<char*>(block) + header;
    return {data, data, &put_back, processor};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &put_back; }
  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }
};

}  // namespace

namespace ctorch {

void reuse_memory() {
  static Reusing* allocator = new Reusing;
  c10::SetCPUAllocator(allocator);
}

void forget_memory() { kept().clear(); }

}  // namespace ctorch
