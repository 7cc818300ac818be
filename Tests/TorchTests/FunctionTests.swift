import TestSupport
import Testing
import Torch

@Suite struct FunctionTests {
  static let functions: [GoldenCase] = [
    .two("pow", "positive x") { $0.pow($1) },
    .one("pow.by_int", "x") { $0.pow(3) },
    .one("pow.by_fraction", "positive") { $0.pow(0.3) },
    .one("pow.int", "i") { $0.pow(2) },
    .two("maximum", "x y") { $0.maximum($1) },
    .two("maximum.row", "x row") { $0.maximum($1) },
    .two("minimum", "x y") { $0.minimum($1) },
    .two("remainder", "x y") { $0.remainder($1) },
    .two("remainder.int", "i j") { $0.remainder($1) },
    .one("remainder.by_int", "i") { $0.remainder(-3) },
    .one("remainder.by_fraction", "x") { $0.remainder(0.4) },
    .two("atan2", "x y") { $0.atan2($1) },
    .two("floor_divide", "x y") { $0.floorDivide($1) },
    .two("floor_divide.int", "i j") { $0.floorDivide($1) },
    .one("floor_divide.by_int", "i") { $0.floorDivide(3) },
    .one("floor_divide.by_fraction", "x") { $0.floorDivide(0.4) },
    .two("matmul", "x matrix") { $0.matmul($1) },
    .two("matmul.batch", "batch matrix") { $0.matmul($1) },
    .two("matmul.vector", "x row") { $0.matmul($1) },
    .two("bmm", "batch batch2") { $0.bmm($1) },
    .one("clamped", "x") { $0.clamped(min: -0.5, max: 0.8) },
    .one("clamped.min", "x") { $0.clamped(min: 0.1) },
    .one("clamped.max", "x") { $0.clamped(max: 0) },
    .one("clamped.int", "i") { $0.clamped(min: -2, max: 3) },
    .one("clamped.int_by_fraction", "i") { $0.clamped(min: -1.5, max: 3) },
    .three("select", "a x y") { Tensor.select($0, $1, $2) },
    .three("select.row", "a x row") { Tensor.select($0, $1, $2) },
    .two("lerp", "x y") { $0.lerp($1, 0.3) },
    .three("addcmul", "x y row") { $0.addcmul($1, $2, value: 0.5) },
    .three("addcmul.default", "x y row") { $0.addcmul($1, $2) },
    .three("addcdiv", "x y positive") { $0.addcdiv($1, $2, value: -2) },
    .three("addcdiv.default", "x y positive") { $0.addcdiv($1, $2) },
  ]

  static let inPlace: [GoldenCase] = [
    .two("in_place.add", "x y") { a, b in changing(a) { $0.add(b, scale: -0.3) } },
    .two("in_place.add.row", "x row") { a, b in changing(a) { $0.add(b) } },
    .one("in_place.add.number", "x") { a in changing(a) { $0.add(0.3) } },
    .one("in_place.add.int", "i") { a in changing(a) { $0.add(2) } },
    .two("in_place.multiply", "x y") { a, b in changing(a) { $0.multiply(by: b) } },
    .one("in_place.multiply.number", "x") { a in changing(a) { $0.multiply(by: 0.3) } },
    .one("in_place.multiply.int", "i") { a in changing(a) { $0.multiply(by: 3) } },
    .two("in_place.divide", "x positive") { a, b in changing(a) { $0.divide(by: b) } },
    .two("in_place.copy", "x i") { a, b in changing(a) { $0.copy(from: b) } },
    .two("in_place.copy.graph", "x y") { a, b in changing(a) { $0.copy(from: b) } },
    .one("in_place.fill", "x") { a in changing(a) { $0.fill(0.3) } },
    .one("in_place.fill.int", "i") { a in changing(a) { $0.fill(-7) } },
    .one("in_place.clamp", "x") { a in changing(a) { $0.clamp(min: -0.5, max: 0.8) } },
    .one("in_place.clamp.int", "i") { a in changing(a) { $0.clamp(min: 1) } },
    .two("in_place.lerp", "x y") { a, b in changing(a) { $0.lerp(towards: b, 0.3) } },
    .three("in_place.add_product", "x y row") { a, b, c in
      changing(a) { $0.addProduct(b, c, value: 2) }
    },
    .three("in_place.add_product.default", "x y row") { a, b, c in
      changing(a) { $0.addProduct(b, c) }
    },
    .three("in_place.add_quotient", "x y positive") { a, b, c in
      changing(a) { $0.addQuotient(b, c, value: 0.5) }
    },
    .three("in_place.add_quotient.default", "x y positive") { a, b, c in
      changing(a) { $0.addQuotient(b, c) }
    },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/functions") }

  @Test(arguments: functions + inPlace)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.functions + Self.inPlace, fixture)
  }
}

/// A copy that `change` was let at: a leaf of a graph may not be changed in place itself.
private func changing(_ tensor: Tensor, _ change: (Tensor) -> Void) -> Tensor {
  let copy = tensor.clone()
  change(copy)
  return copy
}
