// Scaled dot-product attention (Vaswani et al. 2017, §3.2.1) for use without gradients, in float32 and
// bfloat16: softmax(q kᵀ · scale) v without a mask, tile by tile (Dao et al. 2022, Algorithm 1).
// Products go through oneDNN's small kernels, which have the processor's widest vectors and its matrix
// unit, whoever made it; libtorch's own attention goes through MKL, which has neither on AMD's. What a
// softmax subtracts need not be a row's largest score: any number near it will do, and |q| · max |k| is one
// that is known beforehand (Cauchy-Schwarz), so that no tile is ever scaled again. Where it is too
// far off for a row's sum, the tile's queries start anew with their largest scores.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "attention.h"
#include "bfloat16.h"
#include "boundary.h"
#include "parallel.h"
#include "small_products.h"
#include "vectors.h"

namespace ctorch {
namespace {

namespace blas = at::native::cpublas;

/// Queries and keys of a tile: its scores stay in the second cache.
constexpr int64_t tile_queries = 128, tile_keys = 256;

/// How numbers lie in memory, and what scores are multiplied by.
template <typename T>
struct Format;
template <>
struct Format<at::BFloat16> {
  using Stored = uint16_t;
  static constexpr double factor = 1.4426950408889634;  // to powers of 2
};
template <>
struct Format<float> {
  using Stored = float;
  static constexpr double factor = 1;  // to powers of e
};

template <typename T>
const typename Format<T>::Stored* stored(const T* x) {
  return reinterpret_cast<const typename Format<T>::Stored*>(x);
}
template <typename T>
typename Format<T>::Stored* stored(T* x) {
  return reinterpret_cast<typename Format<T>::Stored*>(x);
}

typedef uint16_t Halves __attribute__((vector_size(32)));
typedef uint16_t LooseHalves __attribute__((vector_size(32), aligned(2), may_alias));
/// Two numbers that are multiplied and added in one go.
typedef uint32_t LoosePair __attribute__((aligned(2), may_alias));

int64_t rounded(int64_t count, int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// The roots of the sums of squares of rows of `count` numbers, a multiple of 8.
template <typename T>
__attribute__((always_inline)) inline void lengths_of(const T* x, int64_t rows, int64_t stride,
                                                     int64_t count, float* out) {
  for (int64_t row = 0; row < rows; row++, x += stride) {
    float sums[8] = {};
    for (int64_t d = 0; d < count; d += 8) {
      for (int64_t i = 0; i < 8; i++) {
        float value = widened(x[d + i]);
        sums[i] += value * value;
      }
    }
    float sum = 0;
    for (float one : sums) sum += one;
    out[row] = std::sqrt(sum);
  }
}
WIDE void lengths(const uint16_t* x, int64_t rows, int64_t stride, int64_t count, float* out) {
  lengths_of(x, rows, stride, count, out);
}
WIDE void lengths(const float* x, int64_t rows, int64_t stride, int64_t count, float* out) {
  lengths_of(x, rows, stride, count, out);
}

/// 2^x of lanes within 1e-4 of the value, from −126 up; below it stays what it is there. Coarser than
/// eˣ elsewhere, and finer than the bfloat16 that it becomes.
__attribute__((always_inline)) inline void power_of_two(Lanes& x) {
  constexpr float rounding = 12582912.0f;  // 1.5 · 2²³: adding it leaves n in the lowest bits.
  const Lanes low = Lanes{} - 126.0f;
  x = x < low ? low : x;
  Lanes shifted = x + rounding;
  Lanes f = x - (shifted - rounding);
  Lanes y = f * 0.05517167f + 0.24261112f;
  y = y * f + 0.69326099f;
  y = y * f + 0.99992807f;
  LaneBits bits = __builtin_bit_cast(LaneBits, y) + (__builtin_bit_cast(LaneBits, shifted) << 23);
  x = __builtin_bit_cast(Lanes, bits);
}

/// A row of weights 2^(factor · score − shift) in bfloat16, those from `keys` on 0; returns their sum.
/// Columns in multiples of 32.
WIDE float plain_weights(const float* scores, int64_t keys, int64_t columns, float factor,
                         float shift, uint16_t* out) {
  Lanes total = {};
  for (int64_t j = 0; j < columns; j += lanes) {
    Lanes value = *reinterpret_cast<const LooseLanes*>(scores + j) * factor - shift;
    power_of_two(value);
    if (j + lanes > keys) {
      for (int64_t i = 0; i < lanes; i++) value[i] = j + i < keys ? value[i] : 0;
    }
    total += value;
    LaneBits bits = (__builtin_bit_cast(LaneBits, value) + 0x8000u) >> 16;
    *reinterpret_cast<LooseHalves*>(out + j) = __builtin_convertvector(bits, Halves);
  }
  float sum = 0;
  for (int64_t i = 0; i < lanes; i++) sum += total[i];
  return sum;
}

#if defined(__x86_64__)
/// The same in half the instructions, where the processor has them.
WITH_BFLOAT16 float fast_weights(const float* scores, int64_t keys, int64_t columns, float factor,
                                 float shift, uint16_t* out) {
  __m512 total = _mm512_setzero_ps(), other_total = total;
  __m512 factors = _mm512_set1_ps(factor), shifts = _mm512_set1_ps(shift);
  for (int64_t j = 0; j < columns; j += 32) {
    __m512 one = _mm512_fmsub_ps(_mm512_loadu_ps(scores + j), factors, shifts);
    __m512 other = _mm512_fmsub_ps(_mm512_loadu_ps(scores + j + 16), factors, shifts);
    one = fast_power(one);
    other = fast_power(other);
    if (j + 32 > keys) {
      uint32_t mask = keys > j ? (1u << (keys - j)) - 1 : 0;
      one = _mm512_maskz_mov_ps(static_cast<__mmask16>(mask), one);
      other = _mm512_maskz_mov_ps(static_cast<__mmask16>(mask >> 16), other);
    }
    total = _mm512_add_ps(total, one);
    other_total = _mm512_add_ps(other_total, other);
    _mm512_storeu_si512(out + j, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(other, one)));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(total, other_total));
}
#endif

/// A row of weights e^(factor · score − shift) in float32.
WIDE float weights(const float* scores, int64_t keys, int64_t columns, float factor, float shift,
                   float* out) {
  Lanes total = {};
  for (int64_t j = 0; j < columns; j += lanes) {
    Lanes value = *reinterpret_cast<const LooseLanes*>(scores + j) * factor - shift;
    exponentiate<Lanes, LaneBits>(value);
    if (j + lanes > keys) {
      for (int64_t i = 0; i < lanes; i++) value[i] = j + i < keys ? value[i] : 0;
    }
    total += value;
    *reinterpret_cast<LooseLanes*>(out + j) = value;
  }
  float sum = 0;
  for (int64_t i = 0; i < lanes; i++) sum += total[i];
  return sum;
}

float weights(const float* scores, int64_t keys, int64_t columns, float factor, float shift,
              uint16_t* out) {
#if defined(__x86_64__)
  if (has_bfloat16()) return fast_weights(scores, keys, columns, factor, shift, out);
#endif
  return plain_weights(scores, keys, columns, factor, shift, out);
}

template <typename T>
__attribute__((always_inline)) inline void divide(const float* x, int64_t rows, int64_t width,
                                                  int64_t count, const float* sums, T* out,
                                                  int64_t stride) {
  for (int64_t row = 0; row < rows; row++, x += width, out += stride) {
    float factor = 1 / sums[row];
    for (int64_t d = 0; d < count; d++) narrow(x[d] * factor, out[d]);
  }
}
/// Rows of `width` numbers, each divided by its sum, in the type of the results.
WIDE void divided(const float* x, int64_t rows, int64_t width, int64_t count, const float* sums,
                  uint16_t* out, int64_t stride) {
  divide(x, rows, width, count, sums, out, stride);
}
WIDE void divided(const float* x, int64_t rows, int64_t width, int64_t count, const float* sums,
                  float* out, int64_t stride) {
  divide(x, rows, width, count, sums, out, stride);
}

/// Keys of `depth` numbers in columns, [depth][size]; of bfloat16, two that are multiplied and added
/// in one go stand side by side.
void turn(const uint16_t* k, int64_t stride, int64_t count, int64_t depth, int64_t size,
          uint16_t* out) {
  auto* to = reinterpret_cast<LoosePair*>(out);
  for (int64_t s = 0; s < count; s++, k += stride) {
    const auto* pairs = reinterpret_cast<const LoosePair*>(k);
    for (int64_t d = 0; d < depth / 2; d++) to[d * size + s] = pairs[d];
  }
}
void turn(const float* k, int64_t stride, int64_t count, int64_t depth, int64_t size, float* out) {
  transpose(k, count, depth, stride, out, size);
}

/// Two rows side by side, number by number.
WIDE void interleave(const uint16_t* even, const uint16_t* odd, int64_t count, uint16_t* out) {
  for (int64_t d = 0; d < count; d++) {
    out[2 * d] = even[d];
    out[2 * d + 1] = odd[d];
  }
}

/// Rows of `depth` numbers in rows of `width`; of bfloat16, two of a column stand side by side.
void lay_out(const uint16_t* v, int64_t stride, int64_t count, int64_t depth, int64_t width,
             uint16_t* out) {
  const std::vector<uint16_t> none(depth);
  for (int64_t s = 0; s < count; s += 2, v += 2 * stride, out += 2 * width) {
    interleave(v, s + 1 < count ? v + stride : none.data(), depth, out);
  }
}
void lay_out(const float* v, int64_t stride, int64_t count, int64_t depth, int64_t width,
             float* out) {
  for (int64_t s = 0; s < count; s++, v += stride, out += width) std::copy_n(v, depth, out);
}

/// The largest of `keys` scores, or `top` where that is larger.
WIDE float largest(const float* scores, int64_t keys, float top) {
  for (int64_t j = 0; j < keys; j++) top = scores[j] > top ? scores[j] : top;
  return top;
}

/// Keys and values of a head as the kernels want them, keys tile by tile. Zeros behind the last key
/// and the last channel.
template <typename T>
struct Packed {
  int64_t keys, columns, depth, width;
  std::vector<T> key, value;
  float longest;  // key

  Packed(int64_t keys, int64_t depth)
      : keys(keys),
        columns(rounded(keys, 32)),
        depth(depth),
        width(rounded(depth, 16)),
        key(columns * depth),
        value(columns * width) {}

  void take(const T* k, int64_t key_stride, const T* v, int64_t value_stride) {
    std::vector<float> all(keys);
    lengths(stored(k), keys, key_stride, depth, all.data());
    longest = *std::max_element(all.begin(), all.end());
    for (int64_t tile = 0; tile < keys; tile += tile_keys) {
      turn(stored(k + tile * key_stride), key_stride, std::min(tile_keys, keys - tile), depth,
           std::min(tile_keys, columns - tile), stored(key.data() + tile * depth));
    }
    lay_out(stored(v), value_stride, keys, depth, width, stored(value.data()));
  }
};

/// What a thread works in.
template <typename T>
struct Scratch {
  std::vector<float> scores, found;
  std::vector<T> weights;
  float shifts[tile_queries], sums[tile_queries];

  explicit Scratch(int64_t depth)
      : scores(tile_queries * tile_keys),
        found(tile_queries * rounded(depth, 16)),
        weights(tile_queries * tile_keys) {}
};

/// The scores of `rows` queries for the keys from `first` on; returns how many columns they have.
template <typename T>
int64_t score(const T* q, int64_t stride, int64_t rows, const Packed<T>& head, int64_t first,
              float* out) {
  int64_t columns = std::min(tile_keys, head.columns - first);
  blas::brgemm(rows, columns, head.depth, stride, columns, tile_keys, false, q,
               head.key.data() + first * head.depth, out);
  return columns;
}

/// What a row of queries finds, up to the sums; `false` where a shift was too far off.
template <typename T>
bool attend(const T* q, int64_t stride, int64_t rows, const Packed<T>& head, float factor,
            Scratch<T>& s) {
  std::fill(s.sums, s.sums + rows, 0.0f);
  for (int64_t first = 0; first < head.columns; first += tile_keys) {
    int64_t columns = score(q, stride, rows, head, first, s.scores.data());
    for (int64_t row = 0; row < rows; row++) {
      s.sums[row] += weights(s.scores.data() + row * tile_keys, head.keys - first, columns, factor,
                             s.shifts[row], stored(s.weights.data() + row * tile_keys));
    }
    blas::brgemm(rows, head.width, columns, tile_keys, head.width, head.width, first > 0,
                 s.weights.data(), head.value.data() + first * head.width, s.found.data());
  }
  // The smallest weights are some 10⁻³⁸.
  return std::all_of(s.sums, s.sums + rows, [](float sum) { return sum > 1e-25f; });
}

template <typename T>
void shift_by_bounds(const T* q, int64_t stride, int64_t rows, const Packed<T>& head, float factor,
                     Scratch<T>& s) {
  lengths(stored(q), rows, stride, head.depth, s.shifts);
  for (int64_t row = 0; row < rows; row++) s.shifts[row] *= factor * head.longest;
}

template <typename T>
void shift_by_largest(const T* q, int64_t stride, int64_t rows, const Packed<T>& head, float factor,
                      Scratch<T>& s) {
  std::fill(s.shifts, s.shifts + rows, -INFINITY);
  for (int64_t first = 0; first < head.columns; first += tile_keys) {
    int64_t columns = score(q, stride, rows, head, first, s.scores.data());
    for (int64_t row = 0; row < rows; row++) {
      s.shifts[row] = largest(s.scores.data() + row * tile_keys,
                              std::min(columns, head.keys - first), s.shifts[row]);
    }
  }
  for (int64_t row = 0; row < rows; row++) s.shifts[row] *= factor;
}

template <typename T>
at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                     double scale) {
  int64_t pictures = query.size(0), heads = query.size(1), tokens = query.size(2);
  int64_t depth = query.size(3), stride = query.stride(2);
  // Heads side by side, as the linear layer behind wants them.
  at::Tensor output = at::empty({pictures, tokens, heads, depth}, query.options());
  const T *q = numbers<T>(query), *k = numbers<T>(key), *v = numbers<T>(value);
  T* out = output.mutable_data_ptr<T>();
  float factor = static_cast<float>(scale * Format<T>::factor);
  int64_t tiles = (tokens + tile_queries - 1) / tile_queries;
  // A head's queries in several parts where heads are fewer than threads.
  int64_t all = pictures * heads;
  int64_t parts = std::min(tiles, (at::get_num_threads() + all - 1) / all);
  parallel(all * parts, 1, [&](int64_t begin, int64_t end) {
    Packed<T> packed(key.size(2), depth);
    Scratch<T> scratch(depth);
    int64_t held = -1;
    for (int64_t i = begin; i < end; i++) {
      int64_t index = i / parts, part = i % parts, picture = index / heads, head = index % heads;
      if (index != held) {
        packed.take(k + picture * key.stride(0) + head * key.stride(1), key.stride(2),
                    v + picture * value.stride(0) + head * value.stride(1), value.stride(2));
        held = index;
      }
      const T* from = q + picture * query.stride(0) + head * query.stride(1);
      for (int64_t tile = tiles * part / parts; tile < tiles * (part + 1) / parts; tile++) {
        int64_t first = tile * tile_queries, rows = std::min(tile_queries, tokens - first);
        const T* queries = from + first * stride;
        shift_by_bounds(queries, stride, rows, packed, factor, scratch);
        if (!attend(queries, stride, rows, packed, factor, scratch)) {
          shift_by_largest(queries, stride, rows, packed, factor, scratch);
          attend(queries, stride, rows, packed, factor, scratch);
        }
        T* to = out + ((picture * tokens + first) * heads + head) * depth;
        divided(scratch.found.data(), rows, packed.width, depth, scratch.sums, stored(to),
                heads * depth);
      }
    }
    blas::brgemm_release();
  });
  return output.transpose(1, 2);
}

}  // namespace

bool fits_tiled_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          double scale) {
  bool is_recorded = c10::GradMode::is_enabled() &&
                     (query.requires_grad() || key.requires_grad() || value.requires_grad());
  for (const at::Tensor& one : {query, key, value}) {
    if (!one.device().is_cpu() || one.scalar_type() != query.scalar_type() || one.dim() != 4 ||
        one.stride(3) != 1 || one.numel() == 0 || one.size(0) != query.size(0) ||
        one.size(1) != query.size(1) || one.size(3) != query.size(3)) {
      return false;
    }
  }
  return !is_recorded && scale > 0 && query.size(3) % 8 == 0 && query.size(3) <= 256 &&
         key.size(2) == value.size(2) && has_small_products(query.scalar_type());
}

at::Tensor tiled_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           double scale) {
  return query.scalar_type() == at::kFloat ? attention<float>(query, key, value, scale)
                                           : attention<at::BFloat16>(query, key, value, scale);
}

}  // namespace ctorch
