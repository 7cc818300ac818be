import Foundation
import Interchange

/// The recipe in a picture that `latent generate` drew, read back to be repeated.
struct GenerationRecipe {
  private let path: String
  private let object: JSONObject

  /// Reads the recipe of the PNG file at `path`.
  ///
  /// Throws where the file is no PNG, or carries no recipe of `generate`.
  init(picture path: String) throws {
    self.path = path
    guard let text = try PNGText(contentsOfFile: path)[recipeKeyword],
      let object = try? JSON(parsing: text).object
    else {
      throw CommandError(
        "\(path): this picture carries no recipe; --like takes a PNG that `latent generate` wrote")
    }
    guard let command = object["command"]?.string, command == "generate" else {
      throw CommandError(
        "\(path): its recipe is one of `latent \(object["command"]?.string ?? "?")`; --like takes a "
          + "PNG that `latent generate` wrote")
    }
    self.object = object
  }

  /// A text; `nil` where nothing was said.
  func text(_ key: String) throws -> String? {
    try read(key, "a text") { $0.string }
  }

  /// A whole number within a range; `nil` where nothing was said.
  func whole(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    try read(key, "a whole number in \(range)") { $0.int.flatMap { range.contains($0) ? $0 : nil } }
  }

  /// A number within a range; `nil` where nothing was said.
  func number(_ key: String, _ range: ClosedRange<Double>) throws -> Double? {
    try read(key, "a number in \(range)") { $0.double.flatMap { range.contains($0) ? $0 : nil } }
  }

  /// Two numbers within a range in order; `nil` where nothing was said.
  func interval(_ key: String, _ range: ClosedRange<Double>) throws -> ClosedRange<Double>? {
    try read(key, "two numbers in \(range)") { value in
      let ends = (value.array ?? []).compactMap(\.double).filter(range.contains)
      return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
    }
  }

  /// A name that `make` knows; `nil` where nothing was said, or something that it does not know.
  func name<Name>(_ key: String, _ make: (String) -> Name?) throws -> Name? {
    try text(key).flatMap(make)
  }

  /// The file of which the recipe has the name and the hash, beside the picture or here.
  ///
  /// Throws where it is not there, or another one by now.
  func file(_ key: String, flag: String) throws -> String? {
    guard let name = try text(key) else { return nil }
    return try file(named: name, hash: text("\(key)_sha256"), flag: flag)
  }

  /// The LoRA files that the recipe names, with their strengths.
  ///
  /// Throws where one is not there, or another one by now.
  func loras() throws -> [LoRAChoice] {
    let wanted = "a list of files with their sha256 and scale"
    return try read("lora", wanted) { value -> [(name: String, hash: String, scale: Double)]? in
      guard let all = value.array else { return nil }
      let files = all.compactMap { one -> (name: String, hash: String, scale: Double)? in
        guard let name = one["file"]?.string, let hash = one["sha256"]?.string,
          let scale = one["scale"]?.double, abs(scale) <= 100
        else { return nil }
        return (name, hash, scale)
      }
      return files.count == all.count ? files : nil
    }?.map {
      LoRAChoice(path: try file(named: $0.name, hash: $0.hash, flag: "--lora"), scale: $0.scale)
    } ?? []
  }

  private func file(named name: String, hash: String?, flag: String) throws -> String {
    let folder = URL(filePath: path).deletingLastPathComponent()
    let places = [folder.appending(path: name).path(percentEncoded: false), name, "runs/\(name)"]
    for place in places where FileManager.default.fileExists(atPath: place) {
      if try Fingerprint.ofFile(place) == hash { return place }
    }
    throw CommandError(
      "\(path): it was drawn with the file \(name), which is neither beside it nor here as it was; "
        + "name it with \(flag)")
  }

  /// The folder or file of the model that drew the picture, or the name of one that comes with the tool;
  /// `nil` where nothing was said.
  ///
  /// Throws where it is neither, nor here, nor among the runs.
  func model() throws -> String? {
    guard let name = try text("model") else { return nil }
    if TextToImageFolders.builtIn.contains(where: { $0.name == name }) { return name }
    if let here = TextToImageFolders.here().first(where: { $0.name == name }) { return here.path }
    let beside = URL(filePath: path).deletingLastPathComponent().appending(path: name)
    let file = [beside.path(percentEncoded: false), name].first {
      $0.hasSuffix(".safetensors") && FileManager.default.fileExists(atPath: $0)
    }
    guard let file else {
      throw CommandError(
        "\(path): it was drawn by the model \(name), which is neither built in nor here; name its "
          + "folder or file with --model")
    }
    return file
  }

  private func read<Value>(_ key: String, _ wanted: String, _ make: (JSON) -> Value?) throws
    -> Value?
  {
    guard let value = object[key], !value.isNull else { return nil }
    guard let made = make(value) else {
      throw CommandError("\(path): its recipe's \"\(key)\" is \(value.compact), not \(wanted)")
    }
    return made
  }
}
