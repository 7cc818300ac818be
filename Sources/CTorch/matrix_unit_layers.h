// Convolutions and linear layers of float32 by halves of bfloat16, with gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "matrix_unit.h"

namespace ctorch {

/// The convolution of channels-last float32 pictures `[N, C, H, W]` by filters `[O, C, kh, kw]`; nothing
/// where the matrix unit is not asked for on this thread, has no such convolution, or is slower.
std::optional<at::Tensor> convolution_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                                const std::optional<at::Tensor>& bias,
                                                const Window& window, int64_t groups);

/// The same for the transposed convolution by filters `[C, O, kh, kw]`.
std::optional<at::Tensor> transposed_convolution_by_halves(
    const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
    const Window& window, const int64_t output_padding[2], int64_t groups);

/// x · Wᵀ for `[…, C]` by `[O, C]` as a convolution in memory, whose gradients are by halves too; nothing
/// as above.
std::optional<Convolution> rows_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                          const std::optional<at::Tensor>& bias);

/// The same for x · Wᵀ + b, in the graph.
std::optional<at::Tensor> linear_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                           const std::optional<at::Tensor>& bias);

}  // namespace ctorch
