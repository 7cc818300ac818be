import Torch

/// A way from noise to a picture, prepared for one number of steps: an immutable value that two
/// generations may share.
///
/// The caller asks the network once an index, in order:
///
///     var x = noise · initialScale
///     var memory = SamplerMemory()
///     for index in sampler.timesteps.indices {
///       let output = network(sampler.modelInput(x, at: index), sampler.timesteps[index])
///       x = sampler.step(output, at: index, from: x, memory: &memory, noise: source).sample
///     }
public protocol Sampler: Sendable {
  /// What the network is told, an entry a call of it. Some are no whole numbers.
  var timesteps: [Double] { get }

  /// What unit noise is multiplied by before the first step.
  var initialScale: Double { get }

  /// Calls of the network a step: 2 for Heun's method and its like.
  var callsPerStep: Int { get }

  /// Whether `step` takes the second half of channels in which a network says its variance.
  var usesLearnedVariance: Bool { get }

  /// What the network is shown of `x`.
  func modelInput(_ x: Tensor, at index: Int) -> Tensor

  /// The next picture, by the network's `output` for `timesteps[index]`, from `x`.
  ///
  /// What a method remembers between its steps is in `memory`, which starts empty, also when
  /// sampling starts in the middle (picture to picture).
  func step(
    _ output: Tensor, at index: Int, from x: Tensor, memory: inout SamplerMemory,
    noise: NoiseSource
  ) -> SamplerStep

  /// A clean picture brought to the level of `index`, where sampling can start in the middle.
  func noised(_ x: Tensor, noise: Tensor, at index: Int) -> Tensor
}

extension Sampler {
  /// One.
  public var initialScale: Double { 1 }
  /// One.
  public var callsPerStep: Int { 1 }
  /// No.
  public var usesLearnedVariance: Bool { false }
  /// `x` as it is.
  public func modelInput(_ x: Tensor, at index: Int) -> Tensor { x }
}

/// What a step gives.
public struct SamplerStep {
  /// The next picture, as noisy as the next level says.
  public var sample: Tensor
  /// The picture without noise that the network sees in it; for previews.
  public var denoised: Tensor?

  /// A step's results.
  public init(sample: Tensor, denoised: Tensor? = nil) {
    self.sample = sample
    self.denoised = denoised
  }
}

/// What a method remembers between its steps; part of one sampling, never of the method.
public struct SamplerMemory {
  /// Earlier words of the network, as the method converts them, the newest last.
  public var outputs: [Tensor] = []
  /// An earlier picture, such as the one from which a step of two calls began.
  public var sample: Tensor?
  /// Steps done so far.
  public var count = 0
  /// The order of the last step.
  public var order = 0

  /// Nothing yet.
  public init() {}

  /// Appends a word of the network and forgets all but the newest `limit`.
  public mutating func remember(_ output: Tensor, limit: Int) {
    outputs.append(output)
    if outputs.count > limit { outputs.removeFirst(outputs.count - limit) }
  }
}

/// Where the noise of a sampling comes from: one generator for the whole batch, or one a picture,
/// so that a picture does not depend on those that it is drawn with.
public struct NoiseSource {
  private let generators: [Generator]

  /// One generator for all, or as many as there are pictures.
  public init(_ generators: [Generator]) {
    self.generators = generators
  }

  /// Picture i draws with `seed + i`.
  public init(seed: UInt64, count: Int) {
    self.init((0..<count).map { Generator(seed: seed &+ UInt64($0)) })
  }

  /// Standard normal noise, drawn on the CPU in float32 and brought to `device`.
  public func draw(_ shape: [Int], device: Device = .cpu) -> Tensor {
    if generators.count == 1 { return Tensor.randn(shape, using: generators[0]).to(device) }
    precondition(generators.count == shape[0], "a generator for each picture")
    return Tensor.concatenated(
      generators.map { Tensor.randn([1] + shape.dropFirst(), using: $0) }
    ).to(device)
  }

  /// Standard normal noise like `x`.
  public func draw(like x: Tensor) -> Tensor { draw(x.shape, device: x.device).to(x.dtype) }
}
