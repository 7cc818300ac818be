import Foundation
import Interchange
import Training

/// The curves of a training, as its run wrote them down.
public struct TrainingHistory {
  /// Steps and values of one curve.
  public struct Curve: Sendable {
    /// The number of the last step that each value is the mean up to.
    public let steps: [Int]
    /// The values; what the file holds in place of a number is not a number here.
    public let values: [Double]

    /// A curve of as many steps as values.
    public init(steps: [Int], values: [Double]) {
      precondition(steps.count == values.count, "a step for every value")
      self.steps = steps
      self.values = values
    }
  }

  /// The curves by name.
  public let curves: [String: Curve]
  /// Passes over the training pictures that were made, in part or in whole; `nil` where unknown.
  public let epochs: Double?
  /// The largest norm that gradients were allowed; `nil` where there was no limit or none is known.
  public let gradientLimit: Double?
  /// The step from which on the loss is made of the same terms: a KL term that is warmed up raises it
  /// before.
  public let settledFrom: Int

  /// Curves of one's own.
  public init(
    curves: [String: Curve], epochs: Double? = nil, gradientLimit: Double? = nil,
    settledFrom: Int = 0
  ) {
    self.curves = curves
    self.epochs = epochs
    self.gradientLimit = gradientLimit
    self.settledFrom = settledFrom
  }

  /// The curves of a run. A file that is missing leaves none. Throws `JSONError` for a damaged one.
  public init(of run: RunFolder, record: RunRecord) throws {
    var steps: [String: [Int]] = [:]
    var values: [String: [Double]] = [:]
    let isThere = FileManager.default.fileExists(atPath: run.metricsPath)
    for line in isThere ? try MetricsLog.read(run.metricsPath) : [] {
      guard let step = line["step"]?.int, line["rate"] != nil else { continue }
      for name in line.keys
      where !["step", "epoch", "seconds", "rate", "data_wait"].contains(name) {
        steps[name, default: []].append(step)
        values[name, default: []].append(line[name]?.double ?? .nan)
      }
    }
    let batch = Double(record.config["batch_size"]?.int ?? 0)
    let limit = record.config["gradient_clip"]?.double ?? 0
    self.init(
      curves: steps.mapValues { $0 }.reduce(into: [:]) { curves, curve in
        curves[curve.key] = Curve(steps: curve.value, values: values[curve.key] ?? [])
      },
      epochs: batch > 0 && record.data.count > 0
        ? Double(record.steps) * min(batch, Double(record.data.count)) / Double(record.data.count)
        : nil,
      gradientLimit: limit > 0 ? limit : nil,
      settledFrom: record.family == Family.vae.rawValue
        ? Int(min(max(record.config["kl_warmup"]?.double ?? 0, 0), 1) * Double(record.steps)) : 0)
  }
}

extension TrainingHistory: Diagnosable {
  /// What the checks of the curves said.
  public var verdicts: [Finding?] {
    var verdicts = [notFinite]
    if curves["loss"]?.values.isEmpty == false { verdicts += [explodingLoss, stillImproving] }
    if curves["gradient_norm"] != nil { verdicts.append(explodingGradients) }
    if epochs != nil { verdicts.append(underOneEpoch) }
    return verdicts
  }

  /// Numbers in the curves that are none.
  public var notFinite: Finding? {
    let bad = curves.mapValues { $0.values.count { !$0.isFinite } }.filter { $0.value > 0 }
    guard let (name, count) = bad.min(by: { $0.key < $1.key }) else { return nil }
    return Finding(
      "not_finite", figure: Double(count), threshold: 0,
      "the curve of \(name) holds \(count) values that are infinite or not numbers.",
      why: "from the first such step on the weights mean nothing.",
      remedy: "lower learning_rate, or set gradient_clip, and train anew.")
  }

  /// A loss that went most of the way back to where it began.
  public var explodingLoss: Finding? {
    guard let curve = curves["loss"] else { return nil }
    let values = curve.values.filter(\.isFinite)
    guard values.count >= 8, let first = values.first else { return nil }
    let noise = values.localNoise
    let threshold = 0.5
    var lowest = Double.infinity
    var worst = (share: 0.0, step: 0, from: 0.0, to: 0.0)
    for (place, (step, value)) in zip(curve.steps, curve.values).enumerated()
    where value.isFinite && step >= settledFrom {
      // The mean of few steps may be high by itself, on a busy machine; what has exploded still is at
      // the next report.
      let covered = step - (place > 0 ? curve.steps[place - 1] : 0)
      let neighbour = curve.values[place + 1 < curve.values.count ? place + 1 : place - 1]
      let lasting = covered < 8 && neighbour.isFinite ? min(value, neighbour) : value
      // Before anything is learned there is no way back, and noise is no explosion.
      if first - lowest > 10 * noise, lasting - lowest > 10 * noise {
        let share = (lasting - lowest) / (first - lowest)
        if share > worst.share { worst = (share, step, lowest, lasting) }
      }
      lowest = min(lowest, value)
    }
    guard worst.share > threshold else { return nil }
    return Finding(
      "exploding_loss", figure: worst.share, threshold: threshold,
      String(
        format: "at step %d the loss rose from %.4g to %.4g, %.0f %% of what had been learned.",
        worst.step, worst.from, worst.to, 100 * worst.share),
      why: "a step that large throws away what was learned, and the averaged weights carry it on.",
      remedy: "lower learning_rate, lengthen lr_warmup_steps, or set gradient_clip.")
  }

  /// Gradients that grew far beyond their usual size.
  public var explodingGradients: Finding? {
    guard let curve = curves["gradient_norm"] else { return nil }
    let norms = curve.values.filter(\.isFinite)
    guard norms.count >= 8 else { return nil }
    let usual = norms.quantile(0.5)
    let settled = Array(zip(curve.steps, curve.values).dropFirst(norms.count / 10))
    guard let (step, largest) = settled.filter({ $0.1.isFinite }).max(by: { $0.1 < $1.1 }),
      usual > 0
    else { return nil }
    let threshold = 100.0
    guard largest / usual > threshold else { return nil }
    return Finding(
      "exploding_gradients", figure: largest / usual, threshold: threshold,
      String(
        format: "at step %d the gradients' norm was %.3g, %.0f times its median.", step, largest,
        largest / usual),
      why: "one such step, if the limit of gradients lets it through, undoes many others.",
      remedy: gradientLimit.map {
        String(format: "lower gradient_clip, which is %.3g, or learning_rate.", $0)
      } ?? "set gradient_clip to a few times the median, or lower learning_rate.")
  }

  /// A loss that would fall much further if the training went on.
  ///
  /// Learning curves are near to straight over the logarithm of the steps, so the slope over the
  /// last half, times log 2, is what twice the steps would bring.
  public var stillImproving: Finding? {
    guard let curve = curves["loss"] else { return nil }
    let last = curve.steps.last ?? 0
    let points = zip(curve.steps, curve.values).filter {
      2 * $0.0 >= last && $0.0 >= settledFrom && $0.1.isFinite
    }
    let values = curve.values.filter(\.isFinite)
    guard points.count >= 8, let first = values.first else { return nil }
    let fit = LineFit(x: points.map { log(Double($0.0)) }, y: points.map(\.1))
    let now = fit.value(at: log(Double(last)))
    // The share of the loss; of what was learned where a loss may be negative.
    let scale = values.allSatisfy { $0 > 0 } ? now : first - now
    let (gain, threshold) = (-fit.slope * log(2) / scale, 0.15)
    guard scale > 0, gain > threshold, -fit.slope > 4 * fit.slopeError else { return nil }
    return Finding(
      "too_little_time", figure: gain, threshold: threshold,
      String(
        format: "the loss was still falling at the end: twice the steps would bring about %.0f %%.",
        100 * gain),
      why: "the network had not learned what it can.",
      remedy: "train longer: `latent train … --resume` with more --steps, --epochs or --minutes.")
  }

  /// A training that did not see all of its pictures.
  public var underOneEpoch: Finding? {
    guard let epochs, epochs < 1 else { return nil }
    return Finding(
      "too_little_time", figure: epochs, threshold: 1,
      String(format: "the training saw %.0f %% of its pictures once.", 100 * epochs),
      why: "what it did not see it cannot have learned.",
      remedy: "train for --epochs 1 at least, or for more --minutes.")
  }
}

/// A straight line through points, by least squares.
struct LineFit {
  let slope: Double
  /// The standard error of the slope.
  let slopeError: Double
  private let middle: (x: Double, y: Double)

  init(x: [Double], y: [Double]) {
    let n = Double(x.count)
    let (mx, my) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    let spread = x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
    let together = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
    let slope = spread > 0 ? together / spread : 0
    let rest = zip(x, y).reduce(0) { sum, point in
      let error = point.1 - my - slope * (point.0 - mx)
      return sum + error * error
    }
    self.slope = slope
    slopeError = spread > 0 && n > 2 ? (rest / (n - 2) / spread).squareRoot() : .infinity
    middle = (mx, my)
  }

  func value(at x: Double) -> Double { middle.y + slope * (x - middle.x) }
}

extension [Double] {
  /// The value that a share of the sorted values lies below, by the nearest rank.
  func quantile(_ share: Double) -> Double {
    precondition(!isEmpty, "no values")
    return sorted()[Int((Double(count - 1) * share).rounded())]
  }

  /// How far a value lies from the one before it, by the median of the last half.
  var localNoise: Double {
    let steps = zip(self, dropFirst()).map { abs($0 - $1) }.suffix(Swift.max(1, count / 2))
    return steps.isEmpty ? 0 : Array(steps).quantile(0.5)
  }
}
