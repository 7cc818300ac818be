// The loops of attention.cpp, over rows of float32.

/// Queries that are worked on together, and channels.
constexpr int64_t group = 8, step = 8;
constexpr double ln_2 = 0.6931471805599453;

__attribute__((always_inline)) inline const LooseLanes& load(const float* x) {
  return *reinterpret_cast<const LooseLanes*>(x);
}

__attribute__((always_inline)) inline void store(float* x, const Lanes& value) {
  *reinterpret_cast<LooseLanes*>(x) = value;
}

/// The first of sixteen vectors becomes the sums of all, one a lane.
__attribute__((always_inline)) inline void add_up(Lanes* rows) {
  for (int64_t count = lanes / 2; count > 0; count /= 2) {
    for (int64_t i = 0; i < count; i++) {
      Lanes a = rows[2 * i], b = rows[2 * i + 1];
      rows[i] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
                                        28, 30) +
                __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27,
                                        29, 31);
    }
  }
}

/// 2ˣ within 2 units in the last place; from −126 down and from 126 up what it is there. x = n + r, and
/// the polynomial of degree 6 in r of the smallest relative error.
__attribute__((always_inline)) inline void raise_two(Lanes& x) {
  constexpr float rounding = 12582912.0f;  // 1.5 · 2²³: adding it leaves n in the lowest bits.
  const Lanes lowest = Lanes{} - 126.0f, highest = Lanes{} + 126.0f;
  x = x < lowest ? lowest : x;
  x = x > highest ? highest : x;
  Lanes shifted = x + rounding;
  Lanes r = x - (shifted - rounding);
  Lanes y = r * 1.5353357e-4f + 1.3398874e-3f;
  y = y * r + 9.618437e-3f;
  y = y * r + 5.5503324e-2f;
  y = y * r + 2.4022648e-1f;
  y = y * r + 6.9314718e-1f;
  y = y * r + 1.0f;
  LaneBits power = (__builtin_bit_cast(LaneBits, shifted) << 23) + 0x3F800000u;
  x = y * __builtin_bit_cast(Lanes, power);
}

/// out[g, j] = Σ_d a[g, d] · b[d, j] for `group` rows of a; columns in multiples of 32.
WIDE void products(const float* a, const float* b, int64_t depth, int64_t columns, float* out) {
  for (int64_t j = 0; j < columns; j += 2 * lanes) {
    Lanes sums[group][2] = {};
    for (int64_t d = 0; d < depth; d++) {
      Lanes left = load(b + d * columns + j), right = load(b + d * columns + j + lanes);
      for (int64_t g = 0; g < group; g++) {
        sums[g][0] += a[g * depth + d] * left;
        sums[g][1] += a[g * depth + d] * right;
      }
    }
    for (int64_t g = 0; g < group; g++) {
      store(out + g * columns + j, sums[g][0]);
      store(out + g * columns + j + lanes, sums[g][1]);
    }
  }
}

/// out[g, d] = Σ_j a[g, j] · b[d, j] for `group` rows of a; depth in multiples of `step`.
WIDE void reductions(const float* a, const float* b, int64_t depth, int64_t columns, float* out) {
  for (int64_t g = 0; g < group; g += 2) {
    const float *one = a + g * columns, *other = one + columns;
    for (int64_t first = 0; first < depth; first += step) {
      Lanes sums[2 * step] = {};
      for (int64_t j = 0; j < columns; j += lanes) {
        Lanes left = load(one + j), right = load(other + j);
        for (int64_t d = 0; d < step; d++) {
          Lanes value = load(b + (first + d) * columns + j);
          sums[d] += left * value;
          sums[step + d] += right * value;
        }
      }
      add_up(sums);
      for (int64_t d = 0; d < step; d++) {
        out[g * depth + first + d] = sums[0][d];
        out[(g + 1) * depth + first + d] = sums[0][step + d];
      }
    }
  }
}

/// out[d, j] += Σ_g a[g, d] · b[g, j] for `group` rows of both.
WIDE void outer_products(const float* a, const float* b, int64_t depth, int64_t columns,
                         float* out) {
  for (int64_t j = 0; j < columns; j += lanes) {
    Lanes rows[group];
    for (int64_t g = 0; g < group; g++) rows[g] = load(b + g * columns + j);
    for (int64_t d = 0; d < depth; d++) {
      Lanes total = load(out + d * columns + j);
      for (int64_t g = 0; g < group; g++) total += a[g * depth + d] * rows[g];
      store(out + d * columns + j, total);
    }
  }
}

/// The weights of `group` queries from their scores and the logarithms of their sums; those from
/// `keys` on are 0.
WIDE void weights(float* rows, int64_t keys, int64_t columns, const float* logarithms) {
  for (int64_t g = 0; g < group; g++) {
    float* row = rows + g * columns;
    for (int64_t j = 0; j < columns; j += lanes) {
      Lanes value = load(row + j) - logarithms[g];
      raise_two(value);
      store(row + j, value);
    }
    for (int64_t j = keys; j < columns; j++) row[j] = 0;
  }
}

/// Adds what a lane's query finds in `keys` keys to `out` [depth, lanes] and the sum of its weights
/// 2^(score − bound) to `sums`. Keys and values are [keys, depth].
template <int64_t depth>
__attribute__((always_inline)) inline void attend(const float* query, const float* key,
                                                  const float* value, int64_t keys,
                                                  const float* bounds, float* out, float* sums) {
  constexpr int64_t most = 64;
  Lanes q[depth], weight[most], total = load(sums), bound = load(bounds);
  for (int64_t d = 0; d < depth; d++) q[d] = load(query + d * lanes);
  for (int64_t first = 0; first < keys; first += most) {
    int64_t count = std::min(most, keys - first);
    for (int64_t j = 0; j < count; j++, key += depth) {
      // As `largest_scores` adds it up: what is subtracted is then one of these very numbers.
      Lanes score = {};
      for (int64_t d = 0; d < depth; d++) score += key[d] * q[d];
      score -= bound;
      raise_two(score);
      weight[j] = score;
      total += score;
    }
    for (int64_t d = 0; d < depth; d += step) {
      Lanes found[step];
      for (int64_t i = 0; i < step; i++) found[i] = load(out + (d + i) * lanes);
      const float* some = value + first * depth + d;
      for (int64_t j = 0; j < count; j++, some += depth) {
        for (int64_t i = 0; i < step; i++) found[i] += some[i] * weight[j];
      }
      for (int64_t i = 0; i < step; i++) store(out + (d + i) * lanes, found[i]);
    }
  }
  store(sums, total);
}

WIDE void attend_all(const float* query, const float* key, const float* value, int64_t keys,
                     int64_t depth, const float* bounds, float* out, float* sums) {
  std::fill(out, out + depth * lanes, 0.0f);
  std::fill(sums, sums + lanes, 0.0f);
  switch (depth) {
    case 8: return attend<8>(query, key, value, keys, bounds, out, sums);
    case 16: return attend<16>(query, key, value, keys, bounds, out, sums);
    case 24: return attend<24>(query, key, value, keys, bounds, out, sums);
    default: return attend<32>(query, key, value, keys, bounds, out, sums);
  }
}

/// The largest score of each lane's query.
WIDE void largest_scores(const float* query, const float* key, int64_t keys, int64_t depth,
                         float* out) {
  Lanes top = Lanes{} - INFINITY;
  for (int64_t j = 0; j < keys; j++, key += depth) {
    Lanes score = {};
    for (int64_t d = 0; d < depth; d++) score += key[d] * load(query + d * lanes);
    top = score > top ? score : top;
  }
  store(out, top);
}

/// slopes = weights · (slopes − mean of the row by the weights) · scale.
WIDE void softmax_gradients(const float* weights, float* slopes, int64_t columns,
                            const float* means, float scale) {
  for (int64_t g = 0; g < group; g++) {
    for (int64_t j = g * columns; j < (g + 1) * columns; j += lanes) {
      Lanes value = load(weights + j) * (load(slopes + j) - means[g]) * scale;
      store(slopes + j, value);
    }
  }
}
