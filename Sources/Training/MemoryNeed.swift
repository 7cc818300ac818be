import Interchange

/// What a training has to hold besides its activations, which only its first step shows.
public struct MemoryNeed: Sendable {
  /// Numbers that are trained.
  public let parameters: Int

  /// The need of a training of so many numbers.
  public init(parameters: Int) { self.parameters = parameters }

  /// Bytes that come on top of the weights and their averages: gradients, two moments of the
  /// optimizer, and the copy of weights, averages and moments that a checkpoint is written from.
  public var bytes: Int { 7 * parameters * MemoryLayout<Float>.stride }

  /// Why this does not fit into so many free bytes, as one sentence; `nil` where it does.
  public func problem(available: Int) -> String? {
    guard bytes > available else { return nil }
    return "gradients, optimizer and checkpoints of \(parameters) parameters need "
      + "\(FreeMemory.gigabytes(bytes)), and \(FreeMemory.gigabytes(available)) are free; choose a "
      + "smaller network (block_out_channels, hidden_dims, latent_dim) or another machine."
  }
}
