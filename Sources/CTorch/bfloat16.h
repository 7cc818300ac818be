// Numbers in bfloat16, and what processors with instructions for them do faster.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ctorch {

/// A number in float32, and back to its own type: bfloat16 to the nearest, ties to even.
__attribute__((always_inline)) inline float widened(float x) { return x; }
__attribute__((always_inline)) inline float widened(uint16_t x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x) << 16);
}
__attribute__((always_inline)) inline void narrow(float x, float& out) { out = x; }
__attribute__((always_inline)) inline void narrow(float x, uint16_t& out) {
  uint32_t bits = __builtin_bit_cast(uint32_t, x);
  uint16_t near = static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
  out = x == x ? near : 0x7FC0;
}

#if defined(__x86_64__)
#define WITH_BFLOAT16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

/// 2^x within 1e-4 of the value, which is finer than the bfloat16 that it becomes:
/// 2^⌊x⌋ · 2^(x − ⌊x⌋), the latter by a polynomial.
WITH_BFLOAT16 inline __m512 fast_power(__m512 x) {
  __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF);
  __m512 y = _mm512_fmadd_ps(f, _mm512_set1_ps(0.07802452f), _mm512_set1_ps(0.22606716f));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.69583354f));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.99992522f));
  return _mm512_scalef_ps(y, x);
}
#endif

/// Whether the processor has what functions `WITH_BFLOAT16` need.
inline bool has_bfloat16() {
#if defined(__x86_64__)
  static const bool value = __builtin_cpu_supports("avx512bf16") &&
                            __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return value;
#else
  return false;
#endif
}

}  // namespace ctorch
