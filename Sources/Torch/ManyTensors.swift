import CTorch

// Operations that walk over many tensors in one call, for optimizers and averages.

extension Array where Element == Tensor {
  /// The p-norm over the elements of all tensors together, as a tensor without dimensions.
  public func totalNorm(
    p: Double = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withHandles(self) { ct_foreach_norm($0, $1, p, out) } }
  }

  /// Multiplies every tensor in place by one number held in a tensor without dimensions.
  public func multiplyAll(
    by factor: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(withHandles(self) { ct_foreach_mul_($0, $1, factor.raw) }, file, line)
  }

  /// Adds one number to every tensor in place.
  public func addAll(_ number: Double, file: StaticString = #fileID, line: UInt = #line) {
    check(withHandles(self) { ct_foreach_add_($0, $1, number) }, file, line)
  }

  /// Moves every tensor in place towards its counterpart by the share `weight`.
  public func lerpAll(
    towards ends: [Tensor], _ weight: Double, file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(ends.count == count, "one end a tensor", file: file, line: line)
    let status = withHandles(self) { tensors, count in
      withHandles(ends) { ends, _ in ct_foreach_lerp_(tensors, ends, count, weight) }
    }
    check(status, file, line)
  }
}

/// One optimizer step over all parameters, fused into a pass over each.
public enum FusedStep {
  /// Adam (Kingma & Ba 2015, Algorithm 1), or AdamW (Loshchilov & Hutter 2019) when `decoupled`.
  ///
  /// `steps` holds one count a parameter, `float32 []`, and must be raised before the call. The step
  /// goes along `factor` times the gradients, and may leave them so. Then `averages`, one a parameter
  /// or none, move towards the parameters by `averageShare`.
  public static func adam(
    parameters: [Tensor], gradients: [Tensor], means: [Tensor], squares: [Tensor],
    steps: [Tensor], rate: Double, betas: (Double, Double), weightDecay: Double, eps: Double,
    decoupled: Bool, factor: Double = 1, averages: [Tensor] = [], averageShare: Double = 0,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      gradients.count == parameters.count && means.count == parameters.count
        && squares.count == parameters.count && steps.count == parameters.count
        && (averages.isEmpty || averages.count == parameters.count),
      "one of each a parameter", file: file, line: line)
    let status = withHandles(parameters) { parameters, count in
      withHandles(gradients) { gradients, _ in
        withHandles(means) { means, _ in
          withHandles(squares) { squares, _ in
            withHandles(steps) { steps, _ in
              withHandles(averages) { averages, averageCount in
                ct_fused_adam_(
                  parameters, gradients, means, squares, steps, count, rate, betas.0, betas.1,
                  weightDecay, eps, decoupled, factor, averageCount == 0 ? nil : averages,
                  averageShare)
              }
            }
          }
        }
      }
    }
    check(status, file, line)
  }

  /// Stochastic gradient descent; with momentum, `momenta` holds one buffer a parameter.
  public static func sgd(
    parameters: [Tensor], gradients: [Tensor], momenta: [Tensor], rate: Double, momentum: Double,
    weightDecay: Double, dampening: Double, nesterov: Bool, isFirst: Bool,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      gradients.count == parameters.count && (momenta.isEmpty || momenta.count == parameters.count),
      "one of each a parameter", file: file, line: line)
    let status = withHandles(parameters) { parameters, count in
      withHandles(gradients) { gradients, _ in
        withHandles(momenta) { buffers, bufferCount in
          ct_fused_sgd_(
            parameters, gradients, bufferCount == 0 ? nil : buffers, count, rate, momentum,
            weightDecay, dampening, nesterov, isFirst)
        }
      }
    }
    check(status, file, line)
  }
}
