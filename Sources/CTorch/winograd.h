// 3×3 convolutions by Winograd's minimal filtering.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// Whether `winograd` takes such a convolution and is the faster way.
bool fits_winograd(const at::Tensor& input, const at::Tensor& weight,
                   const std::optional<at::Tensor>& bias, const int64_t stride[2],
                   const int64_t padding[2], const int64_t dilation[2], int64_t groups);

/// The convolution of channels-last pictures, in float32 or bfloat16 (which autocast brings them to), by
/// 3×3 filters, stride 1, padding 1, and what is `added`: in the same pass where that is of the result's shape and type, else as by `+`.
at::Tensor winograd(const at::Tensor& input, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& added);

}  // namespace ctorch
