// The loops of group_normalization.cpp, over rows of channels.

/// y = SiLU(x · scale + shift), in the vectors of whoever calls it.
template <typename T>
__attribute__((always_inline)) inline void activate(const T* x, int64_t rows, int64_t stride,
                                                    int64_t width, const float* scale,
                                                    const float* shift, T* y) {
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) {
      float z = widened(x[c]) * scale[c] + shift[c];
      float e = -z;
      exponentiate<float, uint32_t>(e);
      narrow(z / (1.0f + e), y[c]);
    }
  }
}

WIDE void activate_rows(const float* x, int64_t rows, int64_t stride, int64_t width,
                        const float* scale, const float* shift, float* y) {
  activate(x, rows, stride, width, scale, shift, y);
}

WIDE void plain_activate_rows(const uint16_t* x, int64_t rows, int64_t stride, int64_t width,
                              const float* scale, const float* shift, uint16_t* y) {
  activate(x, rows, stride, width, scale, shift, y);
}

#if defined(__x86_64__)
/// The same in a quarter of the instructions, within 2⁻¹³, which will do for bfloat16.
WITH_BFLOAT16 void fast_activate_rows(const uint16_t* x, int64_t rows, int64_t stride,
                                      int64_t width, const float* scale, const float* shift,
                                      uint16_t* y) {
  const __m512 to_base_2 = _mm512_set1_ps(-1.44269504f), one = _mm512_set1_ps(1.0f);
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c += lanes) {
      auto mask = static_cast<__mmask16>(width - c < lanes ? (1u << (width - c)) - 1 : 0xFFFFu);
      __m512i bits = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x + c));
      __m512 z = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(bits, 16)),
                                 _mm512_maskz_loadu_ps(mask, scale + c),
                                 _mm512_maskz_loadu_ps(mask, shift + c));
      // The power must not become infinite; where it would, the result is as good as 0.
      __m512 power = _mm512_min_ps(_mm512_mul_ps(z, to_base_2), _mm512_set1_ps(126.0f));
      __m512 value = _mm512_mul_ps(z, _mm512_rcp14_ps(_mm512_add_ps(one, fast_power(power))));
      _mm256_mask_storeu_epi16(y + c, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)));
    }
  }
}
#endif

void activate_rows(const uint16_t* x, int64_t rows, int64_t stride, int64_t width,
                   const float* scale, const float* shift, uint16_t* y) {
#if defined(__x86_64__)
  if (has_bfloat16()) return fast_activate_rows(x, rows, stride, width, scale, shift, y);
#endif
  plain_activate_rows(x, rows, stride, width, scale, shift, y);
}

/// The same without SiLU.
WIDE void scale_rows(const float* x, int64_t rows, int64_t stride, int64_t width,
                     const float* scale, const float* shift, float* y) {
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) y[c] = x[c] * scale[c] + shift[c];
  }
}

WIDE void scale_rows(const uint16_t* x, int64_t rows, int64_t stride, int64_t width,
                     const float* scale, const float* shift, uint16_t* y) {
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) narrow(widened(x[c]) * scale[c] + shift[c], y[c]);
  }
}

/// Adds distances from `pivot`, and their squares.
WIDE void add_moments(const uint16_t* x, int64_t rows, int64_t stride, int64_t width,
                      const float* pivot, float* sum, float* square) {
  for (int64_t row = 0; row < rows; row++, x += stride) {
    for (int64_t c = 0; c < width; c++) {
      float distance = widened(x[c]) - pivot[c];
      sum[c] += distance;
      square[c] += distance * distance;
    }
  }
}

/// g = dy · SiLU′(z), kept, and the sums of g and of g · (x − mean).
WIDE void inner_gradients(const float* x, const float* dy, int64_t rows, int64_t stride,
                          int64_t width, const float* scale, const float* shift, const float* mean,
                          float* g, float* sum, float* product) {
  for (int64_t row = 0; row < rows; row++, x += stride, dy += stride, g += stride) {
    for (int64_t c = 0; c < width; c++) {
      float z = x[c] * scale[c] + shift[c];
      float s = -z;
      exponentiate<float, uint32_t>(s);
      s = 1.0f / (1.0f + s);
      float inner = dy[c] * s * (1.0f + z * (1.0f - s));
      g[c] = inner;
      sum[c] += inner;
      product[c] += inner * (x[c] - mean[c]);
    }
  }
}

/// The same without SiLU: g = dy.
WIDE void plain_gradients(const float* x, const float* dy, int64_t rows, int64_t stride,
                          int64_t width, const float* mean, float* g, float* sum, float* product) {
  for (int64_t row = 0; row < rows; row++, x += stride, dy += stride, g += stride) {
    for (int64_t c = 0; c < width; c++) {
      g[c] = dy[c];
      sum[c] += dy[c];
      product[c] += dy[c] * (x[c] - mean[c]);
    }
  }
}

/// g becomes dx = scale · g − offset − (x − mean) · factor, and is added up.
WIDE void outer_gradients(const float* x, int64_t rows, int64_t stride, int64_t width,
                          const float* scale, const float* mean, const float* offset,
                          const float* factor, float* g, float* sum) {
  for (int64_t row = 0; row < rows; row++, x += stride, g += stride) {
    for (int64_t c = 0; c < width; c++) {
      g[c] = scale[c] * g[c] - offset[c] - (x[c] - mean[c]) * factor[c];
      sum[c] += g[c];
    }
  }
}

WIDE void widen_rows(const uint16_t* x, int64_t rows, int64_t stride, int64_t width, float* out) {
  for (int64_t row = 0; row < rows; row++, x += stride, out += width) {
    for (int64_t c = 0; c < width; c++) out[c] = widened(x[c]);
  }
}

WIDE void narrow_rows(const float* x, int64_t rows, int64_t stride, int64_t width, uint16_t* out) {
  for (int64_t row = 0; row < rows; row++, x += width, out += stride) {
    for (int64_t c = 0; c < width; c++) narrow(x[c], out[c]);
  }
}
