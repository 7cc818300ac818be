import Datasets
import Images
import Models
import NeuralNets
import Torch

/// Trains a generator against a discriminator (Goodfellow et al. 2014, Algorithm 1), with the losses
/// and penalties that followed.
///
///     repeat
///       k times
///         x ← a batch of real samples,  z ~ N(0, 1)
///         the discriminator descends ∇ L_D(D(x), D(G(z))) + penalties
///       z ~ N(0, 1)
///       the generator descends ∇ L_G(D(G(z)))
///
/// Each turn leaves the other player as it is.
public final class GANTrainer: Trainer {
  /// G, from codes to samples.
  public let generator: GeneratorNetwork
  /// D, from samples to scores.
  public let discriminator: DiscriminatorNetwork
  let generating: NetworkTraining
  let judging: NetworkTraining
  let recipe: GANRecipe
  let test: any Dataset
  let device: Device
  let seed: UInt64
  /// The classes that both are told; empty where they are told none.
  let classNames: [String]
  /// The middles of the modes, for points.
  let mixture: PointMixture?
  /// Where its batches come from.
  public let loader: DataLoader
  private let augment: DiffAugment?

  /// A game at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe or
  /// samples that make no networks.
  public init(
    _ recipe: GANRecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    let isPoints = train.elementShape.count == 1
    if !isPoints { try train.requireSquarePictures() }
    if isPoints, recipe.diffAugment {
      throw TrainingError(
        path: train.name, "diff_augment changes pictures, and these are points in the plane.")
    }
    if recipe.classConditional, (train.classNames?.count ?? 0) < 2 {
      throw TrainingError(
        path: train.name,
        "class_conditional needs data with classes, and this has none to tell apart; give a folder "
          + "with a folder for each class, or leave it out.")
    }
    let classNames = recipe.classConditional ? train.classNames ?? [] : []
    let shapes = [GANConfig.Kind.generator, .discriminator].map {
      recipe.network($0, elementShape: train.elementShape, classes: classNames.count)
    }
    if let problem = recipe.problem ?? shapes[0].problem ?? shapes[1].problem {
      throw TrainingError("\(problem).")
    }
    let start = Generator(seed: seed)
    generator = GeneratorNetwork(shapes[0], using: start)
    discriminator = DiscriminatorNetwork(shapes[1], using: start)
    generator.move(to: device)
    discriminator.move(to: device)
    generating = NetworkTraining(
      generator, name: "generator", recipe.generatorOptimization, seed: seed, ranks: ranks)
    judging = NetworkTraining(
      discriminator, name: "discriminator", recipe.discriminatorOptimization, seed: seed &+ 1,
      ranks: ranks, synchronizes: !recipe.hasPenalty)
    let batchSize = min(recipe.batchSize, train.count)
    // The discriminator's turns alone read the data.
    let batches = max(train.count / max(batchSize, 1), 1)
    let read = position.step * recipe.discriminatorSteps
    loader = try DataLoader(
      train,
      DataLoader.Options(
        batchSize: batchSize, seed: seed, flips: recipe.flip,
        start: .init(epoch: read / batches, batch: read % batches), rank: ranks.rank,
        ranks: ranks.count))
    augment = recipe.diffAugment ? DiffAugment() : nil
    mixture = isPoints ? PointMixture.named(train.name, split: .test) : nil
    self.classNames = classNames
    self.recipe = recipe
    self.test = test
    self.device = device
    self.seed = seed
  }

  /// Turns of the generator in a pass over the data.
  public var stepsPerEpoch: Int { max(loader.batchesPerEpoch / recipe.discriminatorSteps, 1) }

  // MARK: The game

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    while !session.isDone {
      let (step, progress) = (session.position.step, session.progress)
      var real = try nextReal()
      var metrics = try discriminatorTurn(real, step: step, progress: progress)
      for _ in 1..<recipe.discriminatorSteps {
        real = try nextReal()
        metrics = try discriminatorTurn(real, step: step, progress: progress)
      }
      metrics.insert(contentsOf: try generatorTurn(real, step: step, progress: progress), at: 1)
      try session.completeStep(self, samples: real.share.wholeCount, metrics: metrics)
    }
  }

  /// A batch of the data: samples `[N, C, H, W]` in [−1, 1] or `[N, 2]`, classes `[N]`.
  struct Real {
    let samples: Tensor
    let labels: Tensor?
    /// What of the batch these are.
    let share: Batch.Share

    /// The samples and classes of a part.
    func callAsFunction(_ part: BatchParts.Part) -> (samples: Tensor, labels: Tensor?) {
      (part(samples), labels.map { part($0) })
    }
  }

  private func nextReal() throws -> Real {
    let batch = try loader.next()
    let values = batch.tensor(device: device)
    let samples = values.rank == 2 ? values : 2 * values - 1
    guard !classNames.isEmpty else {
      return Real(samples: samples, labels: nil, share: batch.share)
    }
    guard let labels = batch.labelTensor(device: device) else {
      throw TrainingError(path: test.name, "some pictures of this data have no class.")
    }
    return Real(samples: samples, labels: labels, share: batch.share)
  }

  private func parts(of real: Real) -> BatchParts {
    BatchParts(of: real.share, in: recipe.accumulation)
  }

  /// D(x).
  private func judge(_ x: Tensor, _ labels: Tensor?) -> Tensor {
    recipe.read(discriminator(x, labels: labels))
  }

  /// What the discriminator is shown.
  private func shown(_ x: Tensor, step: Int) -> Tensor {
    augment.map { $0(x, using: judging.ownNoise(step: step)) } ?? x
  }

  /// One step of the discriminator, with the generator as it is.
  private func discriminatorTurn(
    _ real: Real, step: Int, progress: Double
  ) throws -> [(name: String, value: Double)] {
    let z = noise(real.share)
    let isPunished = step % recipe.penaltyInterval == 0
    // Where WGAN-GP's penalty looks between real and generated samples, [N].
    let between =
      isPunished && recipe.gradientPenalty > 0
      ? real.share(Tensor.rand([real.share.wholeCount], using: judging.noise)) : nil
    var (loss, punished) = (0.0, 0.0)
    var (realScores, fakeScores): ([Tensor], [Tensor]) = ([], [])
    let (_, norm) = try judging.descend(parts(of: real), step: step, progress: progress) { part in
      let (samples, labels) = real(part)
      let x = shown(samples, step: step)
      let fake = shown(withoutGradients { generator(part(z), labels: labels) }, step: step)
      // The penalties at both ends share their graph with the scores.
      x.requiresGradient = isPunished && recipe.r1Gamma > 0
      fake.requiresGradient = isPunished && recipe.r2Gamma > 0
      let (mine, its) = (judge(x, labels), judge(fake, labels))
      realScores.append(mine)
      fakeScores.append(its)
      let score = recipe.loss.discriminatorLoss(real: mine, fake: its)
      let penalty =
        isPunished
        ? penalty(labels, x, mine, fake, its, between: between.map { part($0) }, step) : nil
      loss += part.share * score.item()
      punished += part.share * (penalty?.item() ?? 0)
      return penalty.map { score + $0 } ?? score
    }
    if recipe.clip > 0 { clipParameters(discriminator.parameters, to: recipe.clip) }
    let balance = AdversarialBalance(
      recipe.loss, real: .concatenated(realScores), fake: .concatenated(fakeScores))
    let told = [
      ("accuracy", balance.accuracy), ("value", balance.value), ("real_score", balance.realScore),
      ("fake_score", balance.fakeScore), ("distance_to_half", abs(balance.accuracy - 0.5)),
    ]
    return [("discriminator_loss", loss)] + told.map { ($0.0, real.share.weight * $0.1) }
      + (isPunished && recipe.hasPenalty ? [("penalty", punished)] : []) + norm
  }

  /// The recipe's penalties on the discriminator's slope; `nil` for none.
  private func penalty(
    _ labels: Tensor?, _ x: Tensor, _ realScores: Tensor, _ fake: Tensor, _ fakeScores: Tensor,
    between: Tensor?, _ step: Int
  ) -> Tensor? {
    var penalties: [Tensor] = []
    if recipe.r1Gamma > 0 {
      penalties.append(recipe.r1Gamma / 2 * GradientPenalty.squaredNorm(of: realScores, at: x))
    }
    if recipe.r2Gamma > 0 {
      penalties.append(recipe.r2Gamma / 2 * GradientPenalty.squaredNorm(of: fakeScores, at: fake))
    }
    if let between {
      penalties.append(
        recipe.gradientPenalty
          * GradientPenalty.wganGP(real: x, fake: fake, shares: between) { judge($0, labels) })
    }
    if recipe.draganPenalty > 0 {
      penalties.append(
        recipe.draganPenalty
          * GradientPenalty.dragan(real: x, using: judging.ownNoise(step: step)) {
            judge($0, labels)
          })
    }
    guard let first = penalties.first else { return nil }
    let sum = penalties.dropFirst().reduce(first, +)
    return recipe.penaltyInterval == 1 ? sum : Double(recipe.penaltyInterval) * sum
  }

  /// One step of the generator, with the discriminator as it is.
  private func generatorTurn(
    _ real: Real, step: Int, progress: Double
  ) throws -> [(name: String, value: Double)] {
    judging.isFrozen = true
    defer { judging.isFrozen = false }
    let z = noise(real.share)
    let (loss, norm) = try generating.descend(
      parts(of: real), step: step, progress: progress
    ) { part in
      let (samples, labels) = real(part)
      let fake = generator(part(z), labels: labels)
      let realScores =
        recipe.loss == .relativistic
        ? withoutGradients { judge(shown(samples, step: step), labels) } : nil
      return recipe.loss.generatorLoss(
        real: realScores, fake: judge(shown(fake, step: step), labels))
    }
    return [("generator_loss", loss)] + norm
  }

  /// A code for each of these samples, `[N, latent_dim]`.
  private func noise(_ share: Batch.Share) -> Tensor {
    share(Tensor.randn([share.wholeCount, recipe.latentDim], using: generating.noise)).to(device)
  }

  // MARK: Checkpoints

  /// The state of both players.
  public var checkpointState: [(file: String, state: [(key: String, tensor: Tensor)])] {
    generating.checkpointState + judging.checkpointState
  }
  /// How often the generator's averages moved.
  public var emaUpdates: Int { generating.average.updates }
  /// Takes over a checkpoint.
  public func load(_ checkpoint: Checkpoint) throws {
    try generating.load(checkpoint)
    try judging.load(checkpoint)
  }
  /// Numbers of both networks.
  public var parameterCount: Int { generator.parameterCount + discriminator.parameterCount }
}
