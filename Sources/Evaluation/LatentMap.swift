import Datasets
import Images
import Torch
import Training

/// The plane of a latent space in which the codes of a set vary most: its first two principal
/// components, or the space itself where codes have two numbers.
public struct LatentMap {
  /// Where each code lies in the plane, `[N, 2]`.
  public let points: Tensor
  /// The share of the codes' variance that lies along each axis; not a number for equal codes.
  public let explainedVariance: [Double]
  private let centre: Tensor  // [D]
  private let axes: Tensor  // [2, D], orthonormal

  /// The map of codes `[N, D]`, N and D at least 2.
  public init(of codes: Tensor) {
    let width = codes.size(1)
    precondition(
      width >= 2 && codes.size(0) >= 2, "a plane needs two codes of two numbers: \(codes.shape)")
    if width == 2 {
      centre = .zeros([2])
      axes = .eye(2)
    } else {
      centre = codes.mean([0])
      axes = (codes - centre).svd().vh[0..<2]
    }
    points = (codes - centre).matmul(axes.transposed())
    explainedVariance = (points.variance([0]) / codes.variance([0]).sum()).elements()
  }

  /// The points, coloured by the class of the element of a set that each is the code of: the first
  /// elements, or those at `indices`.
  public func scatter(_ set: any Dataset, at indices: [Int]? = nil) -> ScatterPlot {
    let values: [Double] = points.elements()
    let marks = (indices ?? Array(0..<points.size(0))).enumerated().map { place, index in
      ScatterPlot.Mark(
        x: values[2 * place], y: values[2 * place + 1], label: set.label(at: index) ?? 0)
    }
    return ScatterPlot(
      marks, labels: set.classNames ?? [], xLabel: "first component", yLabel: "second component")
  }

  /// The codes of a square lattice over the plane, `side`² of them, row by row from the top left:
  /// the middle `share` of the points' spread along each axis. `[side², D]`.
  public func lattice(_ side: Int, share: Double = 0.96) -> Tensor {
    let tail = (1 - share) / 2
    let low = points.quantile(tail, 0)
    let high = points.quantile(1 - tail, 0)
    let steps = Tensor.linspace(0, 1, steps: side).unsqueezed(1)
    let places = low.unsqueezed(0) * (1 - steps) + high.unsqueezed(0) * steps  // [side, 2]
    let x = places.selected(1, 0).repeated([side])
    let y = places.selected(1, 1).flipped([0]).repeatedInterleaved(side, 0)
    return Tensor.stacked([x, y], 1).matmul(axes) + centre
  }
}
