import CTorch

/// A source of random numbers: libtorch's own, so equal seeds draw what PyTorch draws.
///
/// The CPU generator is mt19937. Draw noise on the CPU in float32 and move it, and the same seed
/// gives the same picture on every device.
public final class Generator {
  let raw: CTGenerator

  /// A generator at the start of the sequence that `seed` names.
  public init(
    seed: UInt64, device: Device = .cpu, file: StaticString = #fileID, line: UInt = #line
  ) {
    var out: CTGenerator?
    check(ct_generator_new(device.kind, seed, &out), file, line)
    guard let out else { fail(file, line) }
    raw = out
  }

  deinit {
    ct_generator_free(raw)
  }

  /// Goes back to the start of the sequence that `seed` names.
  public func reseed(_ seed: UInt64, file: StaticString = #fileID, line: UInt = #line) {
    check(ct_generator_seed(raw, seed), file, line)
  }

  /// The seed that the sequence started from.
  public var initialSeed: UInt64 {
    var seed: UInt64 = 0
    check(ct_generator_initial_seed(raw, &seed), #fileID, #line)
    return seed
  }

  /// The whole state as bytes, `uint8 [5056]` on the CPU; setting it continues from there.
  public var state: Tensor {
    get { made(#fileID, #line) { ct_generator_state(raw, $0) } }
    set { check(ct_generator_set_state(raw, newValue.raw), #fileID, #line) }
  }
}

// MARK: - Draws

extension Tensor {
  /// Draws from the uniform distribution on [0, 1).
  public static func rand(
    _ shape: [Int], dtype: DType = .float32, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(shape) { ct_rand($0, $1, dtype.rawValue, generator.raw, out) }
    }
  }

  /// Draws from the standard normal distribution.
  public static func randn(
    _ shape: [Int], dtype: DType = .float32, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(shape) { ct_randn($0, $1, dtype.rawValue, generator.raw, out) }
    }
  }

  /// Draws whole numbers evenly from `range`.
  public static func randint(
    _ range: Range<Int>, _ shape: [Int], dtype: DType = .int64, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(shape) {
        ct_randint(
          Int64(range.lowerBound), Int64(range.upperBound), $0, $1, dtype.rawValue, generator.raw,
          out)
      }
    }
  }

  /// A random order of 0..<count, `int64 [count]`.
  public static func randperm(
    _ count: Int, using generator: Generator, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_randperm(Int64(count), generator.raw, $0) }
  }

  /// Draws 0 or 1 with this tensor's elements as the chances of a 1.
  public func bernoulli(
    using generator: Generator, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_bernoulli(raw, generator.raw, $0) }
  }

  /// Draws `count` indices a row, weighted by the row's elements.
  public func multinomial(
    _ count: Int, replacement: Bool = false, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_multinomial(raw, Int64(count), replacement, generator.raw, $0) }
  }

  /// Overwrites every element with a draw from the uniform distribution on [low, high).
  public func fillUniform(
    _ low: Double, _ high: Double, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_uniform_(raw, low, high, generator.raw), file, line)
  }

  /// Overwrites every element with a draw from a normal distribution.
  public func fillNormal(
    mean: Double = 0, deviation: Double = 1, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_normal_(raw, mean, deviation, generator.raw), file, line)
  }

  /// Overwrites every element with a 1 with a chance of `probability`, with a 0 otherwise.
  public func fillBernoulli(
    _ probability: Double, using generator: Generator,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_bernoulli_(raw, probability, generator.raw), file, line)
  }
}
