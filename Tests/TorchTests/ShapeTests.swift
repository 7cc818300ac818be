import TestSupport
import Testing
import Torch

@Suite struct ShapeTests {
  static let shapes: [GoldenCase] = [
    .one("reshaped", "x") { $0.reshaped([4, 6]) },
    .one("reshaped.inferred", "x") { $0.transposed(0, 2).reshaped([3, -1]) },
    .one("view", "x") { $0.view([6, -1]) },
    .one("flattened", "x") { $0.flattened() },
    .one("flattened.part", "x") { $0.flattened(from: 1, to: 2) },
    .one("permuted", "x") { $0.permuted([2, 0, 1]) },
    .one("transposed", "x") { $0.transposed() },
    .one("transposed.dims", "x") { $0.transposed(0, 2) },
    .one("squeezed", "thin") { $0.squeezed(1) },
    .one("unsqueezed", "x") { $0.unsqueezed(-1) },
    .one("expanded", "thin") { $0.expanded([2, -1, 5, 2]) },
    .one("repeated", "thin") { $0.repeated([2, 1, 3]) },
    .one("repeated_interleaved", "x") { $0.repeatedInterleaved(2, 1) },
    .one("flipped", "x") { $0.flipped([0, 2]) },
    .one("lower", "square") { $0.lowerTriangle() },
    .one("lower.below", "square") { $0.lowerTriangle(diagonal: -1) },
    .one("upper", "square") { $0.upperTriangle() },
    .one("upper.above", "square") { $0.upperTriangle(diagonal: 1) },
    .one("rolled", "x") { $0.rolled([1, -1], [0, 2]) },
    .one("diagonal", "square") { $0.diagonal() },
    .many("concatenated", "x y") { [.concatenated($0)] },
    .many("concatenated.last", "x y source") { [.concatenated($0, -1)] },
    .many("stacked", "x y") { [.stacked($0)] },
    .many("stacked.last", "x y") { [.stacked($0, -1)] },
    .many("chunked", "square") { $0[0].chunked(2) },
    .many("chunked.uneven", "square") { $0[0].chunked(3, 1) },
    .many("chunked.last", "x") { $0[0].chunked(3, -2) },
  ]

  static let indexing: [GoldenCase] = [
    .one("index", "x") { $0[1] },
    .one("range", "square") { $0[1..<3] },
    .one("selected", "x") { $0.selected(1, 2) },
    .one("selected.end", "x") { $0.selected(-1, -1) },
    .one("narrowed", "x") { $0.narrowed(2, 1, 2) },
    .one("sliced", "x") { $0.sliced(1, 1..<3) },
    .one("sliced.step", "square") { $0.sliced(1, 0..<4, step: 3) },
    .two("selected.at", "x picks") { $0.selected(1, at: $1) },
    .two("gathered", "x places") { $0.gathered(1, $1) },
    .three("scattered", "x spread source") { $0.scattered(1, $1, $2) },
    .three("index_added", "x picks source") { $0.indexAdded(1, $1, $2) },
    .two("masked_filled", "x mask") { $0.maskedFilled($1, -Double.infinity) },
    .two("masked_filled.int", "i mask") { $0.maskedFilled($1, 9) },
    .two("masked_selected", "x mask") { $0.maskedSelected($1) },
    .one("one_hot", "classes") { $0.oneHot(classes: 4) },
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/shapes") }

  @Test(arguments: shapes + indexing)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.shapes + Self.indexing, fixture)
  }

  @Test func viewsLookAtTheSameMemory() throws {
    let x = try fixture["x"]
    let views = [
      x.view([24]), x.permuted([2, 0, 1]), x.transposed(), x.unsqueezed(0), x[1], x[0..<1],
      x.selected(1, 2), x.narrowed(2, 1, 2), x.sliced(1, 1..<3), x.detached(),
      x.chunked(2)[1], try fixture["thin"].squeezed(1),
    ]
    #expect(views.dropLast().allSatisfy { $0.sharesMemory(with: x) })
    #expect(!views[11].sharesMemory(with: x))
    x[1].fill(7)
    #expect(views[0].elements(as: Float.self)[12...].allSatisfy { $0 == 7 })
  }

  @Test func copiesLookAtMemoryOfTheirOwn() throws {
    let x = try fixture["x"]
    let before = x.elements(as: Float.self)
    for copy in [
      x.clone(), x.repeated([1, 1, 1]), x.flipped([0]),
      x.scattered(1, try fixture["spread"], try fixture["source"]),
      x.indexAdded(1, try fixture["picks"], try fixture["source"]),
      x.maskedFilled(try fixture["mask"], 1),
    ] {
      #expect(!copy.sharesMemory(with: x))
      copy.fill(0)
    }
    #expect(x.elements(as: Float.self) == before)
  }
}
