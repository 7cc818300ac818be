// What kernels of our own share: loops in the widest vectors that the processor has, and eˣ.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A function is compiled for each of these, and the one that fits the processor is called.
#if defined(__x86_64__) && defined(__linux__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

namespace ctorch {

/// 16 numbers side by side; in memory, at any address.
typedef float Lanes __attribute__((vector_size(64)));
typedef float LooseLanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint32_t LaneBits __attribute__((vector_size(64)));
constexpr int64_t lanes = 16;

/// eˣ within 2 units in the last place, of a number or of lanes: x = n ln 2 + r, a polynomial in r
/// (Moshier's Cephes), and n into the exponent. From −87 down and from 88 up it stays what it is
/// there. In place: lanes by value go by other rules on each kind of processor.
template <typename F, typename Bits>
__attribute__((always_inline)) inline void exponentiate(F& x) {
  constexpr float rounding = 12582912.0f;  // 1.5 · 2²³: adding it leaves n in the lowest bits.
  const F low = F{} - 87.0f, high = F{} + 88.0f;
  x = x < low ? low : x;
  x = x > high ? high : x;
  F shifted = x * 1.44269504088896341f + rounding;
  F n = shifted - rounding;
  F r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  F y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  Bits power = (__builtin_bit_cast(Bits, shifted) << 23) + 0x3F800000u;
  x = y * __builtin_bit_cast(F, power);
}

/// Numbers below 10⁻³⁸ count as zero on this thread for the lifetime of a value: a processor takes
/// a hundred times as long for them.
class TinyNumbersAreZero {
 public:
#if defined(__x86_64__)
  TinyNumbersAreZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~TinyNumbersAreZero() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  TinyNumbersAreZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)) : "memory");
  }
  ~TinyNumbersAreZero() { asm volatile("msr fpcr, %0" : : "r"(before_) : "memory"); }

 private:
  uint64_t before_;
#endif
};

/// Rows whose sums are kept in single precision.
constexpr int64_t block = 64;

/// Adds `width` numbers of each of `rows` rows, which lie `stride` apart, to `sum`.
void add_rows(const float* x, int64_t rows, int64_t stride, int64_t width, float* sum);

/// Adds their squared distances from `mean`.
void add_squares(const float* x, int64_t rows, int64_t stride, int64_t width, const float* mean,
                 float* sum);

}  // namespace ctorch
