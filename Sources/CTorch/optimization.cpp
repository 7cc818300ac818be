// What an optimizer does to all parameters at once. On the CPU, Adam's moments, the weights and their
// slow average are changed in one pass over memory, which is all that such a step costs, and all
// parameters share it: a network of many small ones would else wait for its threads more than it works.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "boundary.h"
#include "parallel.h"
#include "vectors.h"

using namespace ctorch;

namespace {

/// Numbers that a thread takes at a time.
constexpr int64_t piece = 1 << 13;

__attribute__((always_inline)) inline LooseLanes& at_place(float* x) {
  return *reinterpret_cast<LooseLanes*>(x);
}

/// Memory that walks over a list of tensors as if they lay one behind the other.
struct Walk {
  std::vector<int64_t> pieces{0};  // before each tensor

  explicit Walk(const std::vector<at::Tensor>& tensors) {
    for (const auto& tensor : tensors) {
      pieces.push_back(pieces.back() + (tensor.numel() + piece - 1) / piece);
    }
  }

  /// `body(tensor, first number, count)` for every piece, on all threads.
  template <typename Body>
  void operator()(const std::vector<at::Tensor>& tensors, const Body& body) const {
    parallel(pieces.back(), 4, [&](int64_t begin, int64_t end) {
      // Moments of weights that stand still go through all tiny numbers on their way to zero. What a
      // step or a norm owes to such numbers is below its rounding.
      TinyNumbersAreZero flushing;
      auto found = std::upper_bound(pieces.begin(), pieces.end(), begin) - 1;
      int64_t tensor = found - pieces.begin();
      for (int64_t i = begin; i < end; i++) {
        while (i >= pieces[tensor + 1]) tensor++;
        int64_t first = (i - pieces[tensor]) * piece;
        body(tensor, i, first, std::min(piece, tensors[tensor].numel() - first));
      }
    });
  }
};

bool is_dense(const at::Tensor& x) { return is_plain(x) && x.is_non_overlapping_and_dense(); }

bool are_plain(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), is_dense);
}

/// Whether the numbers of two tensors meet when memory is walked through.
bool lie_alike(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides() &&
         a.scalar_type() == b.scalar_type() && a.device() == b.device();
}

/// PyTorch's fused steps walk through memory too, and do not look whether all lies alike.
void require_alike(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (size_t i = 0; i < a.size(); i++) {
    TORCH_CHECK(lie_alike(a[i], b[i]), "moments and averages must lie as their parameter does");
  }
}

/// Gradients, which may lie otherwise, as their parameters do.
void align(const std::vector<at::Tensor>& parameters, std::vector<at::Tensor>& gradients) {
  for (size_t i = 0; i < parameters.size(); i++) {
    if (!lie_alike(parameters[i], gradients[i])) {
      gradients[i] = at::empty_like(parameters[i]).copy_(gradients[i]);
    }
  }
}

WIDE double sum_of_squares(const float* x, int64_t count) {
  Lanes sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    for (int64_t j = 0; j < 4; j++) {
      Lanes value = *reinterpret_cast<const LooseLanes*>(x + i + j * lanes);
      sums[j] += value * value;
    }
  }
  double sum = 0;
  for (int64_t lane = 0; lane < lanes; lane++) {
    sum += static_cast<double>(sums[0][lane]) + sums[1][lane] + sums[2][lane] + sums[3][lane];
  }
  for (; i < count; i++) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

/// What is the same for all numbers of a parameter.
struct Rule {
  float factor, coupled_decay, kept, mean_share, square_kept, square_share;
  float rate, unbiased, eps, average_share;
};

__attribute__((always_inline)) inline void take_root(float& x) { x = __builtin_sqrtf(x); }
__attribute__((always_inline)) inline void take_root(Lanes& x) {
  x = __builtin_elementwise_sqrt(x);
}

/// Adam for a number or for lanes; `a` is the average's, where there is one.
template <bool averaging, typename F>
__attribute__((always_inline)) inline void adam(F& p, const F& gradient, F& m, F& v, F& a,
                                                const Rule& rule) {
  F g = rule.factor * gradient + rule.coupled_decay * p;
  m += rule.mean_share * (g - m);
  v = rule.square_kept * v + rule.square_share * g * g;
  F root = v;
  take_root(root);
  p = rule.kept * p - rule.rate * m / (root * rule.unbiased + rule.eps);
  if (averaging) a += rule.average_share * (p - a);
}

template <bool averaging>
__attribute__((always_inline)) inline void adam_piece(float* p, const float* g, float* m, float* v,
                                                      float* a, int64_t count, const Rule& rule) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Lanes weight = at_place(p + i), mean = at_place(m + i), square = at_place(v + i);
    Lanes gradient = *reinterpret_cast<const LooseLanes*>(g + i), average = {};
    if (averaging) average = at_place(a + i);
    adam<averaging>(weight, gradient, mean, square, average, rule);
    at_place(p + i) = weight;
    at_place(m + i) = mean;
    at_place(v + i) = square;
    if (averaging) at_place(a + i) = average;
  }
  for (; i < count; i++) {
    float average = averaging ? a[i] : 0;
    adam<averaging>(p[i], g[i], m[i], v[i], average, rule);
    if (averaging) a[i] = average;
  }
}

WIDE void adam_alone(float* p, const float* g, float* m, float* v, int64_t count,
                     const Rule& rule) {
  adam_piece<false>(p, g, m, v, nullptr, count, rule);
}

WIDE void adam_averaging(float* p, const float* g, float* m, float* v, float* a, int64_t count,
                         const Rule& rule) {
  adam_piece<true>(p, g, m, v, a, count, rule);
}

}  // namespace

int ct_foreach_norm(const CTTensor* tensors, int64_t count, double p, CTTensor* out) {
  return guard("foreach_norm", {}, [&] {
    auto all = list(tensors, count);
    bool is_recorded = c10::GradMode::is_enabled() &&
                       std::any_of(all.begin(), all.end(),
                                   [](const auto& x) { return x.requires_grad(); });
    if (p != 2 || is_recorded || !are_plain(all)) {
      *out = give(at::linalg_vector_norm(at::stack(at::_foreach_norm(all, p)), p));
      return;
    }
    // One sum a piece, added up in order: the same on any number of threads.
    Walk walk(all);
    std::vector<double> sums(walk.pieces.back());
    walk(all, [&](int64_t tensor, int64_t place, int64_t first, int64_t count) {
      sums[place] = sum_of_squares(all[tensor].const_data_ptr<float>() + first, count);
    });
    double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
    *out = give(at::scalar_tensor(std::sqrt(sum), at::kFloat));
  });
}

int ct_foreach_mul_(const CTTensor* tensors, int64_t count, CTTensor factor) {
  return guard("foreach_mul_", {factor},
               [&] { at::_foreach_mul_(list(tensors, count), *Ref(factor)); });
}

int ct_foreach_add_(const CTTensor* tensors, int64_t count, double number) {
  return guard("foreach_add_", {}, [&] {
    auto all = list(tensors, count);
    bool are_numbers = are_plain(all) && std::all_of(all.begin(), all.end(), [](const auto& x) {
                         return x.numel() == 1;
                       });
    if (!are_numbers) {
      if (count > 0) at::_foreach_add_(all, number);
      return;
    }
    for (const auto& x : all) *x.template mutable_data_ptr<float>() += static_cast<float>(number);
  });
}

int ct_foreach_lerp_(const CTTensor* tensors, const CTTensor* ends, int64_t count, double weight) {
  return guard("foreach_lerp_", {},
               [&] { at::_foreach_lerp_(list(tensors, count), list(ends, count), weight); });
}

int ct_fused_adam_(const CTTensor* parameters, const CTTensor* gradients, const CTTensor* means,
                   const CTTensor* squares, const CTTensor* steps, int64_t count, double rate,
                   double beta1, double beta2, double weight_decay, double eps, bool decoupled,
                   double factor, const CTTensor* averages, double average_share) {
  return guard(decoupled ? "fused_adamw_" : "fused_adam_", {}, [&] {
    auto p = list(parameters, count), g = list(gradients, count), m = list(means, count),
         v = list(squares, count), t = list(steps, count);
    auto a = averages ? list(averages, count) : std::vector<at::Tensor>();
    if (count == 0) return;
    align(p, g);
    require_alike(p, m);
    require_alike(p, v);
    if (averages) require_alike(p, a);
    if (!are_plain(p) || !are_plain(t)) {
      if (factor != 1) at::_foreach_mul_(g, factor);
      if (decoupled) {
        at::_fused_adamw_(p, g, m, v, {}, t, rate, beta1, beta2, weight_decay, eps, false, false);
      } else {
        at::_fused_adam_(p, g, m, v, {}, t, rate, beta1, beta2, weight_decay, eps, false, false);
      }
      if (averages) at::_foreach_lerp_(a, p, average_share);
      return;
    }
    std::vector<Rule> rules;
    for (const auto& step : t) {
      double n = *step.const_data_ptr<float>();
      rules.push_back({
          .factor = static_cast<float>(factor),
          .coupled_decay = static_cast<float>(decoupled ? 0 : weight_decay),
          .kept = static_cast<float>(decoupled ? 1 - rate * weight_decay : 1),
          .mean_share = static_cast<float>(1 - beta1),
          .square_kept = static_cast<float>(beta2),
          .square_share = static_cast<float>(1 - beta2),
          .rate = static_cast<float>(rate / (1 - std::pow(beta1, n))),
          .unbiased = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, n))),
          .eps = static_cast<float>(eps),
          .average_share = static_cast<float>(average_share),
      });
    }
    Walk walk(p);
    walk(p, [&](int64_t i, int64_t, int64_t first, int64_t count) {
      auto data = [&](const at::Tensor& x) { return x.mutable_data_ptr<float>() + first; };
      const float* gradient = g[i].const_data_ptr<float>() + first;
      if (averages) {
        adam_averaging(data(p[i]), gradient, data(m[i]), data(v[i]), data(a[i]), count, rules[i]);
      } else {
        adam_alone(data(p[i]), gradient, data(m[i]), data(v[i]), count, rules[i]);
      }
    });
    // The weights are others now: a graph that still holds them must know.
    for (const auto& list : {p, m, v, a}) {
      for (const auto& tensor : list) tensor.unsafeGetTensorImpl()->bump_version();
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
    align(p, g);
    if (momenta) require_alike(p, b);
    at::_fused_sgd_(p, g, b, weight_decay, momentum, rate, dampening, nesterov,
                    /*maximize=*/false, first_step);
  });
}
