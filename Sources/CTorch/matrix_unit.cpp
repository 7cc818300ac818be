// Convolutions and linear layers of float32 on the processor's matrix unit, which multiplies bfloat16
// and adds in float32. Each number is taken as the sum of two bfloat16 numbers, x = h + l within
// 2⁻¹⁷ |x|, and x · y as h h′ + h l′ + l h′, which leaves out 2⁻¹⁶ of it at most (the algorithm that XLA
// calls BF16_BF16_F32_X3 and oneMKL BF16X3): three products of the matrix unit are faster than one of
// float32. Errors are some ten times those of sums in float32, and a hundredth of those of TF32.
// Halves below 10⁻³⁸ count as zero, and what is not finite gives numbers that are none.
//
// A convolution is a matrix product whose rows are pixels: along the sum lie the channels of one tap
// of the filter after the other, so that rows are gathered from the picture as they are packed.
#include "matrix_unit.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <tuple>

#include "boundary.h"
#include "parallel.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define HAS_MATRIX_UNIT 1
#endif

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {
thread_local bool is_asked_for = false;
}

bool ct_products_by_halves(void) { return is_asked_for; }
void ct_set_products_by_halves(bool enabled) { is_asked_for = enabled; }

#if HAS_MATRIX_UNIT

namespace {

#define UNIT __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16")))
#include "matrix_unit_kernels.h"

/// Whether the processor has tiles of bfloat16 and the system lets this process use them.
bool has_unit() {
  static const bool value = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    constexpr unsigned bfloat16 = 1u << 22, tiles = 1u << 24;
    if ((d & bfloat16) == 0 || (d & tiles) == 0) return false;
    if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512bw")) return false;
    // As libtorch takes it, so that ATEN_CPU_CAPABILITY holds here too.
    if (at::get_cpu_capability() != "AVX512") return false;
    constexpr long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  }();
  return value;
}

}  // namespace

bool ct_has_matrix_unit(void) { return has_unit(); }

namespace {

int64_t blocks(int64_t count) { return (count + side - 1) / side; }

/// What one thread packs into; its values do not matter at first.
struct Aligned {
  void operator()(char* bytes) const { operator delete[](bytes, std::align_val_t{64}); }
};
using Space = std::unique_ptr<char[], Aligned>;
Space space(int64_t bytes) {
  return Space(static_cast<char*>(operator new[](bytes, std::align_val_t{64})));
}

/// Pixels of a batch of pictures, row by row: the rows of a product.
struct Grid {
  int64_t pictures, height, width;

  int64_t count() const { return pictures * height * width; }
};

/// Where a grid's pixel (i, j) lies at one tap in pictures of `channels` side by side:
/// (scale · i + down, scale · j + across).
struct View {
  int64_t height, width, channels, scale[2];
  std::vector<std::array<int64_t, 2>> taps;

  /// The addresses of 32 pixels from `first` on at a tap; null outside of the picture.
  template <typename Number>
  void addresses(const Grid& grid, int64_t tap, int64_t first, Number* data, Number** rows) const {
    int64_t picture = first / (grid.height * grid.width);
    int64_t i = first / grid.width % grid.height, j = first % grid.width;
    for (int64_t r = 0; r < side; r++) {
      int64_t y = i * scale[0] + taps[tap][0], x = j * scale[1] + taps[tap][1];
      bool is_inside =
          picture < grid.pictures && y >= 0 && y < height && x >= 0 && x < width;
      rows[r] = is_inside ? data + ((picture * height + y) * width + x) * channels : nullptr;
      if (++j < grid.width) continue;
      j = 0;
      if (++i < grid.height) continue;
      i = 0;
      picture++;
    }
  }
};

/// A product of a grid's pixels, read at all taps, with packed weights.
struct Pass {
  Grid grid;
  View from, to;
  /// Where the weights of its columns begin: blocks in the order [column][tap][along the sum].
  const char* weights;
};

/// Writes the sum over taps and channels to every pixel of every pass.
void multiply_rows(const std::vector<Pass>& passes, const float* from, int64_t columns, float* to,
                   const float* bias) {
  struct Part {
    const Pass* pass;
    int64_t first, count, column, columns;
  };
  int64_t threads = at::get_num_threads(), all = 0;
  for (const Pass& pass : passes) all += blocks(pass.grid.count());
  std::vector<Part> parts;
  for (const Pass& pass : passes) {
    constexpr int64_t cache = 1 << 20, most = 8;
    int64_t rows = blocks(pass.grid.count());
    int64_t depth = pass.from.taps.size() * blocks(pass.from.channels);
    int64_t fitting = cache / std::max<int64_t>(depth * block_bytes, 1);
    int64_t some = std::clamp<int64_t>(std::min((all + threads - 1) / threads, fitting), 1, most);
    int64_t across = std::min(blocks(columns), std::max<int64_t>(threads * some / all, 1));
    for (int64_t first = 0; first < rows; first += some) {
      for (int64_t part = 0; part < across; part++) {
        int64_t begin = blocks(columns) * part / across, end = blocks(columns) * (part + 1) / across;
        parts.push_back({&pass, first, std::min(some, rows - first), begin, end - begin});
      }
    }
  }
  // Passes differ in their taps: a thread gets some of each.
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.first < b.first; });
  parallel(parts.size(), 1, [&](int64_t begin, int64_t end) {
    TileRegisters registers;
    alignas(64) float sums[side * side];
    Space packed;
    int64_t size = 0;
    for (int64_t index = begin; index < end; index++) {
      const Part& part = parts[index];
      const Pass& pass = *part.pass;
      int64_t taps = pass.from.taps.size(), steps = blocks(pass.from.channels);
      int64_t panel = taps * steps * block_bytes;
      if (part.count * panel > size) packed = space(size = part.count * panel);
      std::vector<std::array<float*, side>> targets(part.count);
      for (int64_t block = 0; block < part.count; block++) {
        const float* rows[side];
        int64_t first = (part.first + block) * side;
        for (int64_t tap = 0; tap < taps; tap++) {
          pass.from.addresses(pass.grid, tap, first, from, rows);
          pack_rows<false>(rows, pass.from.channels,
                           packed.get() + block * panel + tap * steps * block_bytes);
        }
        pass.to.addresses(pass.grid, 0, first, to, targets[block].data());
      }
      for (int64_t column = part.column; column < part.column + part.columns; column++) {
        for (int64_t block = 0; block < part.count; block++) {
          multiply(packed.get() + block * panel, pass.weights + column * panel, taps * steps, sums,
                   false);
          write_rows(sums, targets[block].data(), column * side, columns, bias);
        }
      }
    }
  });
}

/// A convolution from pictures `[N, height, width, channels]` to `[N, out_height, out_width, filters]`.
struct Convolution {
  int64_t pictures, height, width, channels, out_height, out_width, filters, kernel[2];
  Window window;

  int64_t taps() const { return kernel[0] * kernel[1]; }
  Grid outputs() const { return {pictures, out_height, out_width}; }

  /// Where an output's pixel reads.
  View inputs() const {
    View view{height, width, channels, {window.stride[0], window.stride[1]}, {}};
    for (int64_t i = 0; i < kernel[0]; i++) {
      for (int64_t j = 0; j < kernel[1]; j++) {
        view.taps.push_back({i * window.dilation[0] - window.padding[0],
                             j * window.dilation[1] - window.padding[1]});
      }
    }
    return view;
  }

  /// The outputs for pictures `x` and filters `[filters, taps, channels]`.
  void apply(const float* x, const float* weight, const float* bias, float* y) const {
    int64_t steps = blocks(channels), panel = taps() * steps * block_bytes;
    Space packed = space(blocks(filters) * panel);
    parallel(blocks(filters), 1, [&](int64_t begin, int64_t end) {
      for (int64_t column = begin; column < end; column++) {
        const float* rows[side];
        for (int64_t tap = 0; tap < taps(); tap++) {
          for (int64_t r = 0; r < side; r++) {
            int64_t filter = column * side + r;
            rows[r] = filter < filters ? weight + (filter * taps() + tap) * channels : nullptr;
          }
          pack_rows<true>(rows, channels,
                          packed.get() + column * panel + tap * steps * block_bytes);
        }
      }
    });
    View to{out_height, out_width, filters, {1, 1}, {{0, 0}}};
    multiply_rows({{outputs(), inputs(), to, packed.get()}}, x, filters, y, bias);
  }

  /// The gradient of the pictures for that of the outputs, which is the transposed convolution: pixels
  /// whose places differ by a stride see the same taps, one pass each.
  void apply_back(const float* dy, const float* weight, const float* bias, float* dx) const {
    int64_t steps = blocks(filters);
    std::vector<Pass> passes;
    std::vector<std::vector<int64_t>> kernels;
    for (int64_t top = 0; top < std::min(window.stride[0], height); top++) {
      for (int64_t left = 0; left < std::min(window.stride[1], width); left++) {
        View from{out_height, out_width, filters, {1, 1}, {}};
        std::vector<int64_t> seen;
        for (int64_t tap = 0; tap < taps(); tap++) {
          int64_t y = top + window.padding[0] - tap / kernel[1] * window.dilation[0];
          int64_t x = left + window.padding[1] - tap % kernel[1] * window.dilation[1];
          if (y % window.stride[0] != 0 || x % window.stride[1] != 0) continue;
          from.taps.push_back({y / window.stride[0], x / window.stride[1]});
          seen.push_back(tap);
        }
        Grid grid{pictures, (height - top + window.stride[0] - 1) / window.stride[0],
                  (width - left + window.stride[1] - 1) / window.stride[1]};
        View to{height, width, channels, {window.stride[0], window.stride[1]}, {{top, left}}};
        passes.push_back({grid, from, to, nullptr});
        kernels.push_back(seen);
      }
    }
    // A tap belongs to one pass at most.
    Space packed = space(std::max<int64_t>(taps() * blocks(channels) * steps * block_bytes, 64));
    std::vector<char*> starts;
    char* next = packed.get();
    for (size_t pass = 0; pass < passes.size(); pass++) {
      passes[pass].weights = next;
      starts.push_back(next);
      next += kernels[pass].size() * blocks(channels) * steps * block_bytes;
    }
    parallel(blocks(channels), 1, [&](int64_t begin, int64_t end) {
      for (int64_t column = begin; column < end; column++) {
        for (size_t pass = 0; pass < passes.size(); pass++) {
          char* block = starts[pass] + column * kernels[pass].size() * steps * block_bytes;
          for (int64_t tap : kernels[pass]) {
            for (int64_t step = 0; step < steps; step++, block += block_bytes) {
              const float* rows[side];
              for (int64_t r = 0; r < side; r++) {
                int64_t filter = step * side + r;
                rows[r] = filter < filters
                              ? weight + (filter * taps() + tap) * channels + column * side
                              : nullptr;
              }
              pack_columns<false>(rows, channels - column * side, block);
            }
          }
        }
      }
    });
    multiply_rows(passes, dy, channels, dx, bias);
  }

  /// The gradient of the filters, `[filters, channels, taps]`: sums over the outputs' pixels. Each
  /// thread makes its own share of the filters, so that the result is the same every time.
  void weight_gradient(const float* x, const float* dy, float* dw) const {
    Grid grid = outputs();
    View from = inputs(), of{out_height, out_width, filters, {1, 1}, {{0, 0}}};
    int64_t rows = blocks(filters), across = blocks(channels), columns = taps() * across;
    constexpr int64_t cache = 1 << 20;
    int64_t most = std::clamp<int64_t>(cache / (rows * block_bytes), 4, 16);
    Space all = space(rows * columns * side * side * sizeof(float));
    float* sums = reinterpret_cast<float*>(all.get());
    bool by_column = columns >= rows;
    int64_t shares = std::min<int64_t>(at::get_num_threads(), std::max(rows, columns));
    parallel(shares, 1, [&](int64_t begin, int64_t end) {
      int64_t first_row = by_column ? 0 : rows * begin / shares;
      int64_t last_row = by_column ? rows : rows * end / shares;
      int64_t first_column = by_column ? columns * begin / shares : 0;
      int64_t last_column = by_column ? columns * end / shares : columns;
      TileRegisters registers;
      Space left = space((last_row - first_row) * most * block_bytes);
      Space right = space(most * block_bytes);
      const float* places[16][side];
      for (int64_t chunk = 0; chunk < blocks(grid.count()); chunk += most) {
        int64_t steps = std::min(most, blocks(grid.count()) - chunk);
        for (int64_t step = 0; step < steps; step++) {
          const float* pixels[side];
          of.addresses(grid, 0, (chunk + step) * side, dy, pixels);
          for (int64_t row = first_row; row < last_row; row++) {
            const float* shifted[side];
            for (int64_t r = 0; r < side; r++) {
              shifted[r] = pixels[r] ? pixels[r] + row * side : nullptr;
            }
            pack_columns<true>(shifted, filters - row * side,
                               left.get() + ((row - first_row) * steps + step) * block_bytes);
          }
        }
        int64_t placed = -1;
        for (int64_t column = first_column; column < last_column; column++) {
          int64_t tap = column / across, channel = column % across * side;
          if (placed != tap) {
            for (int64_t step = 0; step < steps; step++) {
              from.addresses(grid, tap, (chunk + step) * side, x, places[step]);
            }
            placed = tap;
          }
          for (int64_t step = 0; step < steps; step++) {
            const float* shifted[side];
            for (int64_t r = 0; r < side; r++) {
              shifted[r] = places[step][r] ? places[step][r] + channel : nullptr;
            }
            pack_columns<false>(shifted, channels - channel, right.get() + step * block_bytes);
          }
          for (int64_t row = first_row; row < last_row; row++) {
            multiply(left.get() + (row - first_row) * steps * block_bytes, right.get(), steps,
                     sums + (row * columns + column) * side * side, chunk > 0);
          }
        }
      }
    });
    parallel(rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        for (int64_t filter = row * side; filter < std::min(filters, (row + 1) * side); filter++) {
          for (int64_t column = 0; column < across; column++) {
            const float* sum = sums + (row * columns + column) * side * side +
                               (filter - row * side) * side;
            float* to = dw + (filter * channels + column * side) * taps();
            int64_t count = std::min(side, channels - column * side);
            if (taps() == 1) {
              std::copy(sum, sum + count, to);
              continue;
            }
            for (int64_t channel = 0; channel < count; channel++) {
              for (int64_t tap = 0; tap < taps(); tap++) {
                *to++ = sum[tap * across * side * side + channel];
              }
            }
          }
        }
      }
    });
  }

  /// All of it, for the graph.
  std::vector<int64_t> numbers() const {
    std::vector<int64_t> all{pictures,  height,  width,     channels, out_height,
                             out_width, filters, kernel[0], kernel[1]};
    for (const int64_t* two : {window.stride, window.padding, window.dilation}) {
      all.insert(all.end(), two, two + 2);
    }
    return all;
  }
  static Convolution of(const std::vector<int64_t>& n) {
    return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], {n[7], n[8]},
            {{n[9], n[10]}, {n[11], n[12]}, {n[13], n[14]}}};
  }
};

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
    context->saved_data["convolution"] = convolution.numbers();
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
    auto convolution = Convolution::of(context->saved_data["convolution"].toIntVector());
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

bool is_plain(const at::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided;
}

bool are_plain(const at::Tensor& input, const at::Tensor& weight,
               const std::optional<at::Tensor>& bias, int64_t outputs) {
  return is_asked_for && is_plain(input) && is_plain(weight) &&
         !at::autocast::is_autocast_enabled(at::kCPU) && input.numel() > 0 && weight.numel() > 0 &&
         (!bias || (is_plain(*bias) && bias->dim() == 1 && bias->size(0) == outputs)) && has_unit();
}

/// Fewest channels, and fewest multiplications, that are worth the packing.
constexpr int64_t fewest_channels = 16, fewest_products = 1 << 22;

void check(const Window& window, int i) {
  TORCH_CHECK(window.stride[i] > 0 && window.dilation[i] > 0 && window.padding[i] >= 0,
              "strides and dilations are positive, paddings not negative");
}

}  // namespace

namespace ctorch {

bool fits_matrix_unit(const at::Tensor& input, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias, const Window& window, int64_t groups,
                      bool is_transposed) {
  if (input.dim() != 4 || weight.dim() != 4 || groups != 1) return false;
  if (!are_plain(input, weight, bias, weight.size(is_transposed ? 1 : 0))) return false;
  int64_t fewer = is_transposed ? 1 : std::max<int64_t>(window.stride[0] * window.stride[1], 1);
  return input.size(1) == weight.size(is_transposed ? 0 : 1) && weight.size(0) >= fewest_channels &&
         weight.size(1) >= fewest_channels &&
         input.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         input.size(0) * input.size(2) * input.size(3) * weight.numel() / fewer >= fewest_products;
}

at::Tensor convolution_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                 const std::optional<at::Tensor>& bias, const Window& window) {
  int64_t out[2];
  for (int i = 0; i < 2; i++) {
    check(window, i);
    int64_t reach = window.dilation[i] * (weight.size(2 + i) - 1) + 1;
    int64_t room = input.size(2 + i) + 2 * window.padding[i] - reach;
    TORCH_CHECK(room >= 0, "the kernel is larger than the padded picture");
    out[i] = room / window.stride[i] + 1;
  }
  Convolution convolution{input.size(0), input.size(2), input.size(3), input.size(1), out[0], out[1],
                          weight.size(0), {weight.size(2), weight.size(3)}, window};
  std::vector<int64_t> shape{input.size(0), weight.size(0), out[0], out[1]};
  return ByHalves::apply(input, weight, bias, convolution, shape, false);
}

at::Tensor transposed_convolution_by_halves(const at::Tensor& input, const at::Tensor& weight,
                                            const std::optional<at::Tensor>& bias,
                                            const Window& window, const int64_t output_padding[2]) {
  int64_t out[2];
  for (int i = 0; i < 2; i++) {
    check(window, i);
    TORCH_CHECK(output_padding[i] >= 0 &&
                    output_padding[i] < std::max(window.stride[i], window.dilation[i]),
                "the output's padding is less than the stride or the dilation");
    out[i] = (input.size(2 + i) - 1) * window.stride[i] - 2 * window.padding[i] +
             window.dilation[i] * (weight.size(2 + i) - 1) + output_padding[i] + 1;
    TORCH_CHECK(out[i] > 0, "nothing is left of the picture");
  }
  Convolution convolution{input.size(0), out[0], out[1], weight.size(1), input.size(2),
                          input.size(3), weight.size(0), {weight.size(2), weight.size(3)}, window};
  std::vector<int64_t> shape{input.size(0), weight.size(1), out[0], out[1]};
  return ByHalves::apply(input, weight, bias, convolution, shape, true);
}

bool linear_fits_matrix_unit(const at::Tensor& input, const at::Tensor& weight,
                             const std::optional<at::Tensor>& bias) {
  if (input.dim() < 2 || input.dim() == 4 || weight.dim() != 2) return false;
  if (!are_plain(input, weight, bias, weight.size(0))) return false;
  return input.size(-1) == weight.size(1) && weight.size(0) >= fewest_channels &&
         weight.size(1) >= fewest_channels && input.numel() * weight.size(0) >= fewest_products;
}

at::Tensor linear_by_halves(const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
  std::vector<int64_t> shape = input.sizes().vec();
  shape.back() = weight.size(0);
  // Every row is a picture of one pixel.
  Convolution convolution{input.numel() / weight.size(1), 1, 1, weight.size(1), 1, 1,
                          weight.size(0), {1, 1}, {{1, 1}, {0, 0}, {1, 1}}};
  return ByHalves::apply(input, weight, bias, convolution, shape, false);
}

}  // namespace ctorch

#else

bool ct_has_matrix_unit(void) { return false; }

namespace ctorch {

bool fits_matrix_unit(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                      const Window&, int64_t, bool) {
  return false;
}
bool linear_fits_matrix_unit(const at::Tensor&, const at::Tensor&,
                             const std::optional<at::Tensor>&) {
  return false;
}
at::Tensor convolution_by_halves(const at::Tensor&, const at::Tensor&,
                                 const std::optional<at::Tensor>&, const Window&) {
  TORCH_CHECK(false, "this processor has no matrix unit");
}
at::Tensor transposed_convolution_by_halves(const at::Tensor&, const at::Tensor&,
                                            const std::optional<at::Tensor>&, const Window&,
                                            const int64_t[2]) {
  TORCH_CHECK(false, "this processor has no matrix unit");
}
at::Tensor linear_by_halves(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&) {
  TORCH_CHECK(false, "this processor has no matrix unit");
}

}  // namespace ctorch

#endif
