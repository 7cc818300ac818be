import NeuralNets
import Torch

/// How the averaged weights, which a run keeps, stand to those that were trained.
public struct AverageFacts {
  /// The mean error of the averaged weights on held-out pictures.
  public let averagedError: Double
  /// That of the trained ones, on the same pictures and draws; `nil` without a checkpoint.
  public let trainedError: Double?
  /// How far the averaged weights are from the first ones, over the norm of those; `nil` where the
  /// first ones are not known.
  public let averagedMovement: Double?
  /// The same for the trained weights.
  public let trainedMovement: Double?

  /// Facts of one's own.
  public init(
    averagedError: Double, trainedError: Double?, averagedMovement: Double?,
    trainedMovement: Double?
  ) {
    self.averagedError = averagedError
    self.trainedError = trainedError
    self.averagedMovement = averagedMovement
    self.trainedMovement = trainedMovement
  }

  /// The facts of a run's weights; `error` measures a network on held-out pictures, always the same
  /// way.
  init<Network: Module>(
    of networks: RunNetworks<Network>, error: (Network) throws -> Double
  ) rethrows {
    self.init(
      averagedError: try error(networks.exported),
      trainedError: try networks.trained.map(error),
      averagedMovement: networks.initial.map(networks.exported.relativeDistance),
      trainedMovement: networks.initial.flatMap { networks.trained?.relativeDistance(from: $0) })
  }
}

extension AverageFacts: Diagnosable {
  /// What the checks of the averages said.
  public var verdicts: [Finding?] {
    var verdicts: [Finding?] = []
    if averagedMovement != nil { verdicts.append(frozen) }
    if trainedError != nil, frozen == nil { verdicts.append(lagging) }
    return verdicts
  }

  /// Averages that are still where the training began.
  public var frozen: Finding? {
    guard let averagedMovement else { return nil }
    let why =
      "the run keeps the averages: it draws with the weights of an untrained network, whatever "
      + "the loss says."
    let remedy =
      "lower ema_decay, and see that the network in the run's folder is the one that training "
      + "wrote."
    if let trainedMovement {
      let (share, threshold) = (averagedMovement / max(trainedMovement, 1e-12), 0.1)
      guard trainedMovement > 0, share < threshold else { return nil }
      return Finding(
        "frozen_average", figure: share, threshold: threshold,
        String(
          format: "the averaged weights have gone %.1f %% of the way that training went from the "
            + "first weights.", 100 * share), why: why, remedy: remedy)
    }
    let threshold = 1e-3
    guard averagedMovement < threshold else { return nil }
    return Finding(
      "frozen_average", figure: averagedMovement, threshold: threshold,
      String(
        format: "the averaged weights differ by %.2g of their norm from the first weights.",
        averagedMovement), why: why, remedy: remedy)
  }

  /// Averages that do worse than the weights they follow.
  public var lagging: Finding? {
    guard let trainedError else { return nil }
    let (ratio, threshold) = (averagedError / max(trainedError, 1e-12), 1.25)
    guard ratio > threshold else { return nil }
    return Finding(
      "lagging_average", figure: ratio, threshold: threshold,
      String(
        format: "on held-out pictures the averaged weights err %.2f times as much as the trained "
          + "ones.", ratio),
      why: "the averages are the weights that the run keeps, and they remember a younger network.",
      remedy: "lower ema_decay, or train longer.")
  }
}
