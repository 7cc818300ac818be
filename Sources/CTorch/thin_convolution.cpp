// Convolutions of grey pictures, and transposed ones to them: with one channel on one side there is
// little to multiply, and libtorch's kernels spend their time on bringing pictures into the layout that
// suits many channels. One matrix product over all taps needs no such thing. Composed of operations
// that have gradients.
#include "thin_convolution.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include "boundary.h"

namespace ctorch {
namespace {

/// With more numbers a filter, or fewer channels on the other side, libtorch's kernels are as fast.
constexpr int64_t most_taps = 16, fewest_channels = 16;

/// Whether weights `[many, 1, kh, kw]`, with a bias of `outputs` numbers, move as they may.
bool fits(const at::Tensor& input, const at::Tensor& weight,
          const std::optional<at::Tensor>& bias, int64_t outputs, const Window& window,
          int64_t groups) {
  bool moves = true;
  for (int i = 0; i < 2; i++) {
    moves = moves && window.stride[i] > 0 && window.dilation[i] > 0 && window.padding[i] >= 0;
  }
  return moves && groups == 1 && input.dim() == 4 && weight.dim() == 4 && input.numel() > 0 &&
         weight.numel() > 0 && is_plain(input) && is_plain(weight) &&
         (!bias || (is_plain(*bias) && bias->dim() == 1 && bias->size(0) == outputs)) &&
         weight.size(1) == 1 && weight.size(2) * weight.size(3) <= most_taps &&
         weight.size(0) >= fewest_channels && !at::autocast::is_autocast_enabled(at::kCPU);
}

}  // namespace

bool fits_thin_convolution(const at::Tensor& input, const at::Tensor& weight,
                           const std::optional<at::Tensor>& bias, const Window& window,
                           int64_t groups) {
  return fits(input, weight, bias, weight.size(0), window, groups) && input.size(1) == 1;
}

std::optional<at::Tensor> thin_convolution(const at::Tensor& input, const at::Tensor& weight,
                                           const std::optional<at::Tensor>& bias,
                                           const Window& window, int64_t groups) {
  if (!fits_thin_convolution(input, weight, bias, window, groups)) return std::nullopt;
  int64_t size[2];
  for (int i = 0; i < 2; i++) {
    int64_t reach = window.dilation[i] * (weight.size(2 + i) - 1) + 1;
    int64_t room = input.size(2 + i) + 2 * window.padding[i] - reach;
    if (room < 0) return std::nullopt;
    size[i] = room / window.stride[i] + 1;
  }
  at::Tensor taps = at::im2col(input, weight.sizes().slice(2), window.dilation, window.padding,
                               window.stride);  // [N, taps, H′ · W′]
  at::Tensor rows = taps.transpose(1, 2).reshape({-1, taps.size(1)});
  at::Tensor result = at::linear(rows, weight.flatten(1), bias);
  return result.view({input.size(0), size[0], size[1], weight.size(0)}).permute({0, 3, 1, 2});
}

std::optional<at::Tensor> thin_transposed_convolution(const at::Tensor& input,
                                                      const at::Tensor& weight,
                                                      const std::optional<at::Tensor>& bias,
                                                      const Window& window,
                                                      const int64_t output_padding[2],
                                                      int64_t groups) {
  if (!fits(input, weight, bias, 1, window, groups) || input.size(1) != weight.size(0)) {
    return std::nullopt;
  }
  int64_t size[2];
  for (int i = 0; i < 2; i++) {
    size[i] = (input.size(2 + i) - 1) * window.stride[i] - 2 * window.padding[i] +
              window.dilation[i] * (weight.size(2 + i) - 1) + output_padding[i] + 1;
    bool is_known = output_padding[i] >= 0 && output_padding[i] < window.stride[i];
    if (size[i] < 1 || !is_known) return std::nullopt;
  }
  at::Tensor pixels = input.permute({0, 2, 3, 1}).reshape({-1, input.size(1)});
  at::Tensor taps = pixels.matmul(weight.flatten(1))  // [N · H · W, taps]
                        .view({input.size(0), -1, weight.numel() / weight.size(0)})
                        .transpose(1, 2);
  at::Tensor result = at::col2im(taps, {size[0], size[1]}, weight.sizes().slice(2),
                                 window.dilation, window.padding, window.stride);
  return bias ? result + bias->view({-1, 1, 1}) : result;
}

}  // namespace ctorch
