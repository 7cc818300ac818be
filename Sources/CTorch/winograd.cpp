// 3×3 convolutions by Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray 2016): a tile of 4×4
// results takes 36 multiplications a channel pair where the sum itself takes 144.
//
//     Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A        d: 6×6 of the input, g: the 3×3 filter, Y: 4×4
//
// The matrices are those of the points 0, ±p, ±q and ∞ (Toom & Cook). With p = 5/8 and q = 3/2
// rounding errors are a third of those of the usual 1 and 2, and less than twice those of the sum.
// The products for one of the 36 places of all tiles and channels are a matrix product. A thread
// takes some tiles at a time, so that what it makes on the way stays in its cache.
#include "winograd.h"

#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <memory>

#include "bfloat16.h"
#include "boundary.h"
#include "matrix_unit.h"
#include "parallel.h"

using ctorch::numbers;
using ctorch::parallel;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

#define INLINE __attribute__((always_inline)) inline

namespace {

/// Numbers side by side in the transforms and in the columns of a panel.
constexpr int64_t lanes = 16, panel = 32;
/// Rows that one matrix product takes at a time, and tiles come in multiples of.
constexpr int64_t rows_at_once = 8;
/// Places of a tile in the space of products.
constexpr int64_t side = 6, places = side * side, step = 4;

/// The points.
constexpr float p = 0.625f, q = 1.5f, p2 = p * p, q2 = q * q;

/// The tiles of a batch of pictures `[N, H, W, channels]`.
struct Tiles {
  int64_t height, width, down, across, count;

  Tiles(int64_t pictures, int64_t height, int64_t width)
      : height(height), width(width), down((height + step - 1) / step),
        across((width + step - 1) / step), count(pictures * down * across) {}

  /// Where a tile's results begin.
  void place(int64_t tile, int64_t* picture, int64_t* top, int64_t* left) const {
    *picture = tile / (down * across);
    *top = tile / across % down * step;
    *left = tile % across * step;
  }
};

/// Some tiles, in an order in which those that need the point ∞ in a direction follow on each other: only
/// a tile's fourth row or column of results takes a product there, and tiles at the lower and the
/// right edge may have fewer. Of 7×7 results, a sixth of the products are saved.
struct Some {
  std::vector<int64_t> tiles;
  /// Where tiles of four columns and rows begin, those of four rows alone, and those of neither.
  int64_t both, rows_alone, neither;

  Some(const Tiles& all, int64_t first, int64_t count) {
    std::vector<int64_t> kinds[4];
    for (int64_t tile = first; tile < first + count; tile++) {
      int64_t picture, top, left;
      all.place(tile, &picture, &top, &left);
      bool has_rows = top + step <= all.height, has_columns = left + step <= all.width;
      // Four columns alone, both, four rows alone, neither.
      kinds[has_rows ? (has_columns ? 1 : 2) : (has_columns ? 0 : 3)].push_back(tile);
    }
    both = kinds[0].size();
    rows_alone = both + kinds[1].size();
    neither = rows_alone + kinds[2].size();
    for (const auto& kind : kinds) tiles.insert(tiles.end(), kind.begin(), kind.end());
  }

  int64_t count() const { return tiles.size(); }

  /// Which tiles need the product at a place.
  void range(int64_t place, int64_t* begin, int64_t* end) const {
    bool for_rows = place / side == side - 1, for_columns = place % side == side - 1;
    *begin = for_rows ? both : 0;
    *end = for_rows ? (for_columns ? rows_alone : neither) : (for_columns ? rows_alone : count());
  }
};

/// Numbers between the matrices `[rows, columns]` of two places, which must not fall into the same
/// sets of the cache.
INLINE int64_t apart(int64_t rows, int64_t columns) { return rows * columns + lanes; }

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
namespace avx512 {
constexpr int block_rows = 8, block_vectors = 2;
#include "winograd_kernels.h"
}  // namespace avx512
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#endif
namespace narrow {
constexpr int block_rows = 4, block_vectors = 1;
#include "winograd_kernels.h"
}  // namespace narrow
#if defined(__x86_64__)
#pragma clang attribute pop
#endif

/// Whether the widest vectors are there; of x86-64, at least AVX2 has to be.
bool has_avx512() {
#if defined(__x86_64__)
  // As libtorch takes it, so that ATEN_CPU_CAPABILITY holds here too.
  static const bool value =
      __builtin_cpu_supports("avx512f") && at::get_cpu_capability() == "AVX512";
  return value;
#else
  return false;
#endif
}

bool has_vectors() {
#if defined(__x86_64__)
  static const bool value = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return value;
#elif defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

/// Calls a kernel in the widest vectors that the processor has.
#if defined(__x86_64__)
#define WIDEST(kernel, ...) (has_avx512() ? avx512::kernel : narrow::kernel)(__VA_ARGS__)
#else
#define WIDEST(kernel, ...) narrow::kernel(__VA_ARGS__)
#endif

/// Calls `body` with a number of the type that a kernel takes the tensor's for.
template <typename Body>
void by_type(const at::Tensor& x, const Body& body) {
  if (x.scalar_type() == at::kBFloat16) {
    body(uint16_t{});
  } else {
    body(float{});
  }
}

/// G g Gᵀ of all filters `[K, C, 3, 3]` as 36 matrices `[C, K]` of panels; with `turned`, of the
/// filters by which a gradient goes back: turned by 180° and `[K, C]`.
at::Tensor transformed(const at::Tensor& weight, bool turned) {
  at::Tensor dense = weight.contiguous();
  int64_t filters = dense.size(0), channels = dense.size(1);
  int64_t rows = turned ? filters : channels, columns = turned ? channels : filters;
  int64_t along = turned ? 9 * channels : 9, across = turned ? 9 : 9 * channels;
  at::Tensor result = at::empty({places, apart(rows, columns)}, dense.options().dtype(at::kFloat));
  float* u = result.mutable_data_ptr<float>();
  by_type(dense, [&]<typename T>(T) {
    const T* w = numbers<T>(dense);
    parallel(columns / panel, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin * panel; k < end * panel; k += panel) {
        WIDEST(transform_panel<T>, w, rows, columns, along, across, turned, k, u);
      }
    });
  });
  return result;
}

/// What one thread works in; its values do not matter at first.
using Space = std::unique_ptr<float[]>;

/// How many tiles a thread takes at a time: as many as its cache holds, and enough that transformed
/// weights which it does not hold are not read for too few.
int64_t tiles_at_once(int64_t inputs, int64_t outputs, int64_t tiles) {
  constexpr int64_t cache = 1 << 20;
  int64_t weights = places * sizeof(float) * inputs * outputs;
  int64_t fewest = weights > 2 * cache ? 64 : 32;
  int64_t fitting = cache / (places * sizeof(float) * (inputs + outputs));
  int64_t share = (tiles + at::get_num_threads() - 1) / at::get_num_threads();
  int64_t count = std::min(std::max(fitting, fewest), std::max<int64_t>(share, 1));
  return (count + rows_at_once - 1) / rows_at_once * rows_at_once;
}

/// x `[N, C, H, W]` in channels-last order with transformed weights; what is added is undefined or of
/// the result's shape.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& u, int64_t outputs,
                    const at::Tensor& bias = {}, const at::Tensor& added = {}) {
  Tiles tiles(x.size(0), x.size(2), x.size(3));
  int64_t inputs = x.size(1);
  at::Tensor result = at::empty({x.size(0), outputs, x.size(2), x.size(3)},
                                x.options().memory_format(at::MemoryFormat::ChannelsLast));
  int64_t some = tiles_at_once(inputs, outputs, tiles.count);
  const float *weights = numbers<float>(u), *offsets = numbers<float>(bias);
  by_type(x, [&]<typename T>(T) {
    const T *from = numbers<T>(x), *more = numbers<T>(added);
    T* y = static_cast<T*>(result.mutable_data_ptr());
    parallel((tiles.count + some - 1) / some, 1, [&](int64_t begin, int64_t end) {
      Space space(new float[places * (apart(some, inputs) + apart(some, outputs))]);
      for (int64_t part = begin; part < end; part++) {
        int64_t first = part * some;
        Some part_of(tiles, first, std::min(some, tiles.count - first));
        WIDEST(convolve_tiles<T>, from, tiles, part_of, inputs, outputs, weights, offsets, more,
               space.get(), y);
      }
    });
  });
  return result;
}

/// The gradient of the weights `[K, C, 3, 3]`. Each thread adds up its own tiles, and the sums are
/// added in order, so that the result is the same every time.
at::Tensor weight_gradient(const at::Tensor& x, const at::Tensor& dy) {
  Tiles tiles(x.size(0), x.size(2), x.size(3));
  int64_t inputs = x.size(1), outputs = dy.size(1);
  int64_t some = tiles_at_once(inputs, outputs, tiles.count);
  int64_t chunks = (tiles.count + some - 1) / some;
  // The sums of all threads together take a quarter of a gigabyte at most.
  int64_t size = places * apart(inputs, outputs);
  int64_t fitting = std::max<int64_t>(1, (int64_t{1} << 26) / size);
  int64_t parts = std::min(std::min<int64_t>(at::get_num_threads(), fitting), chunks);
  at::Tensor sums = at::empty({parts, places, apart(inputs, outputs)},
                              x.options().dtype(at::kFloat).memory_format(std::nullopt));
  float* du = sums.mutable_data_ptr<float>();
  by_type(x, [&]<typename T>(T) {
    const T *from = numbers<T>(x), *gradient = numbers<T>(dy);
    parallel(parts, 1, [&](int64_t begin, int64_t end) {
      Space space(new float[places * (apart(some, inputs) + apart(some, outputs))]);
      for (int64_t part = begin; part < end; part++) {
        int64_t start = chunks * part / parts, last = chunks * (part + 1) / parts;
        for (int64_t chunk = start; chunk < last; chunk++) {
          int64_t first = chunk * some;
          Some part_of(tiles, first, std::min(some, tiles.count - first));
          WIDEST(weight_tiles<T>, from, gradient, tiles, part_of, inputs, outputs, chunk > start,
                 space.get(), du + part * size);
        }
      }
    });
  });
  at::Tensor result = at::empty({outputs, inputs, 3, 3}, sums.options());
  float* dw = result.mutable_data_ptr<float>();
  parallel(outputs / lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin * lanes; k < end * lanes; k += lanes) {
      WIDEST(filters_back, du, parts, inputs, outputs, k, dw);
    }
  });
  return result;
}

struct Winograd : torch::autograd::Function<Winograd> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const std::optional<at::Tensor>& added) {
    context->save_for_backward({input, weight});
    context->saved_data["bias"] = bias ? std::optional(bias->scalar_type()) : std::nullopt;
    context->saved_data["added"] = added.has_value();
    return convolve(input, transformed(weight, false), weight.size(0),
                    bias ? bias->to(at::kFloat).contiguous() : at::Tensor(),
                    added ? added->contiguous(at::MemoryFormat::ChannelsLast) : at::Tensor());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    c10::IValue bias = context->saved_data["bias"];
    bool for_input = context->needs_input_grad(0), for_weight = context->needs_input_grad(1);
    bool for_bias = !bias.isNone() && context->needs_input_grad(2);
    variable_list found(4);
    if (context->saved_data["added"].toBool()) found[3] = gradients[0];
    if (c10::GradMode::is_enabled()) {
      // Gradients of gradients: through PyTorch's own operation, which has them.
      std::tie(found[0], found[1], found[2]) = at::convolution_backward(
          gradients[0], input, weight.to(input.scalar_type()), weight.size(0), {1, 1}, {1, 1},
          {1, 1}, false, {0, 0}, 1, {for_input, for_weight, for_bias});
      if (for_weight) found[1] = found[1].to(weight.scalar_type());
      if (for_bias) found[2] = found[2].to(bias.toScalarType());
      return found;
    }
    at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    if (for_input) found[0] = convolve(dy, transformed(weight, true), weight.size(1));
    if (for_weight) found[1] = weight_gradient(input, dy).to(weight.scalar_type());
    if (for_bias) found[2] = dy.sum({0, 2, 3}, false, at::kFloat).to(bias.toScalarType());
    return found;
  }
};

/// What the pictures of a convolution are multiplied in.
at::ScalarType type_of(const at::Tensor& input) {
  return at::autocast::is_autocast_enabled(at::kCPU) ? at::autocast::get_autocast_dtype(at::kCPU)
                                                     : input.scalar_type();
}

bool is_known(at::ScalarType type) { return type == at::kFloat || type == at::kBFloat16; }

/// Whether this algorithm in float32 is faster than a sum in pictures' own type, with a number of filters'
/// planes: of bfloat16, which vector instructions multiply but twice as fast, where there is no matrix
/// unit, nor more transformed weights than gain anything for the memory that they take.
bool is_faster(at::ScalarType type, int64_t planes) {
  constexpr int64_t most = (1 << 27) / (places * sizeof(float));
  return type == at::kFloat ||
         (type == at::kBFloat16 && !ctorch::has_matrix_unit() && planes <= most);
}

}  // namespace

namespace ctorch {

bool fits_winograd(const at::Tensor& input, const at::Tensor& weight,
                   const std::optional<at::Tensor>& bias, const int64_t stride[2],
                   const int64_t padding[2], const int64_t dilation[2], int64_t groups) {
  bool is_usual = groups == 1 && weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3;
  for (int i = 0; i < 2; i++) {
    is_usual = is_usual && stride[i] == 1 && padding[i] == 1 && dilation[i] == 1;
  }
  if (!is_usual) return false;
  // With few tiles, transforming the weights takes longer than the multiplications that it saves, unless
  // they stay in the cache.
  constexpr int64_t small_weights = 1 << 15;
  int64_t size = weight.size(0) * weight.size(1), fewest = size <= small_weights ? 48 : 128;
  // Autocast brings weights to bfloat16 too; here they stay what they are.
  bool is_autocast = at::autocast::is_autocast_enabled(at::kCPU);
  return has_vectors() && is_faster(type_of(input), size) && input.dim() == 4 &&
         input.size(1) == weight.size(1) && weight.size(0) > 0 && weight.size(0) % panel == 0 &&
         weight.size(1) % panel == 0 &&
         Tiles(input.size(0), input.size(2), input.size(3)).count >= fewest &&
         (!bias || (bias->dim() == 1 && bias->size(0) == weight.size(0) &&
                    bias->scalar_type() == weight.scalar_type() && bias->device().is_cpu())) &&
         input.device().is_cpu() && weight.device().is_cpu() && is_known(input.scalar_type()) &&
         (weight.scalar_type() == input.scalar_type() ||
          (is_autocast && is_known(weight.scalar_type()))) &&
         input.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor winograd(const at::Tensor& given, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias,
                    const std::optional<at::Tensor>& added) {
  at::Tensor input = given.to(type_of(given));
  // One pass for a sum of two like ones.
  bool is_one = added && added->device().is_cpu() && added->scalar_type() == input.scalar_type() &&
                added->dim() == 4 && added->size(0) == input.size(0) &&
                added->size(1) == weight.size(0) && added->size(2) == input.size(2) &&
                added->size(3) == input.size(3);
  if (added && !is_one) return Winograd::apply(input, weight, bias, std::nullopt) + *added;
  return Winograd::apply(input, weight, bias, added);
}

}  // namespace ctorch
