// Peer of Benchmarks/TensorOp: one `a + b` on four elements in C++ on the same libtorch, in
// microseconds, the median over rounds.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

int main() {
  at::set_num_threads(1);
  c10::AutoGradMode without_gradients(false);
  const auto a = at::arange(1, 5, at::kFloat), b = at::arange(5, 9, at::kFloat);
  const int calls = 20000;
  std::vector<double> rounds;
  for (int round = 0; round < 41; round++) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; i++) at::Tensor sum = a + b;
    std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    rounds.push_back(time.count() / calls);
  }
  std::sort(rounds.begin(), rounds.end());
  std::printf("{\"operation\": \"a + b\", \"elements\": 4, \"median_us\": %g, \"min_us\": %g}\n",
              rounds[20], rounds[0]);
}
