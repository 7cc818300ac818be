import TestSupport
import Testing
import Torch

@Suite struct CreationTests {
  static let made: [GoldenCase] =
    DType.allCases.flatMap { dtype -> [GoldenCase] in
      [
        .none("full.\(dtype)") { .full([2, 3], 1, dtype: dtype) },
        .one("to.\(dtype)", "values", rtol: 0, atol: 0) { $0.to(dtype) },
        .one("to.\(dtype).whole", "whole", rtol: 0, atol: 0) { $0.to(dtype) },
      ]
    } + [
      .none("full.fraction") { .full([2], 0.3, dtype: .float64) },
      .none("zeros") { .zeros([2, 0, 3]) },
      .none("ones") { .ones([3], dtype: .int64) },
      .none("arange") { .arange(5) },
      .none("arange.float") { .arange(3, dtype: .float32) },
      .none("arange.step") { .arange(7, -3, step: -2, dtype: .int64) },
      .none("arange.fraction") { .arange(0.5, 2.0, step: 0.25) },
      .none("linspace", rtol: 1e-6) { .linspace(-1, 2, steps: 7) },
      .none("linspace.double", rtol: 1e-12) { .linspace(0, 1, steps: 4, dtype: .float64) },
      .none("eye") { .eye(3) },
      .none("eye.int64") { .eye(2, dtype: .int64) },
      .none("scalar") { Tensor(0.1) },
      .none("scalar.double") { Tensor(0.1, dtype: .float64) },
      .one("clone", "picture", rtol: 0, atol: 0) { $0.clone() },
      .one("contiguous", "picture", rtol: 0, atol: 0) { $0.permuted([0, 2, 3, 1]).contiguous() },
      .one("channels_last", "picture", rtol: 0, atol: 0) { $0.contiguous(.channelsLast) },
    ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("torch_ops/creation") }

  /// Every byte, on one thread and on several, has the value of PyTorch's own division.
  @Test func bytesOfPicturesBecomeZeroToOne() {
    for count in [0, 1, 257, 100_003] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      let mine = Tensor(channelBytes: bytes, shape: [count])
      #expect(
        mine.elements(as: Float.self)
          == (Tensor(bytes, shape: [count]).to(.float32) / 255).elements(as: Float.self))
    }
  }

  @Test(arguments: made)
  func equalsPyTorch(_ golden: GoldenCase) throws {
    try golden.check(against: fixture)
  }

  @Test func everyGoldenCaseIsTested() {
    GoldenCase.expectComplete(Self.made, fixture)
  }

  @Test func likenessKeepsTypeShapeAndLayout() throws {
    let picture = try fixture["picture"].contiguous(.channelsLast).to(.float64)
    for (tensor, value) in [(Tensor.zeros(like: picture), 0.0), (Tensor.ones(like: picture), 1.0)] {
      #expect(tensor.isContiguous(.channelsLast) && tensor.dtype == .float64)
      expectEqual(tensor, .full(picture.shape, value, dtype: .float64))
    }
    let empty = Tensor.empty([2, 5], dtype: .int64)
    #expect(empty.shape == [2, 5] && empty.dtype == .int64 && empty.device == .cpu)
  }

  @Test func propertiesTellShapeAndLayout() throws {
    let picture = try fixture["picture"]
    #expect(picture.shape == [2, 3, 4, 5] && picture.strides == [60, 20, 5, 1])
    #expect(picture.rank == 4 && picture.count == 120)
    #expect(picture.size(1) == 3 && picture.size(-1) == 5)
    #expect(picture.isContiguous() && !picture.isContiguous(.channelsLast))
    let last = picture.contiguous(.channelsLast)
    #expect(last.strides == [60, 1, 15, 3] && last.isContiguous(.channelsLast))
    #expect(!last.sharesMemory(with: picture))
    #expect(picture.contiguous().sharesMemory(with: picture))
    #expect(picture.to(.float32).sharesMemory(with: picture))
    #expect(picture.to(.cpu).sharesMemory(with: picture))
  }

  @Test(arguments: DType.allCases)
  func bytesGoRound(_ dtype: DType) throws {
    let tensor = try fixture["to.\(dtype).out0"]
    let bytes = tensor.rawBytes()
    #expect(bytes.count == 6 * dtype.size)
    let back = bytes.withUnsafeBytes { Tensor(bytes: $0, shape: [2, 3], dtype: dtype) }
    expectEqual(back, tensor)
    // Row-major order of the logical elements, however they lie.
    let turned = tensor.transposed()
    expectEqual(
      turned.rawBytes().withUnsafeBytes { Tensor(bytes: $0, shape: [3, 2], dtype: dtype) }, turned)
    #expect(dtype.isFloatingPoint == (dtype.size == 8 ? dtype == .float64 : dtype.size > 1))
  }

  @Test func arraysGoRound() {
    #expect(Tensor([1, 2, 255] as [UInt8]).elements() == [1, 2, 255] as [UInt8])
    #expect(Tensor([Int.min, 0, .max]).elements() == [Int.min, 0, .max])
    #expect(Tensor([-1, 5] as [Int64]).elements() == [-1, 5] as [Int64])
    #expect(Tensor([0.1, -2] as [Float]).elements() == [0.1, -2] as [Float])
    #expect(Tensor([0.1, -2] as [Double]).elements() == [0.1, -2] as [Double])
    #expect(Tensor([true, false]).elements() == [true, false])
    #expect(Tensor([Float]()).shape == [0] && Tensor([Float]()).elements(as: Float.self) == [])
    let matrix = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(matrix.transposed().elements() == [1, 4, 2, 5, 3, 6])
    #expect(matrix.elements(as: Double.self) == [1, 2, 3, 4, 5, 6])
  }

  @Test func itemsKeepTheirPrecision() {
    #expect(Tensor(0.1, dtype: .float64).item() == 0.1)
    #expect(Tensor([Int.max]).intItem() == .max)
    #expect(Tensor([true]).intItem() == 1 && Tensor([3]).item() == 3)
  }

  @Test func sharedMemoryIsReadInPlaceAndItsOwnerReleased() {
    for count in [4, 0] {
      weak var released: Memory?
      do {
        let memory = Memory(count)
        released = memory
        let view: Tensor
        do {
          let tensor = Tensor(
            sharing: UnsafeRawBufferPointer(memory.floats), owner: memory, shape: [count],
            dtype: .float32)
          memory.floats.update(repeating: 3)
          expectEqual(tensor, .full([count], 3))
          view = tensor.unsqueezed(0)
        }
        withExtendedLifetime(view) { #expect(released != nil) }
      }
      #expect(released == nil, "\(count) elements keep their owner")
    }
  }

  @Test func nothingAtAllCanBeShared() {
    weak var released: Memory?
    do {
      let memory = Memory(0)
      released = memory
      let tensor = Tensor(
        sharing: UnsafeRawBufferPointer(start: nil, count: 0), owner: memory, shape: [0, 3],
        dtype: .int64)
      #expect(tensor.shape == [0, 3] && tensor.elements(as: Int.self).isEmpty)
    }
    #expect(released == nil)
  }

  @Test func describesItself() {
    let text = Tensor([1.5, 2] as [Float]).description
    #expect(text.contains("1.5") && text.contains("CPUFloatType{2}"))
  }
}

/// Memory that a tensor looks at.
private final class Memory {
  let floats: UnsafeMutableBufferPointer<Float>

  init(_ count: Int) { floats = .allocate(capacity: count) }

  deinit { floats.deallocate() }
}
