// Fully connected layers with rectifiers between them, max(W x + b, 0), as one operation of the graph:
// networks of small matrices wait for the graph's bookkeeping and for their threads as long as they
// multiply. A thread has some columns of everything: it multiplies, adds the bias and rectifies them,
// and on the way back lets gradients through the rectifier and adds them up, without meeting the others.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "boundary.h"
#include "matrix_unit_layers.h"
#include "parallel.h"
#include "small_products.h"
#include "twice.h"
#include "vectors.h"

using namespace ctorch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// Numbers whose values do not matter at first.
using Space = std::unique_ptr<float[]>;
Space space(int64_t count) { return Space(new float[count]); }

/// Some columns of rows that lie `stride` apart.
struct Columns {
  int64_t first, count, stride;
};

/// Calls `body` for shares of `width` columns: one a thread, or, of products that take some columns at a
/// time anyway, up to four, so that one that comes late is helped.
template <typename Body>
void each_share(int64_t width, const Body& body) {
  int64_t vectors = (width + lanes - 1) / lanes, threads = at::get_num_threads();
  int64_t shares = std::min(threads, vectors);
  if (are_small_products_faster()) {
    shares = std::max(shares, std::min(4 * threads, width / columns_at_once));
  }
  parallel(shares, 1, [&](int64_t begin, int64_t end) {
    int64_t first = vectors * begin / shares * lanes;
    body(Columns{first, std::min(vectors * end / shares * lanes, width) - first, width});
  });
}

/// Adds the bias, and rectifies; what is no number stays none.
WIDE void add_bias(float* y, int64_t rows, Columns columns, const float* bias, bool rectified) {
  bias += columns.first, y += columns.first;
  for (int64_t row = 0; row < rows; row++, y += columns.stride) {
    if (rectified) {
      for (int64_t c = 0; c < columns.count; c++) {
        float z = y[c] + bias[c];
        y[c] = z < 0 ? 0.0f : z;
      }
    } else {
      for (int64_t c = 0; c < columns.count; c++) y[c] += bias[c];
    }
  }
}

WIDE void rectify(float* y, int64_t rows, Columns columns) {
  y += columns.first;
  for (int64_t row = 0; row < rows; row++, y += columns.stride) {
    for (int64_t c = 0; c < columns.count; c++) y[c] = y[c] < 0 ? 0.0f : y[c];
  }
}

/// Gradients that pass a rectifier with output y, in place, added up.
WIDE void pass_back(float* gradient, const float* y, int64_t rows, int64_t stride, int64_t width,
                    float* sum) {
  for (int64_t row = 0; row < rows; row++, gradient += stride, y += stride) {
    for (int64_t c = 0; c < width; c++) {
      float passed = y[c] <= 0 ? 0.0f : gradient[c];
      gradient[c] = passed;
      sum[c] += passed;
    }
  }
}

/// The gradient of the bias for that of its layer's outputs; with the rectified outputs `y`, first the
/// gradient becomes that before the rectifier.
void bias_gradient(float* gradient, const float* y, int64_t rows, Columns columns, float* to) {
  std::vector<float> some(columns.count);
  std::vector<double> total(columns.count);
  for (int64_t row = 0; row < rows; row += block) {
    int64_t number = std::min(block, rows - row), place = row * columns.stride + columns.first;
    std::fill(some.begin(), some.end(), 0.0f);
    if (y) {
      pass_back(gradient + place, y + place, number, columns.stride, columns.count, some.data());
    } else {
      add_rows(gradient + place, number, columns.stride, columns.count, some.data());
    }
    for (int64_t c = 0; c < columns.count; c++) total[c] += some[c];
  }
  std::copy(total.begin(), total.end(), to + columns.first);
}

/// Numbers in memory, `down` apart in a column and `across` in a row.
at::Tensor matrix(const float* data, int64_t rows, int64_t columns, int64_t down, int64_t across) {
  return at::from_blob(const_cast<float*>(data), {rows, columns}, {down, across}, at::kFloat);
}

/// a · b; on a thread of a parallel part, alone.
void multiply(at::Tensor to, const at::Tensor& a, const at::Tensor& b) { at::cpu::mm_out(to, a, b); }

/// Columns of the three products of a layer, with x `[rows, inputs]` and W `[outputs, inputs]`.
struct Layer {
  int64_t rows, inputs, outputs;

  Layer(const at::Tensor& x, const at::Tensor& weight)
      : rows(x.size(0)), inputs(x.size(1)), outputs(weight.size(0)) {}

  /// Whether small products take the layer and are faster; oneDNN's offsets are of 32 bits.
  bool is_small() const {
    constexpr int64_t most = 1 << 28;
    return are_small_products_faster() && rows * std::max(inputs, outputs) < most &&
           inputs * outputs < most;
  }

  /// Of y = x Wᵀ.
  void forward(const float* x, const float* weight, Columns columns, float* y) const {
    if (is_small()) {
      // A share of W is turned, some columns at a time, for its rows to lie side by side.
      constexpr int64_t some = columns_at_once;
      Space turned = space(inputs * some);
      for (int64_t j = columns.first; j < columns.first + columns.count; j += some) {
        int64_t count = std::min(some, columns.first + columns.count - j);
        transpose(weight + j * inputs, count, inputs, inputs, turned.get(), some);
        small_product(x, inputs, turned.get(), some, rows, count, inputs, y + j, outputs);
      }
      return;
    }
    multiply(matrix(y + columns.first, rows, columns.count, outputs, 1),
             matrix(x, rows, inputs, inputs, 1),
             matrix(weight + columns.first * inputs, inputs, columns.count, 1, inputs));
  }

  /// dyᵀ, where a small product wants it.
  Space turned(const float* dy) const {
    if (!is_small()) return nullptr;
    Space result = space(outputs * rows);
    parallel((outputs + lanes - 1) / lanes, 4, [&](int64_t begin, int64_t end) {
      int64_t first = begin * lanes, count = std::min(end * lanes, outputs) - first;
      transpose(dy + first, rows, count, outputs, result.get() + first * rows, rows);
    });
    return result;
  }

  /// Of dW = dyᵀ x; `turned` is what the function above made of dy.
  void weight_gradient(const float* x, const float* dy, const float* turned, Columns columns,
                       float* dw) const {
    if (turned) {
      small_product(turned, rows, x + columns.first, inputs, outputs, columns.count, rows,
                    dw + columns.first, inputs);
      return;
    }
    multiply(matrix(dw + columns.first, outputs, columns.count, inputs, 1),
             matrix(dy, outputs, rows, 1, outputs),
             matrix(x + columns.first, rows, columns.count, inputs, 1));
  }

  /// Of dx = dy W.
  void back(const float* dy, const float* weight, Columns columns, float* dx) const {
    if (is_small()) {
      small_product(dy, outputs, weight + columns.first, inputs, rows, columns.count, outputs,
                    dx + columns.first, inputs);
      return;
    }
    multiply(matrix(dx + columns.first, rows, columns.count, inputs, 1),
             matrix(dy, rows, outputs, outputs, 1),
             matrix(weight + columns.first, outputs, columns.count, inputs, 1));
  }
};

/// The same by PyTorch's own operations.
at::Tensor plain(const at::Tensor& input, at::ArrayRef<at::Tensor> weights,
                 at::ArrayRef<at::Tensor> biases) {
  at::Tensor x = input;
  for (size_t i = 0; i < weights.size(); i++) {
    if (i > 0) x = at::relu(x);
    x = at::linear(x, weights[i], biases[i]);
  }
  return x;
}

/// What a backward pass wants to know.
struct Kept {
  /// The input and what each layer gives the next one.
  variable_list inputs;
  /// Which layers were computed on the matrix unit.
  c10::List<bool> by_halves;
};

at::Tensor outputs(const at::Tensor& input, at::TensorList weights, at::TensorList biases,
                   Kept* kept) {
  at::Tensor x = input, y;
  for (size_t i = 0; i < weights.size(); i++, x = y) {
    const at::Tensor& weight = weights[i];
    Layer layer(x, weight);
    y = at::empty({layer.rows, layer.outputs}, x.options());
    const float *xs = x.const_data_ptr<float>(), *ws = weight.const_data_ptr<float>();
    const float* bias = biases[i].const_data_ptr<float>();
    float* ys = y.mutable_data_ptr<float>();
    bool rectified = i + 1 < weights.size();
    auto halves = rows_by_halves(x, weight, std::nullopt);
    if (halves) halves->apply(xs, ws, bias, ys);
    each_share(layer.outputs, [&](Columns columns) {
      if (!halves) {
        layer.forward(xs, ws, columns, ys);
        add_bias(ys, layer.rows, columns, bias, rectified);
      } else if (rectified) {
        rectify(ys, layer.rows, columns);
      }
    });
    if (!kept) continue;
    kept->inputs.push_back(x);
    kept->by_halves.push_back(halves.has_value());
  }
  return y;
}

struct Perceptron : torch::autograd::Function<Perceptron> {
  // Runs with recording switched off, as every forward function.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            at::TensorList weights, at::TensorList biases) {
    Kept kept;
    at::Tensor y = outputs(input, weights, biases, &kept);
    variable_list saved = kept.inputs;
    saved.insert(saved.end(), weights.begin(), weights.end());
    saved.insert(saved.end(), biases.begin(), biases.end());
    context->save_for_backward(saved);
    context->saved_data["halves"] = kept.by_halves;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    size_t layers = saved.size() / 3;
    const at::Tensor *inputs = saved.data(), *weights = inputs + layers;
    if (c10::GradMode::is_enabled()) {
      variable_list ends{saved[0]};
      ends.insert(ends.end(), saved.begin() + layers, saved.end());
      return differentiable_gradients(ends, gradients[0], ends.size(), [&](auto& x) {
        at::ArrayRef<at::Tensor> all(x);
        return plain(x[0], all.slice(1, layers), all.slice(1 + layers, layers));
      });
    }
    auto by_halves = context->saved_data["halves"].toBoolList();
    variable_list found(1 + 2 * layers);
    at::Tensor gradient = gradients[0].contiguous();
    // The gradients of the last bias; those of the others are added up as they are made.
    at::Tensor sums = at::empty({gradient.size(1)}, gradient.options());
    each_share(gradient.size(1), [&](Columns columns) {
      bias_gradient(const_cast<float*>(gradient.const_data_ptr<float>()), nullptr, gradient.size(0),
                    columns, sums.mutable_data_ptr<float>());
    });
    for (size_t i = layers; i-- > 0;) {
      const at::Tensor &x = inputs[i], &weight = weights[i];
      Layer layer(x, weight);
      bool for_weight = context->needs_input_grad(1 + i);
      bool for_input = i > 0 || context->needs_input_grad(0);
      if (context->needs_input_grad(1 + layers + i)) found[1 + layers + i] = sums;
      const float *xs = x.const_data_ptr<float>(), *ws = weight.const_data_ptr<float>();
      const float* dys = gradient.const_data_ptr<float>();
      float *dws = nullptr, *dxs = nullptr, *next = nullptr;
      at::Tensor before;
      if (for_weight) {
        found[1 + i] = at::empty(weight.sizes(), weight.options());
        dws = found[1 + i].mutable_data_ptr<float>();
      }
      if (for_input) {
        before = at::empty(x.sizes(), x.options());
        dxs = before.mutable_data_ptr<float>();
      }
      if (i > 0) {
        sums = at::empty({layer.inputs}, x.options());
        next = sums.mutable_data_ptr<float>();
      }
      if (by_halves[i]) {
        Convolution halves = Convolution::of_rows(layer.rows, layer.inputs, layer.outputs);
        if (dws) halves.weight_gradient(xs, dys, dws);
        if (dxs) halves.apply_back(dys, ws, nullptr, dxs);
      }
      Space turned = dws && !by_halves[i] ? layer.turned(dys) : nullptr;
      each_share(layer.inputs, [&](Columns columns) {
        if (!by_halves[i]) {
          if (dws) layer.weight_gradient(xs, dys, turned.get(), columns, dws);
          if (dxs) layer.back(dys, ws, columns, dxs);
        }
        // The inputs are what the layer before gave its rectifier.
        if (next) bias_gradient(dxs, xs, layer.rows, columns, next);
      });
      gradient = before;
    }
    if (context->needs_input_grad(0)) found[0] = gradient;
    return found;
  }
};

bool is_whole(const at::Tensor& x, int64_t dimensions) {
  return is_plain(x) && x.dim() == dimensions && x.numel() > 0 && x.is_contiguous();
}

/// Whether the operation above is for these; libtorch says what else is wrong.
bool is_fit(const at::Tensor& input, const std::vector<at::Tensor>& weights,
            const std::vector<at::Tensor>& biases) {
  if (weights.empty() || !is_whole(input, 2) || at::autocast::is_autocast_enabled(at::kCPU)) {
    return false;
  }
  int64_t width = input.size(1);
  for (size_t i = 0; i < weights.size(); i++) {
    if (!is_whole(weights[i], 2) || !is_whole(biases[i], 1) || weights[i].size(1) != width ||
        weights[i].size(0) != biases[i].size(0)) {
      return false;
    }
    width = weights[i].size(0);
  }
  return true;
}

}  // namespace

int ct_perceptron(CTTensor input, const CTTensor* weights, const CTTensor* biases, int64_t count,
                  CTTensor* out) {
  return guard("perceptron", {input}, [&] {
    Ref given(input);
    at::Tensor x = given->dim() == 2 ? given->contiguous() : *given;
    std::vector<at::Tensor> w = list(weights, count), b = list(biases, count);
    if (!is_fit(x, w, b)) {
      *out = give(plain(x, w, b));
    } else if (c10::GradMode::is_enabled()) {
      *out = give(Perceptron::apply(x, at::TensorList(w), at::TensorList(b)));
    } else {
      *out = give(outputs(x, w, b, nullptr));
    }
  });
}
