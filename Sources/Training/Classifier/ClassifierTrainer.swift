import Datasets
import Images
import Models
import NeuralNets
import Torch

/// Trains a classifier, whose features then measure the pictures of every family.
///
///     repeat
///       x, c ← a batch of pictures with their classes
///       x ← x moved by a few pixels
///       descend ∇ −log p(c | x)
public final class ClassifierTrainer: OneNetworkTrainer {
  /// The network that is trained.
  public let network: Classifier
  /// Optimizer, averages and noise.
  public let learning: NetworkTraining
  private let recipe: ClassifierRecipe
  /// Where its batches come from.
  public let loader: DataLoader
  private let test: any Dataset
  private let device: Device

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for data without
  /// classes, and for a recipe or a picture size that makes no network.
  public init(
    _ recipe: ClassifierRecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    try train.requireSquarePictures()
    guard let classNames = train.classNames, classNames.count > 1 else {
      throw TrainingError(
        path: train.name,
        "a classifier learns to tell classes apart, and this data has "
          + (train.classNames == nil ? "none" : "only one")
          + "; give a folder with a folder for each class.")
    }
    let config = ClassifierConfig(
      imageSize: train.elementShape[1], channels: train.elementShape[0], classNames: classNames,
      blockOutChannels: recipe.blockOutChannels)
    if let problem = recipe.problem ?? config.problem { throw TrainingError("\(problem).") }
    network = Classifier(config, using: Generator(seed: seed))
    network.move(to: device)
    learning = NetworkTraining(network, recipe.optimization, seed: seed, ranks: ranks)
    loader = try DataLoader(
      train,
      DataLoader.Options(
        batchSize: min(recipe.batchSize, train.count), seed: seed, dropsLast: false,
        flips: recipe.flip, start: .init(epoch: position.epoch, batch: position.batch),
        rank: ranks.rank, ranks: ranks.count))
    self.recipe = recipe
    self.test = test
    self.device = device
  }

  /// Batches in a pass over the data.
  public var stepsPerEpoch: Int { loader.batchesPerEpoch }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    while !session.isDone {
      let batch = try loader.next()
      guard let classes = batch.labelTensor(device: device) else {
        throw TrainingError(path: test.name, "some pictures of this data have no class.")
      }
      let share = batch.share
      let logits = network(moved(batch.tensor(device: device), share))
      let loss =
        share.weight * logits.crossEntropy(classes, labelSmoothing: recipe.labelSmoothing)
      let accuracy = share.weight * (logits.argmax(1) .== classes).to(.float32).mean()
      let norm = try learning.descend(
        loss, step: session.position.step, progress: session.progress)
      try session.completeStep(
        self, samples: share.wholeCount,
        metrics: [("loss", loss.item()), ("accuracy", accuracy.item())] + norm)
    }
  }

  /// Every picture moved by its own few pixels, with black where it was not: `[N, C, H, W]`.
  private func moved(_ x: Tensor, _ share: Batch.Share) -> Tensor {
    let most = recipe.shift
    guard most > 0 else { return x }
    let (height, width) = (x.size(2), x.size(3))
    let padded = x.padded([most, most, most, most])
    let offsets = share(
      Tensor.randint(0..<2 * most + 1, [share.wholeCount, 2], using: learning.noise)
    ).elements(as: Int.self)
    return .stacked(
      (0..<x.size(0)).map {
        padded[$0].narrowed(1, offsets[2 * $0], height).narrowed(2, offsets[2 * $0 + 1], width)
      })
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "accuracy", isLargerBetter: true) }
  /// The share of held-out pictures whose class the averaged network finds, and its loss.
  public func validate() throws -> [(name: String, value: Double)] {
    var (right, loss) = (0.0, 0.0)
    try learning.withAverages {
      for start in stride(from: 0, to: test.count, by: 500) {
        let range = start..<min(start + 500, test.count)
        let classes = try range.map { index in
          guard let label = test.label(at: index) else {
            throw TrainingError(path: test.name, "some held-out pictures have no class.")
          }
          return label
        }
        let logits = network(try test.pictures(range).to(device)).to(.cpu)
        let targets = Tensor(classes)
        right += (logits.argmax(1) .== targets).to(.float64).sum().item()
        loss += logits.crossEntropy(targets, reduction: .sum).item()
      }
    }
    let count = Double(max(test.count, 1))
    return [("accuracy", right / count), ("loss", loss / count)]
  }

  /// A row a class: the first held-out pictures that the network takes for it.
  public func sheet() throws -> Image {
    let columns = 12
    let count = min(test.count, 500)
    let pictures = try test.pictures(0..<count)
    let found = learning.withAverages { network(pictures.to(device)).argmax(1) }
      .elements(as: Int.self)
    let names = network.config.classNames
    let rows = names.indices.prefix(20).compactMap { label -> (String, [Image])? in
      let members = (0..<count).filter { found[$0] == label }.prefix(columns)
      guard !members.isEmpty else { return nil }
      return (names[label], members.map { pictures[$0..<$0 + 1].pictures[0] })
    }
    return try ImageGrid(
      rows: rows.map(\.1), scale: max(1, 56 / pictures.size(3)), margin: 8,
      rowTitles: rows.map(\.0)
    ).image()
  }

  /// Writes the averaged network.
  public func export(to run: RunFolder) throws {
    try network.save(
      to: run.createFolder(TrainedClassifier.folderName), state: learning.average.state)
  }
}
