// Autograd.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "boundary.h"

using namespace ctorch;

bool ct_grad_enabled(void) { return c10::GradMode::is_enabled(); }
void ct_set_grad_enabled(bool enabled) { c10::GradMode::set_enabled(enabled); }

bool ct_bfloat16_products(void) { return at::autocast::is_autocast_enabled(at::kCPU); }
void ct_set_bfloat16_products(bool enabled) {
  // Kept casts of weights would outlive the step that changes them.
  at::autocast::set_autocast_cache_enabled(false);
  for (at::DeviceType device : {at::kCPU, at::kCUDA, at::kMPS}) {
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::set_autocast_enabled(device, enabled);
  }
}

bool ct_requires_grad(CTTensor a) { return Ref(a)->requires_grad(); }
bool ct_is_leaf(CTTensor a) { return Ref(a)->is_leaf(); }

int ct_set_requires_grad(CTTensor a, bool required) {
  return guard("requires_grad", {a}, [&] { Ref(a)->set_requires_grad(required); });
}

int ct_grad(CTTensor a, CTTensor* out) {
  return guard("grad", {a}, [&] { *out = give(Ref(a)->grad()); });
}

int ct_set_grad(CTTensor a, CTTensor gradient) {
  return guard("set_grad", {a, gradient}, [&] {
    Ref(a)->mutable_grad() = gradient ? at::Tensor(*Ref(gradient)) : at::Tensor();
  });
}

int ct_detach(CTTensor a, CTTensor* out) {
  return guard("detach", {a}, [&] { *out = give(Ref(a)->detach()); });
}

int ct_backward(CTTensor a, CTTensor gradient, bool retain_graph, bool create_graph) {
  return guard("backward", {a}, [&] {
    torch::autograd::backward({*Ref(a)}, {gradient ? at::Tensor(*Ref(gradient)) : at::Tensor()},
                              retain_graph, create_graph);
  });
}

int ct_gradients(const CTTensor* outputs, int64_t output_count, const CTTensor* inputs,
                 int64_t input_count, const CTTensor* output_gradients, bool retain_graph,
                 bool create_graph, CTTensor* out) {
  return guard("gradients", {}, [&] {
    std::vector<at::Tensor> seeds;
    if (output_gradients) seeds = list(output_gradients, output_count);
    auto found = torch::autograd::grad(list(outputs, output_count), list(inputs, input_count),
                                       seeds, retain_graph, create_graph, /*allow_unused=*/true);
    for (size_t i = 0; i < found.size(); i++) out[i] = give(std::move(found[i]));
  });
}
