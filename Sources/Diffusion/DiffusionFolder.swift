import Foundation
import Interchange
import Models

extension DiffusionPipeline {
  private static let indexFile = "model_index.json"

  /// Whether a folder holds a pipeline.
  public static func isPipeline(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/\(indexFile)")
  }

  /// Where a part of a pipeline lies: in a folder of its name, or, in older pipelines, beside the
  /// index, where diffusers still looks too.
  public static func part(_ name: String, of folder: String) -> String {
    let path = "\(folder)/\(name)"
    return FileManager.default.fileExists(atPath: path) ? path : folder
  }

  /// Opens a folder with `model_index.json`, `unet` and `scheduler`.
  ///
  /// Throws an `ExplainedError` that names the file for one that is missing, damaged, or of a
  /// pipeline that does not draw pixels with a `UNet2DModel`.
  public convenience init(folder: String) throws {
    let path = "\(folder)/\(Self.indexFile)"
    let index: JSON
    do {
      index = try JSON(contentsOfFile: path)
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    let name = index["unet"]?[1]?.string
    guard name == UNetConfig.className else {
      throw JSONError(
        path: path,
        sentence:
          "this pipeline's unet is \(name ?? "missing"); a \(UNetConfig.className) is needed "
          + "here.")
    }
    for part in ["vae", "vqvae", "bert"] where index[part] != nil {
      throw JSONError(
        path: path,
        sentence: "this pipeline has a \(part) beside its unet; only those that draw pixels can be "
          + "used here.")
    }
    let network = Self.part("unet", of: folder)
    let unet = try UNet2D(folder: network)
    if let problem = Self.problem(unet.config) {
      throw JSONError(path: "\(network)/\(ModelFolder.config)", sentence: "\(problem).")
    }
    let scheduler = try SchedulerFile(
      contentsOfFile: "\(Self.part("scheduler", of: folder))/\(SchedulerFile.name)")
    var classNames: [String] = []
    if let labels = index["id2label"]?.object {
      for place in 0..<labels.count {
        guard let name = labels["\(place)"]?.string else {
          throw JSONError(
            path: path, sentence: "\"id2label\" does not number its names from 0 on.")
        }
        classNames.append(name)
      }
    } else if let rows = unet.config.numClassEmbeds {
      classNames = (0..<rows).map { "class \($0)" }
    }
    let rows = unet.config.numClassEmbeds ?? 0
    guard (max(rows - 1, 0)...rows).contains(classNames.count) else {
      throw JSONError(
        path: path,
        sentence: "\"id2label\" names \(classNames.count) classes, but the network has \(rows).")
    }
    self.init(unet, scheduler, classNames: classNames)
  }

  /// What the folder's files say that nothing here knows, a sentence a key; it is kept.
  public var notes: [String] {
    scheduler.notes
      + unet.config.otherKeys.keys.filter { !$0.hasPrefix("_") }.map {
        "unet/\(ModelFolder.config): the key \"\($0)\" is unknown and does nothing"
      }
  }

  /// Why pictures cannot be drawn with a network of this shape, as one sentence.
  private static func problem(_ config: UNetConfig) -> String? {
    let (taken, given) = (config.inChannels, config.outChannels)
    guard [1, 3, 4].contains(taken) else {
      return "in_channels is \(taken), and no picture has so many; 1, 3 and 4 can be drawn"
    }
    guard given == taken || given == 2 * taken else {
      return "out_channels is \(given), but a prediction about \(taken) channels has \(taken), or "
        + "\(2 * taken) with its variance"
    }
    if config.hasClasses, config.classEmbedType != nil {
      return "class_embed_type is \(config.classEmbedType?.rawValue ?? ""), and only a table of "
        + "classes can be told here"
    }
    return config.sampleSize?.extents.flatMap {
      config.problem(forHeight: $0.height, width: $0.width)
    }
  }

  /// Writes the folder as diffusers lays it out. The names of classes stand in `model_index.json`
  /// under `id2label`, as in diffusers' own class-conditional pipelines.
  ///
  /// Throws `FileError` when the disk refuses.
  public func save(to folder: String) throws {
    for part in ["unet", "scheduler"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
    }
    try unet.save(to: "\(folder)/unet")
    try scheduler.write(to: "\(folder)/scheduler/\(SchedulerFile.name)")
    var index: JSONObject = [
      "_class_name": "DDPMPipeline", "_diffusers_version": .string(SchedulerFile.diffusersVersion),
      "scheduler": ["diffusers", .string(scheduler.schedulerClass.rawValue)],
      "unet": ["diffusers", "UNet2DModel"],
    ]
    if !classNames.isEmpty {
      index["id2label"] = .object(
        JSONObject(classNames.enumerated().map { ("\($0.offset)", .string($0.element)) }))
    }
    try JSON.object(index).write(to: "\(folder)/\(Self.indexFile)")
  }
}
