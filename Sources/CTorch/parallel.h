// Loops over libtorch's own threads.
#pragma once

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace ctorch {

/// Calls `body(begin, end)` for parts of 0..<count of at least `grain`, one for each thread.
///
/// `at::parallel_for` is a template: compiled without OpenMP, as here, it is a plain loop. This one
/// hands the parts to the OpenMP runtime that libtorch has loaded, so that the threads are the same
/// ones. Without that runtime it is a plain loop too.
template <typename Body>
void parallel(int64_t count, int64_t grain, const Body& body) {
  using Start = void (*)(void (*)(void*), void*, unsigned, unsigned);
  static const Start start = reinterpret_cast<Start>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  int64_t parts =
      std::min<int64_t>(at::get_num_threads(), (count + grain - 1) / std::max<int64_t>(grain, 1));
  if (parts <= 1 || !start || at::in_parallel_region()) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  struct Job {
    const Body& body;
    int64_t count, parts;
    std::atomic<int64_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;

    // However many threads came, every part is done.
    void work() {
      for (int64_t part = next++; part < parts; part = next++) {
        try {
          body(count * part / parts, count * (part + 1) / parts);
        } catch (...) {
          std::lock_guard<std::mutex> lock(mutex);
          failure = std::current_exception();
        }
      }
    }
  } job{.body = body, .count = count, .parts = parts};
  start([](void* job) { static_cast<Job*>(job)->work(); }, &job, static_cast<unsigned>(parts), 0);
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace ctorch
