// Convolutions and linear layers on the matrix unit as libtorch's graph sees them.
#include "matrix_unit_layers.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "boundary.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

thread_local bool is_asked_for = false;

/// A convolution as the graph keeps it.
std::vector<int64_t> numbers(const Convolution& c) {
  std::vector<int64_t> all{c.pictures,  c.height,  c.width,     c.channels, c.out_height,
                           c.out_width, c.filters, c.kernel[0], c.kernel[1]};
  for (const int64_t* two : {c.window.stride, c.window.padding, c.window.dilation}) {
    all.insert(all.end(), two, two + 2);
  }
  return all;
}

Convolution convolution_of(const std::vector<int64_t>& n) {
  return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], {n[7], n[8]},
          {{n[9], n[10]}, {n[11], n[12]}, {n[13], n[14]}}};
}

at::MemoryFormat order(const at::Tensor& x) {
  return x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

at::Tensor ordered(const at::Tensor& x) { return x.contiguous(order(x)); }

struct ByHalves : torch::autograd::Function<ByHalves> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const Convolution& convolution, const std::vector<int64_t>& shape,
                            bool is_transposed) {
    context->save_for_backward({input, weight});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["convolution"] = numbers(convolution);
    context->saved_data["transposed"] = is_transposed;
    at::Tensor result = at::empty(shape, input.options().memory_format(order(input)));
    at::Tensor x = ordered(input), w = ordered(weight);
    at::Tensor offset = bias ? bias->contiguous() : at::Tensor();
    const float* b = bias ? offset.const_data_ptr<float>() : nullptr;
    const float *xs = x.const_data_ptr<float>(), *ws = w.const_data_ptr<float>();
    float* ys = result.mutable_data_ptr<float>();
    is_transposed ? convolution.apply_back(xs, ws, b, ys) : convolution.apply(xs, ws, b, ys);
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    auto convolution = convolution_of(context->saved_data["convolution"].toIntVector());
    bool is_transposed = context->saved_data["transposed"].toBool();
    bool for_input = context->needs_input_grad(0), for_weight = context->needs_input_grad(1);
    bool for_bias = context->saved_data["bias"].toBool() && context->needs_input_grad(2);
    variable_list found(6);
    if (c10::GradMode::is_enabled()) {
      // Gradients of gradients: through PyTorch's own operations, which have them.
      const at::Tensor& dy = gradients[0];
      if (weight.dim() == 2) {
        at::Tensor rows = dy.reshape({-1, dy.size(-1)});
        if (for_input) found[0] = dy.matmul(weight);
        if (for_weight) found[1] = rows.t().matmul(input.reshape({-1, input.size(-1)}));
        if (for_bias) found[2] = rows.sum(0);
        return found;
      }
      const Window& window = convolution.window;
      int64_t more[2] = {0, 0};
      for (int i = 0; is_transposed && i < 2; i++) {
        more[i] = dy.size(2 + i) - ((input.size(2 + i) - 1) * window.stride[i] -
                                    2 * window.padding[i] +
                                    window.dilation[i] * (convolution.kernel[i] - 1) + 1);
      }
      std::tie(found[0], found[1], found[2]) = at::convolution_backward(
          dy, input, weight, weight.size(is_transposed ? 1 : 0), ints(window.stride, 2),
          ints(window.padding, 2), ints(window.dilation, 2), is_transposed, ints(more, 2), 1,
          {for_input, for_weight, for_bias});
      return found;
    }
    at::Tensor dy = ordered(gradients[0]);
    const float* dys = dy.const_data_ptr<float>();
    if (for_input) {
      found[0] = at::empty(input.sizes(), input.options().memory_format(order(input)));
      at::Tensor w = ordered(weight);
      const float* ws = w.const_data_ptr<float>();
      float* dxs = found[0].mutable_data_ptr<float>();
      is_transposed ? convolution.apply(dys, ws, nullptr, dxs)
                    : convolution.apply_back(dys, ws, nullptr, dxs);
    }
    if (for_weight) {
      found[1] = at::empty(weight.sizes(),
                           weight.options().memory_format(at::MemoryFormat::Contiguous));
      at::Tensor x = ordered(input);
      const float* xs = x.const_data_ptr<float>();
      float* dws = found[1].mutable_data_ptr<float>();
      is_transposed ? convolution.weight_gradient(dys, xs, dws)
                    : convolution.weight_gradient(xs, dys, dws);
    }
    if (for_bias) {
      found[2] = dy.dim() == 4 ? dy.sum({0, 2, 3}) : dy.reshape({-1, dy.size(-1)}).sum(0);
    }
    return found;
  }
};

/// Whether the unit is to be used here, for such numbers.
bool are_plain(const at::Tensor& input, const at::Tensor& weight,
               const std::optional<at::Tensor>& bias, int64_t outputs) {
  return is_asked_for && is_plain(input) && is_plain(weight) &&
         !at::autocast::is_autocast_enabled(at::kCPU) && input.numel() > 0 && weight.numel() > 0 &&
         (!bias || (is_plain(*bias) && bias->dim() == 1 && bias->size(0) == outputs)) &&
         has_matrix_unit();
}

/// Whether there are enough channels and multiplications to be worth the packing.
bool is_large(const Convolution& c) {
  constexpr int64_t channels = 16, products = 1 << 22;
  return c.channels >= channels && c.filters >= channels &&
         c.pictures * c.out_height * c.out_width * c.taps() * c.channels * c.filters >= products;
}

/// Whether these are pictures and filters, and a window moves over them; libtorch says what else is
/// wrong.
bool are_pictures(const at::Tensor& input, const at::Tensor& weight, const Window& window,
                  int64_t groups) {
  if (!is_asked_for || input.dim() != 4 || weight.dim() != 4 || groups != 1) return false;
  for (int i = 0; i < 2; i++) {
    if (window.stride[i] <= 0 || window.dilation[i] <= 0 || window.padding[i] < 0) return false;
  }
  return input.is_contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

bool ct_has_matrix_unit(void) { return has_matrix_unit(); }
bool ct_products_by_halves(void) { return is_asked_for; }
void ct_set_products_by_halves(bool enabled) { is_asked_for = enabled; }

namespace ctorch {

std::optional<at::Tensor> convolution_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                                const std::optional<at::Tensor>& bias,
                                                const Window& window, int64_t groups) {
  if (!are_pictures(input, weight, window, groups) || input.size(1) != weight.size(1) ||
      !are_plain(input, weight, bias, weight.size(0))) {
    return std::nullopt;
  }
  int64_t out[2];
  for (int i = 0; i < 2; i++) {
    int64_t room = input.size(2 + i) + 2 * window.padding[i] -
                   window.dilation[i] * (weight.size(2 + i) - 1) - 1;
    if (room < 0) return std::nullopt;
    out[i] = room / window.stride[i] + 1;
  }
  Convolution convolution{input.size(0), input.size(2), input.size(3), input.size(1), out[0], out[1],
                          weight.size(0), {weight.size(2), weight.size(3)}, window};
  if (!is_large(convolution)) return std::nullopt;
  std::vector<int64_t> shape{input.size(0), weight.size(0), out[0], out[1]};
  return ByHalves::apply(input, weight, bias, convolution, shape, false);
}

std::optional<at::Tensor> transposed_convolution_by_halves(
    const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
    const Window& window, const int64_t output_padding[2], int64_t groups) {
  if (!are_pictures(input, weight, window, groups) || input.size(1) != weight.size(0) ||
      !are_plain(input, weight, bias, weight.size(1))) {
    return std::nullopt;
  }
  int64_t out[2];
  for (int i = 0; i < 2; i++) {
    if (output_padding[i] < 0 ||
        output_padding[i] >= std::max(window.stride[i], window.dilation[i])) {
      return std::nullopt;
    }
    out[i] = (input.size(2 + i) - 1) * window.stride[i] - 2 * window.padding[i] +
             window.dilation[i] * (weight.size(2 + i) - 1) + output_padding[i] + 1;
    if (out[i] <= 0) return std::nullopt;
  }
  Convolution convolution{input.size(0), out[0], out[1], weight.size(1), input.size(2),
                          input.size(3), weight.size(0), {weight.size(2), weight.size(3)}, window};
  if (!is_large(convolution)) return std::nullopt;
  std::vector<int64_t> shape{input.size(0), weight.size(1), out[0], out[1]};
  return ByHalves::apply(input, weight, bias, convolution, shape, true);
}

std::optional<Convolution> rows_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                          const std::optional<at::Tensor>& bias) {
  if (!is_asked_for || input.dim() < 2 || input.dim() == 4 || weight.dim() != 2 ||
      input.size(-1) != weight.size(1) || !are_plain(input, weight, bias, weight.size(0))) {
    return std::nullopt;
  }
  Convolution convolution = Convolution::of_rows(input.numel() / weight.size(1), weight.size(1),
                                                 weight.size(0));
  return is_large(convolution) ? std::optional(convolution) : std::nullopt;
}

std::optional<at::Tensor> linear_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                           const std::optional<at::Tensor>& bias) {
  std::optional<Convolution> convolution = rows_by_halves(input, weight, bias);
  if (!convolution) return std::nullopt;
  std::vector<int64_t> shape = input.sizes().vec();
  shape.back() = weight.size(0);
  return ByHalves::apply(input, weight, bias, *convolution, shape, false);
}

}  // namespace ctorch
