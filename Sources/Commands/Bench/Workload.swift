import Diffusion
import Models
import NeuralNets
import Torch
import Training

/// Something that is called again and again while a clock runs.
struct Job {
  /// What is done.
  let what: String
  /// Pictures, latents or products of a call.
  let items: Int
  /// Whether gradients are computed too.
  let isTraining: Bool
  /// Steps in a call.
  let calls: Int
  let body: () throws -> Void

  init(
    _ what: String, items: Int, isTraining: Bool = false, calls: Int = 1,
    _ body: @escaping () throws -> Void
  ) {
    self.what = what
    self.items = items
    self.isTraining = isTraining
    self.calls = calls
    self.body = body
  }
}

/// A network, its input, and what is timed with them.
struct Workload: Sendable {
  let name: String
  let summary: String
  /// Whether it takes minutes or gigabytes.
  var isLarge = false
  /// Whether it can be measured with the weights of a folder.
  var takesWeights = false
  let jobs: @Sendable (Precision, Device, _ weights: String?) throws -> [Job]

  /// What `latent bench` measures.
  static let all = [
    family("ae", .ae, preset: "mlp"), family("vae", .vae, preset: "mlp"),
    family("dcgan", .gan, preset: "dcgan"), unet, latentUNet, klAutoencoder, stableDiffusion,
    scaling,
  ]

  /// The U-Net of 6.8 million parameters on 32×32 pictures.
  static let unet = Workload(
    name: "unet", summary: "6.8 M parameters, 32×32×1, training of 64, forward of 16"
  ) { precision, device, _ in
    var config = UNetConfig()
    config.sampleSize = .square(32)
    (config.inChannels, config.outChannels) = (1, 1)
    config.layersPerBlock = 2
    config.blockOutChannels = [64, 128, 128]
    config.downBlockTypes = [.plain, .attention, .attention]
    config.upBlockTypes = [.attention, .attention, .plain]
    let network = UNet2D(config, using: Generator(seed: 0))
    network.move(to: device)
    let x = Tensor.randn([64, 1, 32, 32], using: Generator(seed: 1)).to(device)
    let training = noisePrediction(of: network, x, precision) { network($0, timesteps: $1) }
    let used = UNet2D(config, using: Generator(seed: 0))
    let input = x[0..<16].to(prepare(used, precision, device, isFilled: true))
    return [
      training, forward(precision, input, at: 7) { used($0, timesteps: $1) },
    ]
  }

  /// A latent U-Net with cross-attention.
  static let latentUNet = Workload(
    name: "latent-unet", summary: "16.5 M parameters, 16×16×4 latents of a batch of 32, 32 tokens"
  ) { precision, device, _ in
    var config = UNetConditionConfig()
    config.sampleSize = .square(16)
    config.blockOutChannels = [64, 128, 256]
    config.layersPerBlock = .one(1)
    config.downBlockTypes = [.cross, .cross, .plain]
    config.upBlockTypes = [.plain, .cross, .cross]
    config.crossAttentionDim = .one(256)
    let network = UNet2DCondition(config, using: Generator(seed: 0))
    network.move(to: device)
    let random = Generator(seed: 1)
    let x = Tensor.randn([32, 4, 16, 16], using: random).to(device)
    let states = Tensor.randn([32, 32, 256], using: random).to(device)
    let training = noisePrediction(of: network, x, precision) {
      network($0, timesteps: $1, prompt: PromptContext(states))
    }
    let used = UNet2DCondition(config, using: Generator(seed: 0))
    let dtype = prepare(used, precision, device, isFilled: true)
    let prompt = withoutGradients { used.prepared(PromptContext(states[0..<2].to(dtype))) }
    let input = x[0..<2].to(dtype)
    return [
      training, forward(precision, input, at: 7) { used($0, timesteps: $1, prompt: prompt) },
    ]
  }

  /// Stable Diffusion's decoder.
  static let klAutoencoder = Workload(
    name: "kl-autoencoder", summary: "Stable Diffusion's size, decode to 512×512", isLarge: true,
    takesWeights: true
  ) { precision, device, weights in
    var config = AutoencoderKLConfig()
    config.blockOutChannels = [128, 256, 512, 512]
    config.downBlockTypes = .init(repeating: .plain, count: 4)
    config.upBlockTypes = .init(repeating: .plain, count: 4)
    config.layersPerBlock = 2
    config.sampleSize = .square(512)
    let network =
      try weights.map { try AutoencoderKL(folder: $0) } ?? AutoencoderKL(config, using: nil)
    let dtype = prepare(network, precision, device, isFilled: weights != nil)
    let z = Tensor.randn([1, 4, 64, 64], using: Generator(seed: 1)).to(device).to(dtype)
    return [forward(precision, z, at: 0) { z, _ in network.decode(z) }]
  }

  /// Stable Diffusion 1.5's U-Net, both halves of guidance at once.
  static let stableDiffusion = Workload(
    name: "sd-unet", summary: "Stable Diffusion 1.5's size, guidance step, 64×64 latents",
    isLarge: true, takesWeights: true
  ) { precision, device, weights in
    var config = UNetConditionConfig()
    config.sampleSize = .square(64)
    config.crossAttentionDim = .one(768)
    let network =
      try weights.map { try UNet2DCondition(folder: $0) } ?? UNet2DCondition(config, using: nil)
    let dtype = prepare(network, precision, device, isFilled: weights != nil)
    let random = Generator(seed: 1)
    let x = Tensor.randn([2, 4, 64, 64], using: random).to(device).to(dtype)
    let states = Tensor.randn([2, 77, 768], using: random).to(device).to(dtype)
    let prompt = withoutGradients { network.prepared(PromptContext(states)) }
    return [
      forward(precision, x, at: 500) { network($0, timesteps: $1, prompt: prompt) }
    ]
  }

  /// How time grows with batch and picture.
  static let scaling = Workload(
    name: "scaling",
    summary: "a small U-Net, batches of 1 to 64, pictures of 16 to 128 pixels, 10 to 1000 steps",
    isLarge: true
  ) { precision, device, _ in
    let sizes = [(1, 32), (4, 32), (16, 32), (64, 32), (16, 16), (4, 64), (1, 128), (4, 128)]
    let forwards = sizes.map { (batch: Int, side: Int) -> Job in
      let network = smallUNet(side, device)
      let dtype = prepare(network, precision, device, isFilled: true)
      let x = Tensor.randn([batch, 3, side, side], using: Generator(seed: 1)).to(device).to(dtype)
      return forward(precision, x, at: 7, named: "\(batch)×3×\(side)×\(side)") {
        network($0, timesteps: $1)
      }
    }
    let network = smallUNet(64, device)
    let dtype = prepare(network, precision, device, isFilled: true)
    let inUse = inUse(precision)
    let schedule = SchedulerClass.ddim
    let drawings = try [10, 100, 1000].map { steps throws -> Job in
      let sampler = try schedule.sampler(schedule.defaults, .steps(steps), eta: nil)
      return Job("1×3×64×64, \(steps) steps of DDIM", items: 1, calls: steps) {
        let source = NoiseSource(seed: 1, count: 1)
        let start = source.draw([1, 3, 64, 64], device: device)
        withoutGradients {
          inUse {
            let graphed = GraphedFunction { network($0[0].to(dtype), timesteps: $0[1]) }
            for _ in Denoising(
              sampler, from: start, drawing: source, network: { graphed($0, at: $1) })
            {}
          }
        }
      }
    }
    return forwards + drawings
  }

  private static func smallUNet(_ side: Int, _ device: Device) -> UNet2D {
    var config = UNetConfig()
    config.sampleSize = .square(side)
    (config.inChannels, config.outChannels) = (3, 3)
    config.layersPerBlock = 1
    config.blockOutChannels = [64, 128, 128]
    config.downBlockTypes = [.plain, .plain, .plain]
    config.upBlockTypes = [.plain, .plain, .plain]
    config.midBlockType = nil
    let network = UNet2D(config, using: Generator(seed: 0))
    network.move(to: device)
    return network
  }
}

// MARK: - Parts of workloads

/// A family's own training on drawn shapes of 28×28 pixels.
private func family(_ name: String, _ family: Family, preset: String) -> Workload {
  Workload(name: name, summary: "a training step of its preset \(preset), 28×28×1") {
    precision, device, _ in
    let plan = try TrainingPlan(
      benchmarking: family, preset: preset, imageSize: 28, precision: precision)
    let rehearsal = try Rehearsal(of: plan, device: device)
    return [
      Job(
        "training step", items: plan.recipe.batchSize, isTraining: true, calls: 10,
        { try rehearsal.take(10) })
    ]
  }
}

/// One step of Ho et al. 2020, Algorithm 1, with AdamW.
private func noisePrediction(
  of network: Module, _ x: Tensor, _ precision: Precision,
  _ predict: @escaping (_ noisy: Tensor, _ timesteps: Tensor) -> Tensor
) -> Job {
  let adam = Adam(network.parameters, learningRate: 1e-4, weightDecay: 0.01, decoupled: true)
  let draws = Generator(seed: 2)
  return Job("training step", items: x.size(0), isTraining: true) {
    let noise = Tensor.randn(x.shape, using: draws).to(x.device)
    let t = Tensor.randint(0..<1000, [x.size(0)], using: draws).to(x.device)
    let share = t.to(.float32).reshaped([-1, 1, 1, 1]) / 1000
    let noisy = (1 - share).sqrt() * x + share.sqrt() * noise
    let loss = precision { predict(noisy, t) }.meanSquaredError(noise)
    adam.clearGradients()
    loss.backward()
    adam.step()
  }
}

/// How a network computes that was prepared: in bfloat16 its weights are, and need no conversion.
private func inUse(_ precision: Precision) -> Precision { precision == .bf16 ? .fp32 : precision }

/// What a network in use says about `x` at a timestep.
private func forward(
  _ precision: Precision, _ x: Tensor, at timestep: Double, named name: String? = nil,
  _ body: @escaping (_ x: Tensor, _ timesteps: Tensor) -> Tensor
) -> Job {
  let precision = inUse(precision)
  let graphed = GraphedFunction { body($0[0], $0[1]) }
  return Job(name ?? "forward of \(x.size(0))", items: x.size(0)) {
    withoutGradients { precision { _ = graphed(x, at: timestep) } }
  }
}

/// Brings a network into the precision's type, for use; one that is not filled gets weights as a
/// checkpoint would bring them, layer by layer: normal, and small enough that activations stay finite.
private func prepare(
  _ network: Module, _ precision: Precision, _ device: Device, isFilled: Bool
) -> DType {
  let dtype: DType = precision == .bf16 ? .bfloat16 : .float32
  let random = Generator(seed: 0)
  for parameter in isFilled ? [] : network.parameters {
    let shape = parameter.shape
    parameter.postpone(as: dtype) {
      guard shape.count > 1 else { return .ones(shape, dtype: dtype) }
      let weights = Tensor.empty(shape, dtype: dtype)
      let fanIn = Double(shape.dropFirst().reduce(1, *))
      weights.fillNormal(deviation: 1 / fanIn.squareRoot(), using: random)
      return weights
    }
  }
  network.move(to: device, dtype: dtype)
  network.packForInference(freeingWeights: true)
  return dtype
}
