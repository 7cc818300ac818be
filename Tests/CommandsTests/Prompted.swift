import Foundation
import Images
import Interchange
import Testing

/// The tiny text-to-image model of the fixtures, as `latent generate` draws with it.
enum Prompted {
  /// Stable Diffusion 1 in small: 64×64 pictures, latents of 8×8, prompts of 18 tokens.
  static let model = fixture("sd1")

  /// The model that comes with the tool.
  static let builtIn = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Models/emoji").path

  static func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/text_to_image/\(name)").path
  }

  /// Flags that make a picture the same everywhere and take a moment.
  static let usual = ["--threads", "1", "--steps", "3"]

  /// Draws, by default with seed 5 to `x.png`, and gives what `--json` says.
  @discardableResult
  static func draw(
    _ prompt: String?, _ flags: [String] = [], seed: Int? = 5, to output: String? = "x.png",
    model: String? = model, in folder: Scratch
  ) throws -> JSON {
    let outcome = try Tool.run(
      ["generate"] + (prompt.map { [$0] } ?? []) + ["--json", "--quiet", "--threads", "1"]
        + (flags.contains("--steps") || flags.contains("--like") ? [] : ["--steps", "3"])
        + (model.map { ["--model", $0] } ?? []) + (seed.map { ["--seed", "\($0)"] } ?? [])
        + (output.map { ["-o", $0, "--force"] } ?? []) + flags, in: folder)
    guard outcome.status == 0, outcome.errors.isEmpty else {
      throw Tool.Unexpected("\(flags): \(outcome.errors)")
    }
    return try outcome.json
  }

  /// The numbers of the pictures that some flags draw.
  static func pictures(
    _ prompt: String, _ flags: [String] = [], seed: Int = 5, in folder: Scratch
  ) throws -> [Float] {
    try draw(
      prompt, flags + ["--save-images", "images.safetensors"], seed: seed, in: folder)
    return try folder.tensor("images", of: "images.safetensors").numbers
  }

  /// A folder with a picture `photo.png` and a mask `mask.png` of 64×64, half of it white.
  static func withPhoto() throws -> Scratch {
    let folder = Scratch()
    try folder.put(photo(64, 64).pngBytes(), "photo.png")
    var mask = Image(width: 64, height: 64, filledWith: [0])
    for index in mask.pixels.indices where index % 64 >= 32 { mask.pixels[index] = 255 }
    try folder.put(mask.pngBytes(), "mask.png")
    return folder
  }

  /// A picture with something in it.
  static func photo(_ width: Int, _ height: Int) -> Image {
    var image = Image(width: width, height: height, filledWith: [0, 0, 0])
    for index in image.pixels.indices { image.pixels[index] = UInt8(truncatingIfNeeded: index * 7) }
    return image
  }
}

extension Scratch {
  /// A float32 tensor of a safetensors file.
  func tensor(_ name: String, of path: String) throws -> (shape: [Int], numbers: [Float]) {
    let file = try SafetensorsFile(path: self[path])
    guard let info = file.tensors[name], info.elementType == .float32 else {
      throw Tool.Unexpected("\(path): no \(name)")
    }
    let numbers = try file.bytes(of: name).withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)
      }
    }
    return (info.shape, numbers)
  }

  /// The recipe in a PNG.
  func recipe(_ name: String) throws -> JSON {
    try JSON(parsing: PNGText(contentsOfFile: self[name])["latent"] ?? "")
  }
}
