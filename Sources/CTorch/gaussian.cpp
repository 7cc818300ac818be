// The code of a variational autoencoder, N(μ, σ²) with independent dimensions (Kingma & Welling 2014):
// a draw and the distance from N(0, 1), values and gradients in one pass each.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "boundary.h"
#include "twice.h"
#include "vectors.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// z = μ + σ ε, and ½ (μ² + σ² − 1 − log σ²) added to `kl`, for one picture's dimensions.
WIDE void draw(const float* moments, const float* noise, int64_t width, float* z, float* kl) {
  const float *mean = moments, *logs = moments + width;
  for (int64_t d = 0; d < width; d++) {
    float deviation = 0.5f * logs[d];
    exponentiate<float, uint32_t>(deviation);
    z[d] = mean[d] + deviation * noise[d];
    kl[d] += 0.5f * (mean[d] * mean[d] + deviation * deviation - 1.0f - logs[d]);
  }
}

/// The gradients of one picture's moments for those of its draw, `dz`, and of the mean distance, `share`
/// of which is this picture's.
WIDE void draw_back(const float* moments, const float* noise, int64_t width, const float* dz,
                    const float* dkl, float share, float* gradient) {
  const float *mean = moments, *logs = moments + width;
  for (int64_t d = 0; d < width; d++) {
    float deviation = 0.5f * logs[d];
    exponentiate<float, uint32_t>(deviation);
    float by = share * dkl[d];
    gradient[d] = dz[d] + by * mean[d];
    gradient[width + d] =
        0.5f * (dz[d] * noise[d] * deviation + by * (deviation * deviation - 1.0f));
  }
}

/// The same by PyTorch's own operations.
variable_list plain(const at::Tensor& moments, const at::Tensor& noise) {
  std::vector<at::Tensor> halves = moments.chunk(2, 1);
  const at::Tensor &mean = halves[0], &logs = halves[1];
  return {mean + noise * (0.5 * logs).exp(),
          (0.5 * (mean.square() + logs.exp() - 1 - logs)).mean(0)};
}

struct GaussianDraw : torch::autograd::Function<GaussianDraw> {
  // Runs with recording switched off, as every forward function.
  static variable_list forward(AutogradContext* context, const at::Tensor& moments,
                               const at::Tensor& noise) {
    int64_t pictures = noise.size(0), width = noise.size(1);
    at::Tensor z = at::empty_like(noise), kl = at::empty({width}, noise.options());
    const float *from = moments.const_data_ptr<float>(), *drawn = noise.const_data_ptr<float>();
    float* to = z.mutable_data_ptr<float>();
    std::vector<float> some(width);
    std::vector<double> total(width);
    for (int64_t i = 0; i < pictures; i++) {
      std::fill(some.begin(), some.end(), 0.0f);
      draw(from + 2 * i * width, drawn + i * width, width, to + i * width, some.data());
      for (int64_t d = 0; d < width; d++) total[d] += some[d];
    }
    float* means = kl.mutable_data_ptr<float>();
    for (int64_t d = 0; d < width; d++) means[d] = total[d] / pictures;
    context->save_for_backward({moments, noise});
    return {z, kl};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &moments = saved[0], &noise = saved[1];
    int64_t pictures = noise.size(0), width = noise.size(1);
    at::Tensor dz = gradients[0].defined() ? gradients[0].contiguous() : at::zeros_like(noise);
    at::Tensor dkl =
        gradients[1].defined() ? gradients[1].contiguous() : at::zeros({width}, noise.options());
    if (c10::GradMode::is_enabled()) {
      // Of a sum whose parts they are the factors of.
      at::Tensor one = at::ones({}, noise.options());
      return differentiable_gradients({moments, noise}, one, 2, [&](auto& x) {
        variable_list y = plain(x[0], x[1]);
        return (y[0] * dz).sum() + (y[1] * dkl).sum();
      });
    }
    at::Tensor result = at::empty_like(moments);
    const float *from = moments.const_data_ptr<float>(), *drawn = noise.const_data_ptr<float>();
    const float *above = dz.const_data_ptr<float>(), *distance = dkl.const_data_ptr<float>();
    float* to = result.mutable_data_ptr<float>();
    for (int64_t i = 0; i < pictures; i++) {
      draw_back(from + 2 * i * width, drawn + i * width, width, above + i * width, distance,
                1.0f / pictures, to + 2 * i * width);
    }
    return {result, at::Tensor()};
  }
};

bool are_rows(const at::Tensor& x) {
  return is_plain(x) && x.dim() == 2 && x.numel() > 0 && x.is_contiguous();
}

}  // namespace

int ct_gaussian_draw(CTTensor moments, CTTensor noise, CTTensor* z, CTTensor* kl) {
  return guard("gaussian_draw", {moments, noise}, [&] {
    Ref m(moments), e(noise);
    bool is_fit = are_rows(m) && are_rows(e) && m->size(0) == e->size(0) &&
                  m->size(1) == 2 * e->size(1) && !e->requires_grad();
    variable_list found = is_fit ? GaussianDraw::apply(*m, *e) : plain(m, e);
    *z = give(found[0]);
    *kl = give(found[1]);
  });
}
