// Products of small matrices on one thread by oneDNN's small kernels, which have a processor's widest
// vectors whoever made it. MKL, which libtorch multiplies float32 with, has them on Intel's alone.
#pragma once

#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <cstdint>

namespace ctorch {

/// Whether there are such kernels for float32 or bfloat16 here.
bool has_small_products(at::ScalarType type);

/// Whether they multiply float32 faster than MKL.
inline bool are_small_products_faster() {
#if defined(__x86_64__)
  static const bool value = !__builtin_cpu_is("intel") && has_small_products(at::kFloat);
  return value;
#else
  return false;
#endif
}

/// Writes x `[rows, columns]`, whose rows lie `stride` apart, with rows and columns exchanged.
void transpose(const float* x, int64_t rows, int64_t columns, int64_t stride, float* out,
               int64_t out_stride);

/// Columns that a product takes at a time: their part of the right side stays in the first cache.
constexpr int64_t columns_at_once = 64;

/// c `[rows, columns]` = a · b with a `[rows, depth]` and b `[depth, columns]`, rows `_stride` apart.
inline void small_product(const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                          int64_t rows, int64_t columns, int64_t depth, float* c,
                          int64_t c_stride) {
  for (int64_t j = 0; j < columns; j += columns_at_once) {
    at::native::cpublas::brgemm(rows, std::min(columns_at_once, columns - j), depth, a_stride,
                                b_stride, c_stride, false, a, b + j, c + j);
  }
}

}  // namespace ctorch
