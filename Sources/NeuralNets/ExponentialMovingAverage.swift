import Foundation
import Torch

/// A slow copy of a network: after every step, average ← decay · average + (1 − decay) · weights.
///
/// The decay warms up as 1 − (1 + step)^(−2/3), up to its limit, so that an early average is no
/// memory of the random start. Buffers are copied as they are. With a decay of 0 the average is the
/// network itself, and costs nothing.
public final class ExponentialMovingAverage {
  /// The limit of the decay.
  public let decay: Double
  /// How many updates the average has seen.
  public private(set) var updates = 0
  private let module: Module
  private let parameters: [Parameter]
  private var averages: [Tensor]
  private let places: [ObjectIdentifier: Int]

  /// An average that starts at the module's weights of now.
  public init(of module: Module, decay: Double) {
    precondition((0..<1).contains(decay), "a decay of \(decay) is not in 0..<1")
    self.module = module
    self.decay = decay
    parameters = module.parameters
    places = Dictionary(parameters.enumerated().map { (ObjectIdentifier($1), $0) }) { first, _ in
      first
    }
    averages = decay == 0 ? [] : parameters.map { $0.value.detached().clone() }
  }

  /// The decay of update `step` (from 0): the power warm-up of k-diffusion and diffusers.
  public static func decay(atUpdate step: Int, limit: Double) -> Double {
    step == 0 ? 0 : min(limit, 1 - pow(1 + Double(step), -2.0 / 3.0))
  }

  /// Moves the average towards the module's weights of now.
  public func update() { update(besides: []) { _, _ in } }

  /// The same where `step` changes some parameters and moves their averages, by the share that it is
  /// given, in one pass.
  func update(besides changed: [Parameter], step: (_ averages: [Tensor], _ share: Double) -> Void) {
    defer { updates += 1 }
    guard decay > 0 else { return step([], 0) }
    let share = 1 - Self.decay(atUpdate: updates, limit: decay)
    let known = changed.compactMap { places[ObjectIdentifier($0)] }
    guard known.count == changed.count else {
      step([], 0)
      return move(averages.indices.map(\.self), share)
    }
    step(known.map { averages[$0] }, share)
    let done = Set(known)
    move(averages.indices.filter { !done.contains($0) }, share)
  }

  private func move(_ places: [Int], _ share: Double) {
    guard !places.isEmpty else { return }
    withoutGradients {
      places.map { averages[$0] }
        .lerpAll(towards: places.map { parameters[$0].value.detached() }, share)
    }
  }

  /// Runs `body` with the averaged weights in the module, then puts the trained ones back.
  public func withAverages<R, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    swap()
    defer { swap() }
    return try body()
  }

  private func swap() {
    for (index, parameter) in zip(averages.indices, parameters) {
      let trained = parameter.value
      parameter.value = averages[index]
      averages[index] = trained
    }
  }

  /// The averages under the module's own keys, and its buffers.
  public var state: [(key: String, tensor: Tensor)] {
    guard decay > 0 else { return module.state }
    return zip(module.namedParameters, averages).map { ($0.name, $1) }
      + module.namedBuffers.map { ($0.name, $0.buffer.value) }
  }

  /// Takes over what `state` gave, after `updates` updates. Throws `StateMismatch`.
  public func load(_ state: [String: Tensor], updates: Int) throws(StateMismatch) {
    // The module itself knows which keys and shapes fit; its buffers come along unchanged.
    swap()
    defer { swap() }
    try module.load(state)
    self.updates = updates
  }
}
