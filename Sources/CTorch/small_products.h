// Products of small matrices on one thread by oneDNN's small kernels, which have a processor's widest
// vectors whoever made it. MKL, which libtorch multiplies float32 with, has them on Intel's alone.
#pragma once

#include <ATen/Version.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bfloat16.h"
#include "vectors.h"

namespace ctorch {

/// Whether there are such kernels for numbers of a type here.
inline bool has_small_products(at::ScalarType type) {
#if defined(__x86_64__)
  // As libtorch takes it, so that ATEN_CPU_CAPABILITY holds here too.
  static const bool has_wide_vectors = at::get_cpu_capability().rfind("AVX512", 0) == 0;
  bool has_halves = has_bfloat16() || at::native::cpublas::could_pack(at::kBFloat16);
  return has_wide_vectors && (type == at::kFloat || (type == at::kBFloat16 && has_halves));
#else
  return false;
#endif
}

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

/// c `[rows, columns]` = a · b with a `[rows, depth]` and b `[depth, columns]`, rows `_stride` apart; the
/// columns some at a time, so that they stay in the first cache.
inline void small_product(const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                          int64_t rows, int64_t columns, int64_t depth, float* c,
                          int64_t c_stride) {
  constexpr int64_t some = 64;
  for (int64_t j = 0; j < columns; j += some) {
    at::native::cpublas::brgemm(rows, std::min(some, columns - j), depth, a_stride, b_stride,
                                c_stride, false, a, b + j, c + j);
  }
}

}  // namespace ctorch
