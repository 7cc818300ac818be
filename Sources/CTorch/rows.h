// What kernels over rows of channels share.
#pragma once

#include <cstdint>

// Loops in the widest vectors that the processor has.
#if defined(__x86_64__) && defined(__linux__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

namespace ctorch {

/// Rows whose sums are kept in single precision.
constexpr int64_t block = 64;

/// Adds `width` numbers of each of `rows` rows, which lie `stride` apart, to `sum`.
void add_rows(const float* x, int64_t rows, int64_t stride, int64_t width, float* sum);

/// Adds their squared distances from `mean`.
void add_squares(const float* x, int64_t rows, int64_t stride, int64_t width, const float* mean,
                 float* sum);

}  // namespace ctorch
