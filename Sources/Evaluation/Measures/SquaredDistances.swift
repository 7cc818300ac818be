import Torch

/// Squared Euclidean distances between the rows of two matrices, a block of rows at a time, so that
/// the whole of them never lies in memory.
///
/// ‖x‖² + ‖y‖² − 2 x·y in the type of the vectors, about the mean of the columns' vectors, which
/// keeps cancellation small; rounding may leave a distance slightly below 0.
struct SquaredDistances {
  /// What rounding may make of a distance of 0 in float64.
  let tolerance: Double
  private let rows: Tensor
  private let columns: Tensor
  private let rowNorms: Tensor
  private let columnNorms: Tensor

  /// Distances between `[N, D]` and `[M, D]`.
  init(_ rows: Tensor, _ columns: Tensor) {
    let centre = columns.mean([0])
    self.rows = rows - centre
    self.columns = (columns - centre).transposed(0, 1)
    rowNorms = self.rows.square().sum([1], keepingDims: true)
    columnNorms = self.columns.square().sum([0], keepingDims: true)
    tolerance = 1e-12 * columnNorms.mean().item()
  }

  /// Calls `body` with every block: its rows, and their distances `[rows, M]`.
  func forEachBlock(_ body: (Range<Int>, Tensor) -> Void) {
    let count = rows.size(0)
    let height = max(1, Self.blockElements / columns.size(1))
    for start in stride(from: 0, to: count, by: height) {
      let range = start..<min(start + height, count)
      let norms = rowNorms.narrowed(0, start, range.count)
      let block = rows.narrowed(0, start, range.count)
      body(range, (columnNorms + norms).addmm(block, columns, alpha: -2))
    }
  }

  /// The `count` smallest distances of every row, ascending, and their columns, `[N, count]`.
  func smallest(_ count: Int) -> (values: Tensor, columns: Tensor) {
    var parts: [(values: Tensor, indices: Tensor)] = []
    forEachBlock { _, distances in parts.append(distances.top(count, 1, largest: false)) }
    return (.concatenated(parts.map(\.values)), .concatenated(parts.map(\.indices)))
  }

  /// 32 MB of float64.
  private static let blockElements = 4_000_000
}
