import CTorch

/// What becomes of the losses of single elements.
public enum Reduction: Int32, Sendable {
  /// They stay as they are.
  case none = 0
  /// Their mean.
  case mean = 1
  /// Their sum.
  case sum = 2
}

// MARK: - Losses as functions

extension Tensor {
  /// (x − target)².
  public func meanSquaredError(
    _ target: Tensor, reduction: Reduction = .mean,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_mse_loss(raw, target.raw, reduction.rawValue, $0) }
  }

  /// |x − target|.
  public func absoluteError(
    _ target: Tensor, reduction: Reduction = .mean,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_l1_loss(raw, target.raw, reduction.rawValue, $0) }
  }

  /// ½ (x − target)² within `delta`, linear beyond.
  public func huberLoss(
    _ target: Tensor, delta: Double = 1, reduction: Reduction = .mean,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_huber_loss(raw, target.raw, reduction.rawValue, delta, $0) }
  }

  /// Of `[N, 2 D]`, μ and log σ² side by side: μ + σ · `noise`, `[N, D]`, and the mean over N of
  /// KL(N(μ, σ²) ‖ N(0, 1)), `[D]` nats. One pass for float32 on the CPU, and one for the gradients.
  public func gaussianDraw(
    noise: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> (z: Tensor, klPerDimension: Tensor) {
    let pair = madePair(file, line) { ct_gaussian_draw(raw, noise.raw, $0, $1) }
    return (pair.0, pair.1)
  }

  /// −t log σ(x) − (1 − t) log(1 − σ(x)) for logits x and targets t in [0, 1].
  public func binaryCrossEntropyWithLogits(
    _ target: Tensor, reduction: Reduction = .mean,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_bce_with_logits(raw, target.raw, reduction.rawValue, $0) }
  }

  /// −log softmax(x) at the target class: logits `[N, classes]`, targets `int64 [N]`.
  public func crossEntropy(
    _ target: Tensor, labelSmoothing: Double = 0, reduction: Reduction = .mean,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_cross_entropy(raw, target.raw, reduction.rawValue, labelSmoothing, $0) }
  }

}
