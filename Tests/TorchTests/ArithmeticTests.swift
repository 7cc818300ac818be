import TestSupport
import Testing
import Torch

@Suite struct ArithmeticTests {
  static let sums: [GoldenCase] = [
    .two("add", "x y") { $0 + $1 },
    .two("add.row", "x row") { $0 + $1 },
    .two("add.outer", "row column") { $0 + $1 },
    .two("add.int", "i j") { $0 + $1 },
    .two("add.mixed", "i x") { $0 + $1 },
    .two("add.half", "h h") { $0 + $1 },
    .one("add.by_int", "x") { $0 + 3 },
    .one("add.by_fraction", "x") { $0 + Float(0.7) },
    .one("add.int_by_int", "i") { 3 + $0 },
    .one("add.int_by_fraction", "i") { 0.7 + $0 },
    .one("add.half_by_int", "h") { $0 + 3 },
    .one("add.half_by_fraction", "h") { $0 + 0.7 },
  ]

  static let differences: [GoldenCase] = [
    .two("sub", "x y") { $0 - $1 },
    .two("sub.row", "x row") { $0 - $1 },
    .two("sub.outer", "row column") { $0 - $1 },
    .two("sub.int", "i j") { $0 - $1 },
    .two("sub.mixed", "i x") { $0 - $1 },
    .two("sub.half", "h h") { $0 - $1 },
    .one("sub.by_int", "x") { $0 - 3 },
    .one("sub.by_fraction", "x") { $0 - Float(0.7) },
    .one("sub.int_by_int", "i") { $0 - 3 },
    .one("sub.int_by_fraction", "i") { $0 - 0.7 },
    .one("sub.half_by_int", "h") { $0 - 3 },
    .one("sub.half_by_fraction", "h") { $0 - 0.7 },
  ]

  static let products: [GoldenCase] = [
    .two("mul", "x y") { $0 * $1 },
    .two("mul.row", "x row") { $0 * $1 },
    .two("mul.outer", "row column") { $0 * $1 },
    .two("mul.int", "i j") { $0 * $1 },
    .two("mul.mixed", "i x") { $0 * $1 },
    .two("mul.half", "h h") { $0 * $1 },
    .one("mul.by_int", "x") { $0 * 3 },
    .one("mul.by_fraction", "x") { $0 * Float(0.7) },
    .one("mul.int_by_int", "i") { 3 * $0 },
    .one("mul.int_by_fraction", "i") { 0.7 * $0 },
    .one("mul.half_by_int", "h") { $0 * 3 },
    .one("mul.half_by_fraction", "h") { $0 * 0.7 },
  ]

  static let quotients: [GoldenCase] = [
    .two("div", "x y") { $0 / $1 },
    .two("div.row", "x row") { $0 / $1 },
    .two("div.outer", "row column") { $0 / $1 },
    .two("div.int", "i j") { $0 / $1 },
    .two("div.mixed", "i x") { $0 / $1 },
    .two("div.half", "h h") { $0 / $1 },
    .one("div.by_int", "x") { $0 / 3 },
    .one("div.by_fraction", "x") { $0 / Float(0.7) },
    .one("div.int_by_int", "i") { $0 / 3 },
    .one("div.int_by_fraction", "i") { $0 / 0.7 },
    .one("div.half_by_int", "h") { $0 / 3 },
    .one("div.half_by_fraction", "h") { $0 / 0.7 },
  ]

  static let reversed: [GoldenCase] = [
    .one("int_minus", "i") { 3 - $0 },
    .one("minus", "x") { 0.5 - $0 },
    .one("over", "positive") { 3 / $0 },
    .one("over.int", "j") { 2 / $0 },
    .one("neg", "x") { -$0 },
    .one("neg.int", "i") { -$0 },
  ]

  static let comparisons: [GoldenCase] = [
    .two("eq", "i j") { $0 .== $1 },
    .two("eq.row", "x row") { $0 .== $1 },
    .one("eq.by_int", "i") { $0 .== 2 },
    .one("eq.by_fraction", "x") { $0 .== 0.25 },
    .two("ne", "i j") { $0 .!= $1 },
    .two("ne.row", "x row") { $0 .!= $1 },
    .one("ne.by_int", "i") { $0 .!= 2 },
    .one("ne.by_fraction", "x") { $0 .!= 0.25 },
    .two("lt", "i j") { $0 .< $1 },
    .two("lt.row", "x row") { $0 .< $1 },
    .one("lt.by_int", "i") { $0 .< 2 },
    .one("lt.by_fraction", "x") { $0 .< 0.25 },
    .two("le", "i j") { $0 .<= $1 },
    .two("le.row", "x row") { $0 .<= $1 },
    .one("le.by_int", "i") { $0 .<= 2 },
    .one("le.by_fraction", "x") { $0 .<= 0.25 },
    .two("gt", "i j") { $0 .> $1 },
    .two("gt.row", "x row") { $0 .> $1 },
    .one("gt.by_int", "i") { $0 .> 2 },
    .one("gt.by_fraction", "x") { $0 .> 0.25 },
    .two("ge", "i j") { $0 .>= $1 },
    .two("ge.row", "x row") { $0 .>= $1 },
    .one("ge.by_int", "i") { $0 .>= 2 },
    .one("ge.by_fraction", "x") { $0 .>= 0.25 },
  ]

  static let logic: [GoldenCase] = [
    .two("logical_and", "a b") { $0.logicalAnd($1) },
    .two("logical_or", "a b") { $0.logicalOr($1) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/arithmetic") }

  @Test(arguments: sums + differences + products + quotients + reversed + comparisons + logic)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(
      Self.sums + Self.differences + Self.products + Self.quotients + Self.reversed
        + Self.comparisons + Self.logic, fixture)
  }
}
