import Interchange

extension SchedulerFile {
  /// The prepared sampler of this file, or the one named, which takes over the file's schedule.
  /// Where no steps are asked for, they are `usual`, or all where that is fewer.
  ///
  /// Throws `SamplerError` for a sampler of another process than the file's, and for what the sampler
  /// cannot do.
  public func sampler(
    _ name: SamplerName?, spacing: SigmaSpacing? = nil, steps: Int?, usually usual: Int,
    eta: Double? = nil
  ) throws -> any Sampler {
    var file = self
    if let name {
      file = try converted(to: name)
      if isFlow, !file.isFlow {
        guard let along = try file.alongFlow(shift: config.shift) else {
          throw SamplerError(
            "this network was trained as a rectified flow, which \(name.rawValue) cannot follow; "
              + "choose flow-euler or flow-heun, or leave the sampler out.")
        }
        file = along
      } else if !isFlow, file.isFlow {
        throw SamplerError(
          "\(name.rawValue) follows rectified flows, but this network's prediction_type is "
            + "\(config.predictionType.rawValue); choose another sampler, such as ddim.")
      }
    }
    if let spacing { file = try file.with(spacing) }
    let count = steps ?? min(usual, file.config.numTrainTimesteps)
    return try file.schedulerClass.sampler(file.config, .steps(count), eta: eta)
  }

  /// The schedule of this file under another sampler, whose own defaults stand elsewhere; the file
  /// itself where it names that sampler.
  ///
  /// Throws `JSONError` when the sampler's class cannot have it.
  public func converted(to name: SamplerName) throws(JSONError) -> SchedulerFile {
    let file = name.schedulerClass == schedulerClass ? self : try converted(to: name.schedulerClass)
    switch name {
    case .dpmpp2M: return try file.saying(["algorithm_type": "dpmsolver++"])
    case .dpmpp2MSDE: return try file.saying(["algorithm_type": "sde-dpmsolver++"])
    default: return file
    }
  }

  /// Whether the network is one of a rectified flow.
  public var isFlow: Bool {
    [.flowEuler, .flowHeun].contains(schedulerClass) || config.predictionType == .flow
      || config.useFlowSigmas
  }

  /// The same with another spacing of the noise levels σ.
  ///
  /// Throws `SamplerError` when the class has no such spacing.
  public func with(_ spacing: SigmaSpacing) throws -> SchedulerFile {
    let keys: [(spacing: SigmaSpacing, key: String)] = [
      (.karras, "use_karras_sigmas"), (.exponential, "use_exponential_sigmas"),
      (.beta, "use_beta_sigmas"), (.lu, "use_lu_lambdas"),
    ]
    let known = keys.filter { schedulerClass.keys.contains($0.key) }
    guard spacing == .schedule || known.contains(where: { $0.spacing == spacing }) else {
      throw SamplerError(
        "\(schedulerClass.rawValue) has no \(spacing) spacing of its noise levels; leave --sigmas "
          + "out or choose another sampler.")
    }
    return try saying(
      JSONObject(known.map { ($0.key, .bool($0.spacing == spacing)) }))
  }

  /// The same along the lines of a flow, for solvers that can; `nil` for other classes.
  ///
  /// Throws `JSONError` for a shift that the class cannot use.
  func alongFlow(shift: Double) throws(JSONError) -> SchedulerFile? {
    guard schedulerClass.keys.contains("use_flow_sigmas") else { return nil }
    return try saying([
      "use_flow_sigmas": true, "flow_shift": .double(shift),
      "prediction_type": .string(Prediction.flow.rawValue),
    ])
  }
}
