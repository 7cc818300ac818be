import Datasets
import Diffusion
import Foundation
import Images
import Models
import NeuralNets
import Tokenizers
import Torch

/// Trains a latent diffusion model that captions guide (Rombach et al. 2022, eq. 3), with captions
/// that are hidden now and then for guidance (Ho & Salimans 2022, Algorithm 1).
///
///     repeat
///       x, y ← a batch of pictures with one of their captions each
///       z_0 ~ E(x), the autoencoder's posterior, scaled to unit variance
///       t ~ Uniform{1, …, T},  ε ~ N(0, 1)
///       y ← "" with a chance of caption_dropout
///       descend ∇ ‖v − v_θ(√ᾱ_t z_0 + √(1 − ᾱ_t) ε, t, τ_θ(y))‖²
///
/// The autoencoder is given and stays; the text encoder τ is trained along, or given too.
public final class LatentDiffusionTrainer: OneNetworkTrainer {
  /// U-Net and text encoder.
  public let network: LatentDiffusionNetwork
  /// Optimizer, averages and noise.
  public let learning: NetworkTraining
  /// Where its batches come from.
  public let loader: DataLoader
  let recipe: LatentDiffusionRecipe
  let scheduler: SchedulerFile
  let autoencoder: AutoencoderKL
  let train: any Dataset
  let test: any Dataset
  let device: Device
  let seed: UInt64
  private let objective: DiffusionObjective
  let tokenizer: CLIPTokenizer
  private let captions: CaptionTokens

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe, a
  /// picture size or captions that make no network, and what opening the given networks throws.
  public init(
    _ recipe: LatentDiffusionRecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    if let problem = recipe.problem { throw TrainingError("\(problem).") }
    try Self.requireCaptions(train)
    autoencoder = try .found(at: recipe.autoencoder)
    try Self.requireFit(autoencoder.config, train, named: recipe.autoencoder)
    autoencoder.setTraining(false)
    autoencoder.move(to: device)
    let given: (tokenizer: CLIPTokenizer, encoder: CLIPTextModel)? =
      recipe.textEncoder.isEmpty
      ? nil
      : (
        try CLIPTokenizer(folder: "\(recipe.textEncoder)/tokenizer"),
        try CLIPTextModel(folder: "\(recipe.textEncoder)/text_encoder")
      )
    tokenizer = try given?.tokenizer ?? Self.learned(from: train, recipe)
    let textConfig =
      given?.encoder.config
      ?? recipe.textConfig(
        vocabularySize: tokenizer.vocabularySize, begin: tokenizer.beginID, end: tokenizer.endID,
        pad: tokenizer.padID)
    let unetConfig = recipe.unet(
      latentSize: train.elementShape[1] / autoencoder.config.scale,
      latentChannels: autoencoder.config.latentChannels, textWidth: textConfig.hiddenSize)
    if let problem = textConfig.problem
      ?? textConfig.problem(
        forVocabulary: tokenizer.vocabularySize, windowLength: tokenizer.windowLength)
      ?? unetConfig.problem
    {
      throw TrainingError("\(problem).")
    }
    let start = Generator(seed: seed)
    network = LatentDiffusionNetwork(
      unet: UNet2DCondition(unetConfig, using: start),
      trained: given == nil ? CLIPTextModel(textConfig, using: start) : nil,
      given: given?.encoder)
    given?.encoder.move(to: device)
    // What cannot be exported is told before the training, not after it.
    if let problem = TextToImagePipeline.problem(
      .stableDiffusion, unet: unetConfig, autoencoder: autoencoder.config,
      encoders: [PromptEncoder(tokenizer: tokenizer, model: network.encoder)])
    {
      throw TrainingError(path: recipe.autoencoder, "\(problem).")
    }
    network.unet.recomputesBlocks = recipe.gradientCheckpointing
    network.move(to: device)
    learning = NetworkTraining(
      network, recipe.optimization, seed: seed,
      moreNoise: [("dropout", network.unet.dropoutGenerator)], ranks: ranks)
    objective = recipe.objective
    scheduler = try SchedulerFile(.dpmMultistep, recipe.schedulerConfig)
    let latents = try CachedLatents(of: train, by: autoencoder, device: device)
    captions = CaptionTokens(of: latents, by: tokenizer)
    loader = try DataLoader(
      latents,
      DataLoader.Options(
        batchSize: min(recipe.batchSize, train.count), seed: seed, dropsLast: false,
        start: .init(epoch: position.epoch, batch: position.batch), rank: ranks.rank,
        ranks: ranks.count))
    self.recipe = recipe
    self.train = train
    self.test = test
    self.device = device
    self.seed = seed
  }

  /// Throws unless a set's pictures are square, have captions and can be held in memory.
  static func requireCaptions(_ train: any Dataset) throws {
    try train.requireSquarePictures()
    guard !(train is ShardedImages) else {
      throw TrainingError(
        path: train.name, "latents are cached, which shards are too many for; name a folder.")
    }
    guard (0..<min(train.count, 1000)).contains(where: { !train.captions(at: $0).isEmpty }) else {
      throw TrainingError(
        path: train.name,
        "these pictures have no captions; put a metadata.jsonl with file_name and text, or .txt files, "
          + "beside them.")
    }
  }

  /// Throws unless an autoencoder, found at a path, takes a set's pictures.
  static func requireFit(
    _ config: AutoencoderKLConfig, _ train: any Dataset, named path: String
  ) throws {
    let (channels, side) = (train.elementShape[0], train.elementShape[1])
    guard channels == config.inChannels else {
      throw TrainingError(
        path: path,
        "this autoencoder takes pictures of \(config.inChannels) channels, the data has \(channels); "
          + "pass --channels \(config.inChannels).")
    }
    guard side.isMultiple(of: config.scale), side >= config.scale else {
      throw TrainingError(
        path: path,
        "this autoencoder makes one latent of \(config.scale) pixels, and \(side) is no multiple of "
          + "that; choose another --image-size.")
    }
  }

  /// A tokenizer learned from the captions of a set.
  private static func learned(
    from train: any Dataset, _ recipe: LatentDiffusionRecipe
  ) throws -> CLIPTokenizer {
    do {
      return try .trained(
        on: (0..<train.count).lazy.flatMap { train.captions(at: $0) },
        vocabularySize: recipe.vocabularySize, windowLength: recipe.windowLength)
    } catch {
      throw TrainingError(path: train.name, error.sentence)
    }
  }

  /// Batches in a pass over the data.
  public var stepsPerEpoch: Int { loader.batchesPerEpoch }

  /// Trains until the session is done.
  public func train(_ session: TrainingSession) throws {
    while !session.isDone {
      let batch = try loader.next()
      let (share, moments) = (batch.share, batch.tensor(device: device))
      let count = share.wholeCount
      let numbers = Tensor.rand([2, count], using: learning.noise).elements(as: Float.self)
      let (choices, hiding) = (numbers[..<count], numbers[count...])
      let ids = captions.ids(
        of: batch.indices, choices: choices[share.range].map(Double.init),
        hidden: hiding.dropFirst(share.range.lowerBound).prefix(share.range.count).map {
          Double($0) < recipe.captionDropout
        }
      ).to(device)
      let spread = Tensor.randn(
        [count, moments.size(1) / 2] + moments.shape.dropFirst(2), using: learning.noise)
      let z = autoencoder.latents(of: moments, noise: share(spread).to(device))
      let (all, whole) = objective.draw(for: z, count: count, using: learning.noise)
      let (levels, noise) = (Array(all[share.range]), share(whole))
      let (loss, norm) = try learning.descend(
        BatchParts(of: share, in: recipe.accumulation), step: session.position.step,
        progress: session.progress
      ) { part in
        let prompt = PromptContext(network.states(of: part(ids)))
        return objective.losses(
          part(z), noise: part(noise), levels: Array(levels[part.range])
        ) { network.unet($0, timesteps: $1, prompt: prompt) }.mean()
      }
      try session.completeStep(self, samples: count, metrics: [("loss", loss)] + norm)
    }
  }

  /// What a better network is better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "loss") }

  /// The loss on held-out pictures by the averaged weights, always at the same levels and noise.
  public func validate() throws -> [(name: String, value: Double)] {
    let count = min(test.count, 1000)
    let generator = Generator(seed: 0)
    var sum = 0.0
    try learning.withAverages {
      for start in stride(from: 0, to: count, by: 50) {
        let range = start..<min(start + 50, count)
        let z = autoencoder.normalized(
          autoencoder.encode(2 * (try test.pictures(range).to(device)) - 1).mean)
        let (levels, noise) = objective.draw(for: z, using: generator)
        let texts = range.map { test.caption(at: $0) ?? "" }
        let prompt = PromptContext(network.states(of: ids(of: texts)))
        sum += objective.losses(z, noise: noise, levels: levels) {
          network.unet($0, timesteps: $1, prompt: prompt)
        }.sum().item()
      }
    }
    return [("loss", sum / Double(max(count, 1)))]
  }

  /// The ids of texts, `[N, T]`.
  func ids(of texts: [String]) -> Tensor {
    Tensor(texts.flatMap { tokenizer.window(of: $0).ids }).reshaped([texts.count, -1]).to(device)
  }
}
