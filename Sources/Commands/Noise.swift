import ArgumentParser
import Diffusion
import Foundation
import Images
import Interchange
import Torch
import Training

/// `latent noise IMAGE`.
struct Noise: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring a picture to a level of noise in one jump: the forward process of diffusion.",
    discussion: """
      x_t = √ᾱ_t · x_0 + √(1−ᾱ_t) · ε, for t from 0 (the picture) to T. --strip draws several levels \
      in one picture. JSON keys: image, output, seed, levels (t, alpha_bar, signal, noise, snr).
      """)

  @Argument(help: "The picture file.")
  var image: String

  @Option(name: .customLong("t"), help: ArgumentHelp("The level, 0...T.", valueName: "t"))
  var level: Int?

  @Flag(help: "Draw t = 0 to T in one picture instead.")
  var strip = false

  @Option(help: "Pictures in the strip (default: 9).")
  var frames: Int?

  @Option(help: "The course of beta.")
  var schedule = BetaSchedule.linear

  @Option(help: "T, the number of levels.")
  var levels = 1000

  @OptionGroup var file: PictureOutput
  @OptionGroup var seed: SeedOption
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    guard (2...100_000).contains(levels) else {
      throw ValidationError("--levels is \(levels); it must lie in 2...100000.")
    }
    if let frames {
      guard (2...100).contains(frames) else {
        throw ValidationError("--frames is \(frames); it must lie in 2...100.")
      }
      guard strip else { throw ValidationError("--frames counts the pictures of --strip.") }
    }
    guard (level == nil) == strip else {
      throw ValidationError("Give --t, the level of noise, or --strip for all of them.")
    }
    if let level, !(0...levels).contains(level) {
      throw ValidationError("--t is \(level); it must lie in 0...\(levels).")
    }
  }

  func run() throws {
    try file.check()
    let process = NoiseSchedule(schedule, count: levels)
    let seed = seed.value
    let picture = try Image(contentsOfFile: image)
    let grey = picture.channels < 3
    let x = 2 * picture.converted(toChannels: grey ? 1 : 3).tensor - 1  // [1, C, H, W]
    let epsilon = Tensor.randn(x.shape, using: Generator(seed: seed))
    let frames = frames ?? 9
    let shown = level.map { [$0] } ?? (0..<frames).map { $0 * levels / (frames - 1) }
    // The paper's t counts from 1; level 0 is the picture itself.
    let noisy = shown.map { t in t == 0 ? x : process.jump(x, noise: epsilon, to: [t - 1]) }
    let pictures = ((Tensor.concatenated(noisy) + 1) / 2).clamped(min: 0, max: 1).pictures
    let drawn =
      pictures.count == 1
      ? pictures[0]
      : try ImageGrid(
        pictures, columns: pictures.count, scale: max(1, 56 / pictures[0].width), margin: 4,
        columnTitles: shown.map { "t = \($0)" }
      ).image()
    let rows = shown.map { t -> (t: Int, bar: Double) in
      (t, t == 0 ? 1 : process.alphasCumprod[t - 1])
    }
    try file.write(
      drawn,
      recipe: [
        "tool": "latent", "version": .string(latentVersion), "command": "noise",
        "levels": .array(shown.map { .int($0) }), "schedule": .string(schedule.rawValue),
        "seed": .int(Int(seed)),
      ])
    try output.report(
      [
        "image": .string(image), "output": .string(file.output), "seed": .int(Int(seed)),
        "levels": .array(
          rows.map { t, bar in
            [
              "t": .int(t), "alpha_bar": .double(bar), "signal": .double(bar.squareRoot()),
              "noise": .double((1 - bar).squareRoot()),
              "snr": bar < 1 ? .double(bar / (1 - bar)) : .null,
            ]
          }),
      ],
      lines: ["t     ᾱ_t       √ᾱ_t    √(1−ᾱ_t)"]
        + rows.map { t, bar in
          "\(t)".padding(toLength: 6, withPad: " ", startingAt: 0)
            + String(
              format: "%.6f  %.4f  %.4f", bar, bar.squareRoot(), (1 - bar).squareRoot())
        } + ["\(file.output), seed \(seed)"])
  }
}

extension BetaSchedule: ExpressibleByArgument {}
