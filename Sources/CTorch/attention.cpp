// Scaled dot-product attention (Vaswani et al. 2017, §3.2.1) of heads with few channels, as small
// U-Nets have them: softmax(q kᵀ · scale) v without a mask. Forward, sixteen queries fill the lanes,
// and each key is one number a channel for all of them, so that nothing is added up across lanes;
// what the softmax subtracts is |q| · max |k|, known beforehand, which no score exceeds. Backward, the
// keys fill the lanes, eight queries share what is loaded, and the weights are computed again from the
// logarithm of their sum. Powers and logarithms are those of 2.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "attention.h"
#include "boundary.h"
#include "parallel.h"
#include "twice.h"
#include "vectors.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

#include "attention_kernels.h"

/// A tensor [N, heads, T, d] whose channels lie side by side.
template <typename T>
struct Heads {
  const T* data;
  int64_t pictures, heads, tokens, depth;
  int64_t picture_stride, head_stride, token_stride;

  explicit Heads(const at::Tensor& x)
      : data(x.const_data_ptr<T>()),
        pictures(x.size(0)),
        heads(x.size(1)),
        tokens(x.size(2)),
        depth(x.size(3)),
        picture_stride(x.stride(0)),
        head_stride(x.stride(1)),
        token_stride(x.stride(2)) {}

  const T* head(int64_t index) const {
    return data + index / heads * picture_stride + index % heads * head_stride;
  }
};

/// A head's tokens with a channel in a row: [d, columns], zeros behind the last token.
template <typename T>
void turned(const Heads<T>& x, int64_t head, int64_t columns, float* out) {
  std::fill(out, out + x.depth * columns, 0.0f);
  const T* from = x.head(head);
  for (int64_t t = 0; t < x.tokens; t++, from += x.token_stride) {
    for (int64_t d = 0; d < x.depth; d++) out[d * columns + t] = from[d];
  }
}

/// A head's tokens side by side, [T, d].
template <typename T>
void packed(const Heads<T>& x, int64_t head, float* out) {
  const T* from = x.head(head);
  for (int64_t t = 0; t < x.tokens; t++, from += x.token_stride) {
    for (int64_t d = 0; d < x.depth; d++) *out++ = from[d];
  }
}

/// `group` tokens from `first`, [group, d], zeros behind the last one.
template <typename T>
void rows_of(const Heads<T>& x, int64_t head, int64_t first, float factor, float* out) {
  const T* from = x.head(head) + first * x.token_stride;
  for (int64_t g = 0; g < group; g++, from += x.token_stride) {
    for (int64_t d = 0; d < x.depth; d++) {
      out[g * x.depth + d] = first + g < x.tokens ? factor * static_cast<float>(from[d]) : 0.0f;
    }
  }
}

/// The length of the longest of `tokens` rows.
float largest_length(const float* x, int64_t tokens, int64_t depth) {
  float most = 0;
  for (int64_t t = 0; t < tokens; t++) {
    float square = 0;
    for (int64_t d = 0; d < depth; d++, x++) square += *x * *x;
    most = std::max(most, square);
  }
  return std::sqrt(most);
}

/// A new tensor [N, heads, T, d] whose heads lie side by side, as the linear layer behind wants them.
at::Tensor joined(const at::Tensor& like) {
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)},
                   like.options().memory_format(std::nullopt))
      .transpose(1, 2);
}

int64_t padded(int64_t count, int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// The same by PyTorch's own operations.
at::Tensor plain(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                 double scale) {
  return at::matmul(at::softmax(at::matmul(query * scale, key.transpose(-2, -1)), -1), value);
}

/// What the queries find; `logarithms` [N · heads, T] of the sums of their weights.
template <typename T>
at::Tensor attended(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                    double scale, at::Tensor& logarithms) {
  Heads<T> q(query), k(key), v(value);
  int64_t depth = q.depth, heads = q.pictures * q.heads, groups = (q.tokens + lanes - 1) / lanes;
  at::Tensor output = joined(query);
  T* out = output.mutable_data_ptr<T>();
  logarithms = at::empty({heads, q.tokens}, query.options().dtype(at::kFloat));
  float* logs = logarithms.mutable_data_ptr<float>();
  float factor = scale / ln_2;
  // A head's queries in several parts where heads are fewer than threads.
  int64_t pieces = std::min(groups, (at::get_num_threads() + heads - 1) / heads);
  parallel(heads * pieces, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> keys(depth * k.tokens), values(depth * k.tokens);
    float rows[32 * lanes], found[32 * lanes], bounds[lanes], sums[lanes], longest = 0;
    int64_t held = -1;
    for (int64_t part = begin; part < end; part++) {
      int64_t head = part / pieces, piece = part % pieces;
      if (head != held) {
        packed(k, head, keys.data());
        packed(v, head, values.data());
        longest = largest_length(keys.data(), k.tokens, depth);
        held = head;
      }
      int64_t last = std::min(q.tokens, groups * (piece + 1) / pieces * lanes);
      for (int64_t t = groups * piece / pieces * lanes; t < last; t += lanes) {
        int64_t count = std::min(lanes, q.tokens - t);
        const T* from = q.head(head) + t * q.token_stride;
        for (int64_t i = 0; i < lanes; i++, from += q.token_stride) {
          float square = 0;
          for (int64_t d = 0; d < depth; d++) {
            float one = i < count ? factor * static_cast<float>(from[d]) : 0;
            rows[d * lanes + i] = one;
            square += one * one;
          }
          bounds[i] = std::sqrt(square) * longest;
        }
        attend_all(rows, keys.data(), values.data(), k.tokens, depth, bounds, found, sums);
        // Where all scores lie far below the bound, what is left of the weights is too small.
        auto is_usable = [](float sum) { return sum > 1e-18f && sum < 1e30f; };
        if (!std::all_of(sums, sums + lanes, is_usable)) {
          largest_scores(rows, keys.data(), k.tokens, depth, bounds);
          attend_all(rows, keys.data(), values.data(), k.tokens, depth, bounds, found, sums);
        }
        for (int64_t i = 0; i < count; i++) {
          int64_t place = (head / q.heads * q.tokens + t + i) * q.heads + head % q.heads;
          for (int64_t d = 0; d < depth; d++) {
            out[place * depth + d] = found[d * lanes + i] / sums[i];
          }
          logs[head * q.tokens + t + i] = bounds[i] + std::log2(sums[i]);
        }
      }
    }
  });
  return output;
}

/// The gradients of query, key and value.
template <typename T>
std::array<at::Tensor, 3> gradients_of(const at::Tensor& query, const at::Tensor& key,
                                       const at::Tensor& value, const at::Tensor& output,
                                       const at::Tensor& logarithms, double scale,
                                       const at::Tensor& gradient) {
  Heads<T> q(query), k(key), v(value), o(output), slope(gradient);
  const float* logs = logarithms.const_data_ptr<float>();
  int64_t depth = q.depth, columns = padded(k.tokens, 2 * lanes);
  int64_t heads = q.pictures * q.heads;
  at::Tensor for_query = joined(query), for_key = joined(key), for_value = joined(value);
  T *dq = for_query.mutable_data_ptr<T>(), *dk = for_key.mutable_data_ptr<T>();
  T* dv = for_value.mutable_data_ptr<T>();
  parallel(heads, 1, [&](int64_t begin, int64_t end) {
    int64_t size = depth * columns;
    std::vector<float> keys(size), values(size), key_slopes(size), value_slopes(size);
    std::vector<float> scores(group * columns), slopes(group * columns);
    float rows[group * 32], unscaled[group * 32], above[group * 32], below[group * 32];
    float found[group * 32], means[group], sums[group];
    for (int64_t head = begin; head < end; head++) {
      turned(k, head, columns, keys.data());
      turned(v, head, columns, values.data());
      std::fill(key_slopes.begin(), key_slopes.end(), 0.0f);
      std::fill(value_slopes.begin(), value_slopes.end(), 0.0f);
      for (int64_t t = 0; t < q.tokens; t += group) {
        rows_of(q, head, t, scale / ln_2, rows);
        rows_of(q, head, t, 1, unscaled);
        rows_of(slope, head, t, 1, above);
        rows_of(o, head, t, 1, below);
        for (int64_t g = 0; g < group; g++) {
          means[g] = 0;
          for (int64_t d = 0; d < depth; d++) {
            means[g] += above[g * depth + d] * below[g * depth + d];
          }
          sums[g] = t + g < q.tokens ? logs[head * q.tokens + t + g] : 0;
        }
        products(rows, keys.data(), depth, columns, scores.data());
        weights(scores.data(), k.tokens, columns, sums);
        // Rows behind the last query add nothing, because nothing flows into them.
        outer_products(above, scores.data(), depth, columns, value_slopes.data());
        products(above, values.data(), depth, columns, slopes.data());
        softmax_gradients(scores.data(), slopes.data(), columns, means, scale);
        outer_products(unscaled, slopes.data(), depth, columns, key_slopes.data());
        reductions(slopes.data(), keys.data(), depth, columns, found);
        for (int64_t g = 0; g < group && t + g < q.tokens; g++) {
          int64_t place = (head / q.heads * q.tokens + t + g) * q.heads + head % q.heads;
          std::copy(found + g * depth, found + (g + 1) * depth, dq + place * depth);
        }
      }
      for (int64_t t = 0; t < k.tokens; t++) {
        int64_t place = (head / k.heads * k.tokens + t) * k.heads + head % k.heads;
        for (int64_t d = 0; d < depth; d++) {
          dk[place * depth + d] = key_slopes[d * columns + t];
          dv[place * depth + d] = value_slopes[d * columns + t];
        }
      }
    }
  });
  return {for_query, for_key, for_value};
}

struct FewChannels : torch::autograd::Function<FewChannels> {
  // Runs with recording switched off, as every forward function.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query,
                            const at::Tensor& key, const at::Tensor& value, double scale) {
    at::Tensor logarithms;
    at::Tensor output = query.scalar_type() == at::kFloat
                            ? attended<float>(query, key, value, scale, logarithms)
                            : attended<at::BFloat16>(query, key, value, scale, logarithms);
    context->save_for_backward({query, key, value, output, logarithms});
    context->saved_data["scale"] = scale;
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const at::Tensor &query = saved[0], &key = saved[1], &value = saved[2];
    double scale = context->saved_data["scale"].toDouble();
    if (c10::GradMode::is_enabled()) {
      return differentiable_gradients({query, key, value}, gradients[0], 4, [&](auto& x) {
        return plain(x[0], x[1], x[2], scale);
      });
    }
    at::Tensor gradient = gradients[0].stride(3) == 1 ? gradients[0] : gradients[0].contiguous();
    auto [dq, dk, dv] =
        query.scalar_type() == at::kFloat
            ? gradients_of<float>(query, key, value, saved[3], saved[4], scale, gradient)
            : gradients_of<at::BFloat16>(query, key, value, saved[3], saved[4], scale, gradient);
    return {dq, dk, dv, at::Tensor()};
  }
};

/// Whether the kernel above is for these.
bool is_fit(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  for (const at::Tensor& one : {query, key, value}) {
    if (!one.device().is_cpu() || one.scalar_type() != query.scalar_type() || one.dim() != 4 ||
        one.stride(3) != 1 || one.numel() == 0 || one.size(0) != query.size(0) ||
        one.size(1) != query.size(1) || one.size(3) != query.size(3)) {
      return false;
    }
  }
  bool is_known = query.scalar_type() == at::kFloat || query.scalar_type() == at::kBFloat16;
  return is_known && query.size(3) % step == 0 && query.size(3) <= 32 && key.size(2) == value.size(2);
}

/// Whether the products and the softmax one by one beat libtorch's fused kernel: with few keys they do.
bool is_faster_one_by_one(const at::Tensor& query, const at::Tensor& key) {
  return query.device().is_cpu() && query.scalar_type() == at::kFloat && query.dim() == 4 &&
         key.size(-2) <= 128;
}

}  // namespace

int ct_attention(CTTensor query, CTTensor key, CTTensor value, CTTensor mask, const double* scale,
                 bool causal, CTTensor* out) {
  return guard("scaled_dot_product_attention", {query, key, value, mask}, [&] {
    Ref q(query), k(key), v(value);
    double factor = scale ? *scale : 1 / std::sqrt(static_cast<double>(q->size(-1)));
    bool is_plain = !mask && !causal, has_few = is_plain && is_fit(q, k, v);
    if (is_plain && !(has_few && q->scalar_type() == at::kFloat) &&
        fits_tiled_attention(q, k, v, factor)) {
      *out = give(tiled_attention(q, k, v, factor));
      return;
    }
    if (has_few) {
      *out = give(FewChannels::apply(*q, *k, *v, factor));
      return;
    }
    if (is_plain && is_faster_one_by_one(q, k)) {
      // Heads side by side, as from the kernels.
      *out = give(plain(q, k, v, factor).transpose(1, 2).contiguous().transpose(1, 2));
      return;
    }
    *out = give(at::scaled_dot_product_attention(
        q, k, v, optional(mask), 0.0, causal,
        scale ? std::optional<double>(*scale) : std::nullopt));
  });
}
