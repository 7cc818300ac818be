// Weights laid out once for oneDNN's kernels instead of at every call, as PyTorch's own compiler does
// for a graph that stays.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>

#include "boundary.h"
#include "thin_convolution.h"
#include "winograd.h"

using namespace ctorch;

namespace {

std::optional<c10::OperatorHandle> find(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchema({name, overload});
}

at::Tensor call(const c10::OperatorHandle& operation, std::vector<c10::IValue> arguments) {
  operation.callBoxed(&arguments);
  return arguments.at(0).toTensor();
}

c10::List<std::optional<at::Scalar>> no_scalars() { return c10::List<std::optional<at::Scalar>>(); }

std::vector<int64_t> pair(const int64_t values[2]) { return {values[0], values[1]}; }

/// A packed weight, or nothing where the processor has no kernels for it.
CTTensor pack(const c10::OperatorHandle& operation, std::vector<c10::IValue> arguments) {
  at::NoGradGuard no_gradients;
  try {
    return give(call(operation, std::move(arguments)));
  } catch (const c10::Error&) {
    return nullptr;
  }
}

/// Whether a tensor's numbers are of a kind that is packed here.
bool fits(const at::Tensor& input, const at::Tensor& weight) {
  auto type = weight.scalar_type();
  return input.device().is_cpu() && weight.device().is_cpu() && input.scalar_type() == type &&
         (type == at::kFloat || type == at::kBFloat16) && input.numel() > 0;
}

}  // namespace

int ct_pack_conv2d(CTTensor input, CTTensor weight, const int64_t stride[2],
                   const int64_t padding[2], const int64_t dilation[2], int64_t groups,
                   CTTensor* out) {
  return guard("pack_conv2d", {input, weight}, [&] {
    static const auto operation = find("mkldnn::_reorder_convolution_weight");
    Ref x(input), w(weight);
    *out = nullptr;
    // The input must be channels-last, else the results would not be.
    if (!operation || !fits(x, w) || x->dim() != 4 ||
        !x->is_contiguous(at::MemoryFormat::ChannelsLast) ||
        fits_winograd(x, w, std::nullopt, stride, padding, dilation, groups) ||
        fits_thin_convolution(x, w, std::nullopt, window(stride, padding, dilation), groups)) {
      return;
    }
    *out = pack(*operation, {w->detach(), pair(padding), pair(stride), pair(dilation), groups,
                             x->sizes().vec()});
  });
}

int ct_packed_conv2d(CTTensor input, CTTensor packed, CTTensor bias, const int64_t stride[2],
                     const int64_t padding[2], const int64_t dilation[2], int64_t groups,
                     CTTensor added, CTTensor* out) {
  return guard("packed_conv2d", {input, bias, added}, [&] {
    static const auto alone = find("mkldnn::_convolution_pointwise");
    static const auto sum = find("mkldnn::_convolution_pointwise", "binary");
    auto more = optional(added);
    c10::IValue nothing;
    *out = give(
        more ? call(*sum, {*Ref(input), *more, *Ref(packed), optional(bias), pair(padding),
                           pair(stride), pair(dilation), groups, "add", nothing, nothing,
                           no_scalars(), nothing})
             : call(*alone, {*Ref(input), *Ref(packed), optional(bias), pair(padding), pair(stride),
                             pair(dilation), groups, "none", no_scalars(), ""}));
  });
}

int ct_pack_linear(CTTensor input, CTTensor weight, CTTensor* out) {
  return guard("pack_linear", {input, weight}, [&] {
    static const auto operation = find("mkldnn::_reorder_linear_weight");
    Ref x(input), w(weight);
    *out = nullptr;
    if (!operation || !fits(x, w)) return;
    *out = pack(*operation, {w->detach(), x->numel() / x->size(-1)});
  });
}

int ct_packed_linear(CTTensor input, CTTensor packed, CTTensor bias, CTTensor added,
                     CTTensor* out) {
  return guard("packed_linear", {input, bias, added}, [&] {
    static const auto alone = find("mkldnn::_linear_pointwise");
    static const auto sum = find("mkldnn::_linear_pointwise", "binary");
    auto more = optional(added);
    *out = give(
        more ? call(*sum, {*Ref(input), *more, *Ref(packed), optional(bias), "add"})
             : call(*alone, {*Ref(input), *Ref(packed), optional(bias), "none", no_scalars(), ""}));
  });
}
