import Foundation
import Images
import Testing

/// Runs that many tests look at and none changes, trained once.
enum Trained {
  /// What makes a training take a moment: tiny pictures, a tiny network.
  static let small = [
    "--data", "shapes", "--image-size", "16", "--batch-size", "8", "--threads", "1",
    "--set", "block_out_channels=[8,8]", "--set", "hidden_dims=[16]", "--set", "latent_dim=4",
  ]

  /// `ae` and `vae` after 20 steps.
  static let runs = Result {
    let folder = Scratch()
    for family in ["ae", "vae"] {
      let outcome = try Tool.run(
        ["train", family, "--out", family, "--steps", "20", "--seed", "3", "--quiet"] + small,
        in: folder)
      guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    }
    return folder
  }

  /// A folder of one's own with copies of the runs, and a picture `grey.png`.
  static func copies() throws -> Scratch {
    let source = try runs.get()
    let folder = Scratch()
    for family in ["ae", "vae"] {
      try FileManager.default.copyItem(atPath: source[family], toPath: folder[family])
    }
    try folder.put(picture(20, 20), "grey.png")
    return folder
  }

  /// A PNG of one colour.
  static func picture(_ width: Int, _ height: Int, _ level: UInt8 = 90) throws -> [UInt8] {
    try Image(width: width, height: height, filledWith: [level, 40, 200]).pngBytes()
  }
}

/// Expects a refusal: the exit code, the sentence in one paragraph of standard error, nothing on
/// standard output.
func expectRefusal(
  _ outcome: Tool.Outcome, _ status: Int32, _ sentence: String,
  _ location: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: location)
  #expect(outcome.errors.contains(sentence), "\(outcome.errors)", sourceLocation: location)
  #expect(outcome.output.isEmpty, sourceLocation: location)
  let start = status == 64 ? "Error: " : "error: "
  #expect(outcome.errors.hasPrefix(start), "\(outcome.errors)", sourceLocation: location)
  if status == 1 {
    #expect(
      outcome.errors.hasSuffix("\n") && outcome.errors.count { $0 == "\n" } == 1,
      "more than a paragraph: \(outcome.errors)", sourceLocation: location)
  }
}
