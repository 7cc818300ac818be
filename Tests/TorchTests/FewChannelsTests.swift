import TestSupport
import Testing
import Torch

/// Attention of heads with few channels against the products one by one in double precision.
@Suite struct FewChannelsTests {
  /// A head's shape, how far the scores are spread, and what the channels of a pixel are.
  struct Shape: Sendable, CustomTestStringConvertible {
    var pictures = 2
    var heads = 3
    var queries: Int
    var keys: Int
    var depth: Int
    var spread = 1.0
    var testDescription: String { "\(queries) queries, \(keys) keys of \(depth), ×\(spread)" }
  }

  /// Output, gradients, and the gradients of the gradient's own norm.
  private func pass(_ shape: Shape, isFused: Bool) -> [(name: String, value: Tensor)] {
    let random = Generator(seed: 5)
    let dtype: DType = isFused ? .float32 : .float64
    /// As a linear layer leaves them: the heads of a token side by side.
    func drawn(_ tokens: Int, _ factor: Double) -> Tensor {
      let flat =
        factor
        * Tensor.randn(
          [shape.pictures, tokens, shape.heads * shape.depth], using: random)
      let leaf = flat.to(dtype)
      leaf.requiresGradient = true
      return leaf
    }
    func split(_ x: Tensor) -> Tensor {
      x.reshaped([shape.pictures, x.size(1), shape.heads, shape.depth]).transposed(1, 2)
    }
    let (q, k, v) = (
      drawn(shape.queries, shape.spread), drawn(shape.keys, shape.spread), drawn(shape.keys, 1)
    )
    let scale = 1 / Double(shape.depth).squareRoot()
    let y =
      isFused
      ? Tensor.attention(query: split(q), key: split(k), value: split(v))
      : (split(q) * scale).matmul(split(k).transposed()).softmax(-1).matmul(split(v))
    let seed = Tensor.randn(y.shape, using: random).to(dtype)
    let first = (y * seed).sum().gradients(withRespectTo: [q, k, v], retainingGraph: true)
    let twice = (y.square() * seed).sum().gradients(withRespectTo: [q, k], creatingGraph: true)
    let norm = twice[0]!.square().sum() + twice[1]!.square().sum()
    let second = norm.gradients(withRespectTo: [q, k, v])
    return [
      ("output", y.detached()), ("dq", first[0]!), ("dk", first[1]!), ("dv", first[2]!),
      ("d²q", second[0]!), ("d²k", second[1]!), ("d²v", second[2]!),
    ]
  }

  @Test(arguments: [
    Shape(queries: 256, keys: 256, depth: 8), Shape(queries: 64, keys: 64, depth: 8),
    Shape(queries: 5, keys: 7, depth: 8), Shape(queries: 1, keys: 1, depth: 16),
    Shape(queries: 33, keys: 77, depth: 32), Shape(queries: 18, keys: 32, depth: 24),
    Shape(pictures: 1, heads: 1, queries: 130, keys: 31, depth: 16),
    // Weights between 1 and e⁻⁸⁷.
    Shape(queries: 20, keys: 40, depth: 8, spread: 6),
  ]) func equalsTheProducts(_ shape: Shape) {
    for (mine, its) in zip(pass(shape, isFused: true), pass(shape, isFused: false)) {
      let scale: Double = its.value.abs().max().item()
      // Scores of hundreds are rounded at the fifth digit before they are exponents.
      let error = shape.spread > 1 ? 1e-4 : 1e-5
      expectClose(
        mine.value, its.value.to(.float32), rtol: error, atol: error * max(scale, 1), its.name)
    }
  }

  /// What is subtracted from the scores is the bound |q| · max |k|; where all of a query's scores lie
  /// hundreds below it, their own maximum.
  @Test(arguments: [8, 32]) func scoresFarBelowTheirBound(depth: Int) {
    let random = Generator(seed: 8)
    func drawn(_ tokens: Int) -> Tensor { Tensor.randn([1, 2, tokens, depth], using: random) }
    func unit(_ place: Int) -> Tensor {
      Tensor((0..<depth).map { $0 == place ? 1 : 0 as Float })
    }
    // Long queries, and a long key that stands at right angles to them.
    let queries = Tensor.concatenated([drawn(20), drawn(20) * unit(0) * 30], 2)
    let keys = Tensor.concatenated([drawn(29), unit(1).expanded([1, 2, 1, depth]) * 500], 2)
    let v = drawn(30)
    for leaf in [queries, keys, v] { leaf.requiresGradient = true }
    func pass(_ dtype: DType) -> [Tensor] {
      let (q, k, v) = (queries.to(dtype), keys.to(dtype), v.to(dtype))
      let scale = 1 / Double(depth).squareRoot()
      let y =
        dtype == .float32
        ? Tensor.attention(query: q, key: k, value: v)
        : (q * scale).matmul(k.transposed()).softmax(-1).matmul(v)
      let seed = Tensor.randn(y.shape, using: Generator(seed: 9)).to(dtype)
      let gradients = (y * seed).sum().gradients(withRespectTo: [queries, keys, v])
      return ([y.detached()] + gradients.map { $0! }).map { $0.to(.float32) }
    }
    for (mine, its) in zip(pass(.float32), pass(.float64)) {
      let scale: Double = its.abs().max().item()
      expectClose(mine, its, rtol: 1e-4, atol: 1e-4 * max(scale, 1), "")
    }
  }

  /// Scores that are rounded by whole numbers: what is subtracted is one of them, so that the largest
  /// one's weight is 1.
  @Test(arguments: [1e7, 1e9, 1e12]) func scoresOfAnySizeGiveWeights(size: Double) {
    let random = Generator(seed: 12)
    func drawn(_ factor: Double) -> Tensor {
      factor * Tensor.randn([2, 4, 64, 32], using: random)
    }
    let root = size.squareRoot()
    let v = drawn(1)
    let y = Tensor.attention(query: drawn(root), key: drawn(root), value: v)
    // A mean of values with weights that are none below 0 stays within them.
    let (low, high) = (v.min().item() as Double, v.max().item() as Double)
    #expect((low...high).contains(y.min().item()) && (low...high).contains(y.max().item()))
    // With one key far ahead of all others it is that one's value.
    let distances = (y.unsqueezed(3) - v.unsqueezed(2)).abs().sum([-1]).min([-1])
    let furthest: Double = distances.max().item()
    #expect(furthest < 1e-3)
  }

  /// bfloat16 in and out, everything between in float32.
  @Test(arguments: [
    Shape(queries: 256, keys: 256, depth: 8), Shape(queries: 33, keys: 77, depth: 32),
  ]) func halfPrecisionIsRoundedOnce(_ shape: Shape) {
    let random = Generator(seed: 6)
    let inputs = [shape.queries, shape.keys, shape.keys].map {
      Tensor.randn([shape.pictures, shape.heads, $0, shape.depth], using: random).to(.bfloat16)
    }
    let seed = Tensor.randn(inputs[0].shape, using: random).to(.bfloat16)
    func pass(_ dtype: DType) -> [Tensor] {
      let leaves = inputs.map { $0.to(dtype).detached() }
      for leaf in leaves { leaf.requiresGradient = true }
      let y = Tensor.attention(query: leaves[0], key: leaves[1], value: leaves[2])
      #expect(y.dtype == dtype)
      return [y.detached()]
        + (y * seed.to(dtype)).sum().gradients(withRespectTo: leaves).map { $0! }
    }
    for (mine, exact) in zip(pass(.bfloat16), pass(.float64)) {
      let scale: Double = exact.abs().max().item()
      expectClose(mine.to(.float64), exact, rtol: 1.0 / 256, atol: 1.0 / 256 * scale, "")
    }
  }

  /// Keys that are made of the queries: what one owes to the other counts once.
  @Test func inputsMayDependOnEachOther() {
    func pass(_ dtype: DType) -> Tensor {
      let x = Tensor.randn([1, 2, 6, 8], using: Generator(seed: 2)).to(dtype)
      x.requiresGradient = true
      let y = x * x
      let z =
        dtype == .float32
        ? Tensor.attention(query: x, key: y, value: x)
        : (x * (1 / 8.0.squareRoot())).matmul(y.transposed()).softmax(-1).matmul(x)
      return z.square().sum().gradients(withRespectTo: [x], creatingGraph: true)[0]!.detached()
    }
    expectClose(pass(.float32), pass(.float64).to(.float32), rtol: 1e-4, atol: 1e-4, "")
  }

  /// The next layer takes the output without a copy.
  @Test func headsLieSideBySide() {
    let x = Tensor.randn([2, 3, 10, 8], using: Generator(seed: 1))
    let y = Tensor.attention(query: x, key: x, value: x)
    #expect(y.shape == [2, 3, 10, 8])
    #expect(y.transposed(1, 2).isContiguous())
  }

  @Test func repeatsItself() {
    let shape = Shape(queries: 100, keys: 100, depth: 8)
    for (one, other) in zip(pass(shape, isFused: true), pass(shape, isFused: true)).prefix(4) {
      #expect(one.value.elements(as: Float.self) == other.value.elements(as: Float.self))
    }
  }
}
