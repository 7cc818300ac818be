import ArgumentParser

/// The files beside the pictures that a sampling reads and writes.
struct SamplingFiles: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A safetensors file with the starting noise, key latents, [N, C, H, W].",
      valueName: "file"))
  var latents: String?

  @Option(
    help: ArgumentHelp(
      "A safetensors file for the end of the sampling, key latents, [N, C, H, W].",
      valueName: "file"))
  var saveLatents: String?

  @Option(
    help: ArgumentHelp(
      "A safetensors file for the pictures before rounding, key images, [N, C, H, W] in 0...1.",
      valueName: "file"))
  var saveImages: String?

  @Option(
    help: ArgumentHelp(
      "A PNG that is redrawn while sampling, with the pictures as the network sees them.",
      valueName: "file"))
  var preview: String?

  /// Refuses what cannot be written, before any work is done.
  func check(force: Bool) throws {
    for path in [saveLatents, saveImages].compactMap(\.self) {
      guard path.hasSuffix(".safetensors") else {
        throw CommandError("\(path): the name must end in .safetensors")
      }
      try checkPlace(path, force: force)
    }
    if let preview { try checkPicture(preview, force: force) }
  }

  /// The first flag that was given, for commands that can do nothing with it.
  var given: String? {
    let flags: [(name: String, value: String?)] = [
      ("--latents", latents), ("--save-latents", saveLatents), ("--preview", preview),
    ]
    return flags.first { $0.value != nil }?.name
  }
}

/// How large pictures become.
struct SizeOptions: ParsableArguments {
  @Option(help: "Pixels across, where the network takes other sizes than its own.")
  var width: Int?

  @Option(help: "Pixels down.")
  var height: Int?

  mutating func validate() throws {
    for (name, value) in [("width", width), ("height", height)] {
      if let value, !(1...4096).contains(value) {
        throw ValidationError("--\(name) is \(value); it must lie in 1...4096.")
      }
    }
  }

  /// The first flag that was given, for commands that can do nothing with it.
  var given: String? { width != nil ? "--width" : height != nil ? "--height" : nil }
}
