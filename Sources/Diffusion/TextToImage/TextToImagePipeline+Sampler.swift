extension TextToImagePipeline {
  /// The prepared sampler of a request: the folder's own, or the one named, which takes over the
  /// folder's schedule.
  ///
  /// Throws `SamplerError` for a sampler of another process than the network's, and for what the
  /// sampler cannot do.
  public func sampler(for request: Request) throws -> any Sampler {
    // diffusers' pipelines hand an η of 0 to every sampler that has one.
    try adjustedScheduler(painting: request.start?.mask != nil).sampler(
      request.sampler, spacing: request.spacing, steps: request.steps, usually: Self.usualSteps,
      eta: request.eta ?? 0)
  }

  static let usualSteps = 20

  /// How many steps a request has before a strength leaves some out.
  func stepCount(of request: Request) -> Int {
    request.steps ?? min(Self.usualSteps, scheduler.config.numTrainTimesteps)
  }

  /// The folder's scheduler as diffusers' pipelines of Stable Diffusion 1 and 2 take it, whatever the
  /// file says: they hold some settings of old files for mistakes.
  private func adjustedScheduler(painting isPainting: Bool) throws -> SchedulerFile {
    guard kind == .stableDiffusion else { return scheduler }
    let keys = scheduler.schedulerClass.keys
    var file = scheduler
    if keys.contains("steps_offset"), scheduler.config.stepsOffset != 1 {
      file = try file.saying(["steps_offset": 1])
    }
    if !isPainting, keys.contains("clip_sample"), scheduler.config.clipSample {
      file = try file.saying(["clip_sample": false])
    }
    if isPainting, keys.contains("skip_prk_steps"), !scheduler.config.skipPrkSteps {
      file = try file.saying(["skip_prk_steps": true])
    }
    return file
  }
}
