// Batch normalisation (Ioffe & Szegedy 2015) with a leaky rectifier behind it, fused: the rectifier
// costs no pass over memory of its own, forward or backward, and only the input is kept for the
// backward pass.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "boundary.h"
#include "parallel.h"
#include "twice.h"
#include "vectors.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace ctorch {

WIDE void add_rows(const float* x, int64_t rows, int64_t stride, int64_t width, float* sum) {
  for (int64_t row = 0; row < rows; row++, x += stride) {
    for (int64_t c = 0; c < width; c++) sum[c] += x[c];
  }
}

WIDE void add_squares(const float* x, int64_t rows, int64_t stride, int64_t width,
                      const float* mean, float* sum) {
  for (int64_t row = 0; row < rows; row++, x += stride) {
    for (int64_t c = 0; c < width; c++) sum[c] += (x[c] - mean[c]) * (x[c] - mean[c]);
  }
}

}  // namespace ctorch

namespace {

WIDE void scale_rows(const float* x, int64_t rows, int64_t width, const float* scale,
                     const float* shift, float slope, float* y) {
  for (int64_t row = 0; row < rows; row++, x += width, y += width) {
    for (int64_t c = 0; c < width; c++) {
      float value = x[c] * scale[c] + shift[c];
      y[c] = value > 0 ? value : value * slope;
    }
  }
}

/// Sums of g and of g · (x − mean), where g is the gradient before the rectifier.
WIDE void add_gradients(const float* x, const float* dy, int64_t rows, int64_t width,
                        const float* scale, const float* shift, const float* mean, float slope,
                        float* sum, float* product) {
  for (int64_t row = 0; row < rows; row++, x += width, dy += width) {
    for (int64_t c = 0; c < width; c++) {
      float g = x[c] * scale[c] + shift[c] > 0 ? dy[c] : dy[c] * slope;
      sum[c] += g;
      product[c] += g * (x[c] - mean[c]);
    }
  }
}

/// dx = scale · (g − offset − (x − mean) · factor).
WIDE void gradient_rows(const float* x, const float* dy, int64_t rows, int64_t width,
                        const float* scale, const float* shift, const float* mean,
                        const float* offset, const float* factor, float slope, float* dx) {
  for (int64_t row = 0; row < rows; row++, x += width, dy += width, dx += width) {
    for (int64_t c = 0; c < width; c++) {
      float g = x[c] * scale[c] + shift[c] > 0 ? dy[c] : dy[c] * slope;
      dx[c] = scale[c] * (g - offset[c] - (x[c] - mean[c]) * factor[c]);
    }
  }
}

/// Sums over all rows of `kinds` numbers a channel, in double precision: `body` adds some rows to
/// `kinds` arrays. The parts are added in order, so that the result is the same every time.
template <typename Body>
std::vector<double> sums(int64_t rows, int64_t width, int64_t kinds, const Body& body) {
  int64_t count = kinds * width;
  int64_t parts = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), rows / block));
  std::vector<double> partial(parts * count, 0.0);
  parallel(parts, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> some(count);
    for (int64_t part = begin; part < end; part++) {
      double* total = partial.data() + part * count;
      int64_t last = rows * (part + 1) / parts;
      for (int64_t row = rows * part / parts; row < last; row += block) {
        std::fill(some.begin(), some.end(), 0.0f);
        body(row, std::min(block, last - row), some.data());
        for (int64_t i = 0; i < count; i++) total[i] += some[i];
      }
    }
  });
  std::vector<double> result(partial.begin(), partial.begin() + count);
  for (int64_t part = 1; part < parts; part++) {
    for (int64_t i = 0; i < count; i++) result[i] += partial[part * count + i];
  }
  return result;
}

template <typename Body>
void each_block(int64_t rows, const Body& body) {
  parallel(rows, block, body);
}

struct FusedBatchNorm : torch::autograd::Function<FusedBatchNorm> {
  // Runs with recording switched off, as every forward function.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            double momentum, double eps, double slope) {
    int64_t width = input.size(1), rows = input.numel() / width;
    const float* x = input.const_data_ptr<float>();
    // Mean, 1 / deviation, scale and shift of each channel.
    at::Tensor affine = at::empty({4, width}, input.options().memory_format(std::nullopt));
    float* mean = affine.mutable_data_ptr<float>();
    float *deviation = mean + width, *scale = mean + 2 * width, *shift = mean + 3 * width;
    std::vector<double> total = sums(rows, width, 1, [&](int64_t row, int64_t count, float* sum) {
      add_rows(x + row * width, count, width, width, sum);
    });
    for (int64_t c = 0; c < width; c++) mean[c] = total[c] / rows;
    std::vector<double> square = sums(rows, width, 1, [&](int64_t row, int64_t count, float* sum) {
      add_squares(x + row * width, count, width, width, mean, sum);
    });
    const float *factor = weight.const_data_ptr<float>(), *offset = bias.const_data_ptr<float>();
    float* kept_mean = running_mean.mutable_data_ptr<float>();
    float* kept_variance = running_variance.mutable_data_ptr<float>();
    for (int64_t c = 0; c < width; c++) {
      double variance = square[c] / rows;
      deviation[c] = 1 / std::sqrt(variance + eps);
      scale[c] = factor[c] * deviation[c];
      shift[c] = offset[c] - mean[c] * scale[c];
      kept_mean[c] += momentum * (mean[c] - kept_mean[c]);
      kept_variance[c] += momentum * (square[c] / (rows - 1) - kept_variance[c]);
    }
    at::Tensor output = at::empty_like(input);
    float* y = output.mutable_data_ptr<float>();
    each_block(rows, [&](int64_t begin, int64_t end) {
      scale_rows(x + begin * width, end - begin, width, scale, shift, slope, y + begin * width);
    });
    context->save_for_backward({input, weight, bias, affine});
    context->saved_data["slope"] = slope;
    context->saved_data["eps"] = eps;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &bias = saved[2], &affine = saved[3];
    double slope = context->saved_data["slope"].toDouble();
    if (c10::GradMode::is_enabled()) {
      double eps = context->saved_data["eps"].toDouble();
      return differentiable_gradients({input, weight, bias}, gradients[0], 8, [&](auto& x) {
        return at::leaky_relu(
            at::batch_norm(x[0], x[1], x[2], {}, {}, /*training=*/true, 0, eps, true), slope);
      });
    }
    at::Tensor gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    int64_t width = input.size(1), rows = input.numel() / width;
    const float *x = input.const_data_ptr<float>(), *dy = gradient.const_data_ptr<float>();
    const float* mean = affine.const_data_ptr<float>();
    const float *deviation = mean + width, *scale = mean + 2 * width, *shift = mean + 3 * width;
    std::vector<double> total = sums(rows, width, 2, [&](int64_t row, int64_t count, float* sum) {
      add_gradients(x + row * width, dy + row * width, count, width, scale, shift, mean, slope,
                    sum, sum + width);
    });
    at::Tensor for_weight = at::empty_like(weight), for_bias = at::empty_like(bias);
    float* dw = for_weight.mutable_data_ptr<float>();
    float* db = for_bias.mutable_data_ptr<float>();
    std::vector<float> offset(width), factor(width);
    for (int64_t c = 0; c < width; c++) {
      double squared = static_cast<double>(deviation[c]) * deviation[c];
      db[c] = total[c];
      dw[c] = total[width + c] * deviation[c];
      offset[c] = total[c] / rows;
      factor[c] = total[width + c] * squared / rows;
    }
    at::Tensor for_input;
    if (context->needs_input_grad(0)) {
      for_input = at::empty_like(input);
      float* dx = for_input.mutable_data_ptr<float>();
      each_block(rows, [&](int64_t begin, int64_t end) {
        gradient_rows(x + begin * width, dy + begin * width, end - begin, width, scale, shift, mean,
                      offset.data(), factor.data(), slope, dx + begin * width);
      });
    }
    variable_list found = {for_input, for_weight, for_bias};
    found.resize(8);
    return found;
  }
};

/// Whether the kernels above are for this input.
bool is_fit(const at::Tensor& input) {
  return input.device().is_cpu() && input.scalar_type() == at::kFloat && input.dim() == 4 &&
         input.numel() > input.size(1) && input.size(1) > 1 &&
         input.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

int ct_batch_norm_leaky_relu(CTTensor input, CTTensor weight, CTTensor bias, CTTensor running_mean,
                             CTTensor running_variance, bool training, double momentum, double eps,
                             double slope, CTTensor* out) {
  return guard("batch_norm_leaky_relu", {input, weight, bias, running_mean, running_variance}, [&] {
    Ref x(input);
    if (training && is_fit(x)) {
      *out = give(FusedBatchNorm::apply(*x, *Ref(weight), *Ref(bias), *Ref(running_mean),
                                        *Ref(running_variance), momentum, eps, slope));
      return;
    }
    *out = give(at::leaky_relu(
        at::batch_norm(x, optional(weight), optional(bias), optional(running_mean),
                       optional(running_variance), training, momentum, eps, true),
        slope));
  });
}
