import Foundation
import Models
import Torch

extension TextToImagePipeline {
  /// Draws pictures; `progress` hears of each call of the U-Net: the latents of the batch as they
  /// stand, and the share of the whole work. What it throws stops the drawing.
  ///
  /// Throws `SamplerError` for what `problem(with:)` finds and what the sampler cannot do.
  public func generate(
    _ request: Request,
    progress: (_ step: Denoising.Step, _ share: Double) throws -> Void = { _, _ in }
  ) throws -> Generated {
    if let problem = problem(with: request) { throw SamplerError("\(problem).") }
    guard let size = extent(of: request) else { throw SamplerError("\(Self.sizeIsMissing).") }
    let sampler = try sampler(for: request)
    for network in networks { network.setTraining(false) }
    let latentSize = latentExtent(of: size)
    let batch = Self.batch(of: latentSize)
    return try withoutGradients { () throws in
      let guidance = guidance(of: request)
      let prompt = encoded(request.prompt, skipping: request.clipSkip)
      let negative =
        guidance.scale == 1 ? nil : encodedNegative(request.negativePrompt, like: prompt)
      if drawsOnce, device == .cpu { for encoder in encoders { encoder.model.giveUpWeights() } }
      let beginning = try LatentBeginning(request, of: self, sampler, size: latentSize)
      var (latents, images): ([Tensor], [Tensor]) = ([], [])
      for first in stride(from: 0, to: request.count, by: batch) {
        let range = first..<min(first + batch, request.count)
        let source = NoiseSource(seed: request.seed &+ UInt64(first), count: range.count)
        let start = beginning.start(of: range, drawing: source)
        func told(_ prompt: EncodedPrompt) -> TextCondition {
          TextCondition(prompt, count: range.count, size: size, for: unet)
        }
        let network = network(
          guidance, told(prompt), negative.map(told), beside: start.beside,
          scale: request.guidance.scale)
        var x = start.latents
        let denoising = Denoising(
          sampler, from: x, drawing: source, first: start.first, changed: start.changed,
          network: network)
        for step in denoising {
          x = step.sample
          let done = Double(range.count) * Double(step.done) / Double(step.total)
          try progress(step, (Double(first) + done) / Double(request.count))
        }
        latents.append(x.to(.cpu))
        images.append(pictures(of: x).to(.cpu))
      }
      return Generated(
        latents: .concatenated(latents), images: .concatenated(images),
        notes: [prompt.note("prompt"), negative?.note("negative prompt")].compactMap(\.self))
    }
  }

  /// The pictures of latents as the scheduler leaves them, `[N, C, h, w]`: `[N, 3, H, W]` in [0, 1].
  public func pictures(of latents: Tensor) -> Tensor {
    withoutGradients {
      DiffusionPipeline.pictures(
        autoencoder.decode(autoencoder.denormalized(latents), oneByOne: true))
    }
  }

  /// How many latents of a size are denoised at once: as many as make use of the machine; their
  /// number changes neither pictures nor the memory needed by much.
  static func batch(of size: Extent) -> Int { max(16_384 / max(size.height * size.width, 1), 1) }

  /// Height and width of the latents of pictures.
  func latentExtent(of size: Extent) -> Extent {
    Extent(size.height / autoencoder.config.scale, size.width / autoencoder.config.scale)
  }

  /// The guidance that acts: none up to a scale of 1, nor for a U-Net that is told the scale.
  func guidance(of request: Request) -> Guidance {
    request.guidance.scale > 1 && unet.config.timeCondProjDim == nil
      ? request.guidance : Guidance()
  }

  /// The U-Net under guidance. `beside` is what it sees beside the latents.
  private func network(
    _ guidance: Guidance, _ prompt: TextCondition, _ negative: TextCondition?, beside: Tensor?,
    scale: Double
  ) -> (Tensor, Double) -> Tensor {
    let unet = unet
    let time = unet.config.timeCondProjDim.map {
      Self.embedding(ofGuidance: scale, width: $0).to(device)
    }
    let guided = GuidedNetwork(
      guidance, condition: prompt, negative: negative,
      trainTimesteps: scheduler.config.numTrainTimesteps
    ) { x, t, condition in
      let rows = x.size(0)
      let input =
        beside.map { extra in
          Tensor.concatenated([x, extra.repeated([rows / extra.size(0), 1, 1, 1])], 1)
        } ?? x
      return unet(
        input, timesteps: t, prompt: condition.prompt, added: condition.added,
        timeCondition: time?.expanded([rows, -1]))
    }
    return { guided($0, $1) }
  }

  /// The guidance scale as latent consistency models are told it (Luo et al. 2023, §4.3), `[1, width]`:
  /// sines and cosines of 1000 (w − 1) at frequencies from 1 to 1/10000.
  private static func embedding(ofGuidance scale: Double, width: Int) -> Tensor {
    let half = width / 2
    // In float32, as diffusers has it: the angles are large.
    let angles = (0..<half).map { place in
      let frequency = Float(pow(10_000, -Double(place) / Double(max(half - 1, 1))))
      return Float(1000 * (scale - 1)) * frequency
    }
    let values = angles.map(sin) + angles.map(cos) + (width.isMultiple(of: 2) ? [] : [0])
    return Tensor(values, shape: [1, width])
  }
}
