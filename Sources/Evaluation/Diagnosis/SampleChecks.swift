import Foundation

extension SampleFacts: Diagnosable {
  /// What the checks of new pictures said.
  public var verdicts: [Finding?] {
    var verdicts = [blurredSamples, noiseLeft, wrongBrightness, wrongContrast]
    if outside != nil { verdicts.append(outOfRange) }
    // Of fewer pictures coverage scatters too much to be judged.
    if coverage != nil, count >= 200 { verdicts.append(lowCoverage) }
    if classes != nil { verdicts.append(unevenClasses) }
    if duplicates != nil { verdicts.append(manyDuplicates) }
    if let nearness { verdicts += nearness.verdicts }
    return verdicts
  }

  /// New pictures with much less detail than real ones.
  public var blurredSamples: Finding? {
    blur(
      sharpness.samples, of: "new pictures", than: sharpness.real,
      // What a decoder blurs by nature is told of its reconstructions.
      warning: isDecoded ? 0.02 : 0.3, note: isDecoded ? 0.02 : 0.5)
  }

  /// New pictures with much more detail than real ones.
  public var noiseLeft: Finding? {
    let (ratio, threshold) = (sharpness.samples / max(sharpness.real, 1e-12), 2.5)
    guard sharpness.real > 0, ratio > threshold else { return nil }
    return Finding(
      "noise_left", figure: ratio, threshold: threshold,
      String(
        format:
          "new pictures have %.1f times the fine detail of real ones (waves shorter than four "
          + "pixels).", ratio),
      why: "such detail is noise: it was not taken away, or the decoder makes it up.",
      remedy: "train longer, draw with more steps, or see that the schedule is the training's.")
  }

  /// New pictures that are brighter or darker than real ones.
  public var wrongBrightness: Finding? {
    let apart = abs(brightness.samples - brightness.real) / max(brightness.deviation, 1e-6)
    let threshold = 1.0
    guard apart > threshold else { return nil }
    return Finding(
      "wrong_brightness", figure: apart, threshold: threshold,
      String(
        format: "new pictures have a mean of %.3f and real ones of %.3f: %.1f times the deviation "
          + "from picture to picture.", brightness.samples, brightness.real, apart),
      why: "the model draws from another distribution than the data's.",
      remedy: "train longer; with a diffusion model look at terminal_signal and at the sampler too."
    )
  }

  /// New pictures whose values spread otherwise than those of real ones.
  public var wrongContrast: Finding? {
    let ratio = contrast.samples / max(contrast.real, 1e-6)
    let (least, most) = (0.6, 1.5)
    guard !(least...most).contains(ratio) else { return nil }
    return Finding(
      "wrong_contrast", figure: ratio, threshold: ratio < least ? least : most,
      String(
        format: "the values of new pictures have a deviation of %.3f, and those of real ones of "
          + "%.3f.", contrast.samples, contrast.real),
      why: ratio < least
        ? "washed-out pictures: the model draws means of many pictures."
        : "overdrawn pictures: the model goes further than the data.",
      remedy: "train longer.")
  }

  /// Values far outside of the range of pictures.
  public var outOfRange: Finding? {
    guard let outside else { return nil }
    let threshold = 0.02
    guard outside > threshold else { return nil }
    return Finding(
      "out_of_range", figure: outside, threshold: threshold,
      String(
        format:
          "%.1f %% of the values of new pictures lie outside of the range of pictures by more "
          + "than a tenth of it, and are cut off.", 100 * outside),
      why: "cut-off values make flat white and black areas, and say that sampling drifted off.",
      remedy: "train longer, draw with more steps, or set clip_sample in the scheduler.")
  }

  /// Real pictures that no new picture is near to: mode collapse.
  public var lowCoverage: Finding? {
    guard let coverage else { return nil }
    let (share, threshold) = (coverage.samples / max(coverage.real, 1e-12), 0.3)
    guard coverage.real > 0, share < threshold else { return nil }
    return Finding(
      "low_coverage", figure: share, threshold: threshold,
      String(
        format: "%.0f %% of held-out pictures have a new picture near them; as many training "
          + "pictures reach %.0f %%.", 100 * coverage.samples, 100 * coverage.real),
      why: "most kinds of pictures are never drawn, or nothing that is drawn looks like one.",
      remedy: "look at the samples: if all are alike the model has collapsed, otherwise train "
        + "longer.")
  }

  /// Classes that are drawn much less evenly than real pictures have them: mode collapse.
  public var unevenClasses: Finding? {
    guard let classes, classes.real.normalizedEntropy > 0 else { return nil }
    let share = classes.samples.entropy / classes.real.entropy
    let missing = zip(classes.samples.shares, classes.real.shares)
      .count { $0 == 0 && $1 * Double(count) > 10 }
    let threshold = 0.7
    guard share < threshold else { return nil }
    let largest = classes.samples.shares.max() ?? 0
    return Finding(
      "mode_collapse", figure: share, threshold: threshold,
      String(
        format: "%.0f %% of new pictures are of one class, and %d of %d classes are missing (%.2g "
          + "of the real classes' entropy).", 100 * largest, missing, classes.real.shares.count,
        share),
      why: missing > 0
        ? "the model draws a few kinds of pictures and has lost the others."
        : "the model draws some kinds of pictures much more often than the data has them, or what it "
          + "draws is taken for them.",
      remedy: "train longer; of a gan, hold the discriminator back or regularise it.")
  }

  /// More near-identical pairs than real pictures have: the birthday paradox (Arora & Zhang 2017).
  public var manyDuplicates: Finding? {
    guard let duplicates else { return nil }
    // Blurred pictures of a small code are near to each other without being the same.
    let pairsOfSound = Double(duplicates.of) * (isDecoded ? 10 : 0.1)
    let threshold = pairsOfSound + 10 * Double(duplicates.real)
    guard Double(duplicates.samples) > threshold else { return nil }
    let (n, pairs) = (Double(duplicates.of), Double(duplicates.samples))
    return Finding(
      "duplicates", figure: pairs, threshold: threshold,
      String(
        format: "%d pairs among %d new pictures are all but the same (%d among as many real ones), "
          + "as if there were %.0f pictures in all.", duplicates.samples, duplicates.of,
        duplicates.real, max(1, n * (n - 1) / (2 * pairs))),
      why: "the model knows few pictures and draws them again and again.",
      remedy:
        "train on more pictures; of a gan, hold the discriminator back or regularise it.")
  }
}

extension Nearness: Diagnosable {
  /// What the checks of copies said.
  public var verdicts: [Finding?] { [nearerToTraining, copies] }

  /// New pictures that are nearer to the training than chance explains.
  public var nearerToTraining: Finding? {
    let threshold = 4.0
    guard z > threshold, share > 0.65 else { return nil }
    return Finding(
      "nearer_to_training", figure: z, threshold: threshold,
      String(
        format:
          "%.0f %% of new pictures are nearer to one of %d training pictures than to any of as "
          + "many held-out ones, %.1f deviations above a half.", 100 * share, pictures, z),
      why: "the model draws what it has seen, and not what is like it.",
      remedy: "train on more pictures, for less time, or with a smaller network.")
  }

  /// New pictures that are copies of single training pictures.
  public var copies: Finding? {
    let threshold = 0.05 + 2 * memorizedHeldOut
    guard memorized > threshold else { return nil }
    return Finding(
      "memorization", figure: memorized, threshold: threshold,
      String(
        format:
          "%.0f %% of new pictures are copies of a training picture: less than a third as far "
          + "from it as from any other (%.0f %% of held-out pictures).", 100 * memorized,
        100 * memorizedHeldOut),
      why: "the model gives its training pictures back.",
      remedy: "train on more pictures, for less time, or with a smaller network.")
  }
}
