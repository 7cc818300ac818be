import Torch

/// Random changes of real and generated pictures alike before the discriminator sees them,
/// differentiable, so that the generator learns through them (Zhao et al. 2020, alg. 1 in words).
///
/// Pictures are `[N, C, H, W]` and keep their shape; values are not clamped. Each picture draws on
/// its own, in this order: `color` one uniform number for brightness, one for saturation (with three
/// channels alone), one for contrast, `[N, 1, 1, 1]` each; `translation` and `cutout` whole numbers
/// for the rows and then for the columns, `[N]` each.
public struct DiffAugment: Sendable, Equatable {
  /// One kind of change.
  public enum Operation: String, Codable, Sendable, CaseIterable {
    /// Brightness within ±½, saturation (with three channels) by 0…2, contrast by ½…1½.
    case color
    /// Moved by up to an eighth of each side, zeros behind.
    case translation
    /// A rectangle of half of each side set to zero, its centre anywhere.
    case cutout
  }

  /// The changes in the order in which they are made.
  public let policy: [Operation]

  /// All changes, or the ones given.
  public init(policy: [Operation] = [.color, .translation, .cutout]) {
    self.policy = policy
  }

  /// `x` changed.
  public func callAsFunction(_ x: Tensor, using generator: Generator) -> Tensor {
    policy.reduce(x) { x, operation in
      switch operation {
      case .color: colored(x, generator)
      case .translation: translated(x, generator)
      case .cutout: cut(x, generator)
      }
    }
  }

  private func colored(_ x: Tensor, _ generator: Generator) -> Tensor {
    func factor() -> Tensor {
      Tensor.rand([x.size(0), 1, 1, 1], using: generator).to(x.device).to(x.dtype)
    }
    var x = x + (factor() - 0.5)
    if x.size(1) == 3 {
      let grey = x.mean([1], keepingDims: true)  // [N, 1, H, W]
      x = (x - grey) * (2 * factor()) + grey
    }
    let mean = x.mean([1, 2, 3], keepingDims: true)  // [N, 1, 1, 1]
    return (x - mean) * (factor() + 0.5) + mean
  }

  private func translated(_ x: Tensor, _ generator: Generator) -> Tensor {
    let (count, channels, height, width) = (x.size(0), x.size(1), x.size(2), x.size(3))
    func sources(_ extent: Int) -> Tensor {  // [N, extent]
      let reach = (extent + 4) / 8  // an eighth, rounded
      let shift = Tensor.randint(-reach..<reach + 1, [count], using: generator)
      return (Tensor.arange(extent) + shift.unsqueezed(1)).to(x.device)
    }
    let rows = sources(height).unsqueezed(2)  // [N, H, 1]
    let columns = sources(width).unsqueezed(1)  // [N, 1, W]
    let isInside = within(rows, 0, height).logicalAnd(within(columns, 0, width))  // [N, H, W]
    let places =
      (rows.clamped(min: 0, max: height - 1) * width + columns.clamped(min: 0, max: width - 1))
      .reshaped([count, 1, height * width]).expanded([count, channels, height * width])
    return x.reshaped([count, channels, height * width]).gathered(2, places)
      .reshaped([count, channels, height, width]) * isInside.unsqueezed(1).to(x.dtype)
  }

  private func cut(_ x: Tensor, _ generator: Generator) -> Tensor {
    func isCut(_ extent: Int) -> Tensor {  // [N, extent]
      let size = (extent + 1) / 2
      // An even size has its centre between two pixels, which is one place more.
      let centers = Tensor.randint(0..<extent + 1 - size % 2, [x.size(0)], using: generator)
      let from = (centers - size / 2).unsqueezed(1)
      return within(Tensor.arange(extent) - from, 0, size).to(x.device)
    }
    let rows = isCut(x.size(2)).unsqueezed(2)  // [N, H, 1]
    let columns = isCut(x.size(3)).unsqueezed(1)  // [N, 1, W]
    return x * (1 - rows.logicalAnd(columns).unsqueezed(1).to(x.dtype))
  }

  private func within(_ x: Tensor, _ low: Int, _ high: Int) -> Tensor {
    (x .>= low).logicalAnd(x .< high)
  }
}
