import TestSupport
import Testing
import Torch

@Suite struct ReductionTests {
  static let overDimensions: [GoldenCase] = [
    .one("sum", "x") { $0.sum() },
    .one("sum.dim", "x") { $0.sum([1]) },
    .one("sum.dims", "x") { $0.sum([0, -1], keepingDims: true) },
    .one("mean", "x") { $0.mean() },
    .one("mean.dim", "x") { $0.mean([1]) },
    .one("mean.dims", "x") { $0.mean([0, -1], keepingDims: true) },
    .one("max", "x") { $0.max() },
    .one("max.dim", "x") { $0.max([1]) },
    .one("max.dims", "x") { $0.max([0, -1], keepingDims: true) },
    .one("min", "x") { $0.min() },
    .one("min.dim", "x") { $0.min([1]) },
    .one("min.dims", "x") { $0.min([0, -1], keepingDims: true) },
    .one("variance", "x") { $0.variance() },
    .one("variance.dim", "x") { $0.variance([1]) },
    .one("variance.dims", "x") { $0.variance([0, -1], keepingDims: true) },
    .one("deviation", "x") { $0.deviation() },
    .one("deviation.dim", "x") { $0.deviation([1]) },
    .one("deviation.dims", "x") { $0.deviation([0, -1], keepingDims: true) },
    .one("log_sum_exp", "x") { $0.logSumExp() },
    .one("log_sum_exp.dim", "x") { $0.logSumExp([1]) },
    .one("log_sum_exp.dims", "x") { $0.logSumExp([0, -1], keepingDims: true) },
    .one("norm", "x") { $0.norm() },
    .one("norm.dim", "x") { $0.norm([1]) },
    .one("norm.dims", "x") { $0.norm([0, -1], keepingDims: true) },
    .one("sum.int", "i") { $0.sum() },
    .one("sum.bool", "flags") { $0.sum([0]) },
    .one("max.int", "i") { $0.max([1]) },
    .one("variance.population", "x") { $0.variance([1], correction: 0) },
    .one("deviation.population", "x") { $0.deviation([1], correction: 0) },
    .one("norm.1", "x") { $0.norm(p: 1, [2]) },
    .one("norm.3", "x") { $0.norm(p: 3) },
    .one("norm.inf", "x") { $0.norm(p: .infinity, [0]) },
  ]

  static let alongOne: [GoldenCase] = [
    .one("product", "x") { $0.product(1) },
    .one("product.keep", "x") { $0.product(-1, keepingDims: true) },
    .one("argmax", "x") { $0.argmax(1) },
    .one("argmax.keep", "x") { $0.argmax(-1, keepingDims: true) },
    .one("argmin", "x") { $0.argmin(1) },
    .one("argmin.keep", "x") { $0.argmin(-1, keepingDims: true) },
    .one("cumulative_sum", "x") { $0.cumulativeSum(1) },
    .one("cumulative_sum.int", "i") { $0.cumulativeSum(0) },
    .one("cumulative_product", "x") { $0.cumulativeProduct(2) },
    .one("all.flags", "flags") { $0.all() },
    .one("all.truth", "truth") { $0.all() },
    .one("any.flags", "flags") { $0.any() },
    .one("any.truth", "truth") { $0.any() },
    .one("any.none", "truth") { $0.logicalNot().any() },
  ]

  static let orders: [GoldenCase] = [
    .many("sorted", "x") { pair($0[0].sorted()) },
    .many("sorted.descending", "x") { pair($0[0].sorted(1, descending: true)) },
    .many("sorted.ties", "ties") { pair($0[0].sorted()) },
    .many("sorted.ties.descending", "ties") { pair($0[0].sorted(descending: true)) },
    .many("top", "x") { pair($0[0].top(2)) },
    .many("top.smallest", "x") { pair($0[0].top(2, 1, largest: false)) },
    .one("quantile", "x") { $0.quantile(0.3, 2) },
    .one("quantile.keep", "x") { $0.quantile(0.9, 0, keepingDims: true) },
    .one("bincount", "labels") { $0.bincount() },
    .one("bincount.length", "labels") { $0.bincount(minimumLength: 7) },
    .two("distances", "points others") { $0.distances(to: $1) },
    .two("distances.1", "points others") { $0.distances(to: $1, p: 1) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/reductions") }

  @Test(arguments: overDimensions + alongOne + orders)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.overDimensions + Self.alongOne + Self.orders, fixture)
  }
}

private func pair(_ result: (values: Tensor, indices: Tensor)) -> [Tensor] {
  [result.values, result.indices]
}
