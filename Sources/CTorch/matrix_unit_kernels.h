// The loops of matrix_unit.cpp, for processors with tiles (AMX) and bfloat16 in AVX-512.
//
// A block is 32×32 numbers, 4 KB: tiles of 16×16 pairs, the high halves of both, then the low halves.
// Of a left side a tile's rows are 16 rows of 32 numbers along the sum; of a right side its rows are
// 16 pairs along the sum, of 16 columns each.

constexpr int64_t side = 32, tile_bytes = 1024, block_bytes = 4 * tile_bytes;

/// The tile registers for the lifetime of a value; who had configured them before has them back then.
class TileRegisters {
 public:
  UNIT TileRegisters() {
    _tile_storeconfig(before_);
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } shape;
    for (int i = 0; i < 8; i++) shape.row_bytes[i] = 64, shape.rows[i] = 16;
    _tile_loadconfig(&shape);
  }
  UNIT ~TileRegisters() { _tile_loadconfig(before_); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;

 private:
  alignas(64) char before_[64];
};

/// Numbers as pairs of bfloat16: x = high + low within 2⁻¹⁷ |x|.
struct Halves {
  __m512i high, low;
};

UNIT inline __m512i rounded(__m512 first, __m512 second) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
}

/// 32 numbers that follow one another.
UNIT inline Halves halves(__m512 first, __m512 second) {
  __m512i high = rounded(first, second);
  __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(high));
  __m512i up = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(high, 1));
  first = _mm512_sub_ps(first, _mm512_castsi512_ps(_mm512_slli_epi32(low, 16)));
  second = _mm512_sub_ps(second, _mm512_castsi512_ps(_mm512_slli_epi32(up, 16)));
  return {high, rounded(first, second)};
}

/// 16 numbers of each of two rows, as pairs of a column.
UNIT inline Halves paired_halves(__m512 first, __m512 second, __m512i pairing) {
  __m512i high = _mm512_permutexvar_epi16(pairing, rounded(first, second));
  __m512i upper = _mm512_and_si512(high, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u)));
  first = _mm512_sub_ps(first, _mm512_castsi512_ps(_mm512_slli_epi32(high, 16)));
  second = _mm512_sub_ps(second, _mm512_castsi512_ps(upper));
  return {high, _mm512_permutexvar_epi16(pairing, rounded(first, second))};
}

/// Rows of 16 pairs become columns.
UNIT inline void transpose(__m512i* r) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    a[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
    b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
    b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
    b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
  }
  // Now b[4 i + c] holds column c of every quarter, of rows 4 i to 4 i + 3.
  for (int c = 0; c < 4; c++) {
    __m512i even = _mm512_shuffle_i32x4(b[c], b[4 + c], 0x88);
    __m512i odd = _mm512_shuffle_i32x4(b[c], b[4 + c], 0xDD);
    __m512i far_even = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0x88);
    __m512i far_odd = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0xDD);
    r[c] = _mm512_shuffle_i32x4(even, far_even, 0x88);
    r[8 + c] = _mm512_shuffle_i32x4(even, far_even, 0xDD);
    r[4 + c] = _mm512_shuffle_i32x4(odd, far_odd, 0x88);
    r[12 + c] = _mm512_shuffle_i32x4(odd, far_odd, 0xDD);
  }
}

/// A mask of the first `count` of 16 lanes.
UNIT inline __mmask16 first_lanes(int64_t count) {
  return count >= 16 ? 0xFFFF : count <= 0 ? 0 : static_cast<__mmask16>((1u << count) - 1);
}

UNIT inline void store_tile(const Halves* rows, bool turned, char* to) {
  __m512i high[16], low[16];
  for (int i = 0; i < 16; i++) high[i] = rows[i].high, low[i] = rows[i].low;
  if (turned) transpose(high), transpose(low);
  for (int i = 0; i < 16; i++) {
    _mm512_store_si512(to + 64 * i, high[i]);
    _mm512_store_si512(to + 2 * tile_bytes + 64 * i, low[i]);
  }
}

/// Rows that run along the sum, 32 of them (null: zeros) of `width` numbers, as blocks that follow
/// one another; of the right side with `turned`, where the rows are its columns.
template <bool turned>
UNIT void pack_rows(const float* const* rows, int64_t width, char* to) {
  for (int64_t k = 0; k < width; k += side, to += block_bytes) {
    __mmask16 one = first_lanes(width - k), other = first_lanes(width - k - 16);
    for (int64_t half = 0; half < 2; half++) {
      Halves packed[16];
      for (int64_t i = 0; i < 16; i++) {
        const float* row = rows[16 * half + i];
        packed[i] = row ? halves(_mm512_maskz_loadu_ps(one, row + k),
                                 _mm512_maskz_loadu_ps(other, row + k + 16))
                        : Halves{_mm512_setzero_si512(), _mm512_setzero_si512()};
      }
      store_tile(packed, turned, to + half * tile_bytes);
    }
  }
}

/// Rows across the sum, 32 of them (null: zeros), of each of which `width` numbers, at most 32, make
/// one block; of the left side with `turned`, where the columns are its rows.
template <bool turned>
UNIT void pack_columns(const float* const* rows, int64_t width, char* to) {
  alignas(64) static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,
                                                 21, 6, 22, 7, 23, 8,  24, 9,  25, 10, 26,
                                                 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i pairing = _mm512_load_si512(order);
  const __m512 zeros = _mm512_setzero_ps();
  for (int64_t half = 0; half < 2; half++) {
    __mmask16 mask = first_lanes(width - 16 * half);
    Halves packed[16];
    for (int64_t i = 0; i < 16; i++) {
      const float *first = rows[2 * i], *second = rows[2 * i + 1];
      packed[i] = paired_halves(first ? _mm512_maskz_loadu_ps(mask, first + 16 * half) : zeros,
                                second ? _mm512_maskz_loadu_ps(mask, second + 16 * half) : zeros,
                                pairing);
    }
    store_tile(packed, turned, to + half * tile_bytes);
  }
}

/// The product of `count` blocks of each side, 32×32 sums; `adds` to those that are there.
UNIT inline void multiply(const char* left, const char* right, int64_t count, float* sums, bool adds) {
  constexpr int row = side * sizeof(float);
  if (adds) {
    _tile_loadd(0, sums, row);
    _tile_loadd(1, sums + 16, row);
    _tile_loadd(2, sums + 16 * side, row);
    _tile_loadd(3, sums + 16 * side + 16, row);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t i = 0; i < count; i++, left += block_bytes, right += block_bytes) {
    // high · high
    _tile_loadd(4, left, 64);
    _tile_loadd(6, right, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + tile_bytes, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, left + tile_bytes, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    // high · low
    _tile_loadd(6, right + 2 * tile_bytes, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + 3 * tile_bytes, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    // low · high
    _tile_loadd(4, left + 2 * tile_bytes, 64);
    _tile_loadd(6, right, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + tile_bytes, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, left + 3 * tile_bytes, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, row);
  _tile_stored(1, sums + 16, row);
  _tile_stored(2, sums + 16 * side, row);
  _tile_stored(3, sums + 16 * side + 16, row);
}

/// Sums to columns from `column` on of where their rows lie (null: nowhere), which have `columns` in
/// all, plus the columns' `bias`.
UNIT inline void write_rows(const float* sums, float* const* rows, int64_t column, int64_t columns,
                            const float* bias) {
  __mmask16 one = first_lanes(columns - column), other = first_lanes(columns - column - 16);
  __m512 first = bias ? _mm512_maskz_loadu_ps(one, bias + column) : _mm512_setzero_ps();
  __m512 second = bias ? _mm512_maskz_loadu_ps(other, bias + column + 16) : _mm512_setzero_ps();
  for (int64_t i = 0; i < side; i++, sums += side) {
    if (!rows[i]) continue;
    float* to = rows[i] + column;
    _mm512_mask_storeu_ps(to, one, _mm512_add_ps(_mm512_load_ps(sums), first));
    _mm512_mask_storeu_ps(to + 16, other, _mm512_add_ps(_mm512_load_ps(sums + 16), second));
  }
}
