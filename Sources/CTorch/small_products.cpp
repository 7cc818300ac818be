#include "small_products.h"

#include <ATen/Version.h>

#include <utility>

#include "vectors.h"

namespace ctorch {
namespace {

/// Whether a product can be made: oneDNN knows what the processor has and what its settings allow.
template <typename T>
bool is_made() {
#if defined(__x86_64__)
  // As libtorch takes it, so that ATEN_CPU_CAPABILITY holds here too.
  if (at::get_cpu_capability().rfind("AVX512", 0) != 0) return false;
  T a[32] = {}, b[32 * 16] = {};
  float c[16];
  try {
    at::native::cpublas::brgemm(1, 16, 32, 32, 16, 16, false, a, b, c);
    at::native::cpublas::brgemm_release();
    return true;
  } catch (...) {
  }
#endif
  return false;
}

/// One step of a transposition: of two rows `distance` apart, the columns in whose number that bit is
/// set of the one against those in which it is not of the other.
template <int distance, int... i>
__attribute__((always_inline)) inline void exchange(Lanes& a, Lanes& b,
                                                    std::integer_sequence<int, i...>) {
  Lanes first = __builtin_shufflevector(a, b, (i & distance ? lanes + (i ^ distance) : i)...);
  b = __builtin_shufflevector(a, b, (i & distance ? lanes + i : i ^ distance)...);
  a = first;
}

template <int distance>
__attribute__((always_inline)) inline void exchange(Lanes (&rows)[lanes]) {
#pragma unroll
  for (int i = 0; i < lanes; i++) {
    if (!(i & distance)) {
      exchange<distance>(rows[i], rows[i + distance],
                         std::make_integer_sequence<int, static_cast<int>(lanes)>());
    }
  }
}

}  // namespace

bool has_small_products(at::ScalarType type) {
  static const bool floats = is_made<float>(), halves = is_made<at::BFloat16>();
  return type == at::kFloat ? floats : type == at::kBFloat16 && halves;
}

WIDE void transpose(const float* x, int64_t rows, int64_t columns, int64_t stride, float* out,
                    int64_t out_stride) {
  int64_t whole_rows = rows / lanes * lanes, whole_columns = columns / lanes * lanes;
  for (int64_t r = 0; r < whole_rows; r += lanes) {
    for (int64_t c = 0; c < whole_columns; c += lanes) {
      Lanes block[lanes];
#pragma unroll
      for (int i = 0; i < lanes; i++) {
        block[i] = *reinterpret_cast<const LooseLanes*>(x + (r + i) * stride + c);
      }
      exchange<1>(block);
      exchange<2>(block);
      exchange<4>(block);
      exchange<8>(block);
#pragma unroll
      for (int i = 0; i < lanes; i++) {
        *reinterpret_cast<LooseLanes*>(out + (c + i) * out_stride + r) = block[i];
      }
    }
  }
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = r < whole_rows ? whole_columns : 0; c < columns; c++) {
      out[c * out_stride + r] = x[r * stride + c];
    }
  }
}

}  // namespace ctorch
