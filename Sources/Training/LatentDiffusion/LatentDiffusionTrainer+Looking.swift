import Datasets
import Diffusion
import Images
import Models
import Torch

extension LatentDiffusionTrainer {
  /// Pictures of the same captions from the same noise each time: three rows of the training's, one
  /// of captions that it never sees.
  public func sheet() throws -> Image {
    let columns = 6
    let texts = [(train, 3 * columns), (test, columns)].flatMap { set, count in
      set.spread(count).map { set.caption(at: $0) ?? "" }
    }
    let pictures = try learning.withAverages { try draw(texts, guidance: 3, steps: 20) }
    return try ImageGrid(
      pictures.pictures, columns: columns, scale: max(1, 112 / pictures.size(3)), margin: 8,
      rowTitles: ["learned", "", "", "new"]
    ).image()
  }

  /// Pictures of captions, `[N, C, H, W]` in [0, 1].
  private func draw(_ texts: [String], guidance: Double, steps: Int) throws -> Tensor {
    let sampler = try scheduler.schedulerClass.sampler(scheduler.config, .steps(steps), eta: nil)
    let guided = GuidedNetwork(
      Guidance(scale: recipe.captionDropout > 0 ? guidance : 1),
      condition: network.states(of: ids(of: texts)),
      negative: network.states(of: ids(of: texts.map { _ in "" })),
      trainTimesteps: scheduler.config.numTrainTimesteps
    ) { [network] x, t, states in network.unet(x, timesteps: t, prompt: PromptContext(states)) }
    let source = NoiseSource(seed: seed, count: texts.count)
    let size = network.unet.config.sampleSize?.extents?.height ?? 1
    var z = source.draw([texts.count, network.unet.config.inChannels, size, size], device: device)
    for step in Denoising(sampler, from: z, drawing: source, network: { guided($0, $1) }) {
      z = step.sample
    }
    return DiffusionPipeline.pictures(autoencoder.decode(autoencoder.denormalized(z)))
  }
}

extension LatentDiffusionTrainer {
  /// Writes the averaged networks, the autoencoder, the tokenizer, the scheduler and the index: a
  /// folder that diffusers opens as a `StableDiffusionPipeline`.
  public func export(to run: RunFolder) throws {
    try learning.withAverages {
      try TextToImagePipeline(
        .stableDiffusion, unet: network.unet, autoencoder: autoencoder,
        encoders: [PromptEncoder(tokenizer: tokenizer, model: network.encoder)],
        scheduler: scheduler
      ).save(to: run.path)
    }
  }
}
