import Foundation
import Interchange

extension SampleMeasures {
  /// The figures by name, for machines; `classNames` name the extractor's classes.
  public func json(classNames: [String] = []) -> JSONObject {
    var json: JSONObject = [
      "extractor": .string(extractor.name), "extractor_hash": .string(extractor.hash),
      "resizing": .string(extractor.resizing), "features": .int(width),
      "drawn": .string(request), "count": .int(sampleCount),
      "reference_count": .int(referenceCount), "seconds_per_picture": .double(secondsPerPicture),
    ]
    func put(_ key: String, _ value: Double?) {
      guard let value else { return }
      json[key] = value.isFinite ? .double(value) : .null
    }
    put("fid", fid)
    put("fid_floor", floor)
    put("fid_infinity", fidInfinity?.distance)
    put("kid", kid?.mean)
    put("kid_error", kid?.standardError)
    put("inception_score", inceptionScore?.mean)
    put("inception_score_deviation", inceptionScore?.deviation)
    put("precision", precisionRecall?.precision)
    put("recall", precisionRecall?.recall)
    put("density", precisionRecall?.density)
    put("coverage", precisionRecall?.coverage)
    put("precision_real", ceiling?.precision)
    put("recall_real", ceiling?.recall)
    put("density_real", ceiling?.density)
    put("coverage_real", ceiling?.coverage)
    put("nearest_training", memorization?.trainingMedian)
    put("nearest_held_out", memorization?.heldOutMedian)
    put("duplicate_support", duplicates?.supportSize)
    put("class_accuracy", classification?.accuracy)
    put("class_entropy", balance?.normalizedEntropy)
    put("nearer_to_training", memorization?.nearerToTraining)
    put("nearer_to_training_expected", memorization?.expectedNearer)
    put("sharpness", sharpness?.samples)
    put("sharpness_real", sharpness?.real)
    if let memorization { json["exact_copies"] = .int(memorization.exactCopies) }
    if let duplicates { json["duplicate_pairs"] = .int(duplicates.count) }
    if let classFID {
      json["class_fid"] = .array(classFID.distances.map { $0.map { .double($0) } ?? .null })
    }
    if let classification { json["classes"] = .object(classification.json(names: classNames)) }
    if !notes.isEmpty { json["notes"] = .array(notes.map { .string($0) }) }
    return json
  }

  /// The same for people.
  public func lines(classNames: [String] = []) -> [String] {
    var lines = [
      "samples             \(sampleCount), \(request), against \(referenceCount) held-out pictures",
      "  features          \(extractor.name), \(extractor.hash.prefix(12)), \(extractor.resizing)",
    ]
    func add(_ name: String, _ text: String) {
      lines.append("  \(name.padding(toLength: 18, withPad: " ", startingAt: 0))\(text)")
    }
    func number(_ value: Double) -> String { String(format: "%.4g", value) }
    let beside =
      trainingCount == sampleCount
      ? "as many training pictures"
      : "\(trainingCount) training pictures"
    if let fid {
      add("FID", "\(number(fid))  (\(beside): \(floor.map(number) ?? "?"))")
    }
    if let fidInfinity { add("FID without bias", number(fidInfinity.distance)) }
    if let kid { add("KID", "\(number(kid.mean)) ± \(number(kid.standardError))") }
    if let inceptionScore {
      add("Inception score", "\(number(inceptionScore.mean)) ± \(number(inceptionScore.deviation))")
    }
    if let precisionRecall {
      func share(_ value: Double, _ real: Double?) -> String {
        String(format: "%.3f", value)
          + (real.map { String(format: "  (%@: %.3f)", beside, $0) } ?? "")
      }
      add("precision", share(precisionRecall.precision, ceiling?.precision))
      add("recall", share(precisionRecall.recall, ceiling?.recall))
      add("density", share(precisionRecall.density, ceiling?.density))
      add("coverage", share(precisionRecall.coverage, ceiling?.coverage))
    }
    if let classification {
      add("class accuracy", String(format: "%.1f %%", 100 * classification.accuracy))
    }
    if let balance { add("class entropy", String(format: "%.3f of 1", balance.normalizedEntropy)) }
    if let classFID {
      for (label, distance) in classFID.distances.enumerated() {
        let name = classNames.indices.contains(label) ? classNames[label] : "class \(label)"
        add(label == 0 ? "FID by class" : "", "\(name): \(distance.map(number) ?? "too few")")
      }
    }
    if let memorization {
      add(
        "copies",
        String(
          format: "%d exact; nearer to training %.1f %% (expected about %.1f %%)",
          memorization.exactCopies, 100 * memorization.nearerToTraining,
          100 * memorization.expectedNearer))
    }
    if let duplicates { add("duplicates", "\(duplicates.count) near-identical pairs") }
    if let sharpness {
      add(
        "fine detail",
        String(
          format: "%.2f %% of the energy; in real pictures %.2f %%", 100 * sharpness.samples,
          100 * sharpness.real))
    }
    add("time", String(format: "%.4f s a picture", secondsPerPicture))
    return lines + notes.map { "  note: \($0)" }
  }
}

extension ClassificationReport {
  /// The figures by name, for machines.
  public func json(names: [String]) -> JSONObject {
    [
      "accuracy": .double(accuracy), "precision": .double(macroPrecision),
      "recall": .double(macroRecall), "f1": .double(macroF1),
      "confusion": .array(confusion.map { .array($0.map { .int($0) }) }),
      "by_class": .array(
        classes.enumerated().map { label, scores in
          [
            "class": .string(names.indices.contains(label) ? names[label] : "\(label)"),
            "precision": .double(scores.precision), "recall": .double(scores.recall),
            "f1": .double(scores.f1), "count": .int(scores.support),
          ]
        }),
    ]
  }

  /// The same for people: a table of classes, then the confusion matrix with a row for each class
  /// that is true and a column for each that was found.
  public func lines(names: [String]) -> [String] {
    let titles = classes.indices.map { names.indices.contains($0) ? names[$0] : "\($0)" }
    let width = (titles.map(\.count).max() ?? 0) + 2
    func padded(_ text: String) -> String {
      text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
    var lines = [
      String(format: "accuracy  %.2f %%", 100 * accuracy),
      padded("") + "precision  recall      F1   count",
    ]
    lines += zip(titles, classes).map { title, scores in
      padded(title)
        + String(
          format: "%9.4f  %6.4f  %6.4f  %6d", scores.precision, scores.recall, scores.f1,
          scores.support)
    }
    lines.append(
      padded("mean")
        + String(format: "%9.4f  %6.4f  %6.4f", macroPrecision, macroRecall, macroF1))
    guard classes.count <= 20 else { return lines }
    let cell = max(3, String(confusion.joined().max() ?? 0).count) + 1
    func right(_ value: Int) -> String {
      let text = String(value)
      return String(repeating: " ", count: max(0, cell - text.count)) + text
    }
    lines += ["", "found →  true ↓", padded("") + classes.indices.map(right).joined()]
    lines += zip(titles.indices, confusion).map { label, row in
      padded("\(titles[label])") + row.map(right).joined()
    }
    return lines
  }
}
