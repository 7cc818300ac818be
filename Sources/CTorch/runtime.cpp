// Versions, threads, devices, the allocator, generators, errors, the life of handles.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/native/DispatchStub.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sstream>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "allocator.h"
#include "boundary.h"

namespace ctorch {

std::atomic<int64_t> live_handles{0};
static thread_local std::string last_error;

void report(const char* operation, std::initializer_list<CTTensor> tensors,
            const char* reason) noexcept {
  try {
    std::ostringstream text;
    text << operation;
    const char* separator = "(";
    for (CTTensor tensor : tensors) {
      text << separator;
      separator = ", ";
      if (tensor) {
        text << Ref(tensor)->sizes();
      } else {
        text << "none";
      }
    }
    text << (tensors.size() ? "): " : ": ") << reason;
    last_error = text.str();
  } catch (...) {
  }
}

at::Generator& generator(CTGenerator handle) { return *reinterpret_cast<at::Generator*>(handle); }

}  // namespace ctorch

using namespace ctorch;

const char* ct_last_error(void) { return last_error.c_str(); }
const char* ct_version(void) { return TORCH_VERSION; }
int64_t ct_live_handles(void) { return live_handles.load(std::memory_order_relaxed); }

const char* ct_build_configuration(void) {
  static const std::string text = at::show_config();
  return text.c_str();
}

const char* ct_library_path(void) {
  Dl_info found;
  return dladdr(reinterpret_cast<const void*>(&at::show_config), &found) ? found.dli_fname : nullptr;
}

const char* ct_cpu_capability(void) {
  static const std::string text = at::get_cpu_capability();
  return text.c_str();
}

// glibc returns large buffers to the kernel after every operation, and each comes back as page
// faults: 10 to 15 % of a training step. Keep them in the heap instead, and tensors of usual sizes
// beside it.
//
// Intel's vector functions find out at their first call what the processor has. When that call
// is on several threads, one of them may take other code, so that the same seed gave another
// training in 3 to 8 of 100 processes: the first call is made here, alone.
void ct_prepare(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  mallopt(M_TOP_PAD, 1 << 28);
#endif
  reuse_memory();
  at::zeros({1}).exp_();
}

void ct_trim_allocator(void) {
  forget_memory();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

int ct_get_threads(void) { return at::get_num_threads(); }

int ct_set_threads(int count) {
  return guard("set_threads", {}, [&] {
    TORCH_CHECK(count > 0, "the number of threads must be positive, not ", count);
    at::set_num_threads(count);
  });
}

// The runtime of libtorch's threads counts those that it has given to anybody. As soon as there are
// more than processors, threads that wait for work sleep at once, and waking them costs more than most
// operations do.
int ct_set_threads_here(int count) {
  int before = at::get_num_threads();  // Also sets what this thread starts with.
  using Set = void (*)(int);
  static const Set set = reinterpret_cast<Set>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (set) set(count);
  return before;
}

bool ct_device_available(int kind, int index) {
  try {
    switch (kind) {
      case CT_CPU: return true;
      case CT_CUDA:
        return at::globalContext().hasCUDA() && index < at::detail::getCUDAHooks().deviceCount();
      case CT_MPS: return at::globalContext().hasMPS();
      default: return false;
    }
  } catch (...) {
    return false;
  }
}

int ct_device_synchronize(int kind) {
  return guard("synchronize", {}, [&] {
    if (kind == CT_CPU) return;
    c10::impl::VirtualGuardImpl guard(static_cast<c10::DeviceType>(kind));
    guard.synchronizeDevice(guard.getDevice().index());
  });
}

int ct_generator_new(int kind, uint64_t seed, CTGenerator* out) {
  return guard("generator", {}, [&] {
    at::Generator made = kind == CT_CPU
                             ? at::detail::createCPUGenerator(seed)
                             : at::globalContext().defaultGenerator(device(kind, 0)).clone();
    made.set_current_seed(seed);
    *out = reinterpret_cast<CTGenerator>(new at::Generator(std::move(made)));
  });
}

void ct_generator_free(CTGenerator handle) { delete reinterpret_cast<at::Generator*>(handle); }

int ct_generator_seed(CTGenerator handle, uint64_t seed) {
  return guard("generator.seed", {}, [&] {
    std::lock_guard<std::mutex> lock(generator(handle).mutex());
    generator(handle).set_current_seed(seed);
  });
}

int ct_generator_initial_seed(CTGenerator handle, uint64_t* out) {
  return guard("generator.initial_seed", {},
               [&] { *out = generator(handle).current_seed(); });
}

int ct_generator_state(CTGenerator handle, CTTensor* out) {
  return guard("generator.state", {}, [&] {
    std::lock_guard<std::mutex> lock(generator(handle).mutex());
    *out = give(generator(handle).get_state());
  });
}

int ct_generator_set_state(CTGenerator handle, CTTensor state) {
  return guard("generator.set_state", {state}, [&] {
    std::lock_guard<std::mutex> lock(generator(handle).mutex());
    generator(handle).set_state(Ref(state));
  });
}

void ct_tensor_free(CTTensor handle) {
  if (!handle) return;
  live_handles.fetch_sub(1, std::memory_order_relaxed);
  c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(
      reinterpret_cast<c10::TensorImpl*>(handle));
}

CTTensor ct_tensor_share(CTTensor handle) { return give(*Ref(handle)); }

static c10::TensorImpl* impl(CTTensor handle) { return reinterpret_cast<c10::TensorImpl*>(handle); }

int64_t ct_ndim(CTTensor handle) { return impl(handle)->dim(); }
int64_t ct_numel(CTTensor handle) { return impl(handle)->numel(); }
int ct_dtype(CTTensor handle) { return static_cast<int>(Ref(handle)->scalar_type()); }

void ct_sizes(CTTensor handle, int64_t* out) {
  auto sizes = impl(handle)->sizes();
  std::copy(sizes.begin(), sizes.end(), out);
}

void ct_strides(CTTensor handle, int64_t* out) {
  auto strides = impl(handle)->strides();
  std::copy(strides.begin(), strides.end(), out);
}

int ct_device(CTTensor handle, int* index) {
  auto where = impl(handle)->device();
  *index = where.has_index() ? where.index() : 0;
  return static_cast<int>(where.type());
}

bool ct_is_contiguous(CTTensor handle, bool channels_last) {
  return Ref(handle)->is_contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                                  : at::MemoryFormat::Contiguous);
}

bool ct_same_storage(CTTensor a, CTTensor b) { return Ref(a)->is_alias_of(Ref(b)); }

int ct_description(CTTensor handle, char** out) {
  return guard("description", {handle}, [&] {
    std::ostringstream text;
    at::print(text, Ref(handle), 100);
    *out = strdup(text.str().c_str());
  });
}

void ct_string_free(char* string) { free(string); }
