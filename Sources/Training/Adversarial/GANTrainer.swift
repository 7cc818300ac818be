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
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition()
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
      generator, name: "generator", recipe.generatorOptimization, seed: seed)
    judging = NetworkTraining(
      discriminator, name: "discriminator", recipe.discriminatorOptimization, seed: seed &+ 1)
    let batchSize = min(recipe.batchSize, train.count)
    // The discriminator's turns alone read the data.
    let batches = max(train.count / max(batchSize, 1), 1)
    let read = position.step * recipe.discriminatorSteps
    loader = try DataLoader(
      train,
      DataLoader.Options(
        batchSize: batchSize, seed: seed, flips: recipe.flip,
        start: .init(epoch: read / batches, batch: read % batches)))
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
      var metrics: [(name: String, value: Double)] = []
      var real = Real(samples: Tensor(0), labels: nil)
      for _ in 0..<recipe.discriminatorSteps {
        real = try nextReal()
        metrics = discriminatorTurn(real, step: step, progress: progress)
      }
      metrics.insert(contentsOf: generatorTurn(real, step: step, progress: progress), at: 1)
      try session.completeStep(self, samples: real.samples.size(0), metrics: metrics)
    }
  }

  /// A batch of the data: samples `[N, C, H, W]` in [−1, 1] or `[N, 2]`, classes `[N]`.
  struct Real {
    let samples: Tensor
    let labels: Tensor?

    subscript(part: BatchParts.Part) -> Real {
      Real(samples: part(samples), labels: labels.map { part($0) })
    }
  }

  private func nextReal() throws -> Real {
    let batch = try loader.next()
    let values = batch.tensor(device: device)
    guard !classNames.isEmpty else {
      return Real(samples: values.rank == 2 ? values : 2 * values - 1, labels: nil)
    }
    guard let labels = batch.labelTensor(device: device) else {
      throw TrainingError(path: test.name, "some pictures of this data have no class.")
    }
    return Real(samples: values.rank == 2 ? values : 2 * values - 1, labels: labels)
  }

  private func parts(of real: Real) -> BatchParts {
    BatchParts(of: real.samples.size(0), in: recipe.accumulation)
  }

  /// D(x).
  private func judge(_ x: Tensor, _ labels: Tensor?) -> Tensor {
    recipe.read(discriminator(x, labels: labels))
  }

  /// What the discriminator is shown.
  private func shown(_ x: Tensor) -> Tensor {
    augment.map { $0(x, using: judging.noise) } ?? x
  }

  /// One step of the discriminator, with the generator as it is.
  private func discriminatorTurn(
    _ real: Real, step: Int, progress: Double
  ) -> [(name: String, value: Double)] {
    let z = noise(real.samples.size(0))
    let isPunished = step % recipe.penaltyInterval == 0
    var (loss, punished) = (0.0, 0.0)
    var (realScores, fakeScores): ([Tensor], [Tensor]) = ([], [])
    let norm = judging.descend(step: step, progress: progress) {
      for part in parts(of: real) {
        let real = real[part]
        let x = shown(real.samples)
        let fake = shown(withoutGradients { generator(part(z), labels: real.labels) })
        // The penalties at both ends share their graph with the scores.
        x.requiresGradient = isPunished && recipe.r1Gamma > 0
        fake.requiresGradient = isPunished && recipe.r2Gamma > 0
        realScores.append(judge(x, real.labels))
        fakeScores.append(judge(fake, real.labels))
        let (mine, its) = (realScores[realScores.count - 1], fakeScores[fakeScores.count - 1])
        let share = part.share * recipe.loss.discriminatorLoss(real: mine, fake: its)
        let penalty =
          isPunished ? self.penalty(real, x, mine, fake, its).map { part.share * $0 } : nil
        (penalty.map { share + $0 } ?? share).backward()
        loss += share.item()
        punished += penalty?.item() ?? 0
      }
    }
    if recipe.clip > 0 { clipParameters(discriminator.parameters, to: recipe.clip) }
    let balance = AdversarialBalance(
      recipe.loss, real: .concatenated(realScores), fake: .concatenated(fakeScores))
    return [
      ("discriminator_loss", loss), ("accuracy", balance.accuracy),
      ("value", balance.value), ("real_score", balance.realScore),
      ("fake_score", balance.fakeScore), ("distance_to_half", abs(balance.accuracy - 0.5)),
    ] + (isPunished && recipe.hasPenalty ? [("penalty", punished)] : []) + norm
  }

  /// The recipe's penalties on the discriminator's slope; `nil` for none.
  private func penalty(
    _ real: Real, _ x: Tensor, _ realScores: Tensor, _ fake: Tensor, _ fakeScores: Tensor
  ) -> Tensor? {
    var penalties: [Tensor] = []
    if recipe.r1Gamma > 0 {
      penalties.append(recipe.r1Gamma / 2 * GradientPenalty.squaredNorm(of: realScores, at: x))
    }
    if recipe.r2Gamma > 0 {
      penalties.append(recipe.r2Gamma / 2 * GradientPenalty.squaredNorm(of: fakeScores, at: fake))
    }
    if recipe.gradientPenalty > 0 {
      penalties.append(
        recipe.gradientPenalty
          * GradientPenalty.wganGP(real: x, fake: fake, using: judging.noise) {
            judge($0, real.labels)
          })
    }
    if recipe.draganPenalty > 0 {
      penalties.append(
        recipe.draganPenalty
          * GradientPenalty.dragan(real: x, using: judging.noise) { judge($0, real.labels) })
    }
    guard let first = penalties.first else { return nil }
    let sum = penalties.dropFirst().reduce(first, +)
    return recipe.penaltyInterval == 1 ? sum : Double(recipe.penaltyInterval) * sum
  }

  /// One step of the generator, with the discriminator as it is.
  private func generatorTurn(
    _ real: Real, step: Int, progress: Double
  ) -> [(name: String, value: Double)] {
    judging.isFrozen = true
    defer { judging.isFrozen = false }
    let z = noise(real.samples.size(0))
    let (loss, norm) = generating.descend(parts(of: real), step: step, progress: progress) { part in
      let real = real[part]
      let fake = generator(part(z), labels: real.labels)
      let realScores =
        recipe.loss == .relativistic
        ? withoutGradients { judge(shown(real.samples), real.labels) } : nil
      return recipe.loss.generatorLoss(real: realScores, fake: judge(shown(fake), real.labels))
    }
    return [("generator_loss", loss)] + norm
  }

  private func noise(_ count: Int) -> Tensor {
    Tensor.randn([count, recipe.latentDim], using: generating.noise).to(device)
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
