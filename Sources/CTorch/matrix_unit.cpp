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

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <vector>

#include "parallel.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define HAS_MATRIX_UNIT 1
#endif

namespace ctorch {

#if HAS_MATRIX_UNIT

namespace {

#define UNIT __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16")))
#include "matrix_unit_kernels.h"

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

/// The pixels of a convolution's outputs.
Grid outputs(const Convolution& c) { return {c.pictures, c.out_height, c.out_width}; }

/// Where an output's pixel reads.
View inputs(const Convolution& c) {
  View view{c.height, c.width, c.channels, {c.window.stride[0], c.window.stride[1]}, {}};
  for (int64_t i = 0; i < c.kernel[0]; i++) {
    for (int64_t j = 0; j < c.kernel[1]; j++) {
      view.taps.push_back({i * c.window.dilation[0] - c.window.padding[0],
                           j * c.window.dilation[1] - c.window.padding[1]});
    }
  }
  return view;
}

}  // namespace

bool has_matrix_unit() {
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

void Convolution::apply(const float* x, const float* weight, const float* bias, float* y) const {
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
  multiply_rows({{outputs(*this), inputs(*this), to, packed.get()}}, x, filters, y, bias);
}

void Convolution::apply_back(const float* dy, const float* weight, const float* bias, float* dx) const {
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

void Convolution::weight_gradient(const float* x, const float* dy, float* dw) const {
  Grid grid = outputs(*this);
  View from = inputs(*this), of{out_height, out_width, filters, {1, 1}, {{0, 0}}};
  int64_t rows = blocks(filters), across = blocks(channels), columns = taps() * across;
  constexpr int64_t cache = 1 << 20;
  int64_t most = std::clamp<int64_t>(cache / (rows * block_bytes), 4, 16);
  int64_t all_steps = blocks(grid.count());
  // One tap in one go needs no place for sums.
  bool is_direct = taps() == 1 && all_steps <= most;
  Space all = space(is_direct ? 64 : rows * columns * side * side * sizeof(float));
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
    alignas(64) float some[side * side];
    for (int64_t chunk = 0; chunk < all_steps; chunk += most) {
      int64_t steps = std::min(most, all_steps - chunk);
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
                   is_direct ? some : sums + (row * columns + column) * side * side, chunk > 0);
          if (!is_direct) continue;
          float* to[side];
          for (int64_t r = 0; r < side; r++) {
            int64_t filter = row * side + r;
            to[r] = filter < filters ? dw + filter * channels : nullptr;
          }
          write_rows(some, to, channel, channels, nullptr);
        }
      }
    }
  });
  if (is_direct) return;
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

#else

bool has_matrix_unit() { return false; }
void Convolution::apply(const float*, const float*, const float*, float*) const {}
void Convolution::apply_back(const float*, const float*, const float*, float*) const {}
void Convolution::weight_gradient(const float*, const float*, float*) const {}

#endif

}  // namespace ctorch
