// Loops over libtorch's own threads.
#pragma once

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <vector>

namespace ctorch {

/// Calls `body(begin, end)` for parts of 0..<count of at least `grain`, several for each thread: one
/// that has done its own share goes on with what is left of another's, since a processor that is
/// shared with others may come late. A thread's share follows on itself and stays the same from call
/// to call, so that what it wrote is still in its cache.
///
/// `at::parallel_for` is a template: compiled without OpenMP, as here, it is a plain loop. This one
/// hands the parts to the OpenMP runtime that libtorch has loaded, so that the threads are the same
/// ones. Without that runtime it is a plain loop too.
template <typename Body>
void parallel(int64_t count, int64_t grain, const Body& body) {
  constexpr int64_t parts_each = 4;
  using Start = void (*)(void (*)(void*), void*, unsigned, unsigned);
  using Number = int (*)();
  static const Start start = reinterpret_cast<Start>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  static const Number number = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_thread_num"));
  int64_t whole = (count + grain - 1) / std::max<int64_t>(grain, 1);
  int64_t threads = std::min<int64_t>(at::get_num_threads(), whole);
  if (threads <= 1 || !start || !number || at::in_parallel_region()) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  struct Job {
    const Body& body;
    Number number;
    int64_t count, threads, parts;
    /// The first part of each thread's share that nobody has taken.
    std::vector<std::atomic<int64_t>> next;
    std::exception_ptr failure;
    std::mutex mutex;

    int64_t first(int64_t thread) const { return parts * thread / threads; }

    // However many threads came, every part is done.
    void work() {
      int64_t thread = number();
      for (int64_t i = 0; i < threads; i++) {
        int64_t owner = (thread + i) % threads, end = first(owner + 1);
        for (int64_t part = next[owner]++; part < end; part = next[owner]++) {
          try {
            body(count * part / parts, count * (part + 1) / parts);
          } catch (...) {
            std::lock_guard<std::mutex> lock(mutex);
            failure = std::current_exception();
          }
        }
      }
    }
  } job{.body = body, .number = number, .count = count, .threads = threads,
        .parts = std::min(whole, threads * parts_each),
        .next = std::vector<std::atomic<int64_t>>(threads)};
  for (int64_t thread = 0; thread < threads; thread++) job.next[thread] = job.first(thread);
  start([](void* job) { static_cast<Job*>(job)->work(); }, &job, static_cast<unsigned>(threads), 0);
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace ctorch
