// Layers, pooling, resampling and losses.
#include <ATen/ATen.h>

#include "boundary.h"
#include "matrix_unit_layers.h"
#include "thin_convolution.h"
#include "winograd.h"

using namespace ctorch;

int ct_linear(CTTensor input, CTTensor weight, CTTensor bias, CTTensor* out) {
  return guard("linear", {input, weight, bias}, [&] {
    std::optional<at::Tensor> offset = optional(bias);
    std::optional<at::Tensor> halves = linear_by_halves(Ref(input), Ref(weight), offset);
    *out = give(halves ? *halves : at::linear(Ref(input), Ref(weight), offset));
  });
}

int ct_conv2d(CTTensor input, CTTensor weight, CTTensor bias, const int64_t stride[2],
              const int64_t padding[2], const int64_t dilation[2], int64_t groups, CTTensor added,
              CTTensor* out) {
  return guard("conv2d", {input, weight, bias, added}, [&] {
    std::optional<at::Tensor> offset = optional(bias), more = optional(added);
    if (fits_winograd(Ref(input), Ref(weight), offset, stride, padding, dilation, groups)) {
      *out = give(winograd(Ref(input), Ref(weight), offset, more));
      return;
    }
    Window moves = window(stride, padding, dilation);
    auto found = thin_convolution(Ref(input), Ref(weight), offset, moves, groups);
    if (!found) found = convolution_by_halves(Ref(input), Ref(weight), offset, moves, groups);
    at::Tensor result = found ? *found
                               : at::conv2d(Ref(input), Ref(weight), offset, ints(stride, 2),
                                            ints(padding, 2), ints(dilation, 2), groups);
    *out = give(more ? result + *more : result);
  });
}

int ct_conv_transpose2d(CTTensor input, CTTensor weight, CTTensor bias, const int64_t stride[2],
                        const int64_t padding[2], const int64_t output_padding[2],
                        const int64_t dilation[2], int64_t groups, CTTensor* out) {
  return guard("conv_transpose2d", {input, weight, bias}, [&] {
    std::optional<at::Tensor> offset = optional(bias);
    Window moves = window(stride, padding, dilation);
    auto found = thin_transposed_convolution(Ref(input), Ref(weight), offset, moves,
                                             output_padding, groups);
    if (!found) {
      found = transposed_convolution_by_halves(Ref(input), Ref(weight), offset, moves,
                                               output_padding, groups);
    }
    *out = give(found ? *found
                       : at::conv_transpose2d(Ref(input), Ref(weight), offset, ints(stride, 2),
                                              ints(padding, 2), ints(output_padding, 2), groups,
                                              ints(dilation, 2)));
  });
}

int ct_embedding(CTTensor weight, CTTensor indices, CTTensor* out) {
  return guard("embedding", {weight, indices},
               [&] { *out = give(at::embedding(Ref(weight), Ref(indices))); });
}

int ct_layer_norm(CTTensor input, const int64_t* shape, int64_t ndim, CTTensor weight,
                  CTTensor bias, double eps, CTTensor* out) {
  return guard("layer_norm", {input, weight, bias}, [&] {
    *out = give(
        at::layer_norm(Ref(input), ints(shape, ndim), optional(weight), optional(bias), eps));
  });
}

int ct_batch_norm(CTTensor input, CTTensor weight, CTTensor bias, CTTensor running_mean,
                  CTTensor running_variance, bool training, double momentum, double eps,
                  CTTensor* out) {
  return guard("batch_norm", {input, weight, bias, running_mean, running_variance}, [&] {
    *out = give(at::batch_norm(Ref(input), optional(weight), optional(bias),
                               optional(running_mean), optional(running_variance), training,
                               momentum, eps, /*cudnn_enabled=*/true));
  });
}

int ct_max_pool2d(CTTensor input, const int64_t kernel[2], const int64_t stride[2],
                  const int64_t padding[2], CTTensor* out) {
  return guard("max_pool2d", {input}, [&] {
    *out = give(at::max_pool2d(Ref(input), ints(kernel, 2), ints(stride, 2), ints(padding, 2)));
  });
}

int ct_avg_pool2d(CTTensor input, const int64_t kernel[2], const int64_t stride[2],
                  const int64_t padding[2], bool count_padding, CTTensor* out) {
  return guard("avg_pool2d", {input}, [&] {
    *out = give(at::avg_pool2d(Ref(input), ints(kernel, 2), ints(stride, 2), ints(padding, 2),
                               /*ceil_mode=*/false, count_padding));
  });
}

int ct_adaptive_avg_pool2d(CTTensor input, const int64_t size[2], CTTensor* out) {
  return guard("adaptive_avg_pool2d", {input},
               [&] { *out = give(at::adaptive_avg_pool2d(Ref(input), ints(size, 2))); });
}

int ct_interpolate(CTTensor input, const int64_t size[2], int mode, bool antialias,
                   CTTensor* out) {
  return guard("interpolate", {input}, [&] {
    Ref tensor(input);
    auto target = ints(size, 2);
    switch (mode) {
      case CT_NEAREST:
        *out = give(at::upsample_nearest2d(tensor, target));
        break;
      case CT_BILINEAR:
        *out = give(antialias ? at::_upsample_bilinear2d_aa(tensor, target, false)
                              : at::upsample_bilinear2d(tensor, target, false));
        break;
      default:
        *out = give(antialias ? at::_upsample_bicubic2d_aa(tensor, target, false)
                              : at::upsample_bicubic2d(tensor, target, false));
    }
  });
}

int ct_pixel_shuffle(CTTensor input, int64_t factor, CTTensor* out) {
  return guard("pixel_shuffle", {input},
               [&] { *out = give(at::pixel_shuffle(Ref(input), factor)); });
}

int ct_pixel_unshuffle(CTTensor input, int64_t factor, CTTensor* out) {
  return guard("pixel_unshuffle", {input},
               [&] { *out = give(at::pixel_unshuffle(Ref(input), factor)); });
}

int ct_pad(CTTensor input, const int64_t* widths, int64_t count, int mode, double value,
           CTTensor* out) {
  return guard("pad", {input}, [&] {
    const char* names[] = {"constant", "reflect", "replicate"};
    *out = give(at::pad(Ref(input), ints(widths, count), names[mode],
                        mode == CT_PAD_CONSTANT ? std::optional<double>(value) : std::nullopt));
  });
}

// Losses ------------------------------------------------------------------------------------------
int ct_mse_loss(CTTensor input, CTTensor target, int reduction, CTTensor* out) {
  return guard("mse_loss", {input, target},
               [&] { *out = give(at::mse_loss(Ref(input), Ref(target), reduction)); });
}

int ct_l1_loss(CTTensor input, CTTensor target, int reduction, CTTensor* out) {
  return guard("l1_loss", {input, target},
               [&] { *out = give(at::l1_loss(Ref(input), Ref(target), reduction)); });
}

int ct_huber_loss(CTTensor input, CTTensor target, int reduction, double delta, CTTensor* out) {
  return guard("huber_loss", {input, target},
               [&] { *out = give(at::huber_loss(Ref(input), Ref(target), reduction, delta)); });
}

int ct_cross_entropy(CTTensor input, CTTensor target, int reduction, double label_smoothing,
                     CTTensor* out) {
  return guard("cross_entropy", {input, target}, [&] {
    *out = give(at::cross_entropy_loss(Ref(input), Ref(target), {}, reduction, -100,
                                       label_smoothing));
  });
}
