// Attention by kernels of our own.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// Whether the kernel for bfloat16 is for these, [N, heads, T, d]: without gradients.
bool fits_bfloat16_attention(const at::Tensor& query, const at::Tensor& key,
                             const at::Tensor& value, double scale);

/// softmax(q kᵀ · scale) v, [N, heads, T, d].
at::Tensor bfloat16_attention(const at::Tensor& query, const at::Tensor& key,
                              const at::Tensor& value, double scale);

}  // namespace ctorch
