import CTorch

// MARK: - Activations

extension Tensor {
  /// 1 / (1 + e^−x).
  public func sigmoid(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_sigmoid, file, line)
  }

  /// max(x, 0).
  public func relu(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_relu, file, line)
  }

  /// x · sigmoid(x), also called swish.
  public func silu(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_silu, file, line)
  }

  /// x · tanh(softplus(x)).
  public func mish(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_mish, file, line)
  }

  /// x · min(max(x + 3, 0), 6) / 6.
  public func hardswish(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_hardswish, file, line)
  }

  /// log(sigmoid(x)), exact for large negative x.
  public func logSigmoid(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_log_sigmoid, file, line)
  }

  /// x where positive, `slope` · x elsewhere.
  public func leakyReLU(
    slope: Double = 0.01, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_leaky_relu(raw, slope, $0) }
  }

  /// x where positive, `alpha` · (e^x − 1) elsewhere.
  public func elu(
    alpha: Double = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_elu(raw, alpha, $0) }
  }

  /// x · Φ(x) with Φ the normal distribution function, exact or in its tanh approximation.
  public func gelu(
    tanhApproximation: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_gelu(raw, tanhApproximation, $0) }
  }

  /// log(1 + e^(βx)) / β, linear above `threshold`.
  public func softplus(
    beta: Double = 1, threshold: Double = 20, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_softplus(raw, beta, threshold, $0) }
  }

  /// e^x over the sum of e^x along `dim`.
  public func softmax(
    _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_softmax(raw, Int64(dim), $0) }
  }

  /// The logarithm of the softmax along `dim`.
  public func logSoftmax(
    _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_log_softmax(raw, Int64(dim), $0) }
  }
}
