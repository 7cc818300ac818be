// The loops of group_normalization.cpp, over rows of channels.

/// y = SiLU(x · scale + shift).
WIDE void activate_rows(const float* x, int64_t rows, int64_t stride, int64_t width,
                        const float* scale, const float* shift, float* y) {
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) {
      float z = x[c] * scale[c] + shift[c];
      float e = -z;
      exponentiate<float, uint32_t>(e);
      y[c] = z / (1.0f + e);
    }
  }
}

/// The same without SiLU.
WIDE void scale_rows(const float* x, int64_t rows, int64_t stride, int64_t width,
                     const float* scale, const float* shift, float* y) {
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) y[c] = x[c] * scale[c] + shift[c];
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
    for (int64_t c = 0; c < width; c++) {
      out[c] = __builtin_bit_cast(float, static_cast<uint32_t>(x[c]) << 16);
    }
  }
}

/// To the nearest, ties to even.
WIDE void narrow_rows(const float* x, int64_t rows, int64_t stride, int64_t width, uint16_t* out) {
  for (int64_t row = 0; row < rows; row++, x += width, out += stride) {
    for (int64_t c = 0; c < width; c++) {
      uint32_t bits = __builtin_bit_cast(uint32_t, x[c]);
      uint16_t near = static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
      out[c] = x[c] == x[c] ? near : 0x7FC0;
    }
  }
}
