import NeuralNets
import Torch

/// Block C, 17×17 pixels: 7×7 convolutions factored into 1×7 and 7×1 (Szegedy et al. 2016,
/// figure 6).
final class InceptionC: Module, Layer {
  let branch1x1: ConvNorm
  let branch7x7First: ConvNorm
  let branch7x7Second: ConvNorm
  let branch7x7Third: ConvNorm
  let doubleFirst: ConvNorm
  let doubleSecond: ConvNorm
  let doubleThird: ConvNorm
  let doubleFourth: ConvNorm
  let doubleFifth: ConvNorm
  let branchPool: ConvNorm

  override var keys: [String: String] {
    [
      "branch7x7First": "branch7x7_1", "branch7x7Second": "branch7x7_2",
      "branch7x7Third": "branch7x7_3", "doubleFirst": "branch7x7dbl_1",
      "doubleSecond": "branch7x7dbl_2", "doubleThird": "branch7x7dbl_3",
      "doubleFourth": "branch7x7dbl_4", "doubleFifth": "branch7x7dbl_5",
    ]
  }

  init(_ inputs: Int, width: Int) {
    branch1x1 = ConvNorm(inputs, 192, kernel: 1)
    branch7x7First = ConvNorm(inputs, width, kernel: 1)
    branch7x7Second = .row(width, width)
    branch7x7Third = .column(width, 192)
    doubleFirst = ConvNorm(inputs, width, kernel: 1)
    doubleSecond = .column(width, width)
    doubleThird = .row(width, width)
    doubleFourth = .column(width, width)
    doubleFifth = .row(width, 192)
    branchPool = ConvNorm(inputs, 192, kernel: 1)
  }

  /// `[N, inputs, H, W]` to `[N, 768, H, W]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    .concatenated(
      [
        branch1x1(x),
        branch7x7Third(branch7x7Second(branch7x7First(x))),
        doubleFifth(doubleFourth(doubleThird(doubleSecond(doubleFirst(x))))),
        branchPool(InceptionPooling.mean(x)),
      ], 1)
  }
}

/// Block D, from 17×17 to 8×8 pixels, with a factored 7×7 before one of the halvings.
final class InceptionD: Module, Layer {
  let branch3x3First: ConvNorm
  let branch3x3Second: ConvNorm
  let branch7x7x3First: ConvNorm
  let branch7x7x3Second: ConvNorm
  let branch7x7x3Third: ConvNorm
  let branch7x7x3Fourth: ConvNorm

  override var keys: [String: String] {
    [
      "branch3x3First": "branch3x3_1", "branch3x3Second": "branch3x3_2",
      "branch7x7x3First": "branch7x7x3_1", "branch7x7x3Second": "branch7x7x3_2",
      "branch7x7x3Third": "branch7x7x3_3", "branch7x7x3Fourth": "branch7x7x3_4",
    ]
  }

  init(_ inputs: Int) {
    branch3x3First = ConvNorm(inputs, 192, kernel: 1)
    branch3x3Second = ConvNorm(192, 320, kernel: 3, stride: 2)
    branch7x7x3First = ConvNorm(inputs, 192, kernel: 1)
    branch7x7x3Second = .row(192, 192)
    branch7x7x3Third = .column(192, 192)
    branch7x7x3Fourth = ConvNorm(192, 192, kernel: 3, stride: 2)
  }

  /// `[N, inputs, H, W]` to `[N, inputs + 512, H′, W′]` at half the resolution.
  func callAsFunction(_ x: Tensor) -> Tensor {
    .concatenated(
      [
        branch3x3Second(branch3x3First(x)),
        branch7x7x3Fourth(branch7x7x3Third(branch7x7x3Second(branch7x7x3First(x)))),
        InceptionPooling.halved(x),
      ], 1)
  }
}

extension ConvNorm {
  /// A kernel of 1×7 that keeps the resolution.
  fileprivate static func row(_ inputs: Int, _ outputs: Int) -> ConvNorm {
    ConvNorm(inputs, outputs, kernel: Extent(1, 7), padding: Extent(0, 3))
  }

  /// A kernel of 7×1 that keeps the resolution.
  fileprivate static func column(_ inputs: Int, _ outputs: Int) -> ConvNorm {
    ConvNorm(inputs, outputs, kernel: Extent(7, 1), padding: Extent(3, 0))
  }
}
