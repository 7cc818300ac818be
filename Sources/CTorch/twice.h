// Gradients of gradients for kernels that have none of their own.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace ctorch {

/// The gradients of `inputs` through PyTorch's own operations, which have gradients in turn; `count`
/// places in all. The operations see the inputs under other names, so that what one of them owes to
/// another is not counted here too.
template <typename Plain>
torch::autograd::variable_list differentiable_gradients(
    const torch::autograd::variable_list& inputs, const at::Tensor& gradient, size_t count,
    const Plain& plain) {
  torch::autograd::variable_list same, ends, found;
  for (const at::Tensor& input : inputs) {
    same.push_back(input.defined() ? input.view_as(input) : at::Tensor());
    if (same.back().defined() && same.back().requires_grad()) ends.push_back(same.back());
  }
  torch::autograd::variable_list made =
      torch::autograd::grad({plain(same)}, ends, {gradient}, true, true);
  size_t next = 0;
  for (const at::Tensor& input : same) {
    found.push_back(input.defined() && input.requires_grad() ? made[next++] : at::Tensor());
  }
  found.resize(count);
  return found;
}

}  // namespace ctorch
