// Autograd, and the operations that update many tensors in one call.
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

// Many tensors in one call ------------------------------------------------------------------------
int ct_foreach_norm(const CTTensor* tensors, int64_t count, double p, CTTensor* out) {
  return guard("foreach_norm", {}, [&] {
    auto norms = at::_foreach_norm(list(tensors, count), p);
    *out = give(at::linalg_vector_norm(at::stack(norms), p));
  });
}

int ct_foreach_mul_(const CTTensor* tensors, int64_t count, CTTensor factor) {
  return guard("foreach_mul_", {factor},
               [&] { at::_foreach_mul_(list(tensors, count), *Ref(factor)); });
}

int ct_foreach_add_(const CTTensor* tensors, int64_t count, double number) {
  return guard("foreach_add_", {}, [&] {
    if (count > 0) at::_foreach_add_(list(tensors, count), number);
  });
}

int ct_foreach_lerp_(const CTTensor* tensors, const CTTensor* ends, int64_t count, double weight) {
  return guard("foreach_lerp_", {},
               [&] { at::_foreach_lerp_(list(tensors, count), list(ends, count), weight); });
}

int ct_fused_adam_(const CTTensor* parameters, const CTTensor* gradients, const CTTensor* means,
                   const CTTensor* squares, const CTTensor* steps, int64_t count, double rate,
                   double beta1, double beta2, double weight_decay, double eps, bool decoupled) {
  return guard(decoupled ? "fused_adamw_" : "fused_adam_", {}, [&] {
    auto p = list(parameters, count), g = list(gradients, count), m = list(means, count),
         v = list(squares, count), t = list(steps, count);
    if (decoupled) {
      at::_fused_adamw_(p, g, m, v, {}, t, rate, beta1, beta2, weight_decay, eps, false, false);
    } else {
      at::_fused_adam_(p, g, m, v, {}, t, rate, beta1, beta2, weight_decay, eps, false, false);
    }
  });
}

int ct_fused_sgd_(const CTTensor* parameters, const CTTensor* gradients, const CTTensor* momenta,
                  int64_t count, double rate, double momentum, double weight_decay,
                  double dampening, bool nesterov, bool first_step) {
  return guard("fused_sgd_", {}, [&] {
    auto p = list(parameters, count), g = list(gradients, count);
    std::vector<at::Tensor> b;
    if (momenta) b = list(momenta, count);
    at::_fused_sgd_(p, g, b, weight_decay, momentum, rate, dampening, nesterov,
                    /*maximize=*/false, first_step);
  });
}
