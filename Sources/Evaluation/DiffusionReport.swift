import Datasets
import Diffusion
import Foundation
import Interchange
import Torch
import Training

/// What a diffusion model is measured by: the variational bound in bits a dimension, with its terms.
public struct DiffusionReport {
  /// The figures by name, for machines.
  public let json: JSONObject
  /// The same for people.
  public let lines: [String]
  /// The terms L_0 … L_{T−1} in bits a dimension; those of levels that were not visited are `nil`.
  public let terms: [Double?]

  /// Measures a model on the first `limit` pictures of a set. Every picture visits `levels` levels,
  /// one drawn in each of as many equal parts of 0..<T, so that the sum is without bias;
  /// `levels` = T visits all. `progress` hears the share that is done.
  ///
  /// Throws `SamplerError` for a model without a variational bound, and when a picture cannot be
  /// read.
  public init(
    of model: TrainedDiffusion, on set: any Dataset, seed: UInt64, limit: Int = .max,
    levels: Int = 100, progress: (Double) throws -> Void = { _ in }
  ) throws {
    let config = model.pipeline.scheduler.config
    guard model.pipeline.scheduler.schedulerClass.keys.contains("beta_schedule"),
      config.predictionType != .flow
    else {
      throw SamplerError(
        path: model.folder.path,
        "this model is no Markov chain, so it has no variational bound in bits a dimension.")
    }
    let schedule = NoiseSchedule(config)
    let process = TrainingLevels.markov(schedule)
    let bound = VariationalBound(
      schedule, prediction: config.predictionType, variance: try Self.variance(of: model))
    let count = min(set.count, limit)
    let parts = min(max(levels, 1), schedule.count)
    let generator = Generator(seed: seed)
    let device = model.pipeline.unet.parameters[0].value.device
    var sums = [Double](repeating: 0, count: schedule.count)
    var visits = [Int](repeating: 0, count: schedule.count)
    var (total, prior) = (0.0, 0.0)
    let batch = 100
    try withoutGradients { () throws in
      for start in stride(from: 0, to: count, by: batch) {
        let range = start..<min(start + batch, count)
        let x = 2 * (try set.pictures(range).to(device)) - 1
        prior += bound.prior(x).sum().item()
        let classes = try model.classes(of: range, in: set)
        for part in 0..<parts {
          let low = part * schedule.count / parts
          let high = (part + 1) * schedule.count / parts
          let t = Tensor.randint(low..<high, [range.count], using: generator).elements(as: Int.self)
          let noise = Tensor.randn(x.shape, using: generator).to(device)
          let output = model.pipeline.unet(
            process.jump(x, noise: noise, to: t), timesteps: process.told(t, device: device),
            classLabels: classes?.to(device))
          let found: [Double] = bound.terms(x, noise: noise, levels: t, output: output).elements()
          for (level, term) in zip(t, found) {
            sums[level] += term
            visits[level] += 1
            total += term * Double(high - low)
          }
          let share = (Double(part + 1) / Double(parts) * Double(range.count) + Double(start))
          try progress(share / Double(count))
        }
      }
    }
    let n = Double(max(count, 1))
    let (steps, last) = (total / n, prior / n)
    terms = zip(sums, visits).map { $1 > 0 ? $0 / Double($1) : nil }
    json = [
      "run": .string(model.folder.path), "family": .string(model.family.rawValue),
      "data": .string(set.name), "count": .int(count), "seed": .int(Int(seed)),
      "levels": .int(parts), "bits_per_dim": .double(steps + last), "prior": .double(last),
      "decoder": terms[0].map { .double($0) } ?? .null,
      "terms": .array(terms.map { $0.map { .double($0) } ?? .null }),
    ]
    lines = [
      "\(model.folder.path) on \(count) pictures of \(set.name), seed \(seed)",
      String(format: "bits a dimension  %.3f  (at most: the variational bound)", steps + last),
      String(
        format: "  all steps       %.3f  over %d of %d levels a picture", steps, parts,
        schedule.count),
      String(format: "  last level      %.6f", last),
    ]
  }

  /// The variance of the model's steps, as its scheduler says. Throws `SamplerError` for one that has
  /// no bound here.
  private static func variance(of model: TrainedDiffusion) throws -> VarianceType {
    let isLearned = model.pipeline.unet.config.outChannels == 2 * model.channels
    switch model.pipeline.scheduler.config.varianceType {
    case .learnedRange where isLearned: return .learnedRange
    case .learned where isLearned:
      throw SamplerError(
        path: model.folder.path,
        "a variance_type of learned has no bound here; learned_range and the fixed ones have.")
    case .fixedLarge, .fixedLargeLog: return .fixedLarge
    case .fixedSmall, .fixedSmallLog, .learned, .learnedRange, nil: return .fixedSmall
    }
  }
}

extension TrainedDiffusion {
  /// The classes of some pictures as the network is told them, `[N]`; `nil` where it is told none.
  /// Throws `SamplerError` for pictures whose classes are not the model's.
  func classes(of indices: some Collection<Int>, in set: any Dataset) throws -> Tensor? {
    let names = pipeline.classNames
    guard !names.isEmpty else { return nil }
    guard set.classNames.map({ $0.count <= names.count }) ?? true else {
      throw SamplerError(
        path: set.name,
        "these pictures have \(set.classNames?.count ?? 0) classes, but the model knows "
          + "\(names.count); measure it on data with its own classes.")
    }
    return Tensor(
      try indices.map { index in
        guard let label = set.label(at: index) ?? pipeline.nullClass else {
          throw SamplerError(
            path: set.name,
            "these pictures have no classes, and the model wants to be told one for each.")
        }
        return label
      })
  }
}
