// Group normalisation (Wu & He 2018), alone or with SiLU behind it, x · sigmoid(x), fused: the
// nonlinearity costs no pass over memory of its own, forward or backward, and only the input is kept
// for the backward pass. What is added to each channel of a picture before, such as an embedding of the
// time, only moves the mean that is taken off. Channels-last, so that a picture's pixels are rows of
// channels.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "bfloat16.h"
#include "boundary.h"
#include "parallel.h"
#include "twice.h"
#include "vectors.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

#include "group_normalization_kernels.h"

/// Some channels of a picture's pixels for the loops above, in float32: where they lie, or by way of
/// a block of rows beside.
template <typename T>
struct Slab;

template <>
struct Slab<float> {
  float* data;
  int64_t stride;

  Slab(const float* data, int64_t channels, int64_t)
      : data(const_cast<float*>(data)), stride(channels) {}
  float* at(int64_t row, int64_t) { return data + row * stride; }
  float* place(int64_t row) { return data + row * stride; }
  void put(int64_t, int64_t) {}
};

template <>
struct Slab<at::BFloat16> {
  uint16_t* data;
  int64_t channels, stride;
  std::vector<float> space;

  Slab(const at::BFloat16* data, int64_t channels, int64_t width)
      : data(reinterpret_cast<uint16_t*>(const_cast<at::BFloat16*>(data))),
        channels(channels),
        stride(width),
        space(block * width) {}
  /// `count` rows from `row` on.
  float* at(int64_t row, int64_t count) {
    widen_rows(data + row * channels, count, channels, stride, space.data());
    return space.data();
  }
  /// Where rows go that `put` writes.
  float* place(int64_t) { return space.data(); }
  void put(int64_t row, int64_t count) {
    narrow_rows(space.data(), count, channels, stride, data + row * channels);
  }
};

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

  /// Calls `body(first row, rows)` for all blocks of a picture's rows.
  template <typename Body>
  void blocks(const Body& body) const {
    for (int64_t row = 0; row < rows; row += block) body(row, std::min(block, rows - row));
  }

  /// `body` adds blocks of rows to `kinds` sums a channel of `count` channels.
  template <typename Body>
  std::vector<double> sums(int64_t count, int64_t kinds, const Body& body) const {
    std::vector<double> total(kinds * count, 0.0);
    std::vector<float> some(kinds * count);
    blocks([&](int64_t row, int64_t number) {
      std::fill(some.begin(), some.end(), 0.0f);
      body(row, number, some.data());
      for (size_t i = 0; i < some.size(); i++) total[i] += some[i];
    });
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
                 const at::Tensor& bias, int64_t groups, double eps, bool silu) {
  at::Tensor x = added.defined() ? input + added : input;
  at::Tensor y = at::group_norm(x, groups, weight, bias, eps, false);
  return silu ? at::silu(y) : y;
}

/// Means of a picture's groups and of squared distances from them, at every channel of a part that
/// begins at `x`; `extra` is what is added to each channel.
void moments(const Parts& parts, const float* x, int64_t count, const float* extra, double* means,
             double* squares) {
  double share = 1.0 / (parts.rows * parts.width());
  std::vector<double> total = parts.sums(count, 1, [&](int64_t row, int64_t some, float* sum) {
    add_rows(x + row * parts.channels, some, parts.channels, count, sum);
  });
  for (int64_t c = 0; extra && c < count; c++) total[c] += static_cast<double>(parts.rows) * extra[c];
  parts.spread(total.data(), count, share, means);
  std::vector<float> mean(count);
  for (int64_t c = 0; c < count; c++) mean[c] = means[c] - (extra ? extra[c] : 0.0f);
  total = parts.sums(count, 1, [&](int64_t row, int64_t some, float* sum) {
    add_squares(x + row * parts.channels, some, parts.channels, count, mean.data(), sum);
  });
  parts.spread(total.data(), count, share, squares);
}

/// The same in one pass, of distances from a mean of some rows: near enough to the mean of all that the
/// squares in float32 lose less than the input's own rounding did.
void moments(const Parts& parts, const uint16_t* x, int64_t count, const float* extra,
             double* means, double* squares) {
  double rows = parts.rows, share = 1.0 / (rows * parts.width());
  int64_t some_rows = std::min<int64_t>(parts.rows, 16);
  std::vector<float> pivot(count);
  for (int64_t i = 0; i < some_rows; i++) {
    const uint16_t* row = x + parts.rows * i / some_rows * parts.channels;
    for (int64_t c = 0; c < count; c++) pivot[c] += widened(row[c]) / some_rows;
  }
  std::vector<double> total = parts.sums(count, 2, [&](int64_t row, int64_t some, float* sum) {
    add_moments(x + row * parts.channels, some, parts.channels, count, pivot.data(), sum,
                sum + count);
  });
  std::vector<double> sums(count);
  auto start = [&](int64_t c) { return static_cast<double>(pivot[c]) + (extra ? extra[c] : 0.0f); };
  for (int64_t c = 0; c < count; c++) sums[c] = total[c] + rows * start(c);
  parts.spread(sums.data(), count, share, means);
  for (int64_t c = 0; c < count; c++) {
    double offset = start(c) - means[c];
    sums[c] = std::max(total[count + c] + offset * (2 * total[c] + rows * offset), 0.0);
  }
  parts.spread(sums.data(), count, share, squares);
}

/// The output; `kept` [2, N, C] becomes the mean, less what is added, of each picture's channels and
/// 1 / deviation.
template <typename T>
at::Tensor normalized(const at::Tensor& input, const at::Tensor& added, const at::Tensor& weight,
                      const at::Tensor& bias, int64_t groups, double eps, bool silu,
                      const at::Tensor& kept) {
  using Number = std::conditional_t<std::is_same_v<T, float>, float, uint16_t>;
  Parts parts(input, groups);
  int64_t channels = parts.channels, rows = parts.rows;
  const auto* x = reinterpret_cast<const Number*>(input.const_data_ptr<T>());
  const float *factor = weight.const_data_ptr<float>(), *offset = bias.const_data_ptr<float>();
  const float* more = added.defined() ? added.const_data_ptr<float>() : nullptr;
  float* means = kept.mutable_data_ptr<float>();
  float* deviations = means + parts.pictures * channels;
  at::Tensor output = at::empty_like(input);
  auto* y = reinterpret_cast<Number*>(output.mutable_data_ptr<T>());
  using Rows = void (*)(const Number*, int64_t, int64_t, int64_t, const float*, const float*, Number*);
  Rows activated = activate_rows, scaled = scale_rows;
  parts.each([&](int64_t picture, int64_t first, int64_t end) {
    int64_t count = end - first, start = picture * rows * channels + first;
    float *mean = means + picture * channels + first;
    float *deviation = deviations + picture * channels + first;
    const float* extra = more ? more + picture * channels + first : nullptr;
    std::vector<double> mean_of_all(count), square(count);
    moments(parts, x + start, count, extra, mean_of_all.data(), square.data());
    std::vector<float> scale(count), shift(count);
    for (int64_t c = 0; c < count; c++) {
      mean[c] = mean_of_all[c] - (extra ? extra[c] : 0.0f);
      deviation[c] = 1 / std::sqrt(square[c] + eps);
      scale[c] = factor[first + c] * deviation[c];
      shift[c] = offset[first + c] - mean[c] * scale[c];
    }
    (silu ? activated : scaled)(x + start, rows, channels, count, scale.data(), shift.data(),
                                y + start);
  });
  return output;
}

/// Of input, what is added (undefined without), weight and bias.
struct Gradients {
  at::Tensor input, added, weight, bias;
};

template <typename T>
Gradients gradients_of(const at::Tensor& input, const at::Tensor& added, const at::Tensor& weight,
                       const at::Tensor& bias, const at::Tensor& kept, int64_t groups, bool silu,
                       const at::Tensor& gradient) {
  Parts parts(input, groups);
  int64_t channels = parts.channels, rows = parts.rows;
  const T *x = input.const_data_ptr<T>(), *dy = gradient.const_data_ptr<T>();
  const float *factor = weight.const_data_ptr<float>(), *offset = bias.const_data_ptr<float>();
  const float* means = kept.const_data_ptr<float>();
  const float* deviations = means + parts.pictures * channels;
  Gradients found = {at::empty_like(input), at::Tensor(), at::empty_like(weight),
                     at::empty_like(bias)};
  T* dx = found.input.mutable_data_ptr<T>();
  if (added.defined()) found.added = at::empty_like(added);
  float* da = added.defined() ? found.added.mutable_data_ptr<float>() : nullptr;
  // Each picture's share of the gradients of weight and bias.
  std::vector<double> shares(2 * parts.pictures * channels);
  parts.each([&](int64_t picture, int64_t first, int64_t end) {
    int64_t count = end - first, start = picture * rows * channels + first;
    Slab<T> in(x + start, channels, count), above(dy + start, channels, count);
    Slab<T> out(dx + start, channels, count);
    const float* mean = means + picture * channels + first;
    const float* deviation = deviations + picture * channels + first;
    std::vector<float> scale(count), shift(count);
    for (int64_t c = 0; c < count; c++) {
      scale[c] = factor[first + c] * deviation[c];
      shift[c] = offset[first + c] - mean[c] * scale[c];
    }
    std::vector<double> total = parts.sums(count, 2, [&](int64_t row, int64_t some, float* sum) {
      const float *xs = in.at(row, some), *dys = above.at(row, some);
      if (silu) {
        inner_gradients(xs, dys, some, in.stride, count, scale.data(), shift.data(), mean,
                        out.place(row), sum, sum + count);
      } else {
        plain_gradients(xs, dys, some, in.stride, count, mean, out.place(row), sum, sum + count);
      }
      out.put(row, some);
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
      outer_gradients(in.at(row, some), some, in.stride, count, scale.data(), mean, offsets.data(),
                      factors.data(), out.at(row, some), sum);
      out.put(row, some);
    });
    for (int64_t c = 0; da && c < count; c++) da[picture * channels + first + c] = total[c];
  });
  float* dw = found.weight.mutable_data_ptr<float>();
  float* db = found.bias.mutable_data_ptr<float>();
  for (int64_t c = 0; c < channels; c++) {
    double sum = 0, product = 0;
    for (int64_t picture = 0; picture < parts.pictures; picture++) {
      sum += shares[2 * (picture * channels + c)];
      product += shares[2 * (picture * channels + c) + 1];
    }
    db[c] = sum;
    dw[c] = product;
  }
  return found;
}

struct FusedGroupNorm : torch::autograd::Function<FusedGroupNorm> {
  // Runs with recording switched off, as every forward function.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const std::optional<at::Tensor>& what_is_added,
                            const at::Tensor& weight, const at::Tensor& bias, int64_t groups,
                            double eps, bool silu) {
    at::Tensor added = what_is_added.value_or(at::Tensor());
    at::Tensor kept = at::empty({2, input.size(0), input.size(1)}, weight.options());
    at::Tensor output =
        input.scalar_type() == at::kFloat
            ? normalized<float>(input, added, weight, bias, groups, eps, silu, kept)
            : normalized<at::BFloat16>(input, added, weight, bias, groups, eps, silu, kept);
    context->save_for_backward({input, added, weight, bias, kept});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["silu"] = silu;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &added = saved[1], &weight = saved[2], &bias = saved[3];
    const at::Tensor& kept = saved[4];
    int64_t groups = context->saved_data["groups"].toInt();
    bool silu = context->saved_data["silu"].toBool();
    if (c10::GradMode::is_enabled()) {
      double eps = context->saved_data["eps"].toDouble();
      return differentiable_gradients(
          {input, added, weight, bias}, gradients[0], 7,
          [&](auto& x) { return plain(x[0], x[1], x[2], x[3], groups, eps, silu); });
    }
    at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    Gradients found =
        input.scalar_type() == at::kFloat
            ? gradients_of<float>(input, added, weight, bias, kept, groups, silu, gradient)
            : gradients_of<at::BFloat16>(input, added, weight, bias, kept, groups, silu, gradient);
    return {found.input,  found.added,  found.weight, found.bias,
            at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

/// Whether the kernels above are for this input.
bool is_fit(const at::Tensor& input, const at::Tensor& added, const at::Tensor& weight,
            const at::Tensor& bias, int64_t groups) {
  bool is_plain = input.device().is_cpu() &&
                  (input.scalar_type() == at::kFloat || input.scalar_type() == at::kBFloat16) &&
                  input.dim() == 4 && input.numel() > 0 && input.size(1) > 1 &&
                  input.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!is_plain || groups < 1 || input.size(1) % groups != 0) return false;
  for (const at::Tensor& one : {weight, bias}) {
    bool is_known = one.scalar_type() == at::kFloat || one.scalar_type() == at::kBFloat16;
    if (!is_known || !one.device().is_cpu() || one.numel() != input.size(1)) return false;
  }
  // One number a picture and channel.
  return !added.defined() ||
         (added.device().is_cpu() && added.scalar_type() == input.scalar_type() &&
          added.dim() == 4 && added.size(0) == input.size(0) && added.size(1) == input.size(1) &&
          added.numel() == added.size(0) * added.size(1));
}

at::Tensor normalize(const at::Tensor& input, const at::Tensor& added, int64_t groups,
                     const at::Tensor& weight, const at::Tensor& bias, double eps, bool silu) {
  if (!weight.defined() || !bias.defined() || !is_fit(input, added, weight, bias, groups)) {
    return plain(input, added, weight, bias, groups, eps, silu);
  }
  std::optional<at::Tensor> more;
  if (added.defined()) more = added.to(at::kFloat).contiguous();
  return FusedGroupNorm::apply(input, more, weight.to(at::kFloat).contiguous(),
                               bias.to(at::kFloat).contiguous(), groups, eps, silu);
}

}  // namespace

int ct_group_norm(CTTensor input, int64_t groups, CTTensor weight, CTTensor bias, double eps,
                  CTTensor* out) {
  return guard("group_norm", {input, weight, bias}, [&] {
    *out = give(normalize(Ref(input), at::Tensor(), groups, Ref(weight), Ref(bias), eps, false));
  });
}

int ct_group_norm_silu(CTTensor input, CTTensor added, int64_t groups, CTTensor weight,
                       CTTensor bias, double eps, CTTensor* out) {
  return guard("group_norm_silu", {input, added, weight, bias}, [&] {
    *out = give(normalize(Ref(input), Ref(added), groups, Ref(weight), Ref(bias), eps, true));
  });
}
