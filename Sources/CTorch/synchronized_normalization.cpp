// Batch normalisation over a batch that several processes share: mean and variance are those of all
// their pictures, and so are the sums that the gradient needs.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "boundary.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Group = c10::intrusive_ptr<c10d::ProcessGroup>;

namespace {

/// Sums over all dimensions but the channels', in double precision.
at::Tensor channel_sums(const at::Tensor& x) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < x.dim(); d++) {
    if (d != 1) others.push_back(d);
  }
  return x.sum(others, /*keepdim=*/false, at::kDouble);
}

/// One number a channel as `[1, C, 1, 1]`, of x's type.
at::Tensor channels(const at::Tensor& values, const at::Tensor& x) {
  std::vector<int64_t> shape(x.dim(), 1);
  shape[1] = -1;
  return values.to(x.scalar_type()).reshape(shape);
}

/// Adds sums up over the ranks. Where one is lost they stay this rank's: the exchange of gradients
/// behind every step meets the same loss, and says so.
void add_up(const Group& group, at::Tensor& sums) {
  at::Tensor own = sums.clone();
  std::vector<at::Tensor> all = {sums};
  try {
    group->allreduce(all)->wait();
  } catch (const std::exception&) {
    sums.copy_(own);
  }
}

struct SynchronizedBatchNorm : torch::autograd::Function<SynchronizedBatchNorm> {
  // Runs with recording switched off, as every forward function.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& running_mean,
                            const at::Tensor& running_variance, double momentum, double eps,
                            const Group& group) {
    int64_t width = x.size(1);
    at::Tensor sums = at::cat({channel_sums(x), at::full({1}, x.numel() / width, at::kDouble)});
    add_up(group, sums);
    double count = sums[width].item<double>();
    at::Tensor mean = sums.narrow(0, 0, width) / count;
    at::Tensor centred = x - channels(mean, x);
    at::Tensor squares = channel_sums(centred.square());
    add_up(group, squares);
    at::Tensor variance = squares / count;
    at::Tensor inverse = (variance + eps).rsqrt();
    running_mean.lerp_(mean.to(running_mean.scalar_type()), momentum);
    running_variance.lerp_(
        (squares / std::max(count - 1, 1.0)).to(running_variance.scalar_type()), momentum);
    at::Tensor normal = centred * channels(inverse, x);
    context->save_for_backward({normal, weight, inverse});
    context->saved_data["count"] = count;
    context->saved_data["group"] = c10::IValue(group);
    return normal * channels(weight, x) + channels(bias, x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!c10::GradMode::is_enabled(),
                "batch normalisation over several processes has no gradients of gradients");
    variable_list saved = context->get_saved_variables();
    const at::Tensor &normal = saved[0], &weight = saved[1], &inverse = saved[2];
    const at::Tensor& dy = gradients[0];
    int64_t width = normal.size(1);
    double count = context->saved_data["count"].toDouble();
    auto group = context->saved_data["group"].toCustomClass<c10d::ProcessGroup>();
    at::Tensor sums = at::cat({channel_sums(dy), channel_sums(dy * normal)});
    at::Tensor own = sums.clone();
    add_up(group, sums);
    at::Tensor means = sums / count;
    at::Tensor dx = (dy - channels(means.narrow(0, 0, width), dy) -
                     normal * channels(means.narrow(0, width, width), dy)) *
                    channels(inverse * weight.to(at::kDouble), dy);
    variable_list found = {dx, own.narrow(0, width, width).to(weight.scalar_type()),
                           own.narrow(0, 0, width).to(weight.scalar_type())};
    found.resize(8);
    return found;
  }
};

}  // namespace

int ct_synchronized_batch_norm(CTProcessGroup group, CTTensor input, CTTensor weight, CTTensor bias,
                               CTTensor running_mean, CTTensor running_variance, double momentum,
                               double eps, CTTensor* out) {
  return guard("synchronized_batch_norm", {input, weight, bias}, [&] {
    *out = give(SynchronizedBatchNorm::apply(*Ref(input), *Ref(weight), *Ref(bias),
                                             *Ref(running_mean), *Ref(running_variance), momentum,
                                             eps, *reinterpret_cast<Group*>(group)));
  });
}
