// Convolutions of float32 on the processor's matrix unit, in memory.
#pragma once

#include <cstdint>

#include "window.h"

namespace ctorch {

/// Whether the processor has tiles of bfloat16 and the system lets this process use them; what follows
/// computes nothing elsewhere.
bool has_matrix_unit();

/// A convolution from pictures `[N, height, width, channels]` to `[N, out_height, out_width, filters]`.
struct Convolution {
  int64_t pictures, height, width, channels, out_height, out_width, filters, kernel[2];
  Window window;

  /// The product of `rows` rows of `channels` numbers with a matrix `[filters, channels]`: every row is a
  /// picture of one pixel.
  static Convolution of_rows(int64_t rows, int64_t channels, int64_t filters) {
    return {rows, 1, 1, channels, 1, 1, filters, {1, 1}, {{1, 1}, {0, 0}, {1, 1}}};
  }

  int64_t taps() const { return kernel[0] * kernel[1]; }

  /// The outputs for pictures `x` and filters `[filters, taps, channels]`; `bias` may be null.
  void apply(const float* x, const float* weight, const float* bias, float* y) const;

  /// The gradient of the pictures for that of the outputs, which is the transposed convolution: pixels
  /// whose places differ by a stride see the same taps, one pass each.
  void apply_back(const float* dy, const float* weight, const float* bias, float* dx) const;

  /// The gradient of the filters, `[filters, channels, taps]`: sums over the outputs' pixels. Each
  /// thread makes its own share of the filters, so that the result is the same every time.
  void weight_gradient(const float* x, const float* dy, float* dw) const;
};

}  // namespace ctorch
