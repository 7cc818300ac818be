// Convolutions and linear layers of float32 on the processor's matrix unit.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// How a convolution moves over its input.
struct Window {
  int64_t stride[2], padding[2], dilation[2];
};

/// Whether the matrix unit is to be used on this thread, has such a convolution, and is the faster way.
bool fits_matrix_unit(const at::Tensor& input, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias, const Window& window, int64_t groups,
                      bool is_transposed);

/// The convolution of channels-last float32 pictures `[N, C, H, W]` by filters `[O, C, kh, kw]`.
at::Tensor convolution_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                 const std::optional<at::Tensor>& bias, const Window& window);

/// The transposed convolution of channels-last float32 pictures `[N, C, H, W]` by filters
/// `[C, O, kh, kw]`.
at::Tensor transposed_convolution_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                            const std::optional<at::Tensor>& bias,
                                            const Window& window, const int64_t output_padding[2]);

/// The same for x · Wᵀ + b, `[…, C]` by `[O, C]`.
bool linear_fits_matrix_unit(const at::Tensor& input, const at::Tensor& weight,
                             const std::optional<at::Tensor>& bias);
at::Tensor linear_by_halves(const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias);

}  // namespace ctorch
