// Gradient checkpointing: a part of a network that keeps its inputs only and runs twice.
#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/engine.h>

#include "boundary.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::Engine;
using torch::autograd::variable_list;

namespace {

/// The caller's function with what it needs, released with the last graph that may call it.
struct Segment : torch::CustomClassHolder {
  CTSegment body;
  void (*release)(void*);
  void* context;
  size_t output_count;

  Segment(CTSegment body, void (*release)(void*), void* context, int64_t output_count)
      : body(body), release(release), context(context), output_count(output_count) {}
  ~Segment() override { release(context); }

  variable_list operator()(const variable_list& inputs) const {
    std::vector<CTTensor> given, made(output_count, nullptr);
    for (const at::Tensor& input : inputs) given.push_back(give(input));
    body(context, given.data(), made.data());
    variable_list outputs;
    for (CTTensor handle : made) {
      outputs.push_back(*Ref(handle));
      ct_tensor_free(handle);
    }
    return outputs;
  }
};

struct Recomputation : torch::autograd::Function<Recomputation> {
  // Runs with recording switched off, as every forward function.
  static variable_list forward(AutogradContext* context, c10::intrusive_ptr<Segment> segment,
                               at::TensorList inputs) {
    context->save_for_backward(inputs.vec());
    context->saved_data["segment"] = c10::IValue::make_capsule(segment);
    return (*segment)(inputs.vec());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(Engine::get_default_engine().is_checkpoint_valid(),
                "a recomputed part adds to the gradients of its parameters: call backward, not "
                "gradients(withRespectTo:)");
    TORCH_CHECK(!c10::GradMode::is_enabled(),
                "a recomputed part has no gradients of gradients");
    auto segment =
        c10::static_intrusive_pointer_cast<Segment>(context->saved_data["segment"].toCapsule());
    variable_list leaves;
    for (const at::Tensor& input : context->get_saved_variables()) {
      leaves.push_back(input.detach().set_requires_grad(input.requires_grad()));
    }
    variable_list roots, seeds;
    {
      at::AutoGradMode recording(true);
      variable_list outputs = (*segment)(leaves);
      for (size_t i = 0; i < outputs.size(); i++) {
        if (!outputs[i].requires_grad() || !gradients[i].defined()) continue;
        roots.push_back(outputs[i]);
        seeds.push_back(gradients[i]);
      }
    }
    if (!roots.empty()) torch::autograd::backward(roots, seeds);
    variable_list found = {at::Tensor()};  // The segment itself has none.
    for (const at::Tensor& leaf : leaves) found.push_back(leaf.grad());
    return found;
  }
};

}  // namespace

int ct_recomputed(CTSegment body, void (*release)(void*), void* context, const CTTensor* inputs,
                  int64_t input_count, CTTensor* out, int64_t output_count) {
  auto segment = c10::make_intrusive<Segment>(body, release, context, output_count);
  return guard("recomputed", {}, [&] {
    auto given = list(inputs, input_count);
    auto outputs = Recomputation::apply(segment, at::TensorList(given));
    for (size_t i = 0; i < outputs.size(); i++) out[i] = give(std::move(outputs[i]));
  });
}
