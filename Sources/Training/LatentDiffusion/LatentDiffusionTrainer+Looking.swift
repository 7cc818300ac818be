import Datasets
import Diffusion
import Images
import Interchange
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
  /// Writes the averaged networks, the tokenizer, the scheduler and the index: a folder that
  /// diffusers opens as a `StableDiffusionPipeline`.
  public func export(to run: RunFolder) throws {
    try learning.withAverages {
      try network.unet.save(to: run.createFolder("unet"))
      try network.encoder.save(to: run.createFolder("text_encoder"))
    }
    try autoencoder.save(to: run.createFolder("vae"))
    try tokenizer.save(to: run.createFolder("tokenizer"))
    try scheduler.write(to: "\(run.createFolder("scheduler"))/\(SchedulerFile.name)")
    let index: JSONObject = [
      "_class_name": "StableDiffusionPipeline",
      "_diffusers_version": .string(SchedulerFile.diffusersVersion),
      "feature_extractor": [.null, .null], "image_encoder": [.null, .null],
      "requires_safety_checker": false, "safety_checker": [.null, .null],
      "scheduler": ["diffusers", .string(scheduler.schedulerClass.rawValue)],
      "text_encoder": ["transformers", .string(network.encoder.config.architecture.rawValue)],
      "tokenizer": ["transformers", "CLIPTokenizer"],
      "unet": ["diffusers", .string(UNetConditionConfig.className)],
      "vae": ["diffusers", .string(AutoencoderKLConfig.className)],
    ]
    try JSON.object(index).write(to: "\(run.path)/model_index.json")
  }
}
