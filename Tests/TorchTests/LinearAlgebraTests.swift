import TestSupport
import Testing
import Torch

@Suite struct LinearAlgebraTests {
  static let products: [GoldenCase] = [
    .three("addmm", "m a b") { $0.addmm($1, $2) },
    .three("addmm.scaled", "m a b") { $0.addmm($1, $2, beta: 0.5, alpha: -2) },
    .two("einsum", "left right") { .einsum("bij,bjk->bik", $0, $1) },
    .one("einsum.trace", "square") { .einsum("bii->b", $0) },
    .one("cholesky", "definite", rtol: 1e-4, atol: 1e-5) { $0.cholesky() },
    .one("inverse", "square", rtol: 1e-4, atol: 1e-5) { $0.inverse() },
    .two("solve", "square rhs", rtol: 1e-4, atol: 1e-5) { $0.solve($1) },
    .one("rfft2", "planes", rtol: 1e-4, atol: 1e-5) { $0.rfft2() },
    .one("rfft2.odd", "right", rtol: 1e-4, atol: 1e-5) {
      $0.transposed().narrowed(-1, 0, 3).rfft2()
    },
  ]

  static let decompositions: [GoldenCase] = [
    .many("eigen", "definite", rtol: 1e-4, atol: 1e-5) {
      let (values, vectors) = (($0[0] + $0[0].transposed()) / 2).symmetricEigen()
      let product = vectors.matmul(values.unsqueezed(-1) * vectors.transposed())
      return [values, vectors.abs(), product]
    },
    .many("svd", "tall", rtol: 1e-4, atol: 1e-5) { singular($0[0].svd()) },
    .many("svd.wide", "wide", rtol: 1e-4, atol: 1e-5) { singular($0[0].svd()) },
    .many("qr", "tall", rtol: 1e-4, atol: 1e-5) {
      let (q, r) = $0[0].qr()
      return [q.abs(), r.abs(), q.matmul(r)]
    },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/linear_algebra") }

  @Test(arguments: products + decompositions)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.products + Self.decompositions, fixture)
  }
}

// Vectors and factors are unique up to a sign, their magnitudes and their product are unique.
private func singular(_ parts: (u: Tensor, s: Tensor, vh: Tensor)) -> [Tensor] {
  let product = (parts.u * parts.s.unsqueezed(-2)).matmul(parts.vh)
  return [parts.u.abs(), parts.s, parts.vh.abs(), product]
}
