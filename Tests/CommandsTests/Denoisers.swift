import Foundation
import Interchange
import Testing

/// Diffusion runs that many tests look at and none changes, trained once for three steps each:
/// `classes`, `plain` without classes and with 20 levels, `flow`, and `learned` with the variance.
enum Denoisers {
  /// What makes a training take a moment.
  static let small = [
    "--data", "shapes", "--image-size", "8", "--batch-size", "8", "--threads", "1",
    "--set", "block_out_channels=[8,16]", "--set", "attention_levels=[1]",
    "--set", "norm_num_groups=4", "--set", "attention_head_dim=8",
  ]

  static let names = ["classes", "plain", "flow", "learned"]

  static let runs = Result {
    let folder = Scratch()
    let more = [
      "classes": ["--preset", "tiny"], "flow": ["--preset", "flow"],
      "plain": ["--set", "class_conditional=false", "--set", "num_train_timesteps=20"],
      "learned": ["--preset", "learned-variance"],
    ]
    for name in names {
      let outcome = try Tool.run(
        ["train", "diffusion", "--out", name, "--steps", "3", "--seed", "3", "--quiet"] + small
          + more[name, default: []], in: folder)
      guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    }
    return folder
  }

  /// A folder of one's own with copies of some runs.
  static func copies(_ names: String...) throws -> Scratch {
    let source = try runs.get()
    let folder = Scratch()
    for name in names {
      try FileManager.default.copyItem(atPath: source[name], toPath: folder[name])
    }
    return folder
  }

  /// Draws to `x.png`, four steps unless the flags say otherwise, and gives what `--json` says.
  static func sample(
    _ run: String, _ flags: String..., count: Int = 1, seed: Int = 5, in folder: Scratch
  ) throws -> JSON {
    let steps = flags.contains("--steps") ? [] : ["--steps", "4"]
    let outcome = try Tool.run(
      [
        "sample", run, "-o", "x.png", "-n", "\(count)", "--seed", "\(seed)", "--threads", "1",
        "--force", "--json", "--quiet",
      ] + steps + flags, in: folder)
    guard outcome.status == 0, outcome.errors.isEmpty else {
      throw Tool.Unexpected("\(flags): \(outcome.errors)")
    }
    return try outcome.json
  }

  /// Draws and gives the numbers of each picture.
  static func pictures(
    _ run: String, _ flags: [String] = [], count: Int = 1, seed: Int = 5, in folder: Scratch
  ) throws -> [[Float]] {
    let outcome = try Tool.run(
      [
        "sample", run, "-o", "x.png", "-n", "\(count)", "--seed", "\(seed)", "--threads", "1",
        "--force", "--steps", "4", "--save-images", "x.safetensors",
      ] + flags, in: folder)
    guard outcome.status == 0 else { throw Tool.Unexpected("\(flags): \(outcome.errors)") }
    let file = try SafetensorsFile(path: folder["x.safetensors"])
    guard let info = file.tensors["images"], info.shape == [count, 3, 8, 8],
      info.elementType == .float32
    else { throw Tool.Unexpected("images: \(file.tensors)") }
    let numbers = try file.bytes(of: "images").withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)
      }
    }
    let size = numbers.count / count
    return (0..<count).map { Array(numbers[$0 * size..<($0 + 1) * size]) }
  }

  /// The largest difference between two pictures.
  static func distance(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).map { abs($0 - $1) }.max() ?? 0
  }
}

extension Scratch {
  /// Changes a file in one place.
  func edit(_ name: String, _ old: String, _ new: String) throws {
    let before = try text(name)
    try #require(before.contains(old), "\(name) holds no \(old)")
    try put(before.replacing(old, with: new), name)
  }
}
