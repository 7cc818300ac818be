// The Bernoulli likelihood of logits, the loss of most autoencoders: value and gradient in one pass.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <bit>
#include <cmath>

#include "boundary.h"
#include "parallel.h"

using namespace ctorch;

#if defined(__x86_64__) && defined(__ELF__)
#define EVERY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_CPU
#endif

namespace {

// e^−a for a ≥ 0, within 2 units in the last place: e^−a = 2^k e^r with |r| ≤ ½ ln 2, and the
// series of e^r to r⁷.
inline __attribute__((always_inline)) float exp_of_minus(float a) {
  a = a < 87.0f ? a : 87.0f;
  constexpr float round = 12582912.0f;  // 1.5 · 2²³: adding it rounds to a whole number
  float k = (a * -1.44269504f + round) - round;
  float r = (-a - k * 0.693359375f) + k * 2.12194440e-4f;  // ln 2 in two parts
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(k) + 127) << 23);
}

constexpr int64_t lanes = 16, rows = 32, block = lanes * rows;

// Σ log(1 + e^x) − x·t over a block, and σ(x) − t of each. With e = e^−|x|,
// log(1 + e^x) = max(x, 0) + log(1 + e); the factors 1 + e of a lane are multiplied up (at most
// 2³²), so that one logarithm serves them all.
EVERY_CPU double sum_block(const float* x, const float* t, float* gradient) {
  float product[lanes], linear[lanes];
  for (int lane = 0; lane < lanes; lane++) product[lane] = 1, linear[lane] = 0;
  for (int row = 0; row < rows; row++) {
    for (int lane = 0; lane < lanes; lane++) {
      int64_t i = row * lanes + lane;
      float e = exp_of_minus(std::fabs(x[i]));
      product[lane] *= 1 + e;
      linear[lane] += (x[i] < 0 ? 0 : x[i]) - x[i] * t[i];
      gradient[i] = (x[i] < 0 ? e : 1.0f) / (1 + e) - t[i];
    }
  }
  double sum = 0;
  for (int lane = 0; lane < lanes; lane++) sum += std::log(product[lane]) + linear[lane];
  return sum;
}

double sum_rest(const float* x, const float* t, float* gradient, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    float e = exp_of_minus(std::fabs(x[i]));
    sum += std::log1p(e) + ((x[i] < 0 ? 0 : x[i]) - x[i] * t[i]);
    gradient[i] = (x[i] < 0 ? e : 1.0f) / (1 + e) - t[i];
  }
  return sum;
}

struct BernoulliSum : torch::autograd::Function<BernoulliSum> {
  static bool suits(const at::Tensor& x, const at::Tensor& t) {
    return x.device().is_cpu() && t.device().is_cpu() && x.scalar_type() == at::kFloat &&
           t.scalar_type() == at::kFloat && x.layout() == at::kStrided && x.is_contiguous() &&
           t.is_contiguous() && x.sizes() == t.sizes() && !t.requires_grad();
  }

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& t) {
    auto gradient = at::empty_like(x);
    const float *xs = x.const_data_ptr<float>(), *ts = t.const_data_ptr<float>();
    float* gs = gradient.mutable_data_ptr<float>();
    // One sum a block, added up in order: the same on any number of threads.
    int64_t blocks = x.numel() / block;
    std::vector<double> sums(blocks);
    parallel(blocks, 16, [&](int64_t first, int64_t end) {
      for (int64_t b = first; b < end; b++) {
        sums[b] = sum_block(xs + b * block, ts + b * block, gs + b * block);
      }
    });
    int64_t done = blocks * block;
    double sum = sum_rest(xs + done, ts + done, gs + done, x.numel() - done);
    for (double part : sums) sum += part;
    context->save_for_backward({x, t, gradient});
    return at::scalar_tensor(sum, x.options());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    auto saved = context->get_saved_variables();
    // A gradient that is to be differentiated again is made of operations that have gradients.
    auto to_x = at::GradMode::is_enabled() ? saved[0].sigmoid() - saved[1] : saved[2];
    return {to_x * gradients[0], at::Tensor()};
  }
};

}  // namespace

int ct_bce_with_logits(CTTensor input, CTTensor target, int reduction, CTTensor* out) {
  return guard("binary_cross_entropy_with_logits", {input, target}, [&] {
    const at::Tensor x = *Ref(input), t = *Ref(target);
    if (reduction == at::Reduction::None || !BernoulliSum::suits(x, t)) {
      *out = give(at::binary_cross_entropy_with_logits(x, t, {}, {}, reduction));
      return;
    }
    auto sum = BernoulliSum::apply(x, t);
    *out = give(reduction == at::Reduction::Mean ? sum / x.numel() : sum);
  });
}
