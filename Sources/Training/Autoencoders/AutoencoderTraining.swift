import Datasets
import Images
import Models
import NeuralNets
import Torch

/// What the trainers of autoencoders and of variational autoencoders hold in common: network,
/// optimizer, averages, data and the draws of noise.
public final class AutoencoderTraining {
  /// The network that is trained.
  public let network: Autoencoder
  /// How it is trained.
  public let recipe: AutoencoderRecipe
  let learning: NetworkTraining
  let loader: DataLoader
  let test: any Dataset
  let device: Device
  private let seed: UInt64

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe or a
  /// picture size that makes no network. `name`: what tells the
  /// autoencoder's files from those of other networks; `betas`: Adam's.
  public init(
    _ kind: AutoencoderConfig.Kind, recipe: AutoencoderRecipe, name: String = "",
    train: any Dataset, test: any Dataset, seed: UInt64, device: Device = .cpu,
    betas: (Double, Double) = (0.9, 0.999), from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    try train.requireSquarePictures()
    let config = recipe.network(
      kind, imageSize: train.elementShape[1], channels: train.elementShape[0])
    if let problem = recipe.problem ?? config.problem { throw TrainingError("\(problem).") }
    let start = Generator(seed: seed)
    network = Autoencoder(config, using: start)
    network.setDeviation(recipe.sigma)
    network.move(to: device)
    var optimization = recipe.optimization
    optimization.betas = betas
    learning = NetworkTraining(network, name: name, optimization, seed: seed, ranks: ranks)
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

  /// The next pictures, `[N, C, H, W]` in [0, 1], and what of the batch they are.
  func nextBatch() throws -> (x: Tensor, share: Batch.Share) {
    let batch = try loader.next()
    return (batch.tensor(device: device), batch.share)
  }

  /// The parts in which pictures go through the network.
  func parts(of share: Batch.Share) -> BatchParts {
    BatchParts(of: share, in: recipe.accumulation)
  }

  /// Draws from N(0, 1) for the codes of these pictures, `[N, latent_dim]`.
  func codeNoise(_ share: Batch.Share) -> Tensor {
    share(Tensor.randn([share.wholeCount, network.config.latentDim], using: learning.noise))
      .to(device)
  }

  // MARK: Looking

  /// The folder of the network inside a run.
  public static func folderName(_ kind: AutoencoderConfig.Kind) -> String {
    kind == .variational ? "vae" : "autoencoder"
  }

  func export(to run: RunFolder) throws {
    let folder = try run.createFolder(Self.folderName(network.config.kind))
    try network.save(to: folder, state: learning.average.state)
  }

  /// The first pictures of the held-out set, `[N, C, H, W]`.
  func testPictures(_ count: Int) throws -> Tensor {
    try test.pictures(0..<min(count, test.count)).to(device)
  }

  /// Originals, reconstructions and samples from N(0, 1), by the averaged weights.
  func sheet() throws -> Image {
    let originals = try testPictures(10)
    let draws = Tensor.randn(
      [20, network.config.latentDim], using: Generator(seed: seed)
    ).to(device)
    return try learning.average.withAverages { () throws -> Image in
      try withoutGradients { () throws -> Image in
        let reconstructions = network.decode(network.encode(originals))
        let samples = network.decode(draws)
        return try ImageGrid(
          rows: [originals, reconstructions, samples[0..<10], samples[10..<20]].map(\.pictures),
          scale: max(1, 56 / network.config.imageSize), margin: 8,
          rowTitles: ["original", "reconstructed", "sampled", ""]
        ).image()
      }
    }
  }
}
