import Datasets
import Diffusion
import Foundation
import Images
import Models
import NeuralNets
import Torch

/// Trains low-rank changes of a text-to-image model's U-Net on captioned pictures (LoRA: Hu et al. 2022,
/// §4; for diffusion models as in diffusers' example scripts).
///
///     W ← W + α / r · B A in every attention, A random, B = 0
///     repeat
///       x, y ← a batch of pictures with one of their captions each
///       z_0 ~ E(x),  t ~ Uniform{1, …, T},  ε ~ N(0, 1)
///       descend ∇_{A, B} ‖ε − ε_θ(√ᾱ_t z_0 + √(1 − ᾱ_t) ε, t, τ(y))‖²
///
/// Autoencoder, text encoders and the U-Net's own weights stay; the process and what the U-Net predicts
/// are those of the model's scheduler.
public final class LoRATrainer: OneNetworkTrainer {
  /// A and B of every layer.
  public let network: TrainableLoRA
  /// Optimizer, averages and noise.
  public let learning: NetworkTraining
  /// Where its batches come from.
  public let loader: DataLoader
  private let recipe: LoRARecipe
  private let pipeline: TextToImagePipeline
  private let objective: DiffusionObjective
  /// The captions by the tokenizer of every text encoder.
  private let captions: [CaptionTokens]
  private let train: any Dataset
  private let test: any Dataset
  private let device: Device
  private let seed: UInt64

  /// A training at its beginning, or at a checkpoint's position.
  ///
  /// Throws `DatasetError` when the data does not make batches, `TrainingError` for a recipe, pictures
  /// or a model that do not go together, and what opening the model throws.
  public init(
    _ recipe: LoRARecipe, train: any Dataset, test: any Dataset, seed: UInt64,
    device: Device = .cpu, from position: TrainingPosition = TrainingPosition(),
    ranks: Ranks = .alone
  ) throws {
    if let problem = recipe.problem { throw TrainingError("\(problem).") }
    try LatentDiffusionTrainer.requireCaptions(train)
    pipeline = try TextToImagePipeline(
      path: recipe.model, tokenizer: recipe.tokenizer.isEmpty ? nil : recipe.tokenizer)
    if let problem = pipeline.problemWithTraining {
      throw TrainingError(path: recipe.model, "\(problem).")
    }
    try LatentDiffusionTrainer.requireFit(
      pipeline.autoencoder.config, train, named: recipe.model)
    pipeline.setTraining(false)
    pipeline.move(to: device)
    network = TrainableLoRA(
      on: pipeline.unet, rank: recipe.rank, alpha: recipe.alpha > 0 ? recipe.alpha : nil,
      using: Generator(seed: seed))
    guard network.parameterCount > 0 else {
      throw TrainingError(path: recipe.model, "its U-Net has no attention that could be changed.")
    }
    pipeline.unet.recomputesBlocks = recipe.gradientCheckpointing
    learning = NetworkTraining(network, recipe.optimization, seed: seed, ranks: ranks)
    objective = recipe.objective(pipeline.scheduler.config)
    let latents = try CachedLatents(
      of: train, by: pipeline.autoencoder, device: device,
      batch: train.elementShape[1] < 256 ? 32 : 4)
    captions = pipeline.encoders.map { CaptionTokens(of: latents, by: $0.tokenizer) }
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
      let hidden = hiding.dropFirst(share.range.lowerBound).prefix(share.range.count).map {
        Double($0) < recipe.captionDropout
      }
      let ids = captions.map {
        $0.ids(of: batch.indices, choices: choices[share.range].map(Double.init), hidden: hidden)
      }
      let spread = Tensor.randn(
        [count, moments.size(1) / 2] + moments.shape.dropFirst(2), using: learning.noise)
      let z = pipeline.autoencoder.latents(of: moments, noise: share(spread).to(device))
      let (all, whole) = objective.draw(for: z, count: count, using: learning.noise)
      let (levels, noise) = (Array(all[share.range]), share(whole))
      let (loss, norm) = try learning.descend(
        BatchParts(of: share, in: recipe.accumulation), step: session.position.step,
        progress: session.progress
      ) { part in
        losses(part(z), noise: part(noise), levels: Array(levels[part.range]), ids.map { part($0) })
          .mean()
      }
      try session.completeStep(self, samples: count, metrics: [("loss", loss)] + norm)
    }
  }

  /// The loss of each picture, `[N]`; `ids` of its caption for every text encoder, `[N, T]`.
  private func losses(
    _ z: Tensor, noise: Tensor, levels: [Int], _ ids: [Tensor]
  ) -> Tensor {
    let side = train.elementShape[1]
    let told = withoutGradients {
      pipeline.conditions(of: ids.map { $0.to(device) }, size: Extent(side))
    }
    return objective.losses(z, noise: noise, levels: levels) { x, t in
      pipeline.unet(x, timesteps: t, prompt: told.prompt, added: told.added)
    }
  }

  /// What better changes are better at.
  public var goal: TrainingGoal? { TrainingGoal(measure: "loss") }

  /// The loss on held-out pictures by the averaged factors, always at the same levels and noise.
  public func validate() throws -> [(name: String, value: Double)] {
    let count = min(test.count, 200)
    let generator = Generator(seed: 0)
    let size = recipe.batchSize
    var sum = 0.0
    try learning.withAverages {
      for start in stride(from: 0, to: count, by: size) {
        let range = start..<min(start + size, count)
        let z = pipeline.autoencoder.normalized(
          pipeline.autoencoder.encode(2 * (try test.pictures(range).to(device)) - 1).mean)
        let (levels, noise) = objective.draw(for: z, using: generator)
        let texts = range.map { test.caption(at: $0) ?? "" }
        let ids = pipeline.encoders.map { encoder in
          Tensor(texts.flatMap { encoder.tokenizer.window(of: $0).ids }).reshaped([texts.count, -1])
        }
        sum += losses(z, noise: noise, levels: levels, ids).sum().item()
      }
    }
    return [("loss", sum / Double(max(count, 1)))]
  }

  /// Four sheets: a picture of a large model takes its time.
  public var sheetCount: Int { 4 }

  /// Pictures of the same captions from the same noise each time: two of the training's, two that it
  /// never sees.
  public func sheet() throws -> Image {
    let texts = [train, test].flatMap { set in set.spread(2).map { set.caption(at: $0) ?? "" } }
    let side = train.elementShape[1]
    let pictures = try learning.withAverages {
      try texts.map { text in
        try pipeline.generate(
          TextToImagePipeline.Request(prompt: text, seed: seed, steps: 12, size: Extent(side))
        ).images
      }
    }
    return try ImageGrid(
      Tensor.concatenated(pictures).pictures, columns: 2, scale: max(1, 112 / side), margin: 8
    ).image()
  }

  /// Writes the file that diffusers' `load_lora_weights` and `latent generate --lora` read.
  public func export(to run: RunFolder) throws {
    try learning.withAverages { try network.save(to: "\(run.path)/\(LoRA.fileName)") }
  }
}

extension TextToImagePipeline {
  /// Why changes of this model cannot be trained, as one sentence; `nil` when they can.
  fileprivate var problemWithTraining: String? {
    if isForInpainting {
      return
        "its U-Net fills masks in, which cannot be trained here; name the model that it was made of"
    }
    if encoders.contains(where: { $0.model.config.otherKeys["use_attention_mask"]?.bool == true }) {
      return
        "its text encoder has use_attention_mask set, with which changes cannot be trained here"
    }
    return scheduler.config.predictionType == .flow
      ? "its scheduler's prediction_type is a flow's, which is no text-to-image model's here" : nil
  }

  fileprivate func setTraining(_ training: Bool) {
    for network in [unet, autoencoder] + encoders.map(\.model) as [Module] {
      network.setTraining(training)
    }
  }
}
