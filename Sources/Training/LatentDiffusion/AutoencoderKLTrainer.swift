import Datasets
import Foundation
import Images
import Models
import NeuralNets
import Torch

/// Trains the autoencoder of a latent diffusion model (Rombach et al. 2022, §3.1 and appendix G).
///
///     repeat
///       x ← a batch of pictures
///       z ← μ + σ · ε of the encoder, ε ~ N(0, 1),  x̃ ← decoder(z)
///       L_rec ← mean |x − x̃| + perceptual_weight · d(x̃, x) where feature weights are given
///       L_KL ← KL(q(z | x) ‖ N(0, 1)) a value of the picture
///       from `adversarial_start` on
///         a discriminator of patches descends ∇ mean max(0, 1 − D(x)) + mean max(0, 1 + D(x̃))
///         L_game ← −mean D(x̃),  λ ← ‖∇ L_rec‖ / ‖∇ L_game‖ at the decoder's last layer
///       descend ∇ [ L_rec + kl_weight · L_KL + adversarial_weight · λ · L_game ]
public final class AutoencoderKLTrainer: Trainer {
  /// The autoencoder.
  public let network: AutoencoderKL
  /// The autoencoder's optimizer, averages and noise.
  public let learning: NetworkTraining
  private let judge: DiscriminatorTraining?
  private let perceptual: PerceptualDistance?
  private let recipe: AutoencoderKLRecipe
  /// Where its batches come from.
  public let loader: DataLoader
  private let train: any Dataset
  private let test: any Dataset
  private let device: Device

  /// The folder of the network inside a run, as in a pipeline of diffusers.
  public static let folderName = "vae"
  /// The discriminator, where there is one.
  public var discriminator: DiscriminatorNetwork? { judge?.network }

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe or a
  /// picture size that makes no networks.
  public init(
    _ recipe: AutoencoderKLRecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    try train.requireSquarePictures()
    let config = recipe.network(elementShape: train.elementShape)
    let shape = recipe.discriminator(elementShape: train.elementShape)
    if let problem = recipe.problem ?? config.problem
      ?? recipe.problem(ofPictures: train.elementShape) ?? (recipe.hasGame ? shape.problem : nil)
    {
      throw TrainingError("\(problem).")
    }
    perceptual =
      recipe.perceptualWeights.isEmpty
      ? nil : try PerceptualDistance(weights: recipe.perceptualWeights, device: device)
    network = AutoencoderKL(config, using: Generator(seed: seed))
    network.move(to: device)
    learning = NetworkTraining(
      network, name: "autoencoder", recipe.optimization, seed: seed, ranks: ranks)
    judge =
      recipe.hasGame
      ? DiscriminatorTraining(
        shape, loss: .hinge, recipe.discriminatorOptimization, seed: seed &+ 1, device: device,
        ranks: ranks) : nil
    loader = try DataLoader(
      train,
      DataLoader.Options(
        batchSize: min(recipe.batchSize, train.count), seed: seed, dropsLast: false,
        flips: recipe.flip, start: .init(epoch: position.epoch, batch: position.batch),
        rank: ranks.rank, ranks: ranks.count))
    self.recipe = recipe
    self.train = train
    self.test = test
    self.device = device
  }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    while !session.isDone {
      let batch = try loader.next()
      let x = 2 * batch.tensor(device: device) - 1  // [N, C, H, W] in [−1, 1]
      let share = batch.share
      let noise = latentNoise(share)
      let (step, progress) = (session.position.step, session.progress)
      let parts = BatchParts(of: share, in: recipe.accumulation)
      let plays = progress >= recipe.adversarialStart
      // A batch of one part goes through the autoencoder once for both turns.
      let kept = parts.count == 1 ? Pass(network, x, noise) : nil
      func pass(_ part: BatchParts.Part) -> Pass { kept ?? Pass(network, part(x), part(noise)) }
      let judged = try judge.map { judge in
        plays
          ? try judge.turn(parts, weight: share.weight, step: step, progress: progress) { part in
            let pass = parts.count == 1 ? pass(part) : withoutGradients { pass(part) }
            return (pass.x, [pass.restored])
          } : DiscriminatorTraining.idle
      }
      let learned = try autoencoderTurn(
        parts, of: pass, against: plays ? judge : nil, step: step, progress: progress)
      try session.completeStep(self, samples: share.wholeCount, metrics: learned + (judged ?? []))
    }
  }

  /// Some pictures through the autoencoder.
  private struct Pass {
    let x, restored: Tensor
    let posterior: DiagonalGaussian

    init(_ network: AutoencoderKL, _ x: Tensor, _ noise: Tensor) {
      self.x = x
      posterior = network.encode(x)
      restored = network.decode(posterior.sample(noise: noise))
    }
  }

  /// Draws from N(0, 1) for the latents of these pictures, `[N, latent, H / scale, W / scale]`.
  private func latentNoise(_ share: Batch.Share) -> Tensor {
    let side = train.elementShape[1] / network.config.scale
    let shape = [share.wholeCount, network.config.latentChannels, side, side]
    return share(Tensor.randn(shape, using: learning.noise)).to(device)
  }

  /// One step of the autoencoder, with the discriminator as it is.
  private func autoencoderTurn(
    _ parts: BatchParts, of pass: (BatchParts.Part) -> Pass, against judge: DiscriminatorTraining?,
    step: Int, progress: Double
  ) throws -> [(name: String, value: Double)] {
    judge?.learning.isFrozen = true
    defer { judge?.learning.isFrozen = false }
    let values = Double(train.elementShape.reduce(1, *))
    var (reconstructions, distances, kls, games, weights) = (0.0, 0.0, 0.0, 0.0, 0.0)
    let (loss, norm) = try learning.descend(parts, step: step, progress: progress) { part in
      let pass = pass(part)
      var reconstruction = recipe.reconstructionLoss(pass.restored, pass.x)
      let kl = pass.posterior.kl.mean()
      reconstructions += part.share * reconstruction.item()
      if let perceptual {
        let distance = perceptual(pass.restored, pass.x).mean()
        distances += part.share * distance.item()
        reconstruction = reconstruction + recipe.perceptualWeight * distance
      }
      kls += part.share * kl.item()
      let own = reconstruction + recipe.klWeight / values * kl
      guard let judge else { return own }
      let game = AdversarialLoss.hinge.generatorLoss(fake: judge.network(pass.restored))
      let weight = recipe.adversarialWeight * balance(reconstruction: reconstruction, game: game)
      games += part.share * game.item()
      weights += part.share * weight
      return own + weight * game
    }
    return [("loss", loss), ("reconstruction", reconstructions), ("kl", kls)]
      + (perceptual == nil ? [] : [("perceptual", distances)])
      + (self.judge == nil ? [] : [("generator_loss", games), ("adversarial_weight", weights)])
      + norm
  }

  /// λ, by which the game is made as strong as the reconstruction, where the recipe wants that.
  private func balance(reconstruction: Tensor, game: Tensor) -> Double {
    guard recipe.adaptiveWeight else { return 1 }
    return DiscriminatorTraining.adaptiveWeight(
      reconstruction: reconstruction, game: game, at: network.lastLayer)
  }

  // MARK: Around the loop

  /// The autoencoder and its discriminator.
  public var checkpointState: [(file: String, state: [(key: String, tensor: Tensor)])] {
    learning.checkpointState + (judge?.learning.checkpointState ?? [])
  }
  /// How often the autoencoder's averages moved.
  public var emaUpdates: Int { learning.average.updates }
  /// Takes over a checkpoint.
  public func load(_ checkpoint: Checkpoint) throws {
    try learning.load(checkpoint)
    try judge?.learning.load(checkpoint)
  }
  /// Numbers of both networks.
  public var parameterCount: Int {
    network.parameterCount + (judge?.network.parameterCount ?? 0)
  }
  /// Batches in a pass over the data.
  public var stepsPerEpoch: Int { loader.batchesPerEpoch }

  /// How many pictures are looked at: 2,000 of 64 pixels, of larger ones as many as take as long, but
  /// 100 at least.
  private var mostLookedAt: Int {
    min(2000, max(100, 2000 * 64 * 64 / (train.elementShape[1] * train.elementShape[2])))
  }

  /// Writes the averaged autoencoder, with the factor that brings its latents to unit variance, and
  /// the discriminator.
  public func export(to run: RunFolder) throws {
    let folder = try run.createFolder(Self.folderName)
    try learning.withAverages {
      let latents = try LatentStatistics(
        of: network, on: train.inMemory(mostLookedAt), limit: mostLookedAt)
      var config = network.config
      config.scalingFactor = 1 / latents.standardDeviation
      try network.save(to: folder, config: config)
    }
    try judge?.network.save(to: run.createFolder(TrainedGAN.discriminatorFolder))
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "mse") }

  /// How well held-out pictures come back from the mean of their latents: the mean ratio of peak
  /// signal to noise in dB, the squared error of values in [0, 1], and KL in nats a picture.
  public func validate() throws -> [(name: String, value: Double)] {
    let count = min(test.count, mostLookedAt)
    var (ratios, errors, kls) = (0.0, 0.0, 0.0)
    try learning.withAverages {
      for start in stride(from: 0, to: count, by: 50) {
        let x = try test.pictures(start..<min(start + 50, count)).to(device)
        let posterior = network.encode(2 * x - 1)
        let restored = network.decodePictures(posterior.mean)
        let squares = (restored - x).square().flattened(from: 1).mean([1])
        ratios -= 10 / log(10) * squares.clamped(min: 1e-12).log().sum().item()
        errors += squares.sum().item()
        kls += posterior.kl.sum().item()
      }
    }
    let n = Double(max(count, 1))
    return [("psnr", ratios / n), ("mse", errors / n), ("kl", kls / n)]
  }

  /// Originals and reconstructions of held-out pictures, by the averaged weights.
  public func sheet() throws -> Image {
    let originals = try test.pictures(0..<min(10, test.count)).to(device)
    return try learning.withAverages {
      try ImageGrid(
        rows: [originals, network.restored(originals)].map(\.pictures),
        scale: max(1, 56 / originals.size(3)),
        margin: 8, rowTitles: ["original", "reconstructed"]
      ).image()
    }
  }
}
