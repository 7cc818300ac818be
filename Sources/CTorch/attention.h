// Attention by kernels of our own.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// Whether the kernel of tiles is for these, [N, heads, T, d]: float32 or bfloat16 without gradients.
bool fits_tiled_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          double scale);

/// softmax(q kᵀ · scale) v, [N, heads, T, d].
at::Tensor tiled_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           double scale);

}  // namespace ctorch
