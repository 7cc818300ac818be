import CTorch

/// A height and a width: strides, paddings, kernels and picture sizes.
public struct Extent: Sendable, Equatable, ExpressibleByIntegerLiteral {
  /// Along dimension −2.
  public var height: Int
  /// Along dimension −1.
  public var width: Int

  /// Two extents of their own.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// The same in both directions.
  public init(_ both: Int) {
    self.init(both, both)
  }

  /// The same in both directions.
  public init(integerLiteral value: Int) {
    self.init(value, value)
  }

  @inline(__always)
  func lend<R>(_ body: (UnsafePointer<Int64>) -> R) -> R {
    withUnsafePointer(to: (Int64(height), Int64(width))) { pair in
      pair.withMemoryRebound(to: Int64.self, capacity: 2) { body($0) }
    }
  }
}

// MARK: - Layers as functions

extension Tensor {
  /// x · Wᵀ + b: `[..., in]` with a weight `[out, in]` to `[..., out]`.
  public func linear(
    weight: Tensor, bias: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = made(file, line) { ct_linear(raw, weight.raw, bias?.raw, $0) }
    Work.add(2 * result.count * size(-1))
    return result
  }

  /// Fully connected layers, `max(x, 0)` between them: `[N, in]` with weights `[out, in]`, of which each
  /// takes what the one before gives. One operation for float32 on the CPU.
  public func perceptron(
    _ layers: [(weight: Tensor, bias: Tensor)], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = made(file, line) { out in
      withHandles(layers.map(\.weight)) { weights, count in
        withHandles(layers.map(\.bias)) { biases, _ in
          ct_perceptron(raw, weights, biases, count, out)
        }
      }
    }
    let rows = count / size(-1)
    Work.add(2 * rows * layers.reduce(0) { $0 + $1.weight.count })
    return result
  }

  /// Two-dimensional cross-correlation: `[N, C, H, W]` with a weight `[out, C / groups, kh, kw]`;
  /// `added`, of the output's shape, is added to it.
  public func conv2d(
    weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0,
    dilation: Extent = 1, groups: Int = 1, adding added: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = made(file, line) { out in
      stride.lend { stride in
        padding.lend { padding in
          dilation.lend {
            ct_conv2d(
              raw, weight.raw, bias?.raw, stride, padding, $0, Int64(groups), added?.raw, out)
          }
        }
      }
    }
    Work.add(2 * result.count * (weight.count / Swift.max(weight.size(0), 1)))
    return result
  }

  /// The gradient of `conv2d` as a layer: `[N, C, H, W]` with a weight `[C, out / groups, kh, kw]`.
  public func convTranspose2d(
    weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0,
    outputPadding: Extent = 0, dilation: Extent = 1, groups: Int = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Work.add(2 * count * (weight.count / Swift.max(weight.size(0), 1)))
    return made(file, line) { out in
      stride.lend { stride in
        padding.lend { padding in
          outputPadding.lend { outputPadding in
            dilation.lend {
              ct_conv_transpose2d(
                raw, weight.raw, bias?.raw, stride, padding, outputPadding, $0, Int64(groups), out)
            }
          }
        }
      }
    }
  }

  /// Rows of a table `[count, width]` at this tensor's indices, `int64 [...]` to `[..., width]`.
  public func embedding(
    weight: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_embedding(weight.raw, raw, $0) }
  }

  /// Normalises groups of channels of `[N, C, ...]` to mean 0 and variance 1, then scales.
  public func groupNorm(
    groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_group_norm(raw, Int64(groups), weight?.raw, bias?.raw, eps, $0) }
  }

  /// `groupNorm` with `silu` behind it, for values and gradients alike; `added` comes to the input
  /// before.
  ///
  /// One kernel where `[N, C, H, W]` lies channels-last in float32 or bfloat16 on the CPU and `added` is
  /// `[N, C, 1, 1]`.
  public func groupNormSiLU(
    adding added: Tensor? = nil, groups: Int, weight: Tensor, bias: Tensor, eps: Double = 1e-5,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) {
      ct_group_norm_silu(raw, added?.raw, Int64(groups), weight.raw, bias.raw, eps, $0)
    }
  }

  /// Normalises the last dimensions, `shape`, to mean 0 and variance 1, then scales.
  public func layerNorm(
    _ shape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(shape) { ct_layer_norm(raw, $0, $1, weight?.raw, bias?.raw, eps, out) }
    }
  }

  /// Normalises every channel of `[N, C, ...]` over the batch; in training the running statistics
  /// move by `momentum`, otherwise they are what is used.
  ///
  /// In training over a `group`, mean and variance are those of all ranks' pictures; all ranks call
  /// it, and its backward pass, in the same order. Where a rank is lost it goes by this rank's
  /// pictures, and the next exchange throws. It has no gradients of gradients then.
  public func batchNorm(
    weight: Tensor? = nil, bias: Tensor? = nil, runningMean: Tensor? = nil,
    runningVariance: Tensor? = nil, training: Bool, momentum: Double = 0.1, eps: Double = 1e-5,
    over group: ProcessGroup? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if training, let group, let runningMean, let runningVariance {
      let weight = weight ?? .ones(like: runningMean)
      let bias = bias ?? .zeros(like: runningMean)
      return made(file, line) {
        ct_synchronized_batch_norm(
          group.raw, raw, weight.raw, bias.raw, runningMean.raw, runningVariance.raw, momentum,
          eps, $0)
      }
    }
    return made(file, line) {
      ct_batch_norm(
        raw, weight?.raw, bias?.raw, runningMean?.raw, runningVariance?.raw, training, momentum,
        eps, $0)
    }
  }

  /// `batchNorm` with `leakyReLU` behind it, for values and gradients alike; a slope of 0 is `relu`.
  ///
  /// One kernel where `[N, C, H, W]` lies channels-last in float32 or bfloat16 on the CPU and is trained.
  public func batchNormLeakyReLU(
    weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor, training: Bool,
    momentum: Double = 0.1, eps: Double = 1e-5, slope: Double, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    made(file, line) {
      ct_batch_norm_leaky_relu(
        raw, weight.raw, bias.raw, runningMean.raw, runningVariance.raw, training, momentum, eps,
        slope, $0)
    }
  }

  /// softmax(q · kᵀ · scale + mask) · v with `[N, heads, tokens, width]` each.
  ///
  /// `mask` is added, or, when `bool`, lets through where true. `scale` defaults to 1 / √width.
  public static func attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil, scale: Double? = nil,
    causal: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let result = made(file, line) { out in
      withOptional(scale) {
        ct_attention(query.raw, key.raw, value.raw, mask?.raw, $0, causal, out)
      }
    }
    Work.add(2 * key.size(-2) * (query.count + result.count))
    return result
  }
}
