// Group normalisation (Wu & He 2018) with SiLU behind it, x · sigmoid(x), fused: the nonlinearity
// costs no pass over memory of its own, forward or backward, and only the input is kept for the
// backward pass. What is added to each channel of a picture before, such as an embedding of the
// time, only moves the mean that is taken off. Channels-last, so that a picture's pixels are rows of
// channels.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "boundary.h"
#include "parallel.h"
#include "vectors.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

WIDE void activate_rows(const float* x, int64_t rows, int64_t stride, int64_t width,
                        const float* scale, const float* shift, float* y) {
  for (int64_t row = 0; row < rows; row++, x += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) {
      float z = x[c] * scale[c] + shift[c];
      y[c] = z / (1.0f + exponential<float, uint32_t>(-z));
    }
  }
}

/// g = dy · SiLU′(z), kept, and the sums of g and of g · (x − mean).
WIDE void inner_gradients(const float* x, const float* dy, int64_t rows, int64_t stride,
                          int64_t width, const float* scale, const float* shift, const float* mean,
                          float* g, float* sum, float* product) {
  for (int64_t row = 0; row < rows; row++, x += stride, dy += stride, g += stride) {
    for (int64_t c = 0; c < width; c++) {
      float z = x[c] * scale[c] + shift[c];
      float s = 1.0f / (1.0f + exponential<float, uint32_t>(-z));
      float inner = dy[c] * s * (1.0f + z * (1.0f - s));
      g[c] = inner;
      sum[c] += inner;
      product[c] += inner * (x[c] - mean[c]);
    }
  }
}

/// g becomes dx = scale · g − offset − (x − mean) · factor, and is added up.
WIDE void outer_gradients(const float* x, int64_t rows, int64_t stride, int64_t width,
                          const float* scale, const float* mean, const float* offset,
                          const float* factor, float* g, float* sum) {
  for (int64_t row = 0; row < rows; row++, x += stride, g += stride) {
    for (int64_t c = 0; c < width; c++) {
      g[c] = scale[c] * g[c] - offset[c] - (x[c] - mean[c]) * factor[c];
      sum[c] += g[c];
    }
  }
}

/// The work as parts that do not touch each other: a picture's groups, or some of them where pictures
/// are fewer than threads.
struct Parts {
  int64_t pictures, rows, channels, groups, slabs;

  Parts(const at::Tensor& input, int64_t groups)
      : pictures(input.size(0)),
        rows(input.size(2) * input.size(3)),
        channels(input.size(1)),
        groups(groups) {
    int64_t threads = at::get_num_threads();
    slabs = std::min(groups, (threads + pictures - 1) / pictures);
  }

  int64_t width() const { return channels / groups; }

  /// Calls `body(picture, first channel, end)` for all parts.
  template <typename Body>
  void each(const Body& body) const {
    parallel(pictures * slabs, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++) {
        int64_t slab = part % slabs;
        body(part / slabs, groups * slab / slabs * width(), groups * (slab + 1) / slabs * width());
      }
    });
  }

  /// `body` adds blocks of rows to `kinds` sums a channel of `count` channels.
  template <typename Body>
  std::vector<double> sums(int64_t count, int64_t kinds, const Body& body) const {
    std::vector<double> total(kinds * count, 0.0);
    std::vector<float> some(kinds * count);
    for (int64_t row = 0; row < rows; row += block) {
      std::fill(some.begin(), some.end(), 0.0f);
      body(row, std::min(block, rows - row), some.data());
      for (size_t i = 0; i < some.size(); i++) total[i] += some[i];
    }
    return total;
  }

  /// The sum over each group, at every one of its channels.
  void spread(const double* sums, int64_t count, double factor, double* out) const {
    for (int64_t first = 0; first < count; first += width()) {
      double sum = 0;
      for (int64_t c = first; c < first + width(); c++) sum += sums[c];
      for (int64_t c = first; c < first + width(); c++) out[c] = sum * factor;
    }
  }
};

/// The same by PyTorch's own operations.
at::Tensor plain(const at::Tensor& input, const at::Tensor& added, const at::Tensor& weight,
                 const at::Tensor& bias, int64_t groups, double eps) {
  at::Tensor x = added.defined() ? input + added : input;
  return at::silu(at::group_norm(x, groups, weight, bias, eps, false));
}

struct FusedGroupNorm : torch::autograd::Function<FusedGroupNorm> {
  // Runs with recording switched off, as every forward function.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& added, const at::Tensor& weight,
                            const at::Tensor& bias, int64_t groups, double eps) {
    Parts parts(input, groups);
    int64_t channels = parts.channels, rows = parts.rows;
    const float* x = input.const_data_ptr<float>();
    const float *factor = weight.const_data_ptr<float>(), *offset = bias.const_data_ptr<float>();
    const float* more = added.defined() ? added.const_data_ptr<float>() : nullptr;
    // Of each picture's channels: the mean less what is added, and 1 / deviation.
    at::Tensor kept = at::empty({2, parts.pictures, channels},
                                input.options().memory_format(std::nullopt));
    float* means = kept.mutable_data_ptr<float>();
    float* deviations = means + parts.pictures * channels;
    at::Tensor output = at::empty_like(input);
    float* y = output.mutable_data_ptr<float>();
    parts.each([&](int64_t picture, int64_t first, int64_t end) {
      int64_t count = end - first, start = picture * rows * channels + first;
      float *mean = means + picture * channels + first;
      float *deviation = deviations + picture * channels + first;
      double share = 1.0 / (rows * parts.width());
      std::vector<double> spread(count);
      std::vector<double> total = parts.sums(count, 1, [&](int64_t row, int64_t some, float* sum) {
        add_rows(x + start + row * channels, some, channels, count, sum);
      });
      const float* extra = more ? more + picture * channels + first : nullptr;
      for (int64_t c = 0; extra && c < count; c++) total[c] += static_cast<double>(rows) * extra[c];
      parts.spread(total.data(), count, share, spread.data());
      for (int64_t c = 0; c < count; c++) mean[c] = spread[c] - (extra ? extra[c] : 0.0f);
      total = parts.sums(count, 1, [&](int64_t row, int64_t some, float* sum) {
        add_squares(x + start + row * channels, some, channels, count, mean, sum);
      });
      parts.spread(total.data(), count, share, spread.data());
      std::vector<float> scale(count), shift(count);
      for (int64_t c = 0; c < count; c++) {
        deviation[c] = 1 / std::sqrt(spread[c] + eps);
        scale[c] = factor[first + c] * deviation[c];
        shift[c] = offset[first + c] - mean[c] * scale[c];
      }
      activate_rows(x + start, rows, channels, count, scale.data(), shift.data(), y + start);
    });
    context->save_for_backward({input, added, weight, bias, kept});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &added = saved[1], &weight = saved[2], &bias = saved[3];
    const at::Tensor& kept = saved[4];
    int64_t groups = context->saved_data["groups"].toInt();
    if (c10::GradMode::is_enabled()) {
      // Gradients of gradients: through PyTorch's own operations, which have them.
      at::Tensor output = plain(input, added, weight, bias, groups,
                                context->saved_data["eps"].toDouble());
      variable_list ends, found;
      for (const at::Tensor& end : {input, added, weight, bias}) {
        if (end.defined() && end.requires_grad()) ends.push_back(end);
      }
      variable_list made = torch::autograd::grad({output}, ends, {gradients[0]}, true, true);
      size_t next = 0;
      for (const at::Tensor& end : {input, added, weight, bias}) {
        found.push_back(end.defined() && end.requires_grad() ? made[next++] : at::Tensor());
      }
      found.resize(6);
      return found;
    }
    at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    Parts parts(input, groups);
    int64_t channels = parts.channels, rows = parts.rows;
    const float *x = input.const_data_ptr<float>(), *dy = gradient.const_data_ptr<float>();
    const float *factor = weight.const_data_ptr<float>(), *offset = bias.const_data_ptr<float>();
    const float* means = kept.const_data_ptr<float>();
    const float* deviations = means + parts.pictures * channels;
    at::Tensor for_input = at::empty_like(input);
    float* dx = for_input.mutable_data_ptr<float>();
    at::Tensor for_added;
    if (added.defined()) for_added = at::empty_like(added);
    float* da = added.defined() ? for_added.mutable_data_ptr<float>() : nullptr;
    // Each picture's share of the gradients of weight and bias.
    std::vector<double> shares(2 * parts.pictures * channels);
    parts.each([&](int64_t picture, int64_t first, int64_t end) {
      int64_t count = end - first, start = picture * rows * channels + first;
      const float* mean = means + picture * channels + first;
      const float* deviation = deviations + picture * channels + first;
      std::vector<float> scale(count), shift(count);
      for (int64_t c = 0; c < count; c++) {
        scale[c] = factor[first + c] * deviation[c];
        shift[c] = offset[first + c] - mean[c] * scale[c];
      }
      std::vector<double> total = parts.sums(count, 2, [&](int64_t row, int64_t some, float* sum) {
        int64_t at = start + row * channels;
        inner_gradients(x + at, dy + at, some, channels, count, scale.data(), shift.data(), mean,
                        dx + at, sum, sum + count);
      });
      // Means over a group of γ g and of γ g (x − mean).
      std::vector<double> weighted(2 * count), spread(2 * count);
      for (int64_t c = 0; c < count; c++) {
        double* share = shares.data() + 2 * (picture * channels + first + c);
        share[0] = total[c];
        share[1] = total[count + c] * deviation[c];
        weighted[c] = total[c] * factor[first + c];
        weighted[count + c] = total[count + c] * factor[first + c];
      }
      double share = 1.0 / (rows * parts.width());
      parts.spread(weighted.data(), count, share, spread.data());
      parts.spread(weighted.data() + count, count, share, spread.data() + count);
      std::vector<float> offsets(count), factors(count);
      for (int64_t c = 0; c < count; c++) {
        double inverse = deviation[c];
        offsets[c] = inverse * spread[c];
        factors[c] = inverse * inverse * inverse * spread[count + c];
      }
      total = parts.sums(count, 1, [&](int64_t row, int64_t some, float* sum) {
        int64_t at = start + row * channels;
        outer_gradients(x + at, some, channels, count, scale.data(), mean, offsets.data(),
                        factors.data(), dx + at, sum);
      });
      for (int64_t c = 0; da && c < count; c++) da[picture * channels + first + c] = total[c];
    });
    at::Tensor for_weight = at::empty_like(weight), for_bias = at::empty_like(bias);
    float* dw = for_weight.mutable_data_ptr<float>();
    float* db = for_bias.mutable_data_ptr<float>();
    for (int64_t c = 0; c < channels; c++) {
      double sum = 0, product = 0;
      for (int64_t picture = 0; picture < parts.pictures; picture++) {
        sum += shares[2 * (picture * channels + c)];
        product += shares[2 * (picture * channels + c) + 1];
      }
      db[c] = sum;
      dw[c] = product;
    }
    return {for_input, for_added, for_weight, for_bias, at::Tensor(), at::Tensor()};
  }
};

/// Whether the kernels above are for this input.
bool is_fit(const at::Tensor& input, const at::Tensor& added, const at::Tensor& weight,
            const at::Tensor& bias, int64_t groups) {
  bool is_plain = input.device().is_cpu() && input.scalar_type() == at::kFloat &&
                  input.dim() == 4 && input.numel() > 0 && input.size(1) > 1 &&
                  input.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!is_plain || groups < 1 || input.size(1) % groups != 0) return false;
  for (const at::Tensor& one : {weight, bias}) {
    if (one.scalar_type() != at::kFloat || one.numel() != input.size(1)) return false;
  }
  // One number a picture and channel.
  return !added.defined() ||
         (added.scalar_type() == at::kFloat && added.dim() == 4 && added.size(0) == input.size(0) &&
          added.size(1) == input.size(1) && added.numel() == added.size(0) * added.size(1));
}

}  // namespace

int ct_group_norm_silu(CTTensor input, CTTensor added, int64_t groups, CTTensor weight,
                       CTTensor bias, double eps, CTTensor* out) {
  return guard("group_norm_silu", {input, added, weight, bias}, [&] {
    Ref x(input), a(added), w(weight), b(bias);
    if (is_fit(x, a, w, b, groups)) {
      at::Tensor more = a->defined() ? a->contiguous() : at::Tensor();
      *out = give(FusedGroupNorm::apply(*x, more, *w, *b, groups, eps));
      return;
    }
    *out = give(plain(x, a, w, b, groups, eps));
  });
}
