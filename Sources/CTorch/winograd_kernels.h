// The loops of winograd.cpp, which includes this once for each kind of processor: with `block_rows`
// rows and `block_vectors` vectors of results that a matrix product holds in registers.

typedef float Vector __attribute__((ext_vector_type(16)));
typedef float Loose __attribute__((ext_vector_type(16), aligned(4)));

// By reference: vectors by value go by other rules on each kind of processor.
INLINE const Loose& load(const float* x) { return *reinterpret_cast<const Loose*>(x); }
INLINE void store(float* x, const Vector& value) { *reinterpret_cast<Loose*>(x) = value; }

typedef uint32_t Bits __attribute__((ext_vector_type(16)));
typedef uint16_t Halves __attribute__((ext_vector_type(16)));
typedef uint16_t LooseHalves __attribute__((ext_vector_type(16), aligned(2), may_alias));

/// Numbers of pictures, in float32 or bfloat16, as those that are computed with, and back.
INLINE void read(const float* x, Vector& value) { value = load(x); }
INLINE void read(const uint16_t* x, Vector& value) {
  Bits bits = __builtin_convertvector(*reinterpret_cast<const LooseHalves*>(x), Bits) << 16;
  value = __builtin_bit_cast(Vector, bits);
}
INLINE void write(float* x, const Vector& value) { store(x, value); }
INLINE void write(uint16_t* x, const Vector& value) {
  Bits bits = __builtin_bit_cast(Bits, value);
  // To the nearest, ties to even; what is no number stays none.
  Bits near = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  bits = value == value ? near : Bits(0x7FC0u);
  *reinterpret_cast<LooseHalves*>(x) = __builtin_convertvector(bits, Halves);
}

/// Bᵀ d along one direction; elements lie `stride` vectors apart.
INLINE void transform_input(const Vector* d, int64_t stride, Vector* v, int64_t to) {
  Vector d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride],
         d5 = d[5 * stride];
  Vector even = d4 - q2 * d2, odd = p * (d3 - q2 * d1);
  v[0] = p2 * q2 * d0 - (p2 + q2) * d2 + d4;
  v[to] = even + odd;
  v[2 * to] = even - odd;
  even = d4 - p2 * d2, odd = q * (d3 - p2 * d1);
  v[3 * to] = even + odd;
  v[4 * to] = even - odd;
  v[5 * to] = p2 * q2 * d1 - (p2 + q2) * d3 + d5;
}

/// Aᵀ m along one direction.
INLINE void transform_output(const Vector* m, int64_t stride, Vector* y, int64_t to) {
  Vector near = m[stride] + m[2 * stride], apart = p * (m[stride] - m[2 * stride]);
  Vector far = m[3 * stride] + m[4 * stride], wide = q * (m[3 * stride] - m[4 * stride]);
  y[0] = m[0] + near + far;
  y[to] = apart + wide;
  y[2 * to] = p2 * near + q2 * far;
  y[3 * to] = p2 * apart + q2 * wide + m[5 * stride];
}

/// A y along one direction.
INLINE void transform_gradient(const Vector* y, int64_t stride, Vector* z, int64_t to) {
  Vector y0 = y[0], y1 = y[stride], y2 = y[2 * stride], y3 = y[3 * stride];
  Vector even = y0 + p2 * y2, odd = p * (y1 + p2 * y3);
  z[0] = y0;
  z[to] = even + odd;
  z[2 * to] = even - odd;
  even = y0 + q2 * y2, odd = q * (y1 + q2 * y3);
  z[3 * to] = even + odd;
  z[4 * to] = even - odd;
  z[5 * to] = y3;
}

/// The points' factors in G: 1 / f′ of f(x) = x (x² − p²) (x² − q²).
constexpr float at_0 = 1 / (p2 * q2), at_p = 1 / (2 * p2 * (p2 - q2)), at_q = 1 / (2 * q2 * (q2 - p2));

/// G g along one direction.
INLINE void transform_filter(const Vector* g, int64_t stride, Vector* u, int64_t to) {
  Vector g0 = g[0], g1 = g[stride], g2 = g[2 * stride];
  Vector even = at_p * (g0 + p2 * g2), odd = at_p * p * g1;
  u[0] = at_0 * g0;
  u[to] = even + odd;
  u[2 * to] = even - odd;
  even = at_q * (g0 + q2 * g2), odd = at_q * q * g1;
  u[3 * to] = even + odd;
  u[4 * to] = even - odd;
  u[5 * to] = g2;
}

/// Gᵀ u along one direction.
INLINE void transform_back(const Vector* u, int64_t stride, Vector* g, int64_t to) {
  Vector near = at_p * (u[stride] + u[2 * stride]), far = at_q * (u[3 * stride] + u[4 * stride]);
  g[0] = at_0 * u[0] + near + far;
  g[to] = at_p * p * (u[stride] - u[2 * stride]) + at_q * q * (u[3 * stride] - u[4 * stride]);
  g[2 * to] = p2 * near + q2 * far + u[5 * stride];
}

/// Where element (row, channel) lies in a matrix of panels, `[channels / panel][rows][panel]`.
INLINE int64_t in_panels(int64_t row, int64_t channel, int64_t rows) {
  return channel / panel * rows * panel + row * panel + channel % panel;
}

/// Some tiles of the input into the space of products, `[36][rows][channels]`; rows that are no
/// tile are zeros.
template <typename T>
INLINE void input_tiles(const T* x, const Tiles& tiles, const Some& some, int64_t channels,
                        int64_t rows, float* v) {
  int64_t count = some.count();
  for (int64_t row = 0; row < rows; row++) {
    int64_t picture, top, left;
    if (row < count) tiles.place(some.tiles[row], &picture, &top, &left);
    for (int64_t c = 0; c < channels; c += lanes) {
      float* to = v + row * channels + c;
      if (row >= count) {
        for (int64_t i = 0; i < places; i++) store(to + i * apart(rows, channels), Vector(0.0f));
        continue;
      }
      const T* from = x + picture * tiles.height * tiles.width * channels + c;
      Vector d[places], half[places], whole[places];
      for (int64_t i = 0; i < side; i++) {
        int64_t y = top + i - 1;
        for (int64_t j = 0; j < side; j++) {
          int64_t u = left + j - 1;
          bool inside = y >= 0 && y < tiles.height && u >= 0 && u < tiles.width;
          Vector& number = d[i * side + j];
          number = Vector(0.0f);
          if (inside) read(from + (y * tiles.width + u) * channels, number);
        }
      }
      for (int64_t j = 0; j < side; j++) transform_input(d + j, side, half + j, side);
      for (int64_t i = 0; i < side; i++) transform_input(half + i * side, 1, whole + i * side, 1);
      for (int64_t i = 0; i < places; i++) store(to + i * apart(rows, channels), whole[i]);
    }
  }
}

/// Some tiles of products back to pictures; bias and other pictures are added where they are given.
template <typename T>
INLINE void output_tiles(const float* m, const Tiles& tiles, const Some& some, int64_t channels,
                         int64_t rows, const float* bias, const T* added, T* y) {
  for (int64_t row = 0; row < some.count(); row++) {
    int64_t picture, top, left;
    tiles.place(some.tiles[row], &picture, &top, &left);
    int64_t high = std::min(step, tiles.height - top), wide = std::min(step, tiles.width - left);
    int64_t corner = ((picture * tiles.height + top) * tiles.width + left) * channels;
    for (int64_t c = 0; c < channels; c += lanes) {
      Vector product[places], half[step * side], whole[step * step];
      const float* from = m + row * channels + c;
      for (int64_t i = 0; i < places; i++) product[i] = load(from + i * apart(rows, channels));
      for (int64_t j = 0; j < side; j++) transform_output(product + j, side, half + j, side);
      for (int64_t i = 0; i < step; i++) {
        transform_output(half + i * side, 1, whole + i * step, 1);
      }
      Vector offset = bias ? load(bias + c) : Vector(0.0f);
      for (int64_t i = 0; i < high; i++) {
        for (int64_t j = 0; j < wide; j++) {
          int64_t place = corner + (i * tiles.width + j) * channels + c;
          Vector value = whole[i * step + j] + offset, more(0.0f);
          if (added) read(added + place, more);
          write(y + place, value + more);
        }
      }
    }
  }
}

/// Some tiles of the output's gradient into the space of products, as 36 matrices of panels.
template <typename T>
INLINE void gradient_tiles(const T* dy, const Tiles& tiles, const Some& some,
                           int64_t channels, float* z) {
  int64_t count = some.count();
  for (int64_t row = 0; row < count; row++) {
    int64_t picture, top, left;
    tiles.place(some.tiles[row], &picture, &top, &left);
    int64_t high = std::min(step, tiles.height - top), wide = std::min(step, tiles.width - left);
    const T* corner = dy + ((picture * tiles.height + top) * tiles.width + left) * channels;
    for (int64_t c = 0; c < channels; c += lanes) {
      Vector part[step * step], half[side * step], whole[places];
      for (int64_t i = 0; i < step; i++) {
        for (int64_t j = 0; j < step; j++) {
          Vector& number = part[i * step + j];
          number = Vector(0.0f);
          if (i < high && j < wide) read(corner + (i * tiles.width + j) * channels + c, number);
        }
      }
      for (int64_t j = 0; j < step; j++) transform_gradient(part + j, step, half + j, step);
      for (int64_t i = 0; i < side; i++) {
        transform_gradient(half + i * step, 1, whole + i * side, 1);
      }
      float* to = z + in_panels(row, c, count);
      for (int64_t i = 0; i < places; i++) store(to + i * apart(count, channels), whole[i]);
    }
  }
}

/// `Rows` × `Vectors` · 16 results: c = Σ_p a[i · row + p · column] b[p · panel + j], added to what
/// is there or instead of it.
template <int Rows, int Vectors>
INLINE void block(const float* a, int64_t row, int64_t column, const float* b, int64_t depth,
                  float* c, int64_t stride, bool adds) {
  Vector sum[Rows][Vectors];
#pragma unroll
  for (int i = 0; i < Rows; i++) {
#pragma unroll
    for (int j = 0; j < Vectors; j++) {
      sum[i][j] = adds ? load(c + i * stride + j * lanes) : Vector(0.0f);
    }
  }
  for (int64_t p = 0; p < depth; p++) {
    Vector right[Vectors];
#pragma unroll
    for (int j = 0; j < Vectors; j++) right[j] = load(b + p * panel + j * lanes);
#pragma unroll
    for (int i = 0; i < Rows; i++) {
      Vector left = Vector(a[i * row + p * column]);
#pragma unroll
      for (int j = 0; j < Vectors; j++) sum[i][j] += left * right[j];
    }
  }
#pragma unroll
  for (int i = 0; i < Rows; i++) {
#pragma unroll
    for (int j = 0; j < Vectors; j++) store(c + i * stride + j * lanes, sum[i][j]);
  }
}

/// c `[rows, columns]` = a · b, or added to it; a by strides, b in panels of `height` rows, of which
/// `depth` are taken.
template <int Rows, int Vectors>
INLINE void product(const float* a, int64_t row, int64_t column, const float* b, int64_t height,
                    int64_t rows, int64_t depth, int64_t columns, float* c, bool adds) {
  for (int64_t k = 0; k < columns; k += panel) {
    for (int64_t i = 0; i < rows; i += rows_at_once) {
      for (int64_t r = 0; r < rows_at_once; r += Rows) {
        for (int64_t v = 0; v < panel; v += Vectors * lanes) {
          block<Rows, Vectors>(a + (i + r) * row, row, column, b + k * height + v, depth,
                               c + (i + r) * columns + k + v, columns, adds);
        }
      }
    }
  }
}

/// A convolution of some tiles; `space` holds what lies between.
template <typename T>
inline void convolve_tiles(const T* x, const Tiles& tiles, const Some& some, int64_t inputs,
                           int64_t outputs, const float* u, const float* bias, const T* added,
                           float* space, T* y) {
  int64_t rows = (some.count() + rows_at_once - 1) / rows_at_once * rows_at_once;
  float *v = space, *m = space + places * apart(rows, inputs);
  input_tiles(x, tiles, some, inputs, rows, v);
  for (int64_t i = 0; i < places; i++) {
    int64_t begin, end;
    some.range(i, &begin, &end);
    begin = begin / rows_at_once * rows_at_once;
    product<block_rows, block_vectors>(v + i * apart(rows, inputs) + begin * inputs, inputs, 1,
                                       u + i * apart(inputs, outputs), inputs, end - begin, inputs,
                                       outputs, m + i * apart(rows, outputs) + begin * outputs,
                                       false);
  }
  output_tiles(m, tiles, some, outputs, rows, bias, added, y);
}

/// What some tiles add to the gradient of the transformed weights, `[36][inputs][outputs]`.
template <typename T>
inline void weight_tiles(const T* x, const T* dy, const Tiles& tiles, const Some& some,
                         int64_t inputs, int64_t outputs, bool adds, float* space, float* du) {
  int64_t count = some.count();
  float *v = space, *z = space + places * apart(count, inputs);
  input_tiles(x, tiles, some, inputs, count, v);
  gradient_tiles(dy, tiles, some, outputs, z);
  for (int64_t i = 0; i < places; i++) {
    int64_t begin, end;
    some.range(i, &begin, &end);
    product<block_rows, block_vectors>(v + i * apart(count, inputs) + begin * inputs, 1, inputs,
                                       z + i * apart(count, outputs) + begin * panel, count, inputs,
                                       end - begin, outputs, du + i * apart(inputs, outputs), adds);
  }
}

/// G g Gᵀ of the filters of one panel; `rows` × `columns` filters of nine taps, of which that of
/// (row, column) begins at `row * along + column * across`; with `turned` they are turned by 180°.
template <typename T>
inline void transform_panel(const T* w, int64_t rows, int64_t columns, int64_t along,
                            int64_t across, bool turned, int64_t first, float* u) {
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t lane = 0; lane < panel; lane += lanes) {
      alignas(64) float taps[9][lanes];
      for (int64_t i = 0; i < lanes; i++) {
        const T* g = w + row * along + (first + lane + i) * across;
        for (int64_t tap = 0; tap < 9; tap++) {
          taps[turned ? 8 - tap : tap][i] = ctorch::widened(g[tap]);
        }
      }
      Vector filter[9], half[3 * side], whole[places];
      for (int64_t tap = 0; tap < 9; tap++) filter[tap] = load(taps[tap]);
      for (int64_t j = 0; j < 3; j++) transform_filter(filter + j, 3, half + j, 3);
      for (int64_t i = 0; i < side; i++) transform_filter(half + i * 3, 1, whole + i * side, 1);
      float* to = u + in_panels(row, first, rows) + lane;
      for (int64_t i = 0; i < places; i++) store(to + i * apart(rows, columns), whole[i]);
    }
  }
}

/// Gᵀ u G of `lanes` outputs from `first`, the sum of `parts` arrays: dw `[outputs][inputs][9]`.
inline void filters_back(const float* du, int64_t parts, int64_t inputs, int64_t outputs,
                         int64_t first, float* dw) {
  int64_t distance = apart(inputs, outputs);
  for (int64_t c = 0; c < inputs; c++) {
    Vector whole[places], half[3 * side], filter[9];
    for (int64_t i = 0; i < places; i++) {
      const float* from = du + i * distance + c * outputs + first;
      whole[i] = load(from);
      for (int64_t part = 1; part < parts; part++) {
        whole[i] += load(from + part * places * distance);
      }
    }
    for (int64_t j = 0; j < side; j++) transform_back(whole + j, side, half + j, side);
    for (int64_t i = 0; i < 3; i++) transform_back(half + i * side, 1, filter + i * 3, 1);
    for (int64_t lane = 0; lane < lanes; lane++) {
      float* to = dw + ((first + lane) * inputs + c) * 9;
      for (int64_t tap = 0; tap < 9; tap++) to[tap] = filter[tap][lane];
    }
  }
}
