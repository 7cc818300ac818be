import Diffusion
import Torch
import Training

/// Whatever draws new pictures, for measures and diagnoses of any family.
public struct SampleDrawer {
  /// The model.
  public let model: any TrainedModel
  /// How it draws.
  public let request: SampleRequest

  /// Throws `EvaluationError` for a model that draws no pictures.
  public init(_ model: any TrainedModel, _ request: SampleRequest) throws(EvaluationError) {
    if let gan = model as? TrainedGAN, gan.makesPoints {
      throw EvaluationError(
        path: model.folder.path, "its samples are points in the plane, not pictures.")
    }
    guard model is TrainedAutoencoder || model is TrainedGAN || model is TrainedDiffusion else {
      throw EvaluationError(
        path: model.folder.path,
        "a run of the family \(model.family.rawValue) draws no pictures by itself.")
    }
    self.model = model
    self.request = request
  }

  /// The number of classes that pictures are asked for in turn; `nil` for a model that is told none.
  public var classCount: Int? {
    let count =
      (model as? TrainedDiffusion)?.pipeline.classNames.count
      ?? (model as? TrainedGAN)?.classNames.count ?? 0
    return count > 0 ? count : nil
  }

  /// Draws the pictures with these numbers, `[N, C, H, W]` in [0, 1]; a picture does not depend on
  /// those that it is drawn with. `progress` hears the share that is done.
  ///
  /// Throws `SamplerError` for what a diffusion model cannot do.
  public func draw(
    _ range: Range<Int>, progress: (Double) throws -> Void = { _ in }
  ) throws -> Tensor {
    if let autoencoder = model as? TrainedAutoencoder {
      return autoencoder.sample(range.count, seed: request.seed &+ UInt64(range.lowerBound))
    }
    if let gan = model as? TrainedGAN {
      let codes = gan.codes(
        range.count, seed: request.seed &+ UInt64(range.lowerBound),
        truncation: request.truncation)
      return gan.decode(codes, classes: labels(range))
    }
    guard let diffusion = model as? TrainedDiffusion else {
      preconditionFailure("the initialiser lets no other model in")
    }
    return DiffusionPipeline.pictures(try raw(range, of: diffusion, progress: progress))
  }

  /// What a diffusion model draws before it is held in the range of pictures: `[N, C, H, W]` about
  /// −1…1.
  ///
  /// Throws `SamplerError` for what the model cannot do.
  func raw(
    _ range: Range<Int>, of diffusion: TrainedDiffusion, progress: (Double) throws -> Void
  ) throws -> Tensor {
    try diffusion.pipeline.denoise(
      DiffusionPipeline.Request(
        count: range.count, seed: request.seed &+ UInt64(range.lowerBound), steps: request.steps,
        sampler: request.sampler, eta: request.eta, spacing: request.spacing,
        classes: labels(range), guidance: request.guidance)
    ) { _, share in try progress(share) }
  }

  /// The first `count` pictures. They are kept in the run's folder (`evaluation/`) in parts, so that
  /// an interrupted drawing goes on where it was, unless `cached` is false.
  ///
  /// Throws what `draw` throws, and `EvaluationError` when the folder cannot be written.
  public func samples(
    _ count: Int, cached: Bool = true, progress: (Double) throws -> Void = { _ in }
  ) throws -> Samples {
    let cache = cached ? try SampleCache(self) : nil
    var parts: [Tensor] = []
    var seconds = 0.0
    for start in stride(from: 0, to: count, by: SampleCache.partSize) {
      let range = start..<min(start + SampleCache.partSize, count)
      func told(_ share: Double) throws {
        try progress((Double(start) + share * Double(range.count)) / Double(count))
      }
      var part = cache?.part(range)
      if part == nil {
        let clock = ContinuousClock.now
        let bytes = try draw(range, progress: told).asBytes
        part = SampleCache.Part(bytes: bytes, seconds: (ContinuousClock.now - clock) / .seconds(1))
        if let part { try cache?.keep(part, at: start) }
      }
      guard let part else { preconditionFailure("just drawn") }
      parts.append(part.bytes.to(.float32) / 255)
      seconds += part.seconds
      try told(1)
    }
    return Samples(pictures: .concatenated(parts), labels: labels(0..<count), seconds: seconds)
  }

  /// The classes of the pictures with these numbers: all in turn.
  private func labels(_ range: Range<Int>) -> [Int]? {
    classCount.map { count in range.map { $0 % count } }
  }
}

extension Tensor {
  /// Pictures in [0, 1] in 256 levels.
  var asBytes: Tensor { (self * 255 + 0.5).floor().clamped(min: 0, max: 255).to(.uint8) }
}
