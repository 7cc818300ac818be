import NeuralNets
import Torch

/// Block E, 8×8 pixels: 1×3 and 3×1 convolutions side by side, for many channels (Szegedy et al.
/// 2016, figure 7).
final class InceptionE: Module, Layer {
  /// What stands before the branch of pooling. The network of FID averages in its first block E
  /// and takes the largest in its last, where the paper averages in both.
  enum Pooling {
    case mean, largest
  }

  let branch1x1: ConvNorm
  let branch3x3First: ConvNorm
  let branch3x3Row: ConvNorm
  let branch3x3Column: ConvNorm
  let doubleFirst: ConvNorm
  let doubleSecond: ConvNorm
  let doubleRow: ConvNorm
  let doubleColumn: ConvNorm
  let branchPool: ConvNorm
  private let pooling: Pooling

  override var keys: [String: String] {
    [
      "branch3x3First": "branch3x3_1", "branch3x3Row": "branch3x3_2a",
      "branch3x3Column": "branch3x3_2b", "doubleFirst": "branch3x3dbl_1",
      "doubleSecond": "branch3x3dbl_2", "doubleRow": "branch3x3dbl_3a",
      "doubleColumn": "branch3x3dbl_3b",
    ]
  }

  init(_ inputs: Int, _ pooling: Pooling) {
    func row() -> ConvNorm { ConvNorm(384, 384, kernel: Extent(1, 3), padding: Extent(0, 1)) }
    func column() -> ConvNorm { ConvNorm(384, 384, kernel: Extent(3, 1), padding: Extent(1, 0)) }
    branch1x1 = ConvNorm(inputs, 320, kernel: 1)
    branch3x3First = ConvNorm(inputs, 384, kernel: 1)
    branch3x3Row = row()
    branch3x3Column = column()
    doubleFirst = ConvNorm(inputs, 448, kernel: 1)
    doubleSecond = ConvNorm(448, 384, kernel: 3, padding: 1)
    doubleRow = row()
    doubleColumn = column()
    branchPool = ConvNorm(inputs, 192, kernel: 1)
    self.pooling = pooling
  }

  /// `[N, inputs, H, W]` to `[N, 2048, H, W]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let single = branch3x3First(x)
    let double = doubleSecond(doubleFirst(x))
    let pooled =
      switch pooling {
      case .mean: InceptionPooling.mean(x)
      case .largest: InceptionPooling.largest(x)
      }
    return .concatenated(
      [
        branch1x1(x), branch3x3Row(single), branch3x3Column(single), doubleRow(double),
        doubleColumn(double), branchPool(pooled),
      ], 1)
  }
}
