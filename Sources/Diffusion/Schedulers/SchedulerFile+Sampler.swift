extension SchedulerFile {
  /// The schedule of this file under another sampler, whose own defaults stand elsewhere.
  ///
  /// Throws `SamplerError` when the sampler's class cannot have it.
  public func converted(to name: SamplerName) throws -> SchedulerFile {
    var file = name.schedulerClass == schedulerClass ? self : try converted(to: name.schedulerClass)
    if name == .dpmpp2MSDE { file.config.algorithmType = "sde-dpmsolver++" }
    return file
  }

  /// The same with another spacing of the noise levels σ.
  ///
  /// Throws `SamplerError` when the class has no such spacing.
  public func with(_ spacing: SigmaSpacing) throws -> SchedulerFile {
    let keys: [(spacing: SigmaSpacing, key: String)] = [
      (.karras, "use_karras_sigmas"), (.exponential, "use_exponential_sigmas"),
      (.beta, "use_beta_sigmas"), (.lu, "use_lu_lambdas"),
    ]
    let key = keys.first { $0.spacing == spacing }?.key
    guard key.map(schedulerClass.keys.contains) ?? true else {
      throw SamplerError(
        "\(schedulerClass.rawValue) cannot space its noise levels that way; leave --sigmas out or "
          + "choose another sampler.")
    }
    var file = self
    file.config.useKarrasSigmas = spacing == .karras
    file.config.useExponentialSigmas = spacing == .exponential
    file.config.useBetaSigmas = spacing == .beta
    file.config.useLuLambdas = spacing == .lu
    return file
  }
}
