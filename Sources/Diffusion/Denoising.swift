import Torch

/// A sampling as a sequence of its steps, so that progress, previews and stopping share one path.
///
///     for step in Denoising(sampler, from: noise, drawing: source, network: predict) {
///       show(step.denoised)
///     }
public struct Denoising: Sequence, IteratorProtocol {
  /// Where a sampling stands after a call of the network.
  public struct Step {
    /// Calls of the network done.
    public let done: Int
    /// Calls of the network in all.
    public let total: Int
    /// The picture, as noisy as the next level says; the result after the last step.
    public let sample: Tensor
    /// The picture without noise that the network sees in it, where the method tells.
    public let denoised: Tensor?
  }

  private let sampler: any Sampler
  private let source: NoiseSource
  private let network: (Tensor, Double) -> Tensor
  private let changed: ((_ sample: Tensor, _ next: Int) -> Tensor)?
  private let first: Int
  private var index: Int
  private var x: Tensor
  private var memory = SamplerMemory()

  /// A sampling from `x` `[N, C, H, W]`: unit noise, or, with `first`, a picture that
  /// `sampler.noised` brought to that index. `network` is shown what the sampler gives it and told
  /// its timestep; `changed` may give another sample for that of a step, which the next index goes
  /// on from.
  public init(
    _ sampler: any Sampler, from x: Tensor, drawing source: NoiseSource, first: Int? = nil,
    changed: ((_ sample: Tensor, _ next: Int) -> Tensor)? = nil,
    network: @escaping (Tensor, Double) -> Tensor
  ) {
    self.sampler = sampler
    self.source = source
    self.network = network
    self.changed = changed
    self.first = first ?? 0
    index = self.first
    self.x = first == nil ? x * sampler.initialScale : x
  }

  /// Calls the network once and steps on; `nil` at the end.
  public mutating func next() -> Step? {
    guard index < sampler.timesteps.count else { return nil }
    var output = network(sampler.modelInput(x, at: index), sampler.timesteps[index])
    // A learned variance doubles the channels; most methods have no use for it.
    if !sampler.usesLearnedVariance { output = output.narrowed(1, 0, x.size(1)) }
    let step = sampler.step(output, at: index, from: x, memory: &memory, noise: source)
    index += 1
    x = changed?(step.sample, index) ?? step.sample
    return Step(
      done: index - first, total: sampler.timesteps.count - first, sample: x,
      denoised: step.denoised)
  }
}

extension GraphedFunction {
  /// What a function of pictures `[N, C, H, W]` and their timesteps `[N]` says about `x` at one
  /// timestep for all.
  public func callAsFunction(_ x: Tensor, at timestep: Double) -> Tensor {
    self([x, .full([x.size(0)], timestep, device: x.device)])
  }
}
