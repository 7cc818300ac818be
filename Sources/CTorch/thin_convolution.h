// Convolutions from or to one channel.
#pragma once

#include <ATen/core/Tensor.h>

#include "window.h"

namespace ctorch {

/// Whether `thin_convolution` takes such a convolution.
bool fits_thin_convolution(const at::Tensor& input, const at::Tensor& weight,
                           const std::optional<at::Tensor>& bias, const Window& window,
                           int64_t groups);

/// The convolution of grey pictures by filters of 16 numbers at most, as one matrix product over all
/// taps; the result is channels-last. Nothing where another way is as fast.
std::optional<at::Tensor> thin_convolution(const at::Tensor& input, const at::Tensor& weight,
                                           const std::optional<at::Tensor>& bias,
                                           const Window& window, int64_t groups);

/// The same of a transposed convolution, to grey pictures.
std::optional<at::Tensor> thin_transposed_convolution(const at::Tensor& input,
                                                      const at::Tensor& weight,
                                                      const std::optional<at::Tensor>& bias,
                                                      const Window& window,
                                                      const int64_t output_padding[2],
                                                      int64_t groups);

}  // namespace ctorch
