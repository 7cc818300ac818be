import Models
import NeuralNets
import Torch

/// A U-Net over pixels and its scheduler, from a folder that `latent train diffusion` or diffusers
/// wrote (`DDPMPipeline` and its like): from noise to pictures.
public final class DiffusionPipeline {
  /// The network.
  public let unet: UNet2D
  /// The process that it was trained for, and the sampler that the folder names.
  public let scheduler: SchedulerFile
  /// The classes that can be asked for, by name; empty where there are none.
  public let classNames: [String]

  /// A pipeline of its parts. A network with one row more than there are names keeps that row for
  /// pictures of no class.
  public init(_ unet: UNet2D, _ scheduler: SchedulerFile, classNames: [String] = []) {
    self.unet = unet
    self.scheduler = scheduler
    self.classNames = classNames
  }

  /// What stands in the class table for no class; `nil` where guidance has nothing to compare with.
  public var nullClass: Int? {
    guard let rows = unet.config.numClassEmbeds, rows == classNames.count + 1 else { return nil }
    return classNames.count
  }

  /// What a sampling should draw.
  public struct Request {
    /// How many pictures.
    public var count: Int
    /// Picture i is drawn with `seed + i`.
    public var seed: UInt64
    /// Steps; `nil`: 50, or all where that is fewer.
    public var steps: Int?
    /// The sampler; `nil`: the scheduler's own.
    public var sampler: SamplerName?
    /// DDIM's η and its like.
    public var eta: Double?
    /// The spacing of σ for samplers that have one; `nil`: the scheduler's.
    public var spacing: SigmaSpacing?
    /// The class of each picture; `nil` for a network without classes.
    public var classes: [Int]?
    /// The class to be guided away from; `nil`: no class at all.
    public var negativeClass: Int?
    /// How strongly the classes are followed.
    public var guidance: Guidance
    /// Unit noise to start from `[count, C, H, W]`; `nil`: drawn.
    public var noise: Tensor?
    /// Height and width; `nil`: the network's own.
    public var size: Extent?

    /// A request; by default 50 steps of the scheduler's own sampler.
    public init(
      count: Int, seed: UInt64, steps: Int? = nil, sampler: SamplerName? = nil,
      eta: Double? = nil, spacing: SigmaSpacing? = nil, classes: [Int]? = nil,
      negativeClass: Int? = nil, guidance: Guidance = Guidance(), noise: Tensor? = nil,
      size: Extent? = nil
    ) {
      self.count = count
      self.seed = seed
      self.steps = steps
      self.sampler = sampler
      self.eta = eta
      self.spacing = spacing
      self.classes = classes
      self.negativeClass = negativeClass
      self.guidance = guidance
      self.noise = noise
      self.size = size
    }
  }

  /// Draws pictures, `[count, C, H, W]` in [0, 1]: `denoise` brought into the range of pictures.
  ///
  /// Throws `SamplerError` for what the sampler or the network cannot do.
  public func sample(
    _ request: Request, batch: Int = 64,
    progress: (_ step: Denoising.Step, _ share: Double) throws -> Void = { _, _ in }
  ) throws -> Tensor {
    Self.pictures(try denoise(request, batch: batch, progress: progress))
  }

  /// What a network about −1…1 says as pictures in [0, 1].
  public static func pictures(_ x: Tensor) -> Tensor { ((x + 1) / 2).clamped(min: 0, max: 1) }

  /// Draws `[count, C, H, W]` about −1…1, a few at a time; `progress` hears of each call of the
  /// network: the pictures of the batch as they stand, and the share of the whole work.
  ///
  /// Throws `SamplerError` for what the sampler or the network cannot do.
  public func denoise(
    _ request: Request, batch: Int = 64,
    progress: (_ step: Denoising.Step, _ share: Double) throws -> Void = { _, _ in }
  ) throws -> Tensor {
    guard request.sampler?.isInverse != true else {
      throw SamplerError(
        "\(request.sampler?.rawValue ?? "") goes from a picture to its noise; `latent encode` does "
          + "that.")
    }
    let extent = try extent(of: request)
    let shape = [unet.config.inChannels, extent.height, extent.width]
    if let noise = request.noise, noise.shape != [request.count] + shape {
      throw SamplerError(
        "the starting noise is \(noise.shape), but \([request.count] + shape) is needed.")
    }
    return try walk(request, batch: batch, progress: progress) { range, source in
      request.noise?[range] ?? source.draw([range.count] + shape)
    }
  }

  /// The noise from which the same model, without noise on the way, draws `pictures`
  /// `[count, C, H, W]` in [0, 1] again: their codes in its latent space (Song et al. 2021, §5.4).
  /// The request's sampler is `ddimInverse` or another inverse one.
  ///
  /// Throws `SamplerError` for what the sampler or the network cannot do.
  public func invert(
    _ pictures: Tensor, _ request: Request, batch: Int = 64,
    progress: (_ step: Denoising.Step, _ share: Double) throws -> Void = { _, _ in }
  ) throws -> Tensor {
    precondition(request.sampler?.isInverse == true, "an inversion needs an inverse sampler")
    if let problem = unet.config.problem(forHeight: pictures.size(2), width: pictures.size(3)) {
      throw SamplerError("\(problem).")
    }
    return try walk(request, batch: batch, progress: progress) { range, _ in
      2 * pictures[range] - 1
    }
  }

  /// Runs the request's sampler from what `start` gives for some of the pictures, `[N, C, H, W]`.
  private func walk(
    _ request: Request, batch: Int,
    progress: (_ step: Denoising.Step, _ share: Double) throws -> Void,
    from start: (Range<Int>, NoiseSource) -> Tensor
  ) throws -> Tensor {
    let sampler = try sampler(for: request)
    try requireKnown(sampler.timesteps)
    let device = unet.parameters[0].value.device
    unet.setTraining(false)
    var ends: [Tensor] = []
    try withoutGradients { () throws in
      for first in stride(from: 0, to: request.count, by: batch) {
        let range = first..<min(first + batch, request.count)
        let source = NoiseSource(seed: request.seed &+ UInt64(first), count: range.count)
        var x = start(range, source).to(device)
        let network = try self.network(request, range, device)
        for step in Denoising(sampler, from: x, drawing: source, network: network) {
          x = step.sample
          let done = Double(range.count) * Double(step.done) / Double(step.total)
          try progress(step, (Double(first) + done) / Double(request.count))
        }
        ends.append(x.to(.cpu))
      }
    }
    return .concatenated(ends)
  }

  /// Throws unless a network with a table of timesteps has all of these.
  private func requireKnown(_ timesteps: [Double]) throws(SamplerError) {
    guard unet.config.timeEmbeddingType == .learned else { return }
    let rows = Double(unet.config.numTrainTimesteps ?? 0)
    guard timesteps.allSatisfy({ $0 >= 0 && $0 < rows && $0 == $0.rounded() }) else {
      throw SamplerError(
        "this network knows the whole timesteps below \(Int(rows)) alone; choose another sampler.")
    }
  }

  /// The prepared sampler of a request: the folder's own, or the one named, which takes over the
  /// folder's schedule.
  ///
  /// Throws `SamplerError` for a sampler of another process than the network's.
  public func sampler(for request: Request) throws -> any Sampler {
    try scheduler.sampler(
      request.sampler, spacing: request.spacing, steps: request.steps, usually: 50,
      eta: request.eta)
  }

  /// The network of some of a request's pictures, told their classes, under guidance.
  private func network(
    _ request: Request, _ range: Range<Int>, _ device: Device
  ) throws -> (Tensor, Double) -> Tensor {
    let (unet, dtype) = (unet, unet.dtype)
    guard unet.config.hasClasses else {
      guard request.classes == nil, request.guidance == Guidance() else {
        throw SamplerError("this network knows no classes; leave the class and the guidance out.")
      }
      let graphed = GraphedFunction { unet($0[0].to(dtype), timesteps: $0[1]) }
      return { x, t in graphed(x, at: t) }
    }
    guard let classes = request.classes else {
      throw SamplerError("this network wants to be told a class for each picture.")
    }
    let rows = unet.config.numClassEmbeds ?? .max
    for label in classes + [request.negativeClass ?? 0] where !(0..<rows).contains(label) {
      throw SamplerError("there is no class \(label); the classes are 0...\(rows - 1).")
    }
    let negative = request.negativeClass ?? nullClass
    guard request.guidance.scale == 1 || negative != nil else {
      throw SamplerError(
        "this network was trained without pictures of no class, so guidance has nothing to compare "
          + "with; name a class to be guided away from, or leave the guidance out.")
    }
    let guided = GuidedNetwork(
      request.guidance, condition: Tensor(Array(classes[range])).to(device),
      negative: negative.map { .full([range.count], $0, dtype: .int64, device: device) },
      trainTimesteps: scheduler.config.numTrainTimesteps
    ) { x, t, labels in unet(x.to(dtype), timesteps: t, classLabels: labels) }
    return { guided($0, $1) }
  }

  private func extent(of request: Request) throws -> Extent {
    guard
      let extent = request.size
        ?? unet.config.sampleSize?.extents.map({ Extent($0.height, $0.width) })
    else {
      throw SamplerError("the network's config.json names no sample_size; give width and height.")
    }
    if let problem = unet.config.problem(forHeight: extent.height, width: extent.width) {
      throw SamplerError("\(problem).")
    }
    return extent
  }
}
