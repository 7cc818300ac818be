import Torch

/// How strongly a sampling follows its condition: classifier-free guidance (Ho & Salimans 2022).
public struct Guidance: Sendable, Equatable {
  /// w in ε̃ = ε(∅) + w (ε(c) − ε(∅)): 1 follows the condition as it was learned, 0 ignores it.
  public var scale: Double
  /// φ, the share of the guided prediction whose deviation is brought back to the conditional
  /// one's, against over-exposure (Lin et al. 2024, §3.4).
  public var rescale: Double
  /// The shares t/T of the noise levels in which guidance acts (Kynkäänniemi et al. 2024).
  public var interval: ClosedRange<Double>

  /// A guidance; by default none.
  public init(scale: Double = 1, rescale: Double = 0, interval: ClosedRange<Double> = 0...1) {
    self.scale = scale
    self.rescale = rescale
    self.interval = interval
  }

  /// Whether a level at the share `level` of all needs the unconditional prediction too.
  public func acts(at level: Double) -> Bool {
    // Timesteps that are no whole levels, as EDM's, have no share of all.
    scale != 1 && (interval == 0...1 || interval.contains(level))
  }

  /// The guided prediction of both, `[N, C, H, W]` each.
  public func callAsFunction(conditional: Tensor, unconditional: Tensor) -> Tensor {
    let guided = unconditional + scale * (conditional - unconditional)
    guard rescale > 0 else { return guided }
    let dims = Array(1..<guided.rank)
    let rescaled =
      guided
      * (conditional.deviation(dims, keepingDims: true)
        / guided.deviation(dims, keepingDims: true))
    return rescale * rescaled + (1 - rescale) * guided
  }
}

/// What a network is conditioned on, a row a picture: class labels, text embeddings.
public protocol BatchCondition {
  /// The rows of both, one after the other.
  func joined(with other: Self) -> Self
}

extension Tensor: BatchCondition {
  /// Both along the first dimension.
  public func joined(with other: Tensor) -> Tensor { .concatenated([self, other]) }
}

/// A network under guidance: one forward a step without it, one with both conditions in a batch
/// where it acts. A GPU is told each of them once, as a graph, so that the network's weights must
/// stay where they are.
public struct GuidedNetwork {
  private let guidance: Guidance
  private let trainTimesteps: Int
  /// The network's word about pictures `[N, C, H, W]` and their timesteps `[N]`.
  private let alone: GraphedFunction
  /// The guided one, where there is something to be guided away from.
  private let guided: GraphedFunction?

  /// Steers `network(x, timesteps [N], condition)` towards `condition` and away from `negative`,
  /// which is the empty condition or one that is not wanted.
  public init<Condition: BatchCondition>(
    _ guidance: Guidance, condition: Condition, negative: Condition?, trainTimesteps: Int,
    network: @escaping (Tensor, Tensor, Condition) -> Tensor
  ) {
    precondition(
      guidance.scale == 1 || negative != nil, "guidance needs something to be guided away from")
    self.guidance = guidance
    self.trainTimesteps = trainTimesteps
    alone = GraphedFunction { network($0[0], $0[1], condition) }
    let both = guidance.scale == 1 ? nil : negative?.joined(with: condition)
    guided = both.map { both in
      GraphedFunction {
        let twice = $0.map { Tensor.concatenated([$0, $0]) }
        return Self.guided(network(twice[0], twice[1], both), guidance, channels: $0[0].size(1))
      }
    }
  }

  /// The prediction for `x` `[N, C, H, W]` at `timestep`.
  public func callAsFunction(_ x: Tensor, _ timestep: Double) -> Tensor {
    guard let guided, guidance.acts(at: timestep / Double(trainTimesteps)) else {
      return alone(x, at: timestep)
    }
    return guided(x, at: timestep)
  }

  /// Both halves of `output` `[2 N, …]`, the negative one first, as one prediction.
  private static func guided(_ output: Tensor, _ guidance: Guidance, channels: Int) -> Tensor {
    let n = output.size(0) / 2
    let (unconditional, conditional) = (output[0..<n], output[n..<2 * n])
    guard output.size(1) == 2 * channels else {
      return guidance(conditional: conditional, unconditional: unconditional)
    }
    // A learned variance is the conditional one's: guidance is about the mean.
    let guided = guidance(
      conditional: conditional.narrowed(1, 0, channels),
      unconditional: unconditional.narrowed(1, 0, channels))
    return .concatenated([guided, conditional.narrowed(1, channels, channels)], 1)
  }
}
