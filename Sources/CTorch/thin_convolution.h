// Convolutions from or to very few channels.
#pragma once

#include <ATen/core/Tensor.h>

#include "matrix_unit_layers.h"

namespace ctorch {

/// The convolution as one matrix product over all taps, channels-last, where they are few: of grey
/// pictures. Nothing where another way is as fast.
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
