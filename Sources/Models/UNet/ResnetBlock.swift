import NeuralNets
import Torch

/// A layer of a U-Net that may be told the time: `[N, C, H, W]` and `[N, timeWidth]`.
protocol TimedLayer: Module {
  /// `size` is what a layer that enlarges the picture makes of it; `nil`: twice the size.
  func callAsFunction(_ x: Tensor, time: Tensor?, size: Extent?) -> Tensor
}

extension Downsample2D: TimedLayer {
  func callAsFunction(_ x: Tensor, time: Tensor?, size: Extent?) -> Tensor { self(x) }
}

extension Upsample2D: TimedLayer {
  func callAsFunction(_ x: Tensor, time: Tensor?, size: Extent?) -> Tensor {
    size.map { self(x, to: $0) } ?? self(x)
  }
}

/// Two 3×3 convolutions beside a shortcut, normalisation and nonlinearity before each (He et al.
/// 2016), the time embedding between them (Ho et al. 2020, appendix B; scale and shift: Dhariwal &
/// Nichol 2021, §3).
final class ResnetBlock: Module, TimedLayer {
  /// What all residual blocks of a network share.
  struct Style {
    /// Width of the time embedding; `nil`: the block is not told the time.
    var timeWidth: Int?
    var groups: Int
    var eps: Double
    var activation: Activation.Kind
    var conditioning = UNetConfig.TimeConditioning.shift
    var dropout: Dropout?
    /// What the output is divided by.
    var outputScale = 1.0
  }

  /// What happens to the resolution, before the first convolution and on the shortcut.
  enum Resampling {
    case none, half, double

    func callAsFunction(_ x: Tensor, _ size: Extent?) -> Tensor {
      switch self {
      case .none: x
      case .half: x.avgPool2d(kernel: 2)
      case .double: x.interpolated(to: size ?? Extent(2 * x.size(2), 2 * x.size(3)))
      }
    }
  }

  let norm1: GroupNorm
  let conv1: Conv2d
  let timeEmbProj: Linear?
  let norm2: GroupNorm
  let dropout: Dropout?
  let conv2: Conv2d
  let convShortcut: Conv2d?
  private let style: Style
  private let resampling: Resampling

  init(
    _ inputs: Int, _ outputs: Int, _ style: Style, _ resampling: Resampling = .none,
    using generator: Generator?
  ) {
    norm1 = GroupNorm(groups: style.groups, channels: inputs, eps: style.eps)
    conv1 = Conv2d(inputs, outputs, kernel: 3, padding: 1, using: generator)
    timeEmbProj = style.timeWidth.map {
      Linear($0, style.conditioning == .scaleShift ? 2 * outputs : outputs, using: generator)
    }
    norm2 = GroupNorm(groups: style.groups, channels: outputs, eps: style.eps)
    dropout = style.dropout
    conv2 = Conv2d(outputs, outputs, kernel: 3, padding: 1, using: generator)
    convShortcut =
      inputs == outputs ? nil : Conv2d(inputs, outputs, kernel: 1, using: generator)
    self.style = style
    self.resampling = resampling
  }

  /// `[N, inputs, H, W]` to `[N, outputs, H′, W′]`.
  func callAsFunction(_ x: Tensor, time: Tensor? = nil, size: Extent? = nil) -> Tensor {
    precondition((time == nil) == (timeEmbProj == nil), "a block is told the time it was built for")
    let activation = style.activation
    var h = conv1(resampling(norm1(x, then: activation), size))
    if let timeEmbProj, let time {
      let time = timeEmbProj(activation(time)).unsqueezed(2).unsqueezed(3)  // [N, c, 1, 1]
      switch style.conditioning {
      case .shift:
        h = norm2(h, adding: time, then: activation)
      case .scaleShift:
        let halves = time.chunked(2, 1)
        h = activation(norm2(h) * (1 + halves[0]) + halves[1])
      }
    } else {
      h = norm2(h, then: activation)
    }
    let shortcut = resampling(x, size)
    let sum = conv2(dropout?(h) ?? h, adding: convShortcut?(shortcut) ?? shortcut)
    return style.outputScale == 1 ? sum : sum / style.outputScale
  }
}
