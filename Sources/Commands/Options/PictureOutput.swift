import ArgumentParser
import Foundation
import Images
import Interchange
import Torch
import Training

/// Where pictures go.
struct PictureOutput: ParsableArguments {
  @Option(name: [.customShort("o"), .long], help: "The PNG, JPEG or WebP file to write.")
  var output: String

  @Flag(help: "Replace the output when it is there.")
  var force = false

  /// Refuses a file that is there already, and a kind of file that cannot be written, before any
  /// work is done.
  func check() throws { try checkPicture(output, force: force) }

  /// Writes a picture; a PNG carries its recipe.
  func write(_ image: Image, recipe: JSONObject) throws {
    try image.write(to: output, recipe: recipe)
  }
}

extension Image {
  /// Writes the picture; a PNG carries its recipe.
  func write(to path: String, recipe: JSONObject) throws {
    guard ImageFormat(path: path) == .png else { return try write(to: path) }
    let text = PNGText.Entry(keyword: recipeKeyword, text: JSON.object(recipe).compact)
    try AtomicFile.write(PNGText.insert([text], into: pngBytes()), to: path)
  }
}

/// The keyword of a PNG's recipe.
let recipeKeyword = "latent"

/// Refuses a picture that is there already or of a kind that cannot be written.
func checkPicture(_ output: String, force: Bool) throws {
  guard ImageFormat(path: output) != nil else {
    throw CommandError("\(output): the name must end in .png, .jpg or .webp")
  }
  try checkPlace(output, force: force)
}

/// Refuses an output that is there already, or whose folder is not, before any work is done.
func checkPlace(_ output: String, force: Bool) throws {
  var isFolder: ObjCBool = false
  let exists = FileManager.default.fileExists(atPath: output, isDirectory: &isFolder)
  if exists, isFolder.boolValue {
    throw CommandError("\(output): this is a folder; name a file")
  }
  if exists, !force {
    throw CommandError("\(output): this file is there already; add --force to replace it")
  }
  let folder = URL(filePath: output).deletingLastPathComponent().path(percentEncoded: false)
  guard FileManager.default.fileExists(atPath: folder) else {
    throw CommandError("\(output): the folder \(folder) is not there; make it first")
  }
}

extension TrainedModel {
  /// What a picture made from this model says about itself.
  func recipe(_ command: String, _ more: JSONObject) -> JSONObject {
    var recipe: JSONObject = [
      "tool": "latent", "version": .string(latentVersion), "command": .string(command),
      "run": .string(URL(filePath: folder.path).lastPathComponent),
      "family": .string(family.rawValue), "model_sha256": .string(weightsHash),
    ]
    for (key, value) in more { recipe[key] = value }
    return recipe
  }

  /// Pictures `[N, C, H, W]` as a grid, enlarged so that people can see them.
  func grid(
    _ pictures: Tensor, columns: Int? = nil, columnTitles: [String] = [], rowTitles: [String] = []
  ) throws -> Image {
    try ImageGrid(
      pictures.pictures, columns: columns, scale: max(1, 56 / pictures.size(3)), margin: 4,
      columnTitles: columnTitles, rowTitles: rowTitles
    ).image()
  }

  /// Rows of pictures, originals over their reconstructions.
  func pairs(_ rows: [[Image]]) throws -> Image {
    try ImageGrid(rows: rows, scale: max(1, 56 / imageSize), margin: 4).image()
  }

  /// The first pictures of a set's held-out part, `[N, C, H, W]` in [0, 1].
  func firstPictures(of data: String?, _ count: Int) throws -> Tensor {
    let set = try open(data, split: .test)
    return try set.pictures(0..<min(count, set.count))
  }

  /// A picture file as the network takes it, `[1, C, H, W]` in [0, 1].
  func picture(_ path: String) throws -> Tensor {
    try requireSize()
    return try Image(contentsOfFile: path)
      .converted(toChannels: channels).resizedAndCropped(toSide: imageSize).tensor
  }
}

extension Image {
  /// The picture as a batch of one, `[1, C, H, W]` in [0, 1].
  var tensor: Tensor {
    Tensor(channelBytes: planar(), shape: [1, channels, height, width])
  }
}
