import Datasets
import Images
import Models
import NeuralNets
import Torch

/// Trains a variational autoencoder that borrows a discriminator's eye (Larsen et al. 2016,
/// Algorithm 1).
///
///     repeat
///       x ← a batch of pictures
///       z ← μ + σ · ε of the encoder,  x̃ ← decoder(z),  x_p ← decoder(z_p), z_p ~ N(0, 1)
///       L_prior ← KL(q(z | x) ‖ N(0, 1))
///       L_like ← ½ ‖D_l(x) − D_l(x̃)‖², in the discriminator's hidden features
///       L_GAN ← log D(x) + log(1 − D(x̃)) + log(1 − D(x_p))
///       the discriminator ascends ∇ L_GAN
///       the encoder descends ∇ (β L_prior + L_like)
///       the decoder descends ∇ (γ L_like − L_GAN)
///
/// The decoder's share of −L_GAN is the loss of a generator of the recipe's game. With
/// `reconstruction` set to pixels, L_like is the sum of absolute differences.
public final class VAEGANTrainer: Trainer {
  private let training: AutoencoderTraining
  private let judge: DiscriminatorTraining
  private let recipe: VAEGANRecipe
  /// The autoencoder.
  public var autoencoder: Autoencoder { training.network }
  /// The discriminator.
  public var discriminator: DiscriminatorNetwork { judge.network }
  /// The parameters of each part of the autoencoder.
  private let encoder: [Parameter]
  private let decoder: [Parameter]

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe or a
  /// picture size that makes no networks.
  public init(
    _ recipe: VAEGANRecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    try train.requireSquarePictures()
    let shape = recipe.discriminatorConfig(elementShape: train.elementShape)
    if let problem = recipe.problem ?? shape.problem { throw TrainingError("\(problem).") }
    training = try AutoencoderTraining(
      .variational, recipe: recipe.autoencoder, name: "autoencoder", train: train, test: test,
      seed: seed, device: device, betas: (recipe.beta1, recipe.beta2), from: position,
      ranks: ranks)
    judge = DiscriminatorTraining(
      shape, loss: recipe.loss, r1Gamma: recipe.r1Gamma, recipe.discriminatorOptimization,
      seed: seed &+ 1, device: device, ranks: ranks)
    let named = training.network.namedParameters
    encoder = named.filter { $0.name.hasPrefix("encoder.") }.map(\.parameter)
    decoder = named.filter { $0.name.hasPrefix("decoder.") }.map(\.parameter)
    self.recipe = recipe
  }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    while !session.isDone {
      let (x, share) = try training.nextBatch()  // [N, C, H, W] in [0, 1]
      let (step, progress) = (session.position.step, session.progress)
      let noise = (0..<2).map { _ in training.codeNoise(share) }
      let parts = training.parts(of: share)
      // A batch of one part goes through the autoencoder once for both turns.
      let kept = parts.count == 1 ? Pass(training.network, x, noise[0], prior: noise[1]) : nil
      func pass(_ part: BatchParts.Part) -> Pass {
        kept ?? Pass(training.network, part(x), part(noise[0]), prior: part(noise[1]))
      }
      let game = playsGame(at: progress)
      let judged =
        game || recipe.reconstruction == .features
        ? try judge.turn(parts, weight: share.weight, step: step, progress: progress) { part in
          let pass = parts.count == 1 ? pass(part) : withoutGradients { pass(part) }
          return (2 * pass.x - 1, [2 * pass.reconstructed - 1, 2 * pass.drawn - 1])
        } : DiscriminatorTraining.idle
      let learned = try autoencoderTurn(
        parts, of: pass, plays: game, step: step, progress: progress)
      try session.completeStep(self, samples: share.wholeCount, metrics: learned + judged)
    }
  }

  /// Some pictures through the autoencoder, and what it draws of codes from N(0, 1).
  private struct Pass {
    let x, reconstructed, drawn: Tensor
    let posterior: DiagonalGaussian

    init(_ network: Autoencoder, _ x: Tensor, _ noise: Tensor, prior: Tensor) {
      self.x = x
      posterior = network.posterior(x)
      reconstructed = network.decode(posterior.sample(noise: noise))
      drawn = network.decode(prior)
    }
  }

  private func playsGame(at progress: Double) -> Bool { progress >= recipe.adversarialStart }

  /// One step of encoder and decoder, each down its own loss, with the discriminator as it is.
  private func autoencoderTurn(
    _ parts: BatchParts, of pass: (BatchParts.Part) -> Pass, plays: Bool, step: Int,
    progress: Double
  ) throws -> [(name: String, value: Double)] {
    judge.learning.isFrozen = true
    defer { judge.learning.isFrozen = false }
    let warmth = recipe.klWarmup > 0 ? min(1, progress / recipe.klWarmup) : 1
    var (likenesses, kls, games, weights) = (0.0, 0.0, 0.0, 0.0)
    let norm = try training.learning.descend(step: step, progress: progress) {
      for part in parts {
        let pass = pass(part)
        let kl = pass.posterior.kl.mean()
        let (likeness, game) = judged(pass)
        let weight = plays ? gameWeight(likeness: likeness, game: game) : 0
        let forEncoder = part.share * (recipe.beta * warmth * kl + likeness)
        let forDecoder = part.share * (recipe.reconstructionWeight * likeness + weight * game)
        add(
          forEncoder.gradients(withRespectTo: encoder.map(\.value), retainingGraph: true),
          to: encoder)
        add(forDecoder.gradients(withRespectTo: decoder.map(\.value)), to: decoder)
        likenesses += part.share * likeness.item()
        kls += part.share * kl.item()
        games += part.share * game.item()
        weights += part.share * weight
      }
    }
    return [
      ("likeness", likenesses), ("kl", kls), ("generator_loss", games),
      ("adversarial_weight", weights),
    ] + norm
  }

  /// How unlike pictures and reconstructions are, and the generator's loss, means over pictures.
  private func judged(_ pass: Pass) -> (likeness: Tensor, game: Tensor) {
    let x = pass.x
    let seen = discriminator.scoresAndFeatures(2 * pass.reconstructed - 1, labels: nil)
    let count = Double(x.size(0))
    let likeness: Tensor
    switch recipe.reconstruction {
    case .features:
      let target = withoutGradients {
        discriminator.scoresAndFeatures(2 * x - 1, labels: nil).features
      }
      likeness = (seen.features - target).square().sum() * (0.5 / count)
    case .pixels:
      likeness = (pass.reconstructed - x).abs().sum() * (1 / count)
    }
    let real =
      recipe.loss == .relativistic ? withoutGradients { discriminator(2 * x - 1) } : nil
    let game =
      (recipe.loss.generatorLoss(real: real, fake: seen.scores)
        + recipe.loss.generatorLoss(real: real, fake: discriminator(2 * pass.drawn - 1))) / 2
    return (likeness, game)
  }

  private func add(_ gradients: [Tensor?], to parameters: [Parameter]) {
    for (parameter, gradient) in zip(parameters, gradients) {
      guard let gradient else { continue }
      parameter.value.gradient = parameter.value.gradient.map { $0 + gradient } ?? gradient
    }
  }

  /// How much the game counts for the decoder.
  private func gameWeight(likeness: Tensor, game: Tensor) -> Double {
    guard recipe.adaptiveWeight, let last = decoder.last(where: { $0.value.rank > 1 }) else {
      return recipe.adversarialWeight
    }
    return recipe.adversarialWeight
      * DiscriminatorTraining.adaptiveWeight(
        reconstruction: recipe.reconstructionWeight * likeness, game: game, at: last)
  }

  // MARK: Around the loop

  /// The autoencoder and its discriminator.
  public var checkpointState: [(file: String, state: [(key: String, tensor: Tensor)])] {
    training.learning.checkpointState + judge.learning.checkpointState
  }
  /// How often the autoencoder's averages moved.
  public var emaUpdates: Int { training.learning.average.updates }
  /// Takes over a checkpoint.
  public func load(_ checkpoint: Checkpoint) throws {
    try training.learning.load(checkpoint)
    try judge.learning.load(checkpoint)
  }
  /// Numbers of all networks.
  public var parameterCount: Int {
    training.network.parameterCount + discriminator.parameterCount
  }
  /// Where its batches come from.
  public var loader: DataLoader { training.loader }
  /// Batches in a pass over the data.
  public var stepsPerEpoch: Int { training.stepsPerEpoch }
  /// Originals, reconstructions, samples.
  public func sheet() throws -> Image { try training.sheet() }
  /// Writes the averaged autoencoder and the discriminator.
  public func export(to run: RunFolder) throws {
    try training.export(to: run)
    try discriminator.save(to: run.createFolder(TrainedGAN.discriminatorFolder))
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "mse") }
  /// The squared error of reconstructions of held-out pictures, and KL in nats.
  public func validate() throws -> [(name: String, value: Double)] {
    let x = try training.testPictures(1000)
    return training.learning.withAverages {
      let posterior = training.network.posterior(x)
      let error = (training.network.decode(posterior.mean) - x).square().mean()
      return [("mse", error.item()), ("kl", posterior.kl.mean().item())]
    }
  }
}
