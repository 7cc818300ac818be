import TestSupport
import Testing
import Torch

/// Attention in tiles, without gradients, against the products one by one in double precision.
@Suite struct TiledAttentionTests {
  /// A head's shape, and how much longer than the others one of the keys is.
  struct Shape: Sendable, CustomTestStringConvertible {
    var pictures = 2
    var heads = 3
    var queries: Int
    var keys: Int
    var depth: Int
    var longestKey = 1.0
    var dtype = DType.bfloat16
    var testDescription: String { "\(queries) queries, \(keys) keys of \(depth), ×\(longestKey)" }

    func inFullPrecision() -> Self {
      var other = self
      other.dtype = .float32
      return other
    }
  }

  /// Numbers as a linear layer leaves them: the heads of a token side by side.
  private func drawn(_ shape: Shape, _ tokens: Int, _ random: Generator) -> Tensor {
    Tensor.randn([shape.pictures, tokens, shape.heads, shape.depth], using: random)
      .to(shape.dtype).transposed(1, 2)
  }

  private static let shapes = [
    Shape(queries: 300, keys: 700, depth: 40), Shape(queries: 257, keys: 77, depth: 80),
    Shape(queries: 64, keys: 64, depth: 160), Shape(queries: 5, keys: 256, depth: 64),
    Shape(queries: 1, keys: 1, depth: 8),
    Shape(pictures: 1, heads: 1, queries: 600, keys: 33, depth: 48),
    // Half of the queries see nothing of the longest key, which is what they are measured by.
    Shape(queries: 200, keys: 300, depth: 40, longestKey: 300),
    Shape(queries: 200, keys: 17, depth: 16, longestKey: 3000),
  ]

  @Test(arguments: shapes + shapes.map { $0.inFullPrecision() })
  func equalsTheProducts(_ shape: Shape) {
    let random = Generator(seed: 5)
    let (q, v) = (drawn(shape, shape.queries, random), drawn(shape, shape.keys, random))
    var factors = [Float](repeating: 1, count: shape.keys)
    factors[shape.keys / 2] = Float(shape.longestKey)
    let k = (drawn(shape, shape.keys, random) * Tensor(factors).reshaped([-1, 1])).to(shape.dtype)
    let y = withoutGradients { Tensor.attention(query: q, key: k, value: v) }
    #expect(y.dtype == shape.dtype && y.shape == q.shape && y.transposed(1, 2).isContiguous())
    let scores = (q.to(.float64) / Double(shape.depth).squareRoot())
      .matmul(k.to(.float64).transposed())
    let exact = scores.softmax(-1).matmul(v.to(.float64))
    let largest: Double = exact.abs().max().item()
    if shape.dtype == .float32 {
      // A score's own rounding grows with it.
      expectClose(y.to(.float64), exact, rtol: 0, atol: 1e-6 * largest * (9 + shape.longestKey))
    } else {
      expectClose(y.to(.float64), exact, rtol: 1.0 / 128, atol: largest / 256)
    }
  }

  @Test func repeatsItself() {
    let random = Generator(seed: 6)
    for dtype in [DType.bfloat16, .float32] {
      let shape = Shape(queries: 300, keys: 300, depth: 40, dtype: dtype)
      let x = drawn(shape, 300, random)
      let all = (0..<2).map { _ in
        withoutGradients { Tensor.attention(query: x, key: x, value: x) }
      }
      expectEqual(all[0], all[1])
    }
  }

  /// What is not a number stays so, in its own row alone.
  @Test(arguments: [DType.bfloat16, .float32]) func notANumberStaysInItsRow(_ dtype: DType) {
    let shape = Shape(pictures: 1, heads: 1, queries: 40, keys: 40, depth: 40, dtype: dtype)
    let x = drawn(shape, 40, Generator(seed: 7))
    let q = x.clone()
    q.narrowed(2, 3, 1).fill(Double.nan)
    let y = withoutGradients { Tensor.attention(query: q, key: x, value: x) }
    let bad = y.isFinite().logicalNot().to(.int64).sum([3]).elements(as: Int.self)
    #expect(bad.enumerated().allSatisfy { $1 == ($0 == 3 ? 40 : 0) })
  }
}
