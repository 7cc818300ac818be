import Datasets
import Diffusion
import Images
import Models
import NeuralNets
import Torch

/// Trains a diffusion model (Ho et al. 2020, Algorithm 1), with classes that are hidden now and
/// then for guidance (Ho & Salimans 2022, Algorithm 1).
///
///     repeat
///       x_0, c ← a batch of pictures with their classes
///       t ~ Uniform{1, …, T},  ε ~ N(0, 1)
///       c ← ∅ with a chance of condition_dropout
///       descend ∇ ‖ε − ε_θ(√ᾱ_t x_0 + √(1 − ᾱ_t) ε, t, c)‖²
public final class DiffusionTrainer: OneNetworkTrainer {
  /// The network that is trained.
  public let network: UNet2D
  /// Optimizer, averages and noise.
  public let learning: NetworkTraining
  private let recipe: DiffusionRecipe
  private let objective: DiffusionObjective
  private let scheduler: SchedulerFile
  /// Where its batches come from.
  public let loader: DataLoader
  private let test: any Dataset
  private let device: Device
  private let seed: UInt64
  /// The classes that the network is told; empty where it is told none.
  private let classNames: [String]

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe or a
  /// picture size that makes no network.
  public init(
    _ recipe: DiffusionRecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    try train.requireSquarePictures()
    let size = train.elementShape[1]
    classNames = recipe.classConditional ? train.classNames ?? [] : []
    let config = recipe.network(
      imageSize: size, channels: train.elementShape[0], classes: classNames.count)
    if let problem = recipe.problem ?? config.problem
      ?? config.problem(forHeight: size, width: size)
    {
      throw TrainingError("\(problem).")
    }
    network = UNet2D(config, using: Generator(seed: seed))
    network.recomputesBlocks = recipe.gradientCheckpointing
    network.move(to: device)
    learning = NetworkTraining(
      network, recipe.optimization, seed: seed,
      moreNoise: [("dropout", network.dropoutGenerator)], ranks: ranks)
    objective = recipe.objective
    scheduler = try SchedulerFile(recipe.schedulerClass, recipe.schedulerConfig)
    loader = try DataLoader(
      train,
      DataLoader.Options(
        batchSize: min(recipe.batchSize, train.count), seed: seed, dropsLast: false,
        flips: recipe.flip, start: .init(epoch: position.epoch, batch: position.batch),
        rank: ranks.rank, ranks: ranks.count))
    self.recipe = recipe
    self.test = test
    self.device = device
    self.seed = seed
  }

  /// Batches in a pass over the data.
  public var stepsPerEpoch: Int { loader.batchesPerEpoch }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    while !session.isDone {
      let batch = try loader.next()
      let x = 2 * batch.tensor(device: device) - 1  // [N, C, H, W] in [−1, 1]
      let share = batch.share
      let (all, whole) = objective.draw(for: x, count: share.wholeCount, using: learning.noise)
      let (levels, noise) = (Array(all[share.range]), share(whole))
      let classes = batch.labels.flatMap { hidingSome($0, share) }
      let (loss, norm) = try learning.descend(
        BatchParts(of: share, in: recipe.accumulation), step: session.position.step,
        progress: session.progress
      ) { part in
        objective.losses(part(x), noise: part(noise), levels: Array(levels[part.range])) {
          network($0, timesteps: $1, classLabels: classes.map { part($0) })
        }.mean()
      }
      try session.completeStep(self, samples: share.wholeCount, metrics: [("loss", loss)] + norm)
    }
  }

  /// The classes `[N]` with some replaced by the class of the unknown; `nil` for a network without.
  private func hidingSome(_ labels: [Int], _ share: Batch.Share) -> Tensor? {
    guard !classNames.isEmpty else { return nil }
    let labels = Tensor(labels)
    guard recipe.conditionDropout > 0 else { return labels.to(device) }
    let draws = share(Tensor.rand([share.wholeCount], using: learning.noise))
    let hidden = draws .< recipe.conditionDropout
    return Tensor.select(hidden, .full(labels.shape, classNames.count, dtype: .int64), labels)
      .to(device)
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "loss") }
  /// The loss on held-out pictures by the averaged weights, always at the same levels and noise.
  public func validate() throws -> [(name: String, value: Double)] {
    let count = min(test.count, 1000)
    let generator = Generator(seed: 0)
    let unknown = recipe.conditionDropout > 0 ? classNames.count : 0
    var sum = 0.0
    try using { pipeline in
      for start in stride(from: 0, to: count, by: 100) {
        let range = start..<min(start + 100, count)
        let x = 2 * (try test.pictures(range).to(device)) - 1
        let (levels, noise) = objective.draw(for: x, using: generator)
        let classes = classNames.isEmpty ? nil : Tensor(range.map { test.label(at: $0) ?? unknown })
        sum += objective.losses(x, noise: noise, levels: levels) {
          pipeline.unet($0, timesteps: $1, classLabels: classes?.to(device))
        }.sum().item()
      }
    }
    return [("loss", sum / Double(max(count, 1)))]
  }

  /// Pictures from the same noise each time, a row a class, in ten steps.
  public func sheet() throws -> Image {
    let columns = 6
    let rows = classNames.isEmpty ? 4 : min(classNames.count, 10)
    return try using { pipeline in
      let classes = classNames.isEmpty ? nil : (0..<rows * columns).map { $0 / columns }
      let pictures = try pipeline.sample(
        DiffusionPipeline.Request(
          count: rows * columns, seed: seed, steps: min(10, recipe.numTrainTimesteps),
          sampler: recipe.predictionType == .flow ? nil : .dpmpp2M, classes: classes,
          guidance: Guidance(scale: classNames.isEmpty || recipe.conditionDropout == 0 ? 1 : 2)))
      return try ImageGrid(
        pictures.pictures, columns: columns,
        scale: max(1, 56 / pictures.size(3)), margin: 8,
        rowTitles: Array(classNames.prefix(rows))
      ).image()
    }
  }

  /// Writes the averaged network, the scheduler and the index: a folder that diffusers opens.
  public func export(to run: RunFolder) throws {
    try using { try $0.save(to: run.path) }
  }

  /// Calls `body` with the pipeline of the averaged weights.
  private func using<R>(_ body: (DiffusionPipeline) throws -> R) throws -> R {
    try learning.average.withAverages { () throws -> R in
      network.setTraining(false)
      defer { network.setTraining(true) }
      return try withoutGradients { () throws -> R in
        try body(DiffusionPipeline(network, scheduler, classNames: classNames))
      }
    }
  }
}
