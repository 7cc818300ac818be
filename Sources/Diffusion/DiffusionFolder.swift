import Foundation
import Interchange
import Models

extension DiffusionPipeline {
  private static let indexFile = "model_index.json"

  /// Whether a folder holds a pipeline.
  public static func isPipeline(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/\(indexFile)")
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
    let network = index["unet"]?[1]?.string
    guard network == "UNet2DModel" else {
      throw JSONError(
        path: path,
        sentence: "this pipeline's unet is \(network ?? "missing"); a UNet2DModel is needed here.")
    }
    for part in ["vae", "vqvae", "bert"] where index[part] != nil {
      throw JSONError(
        path: path,
        sentence: "this pipeline has a \(part) beside its unet; only those that draw pixels can be "
          + "used here.")
    }
    let unet = try UNet2D(folder: "\(folder)/unet")
    let (taken, given) = (unet.config.inChannels, unet.config.outChannels)
    guard given == taken || given == 2 * taken else {
      throw JSONError(
        path: "\(folder)/unet/\(ModelFolder.config)",
        sentence: "out_channels is \(given), but a prediction about \(taken) channels has "
          + "\(taken), or \(2 * taken) with its variance.")
    }
    let scheduler = try SchedulerFile(
      contentsOfFile: "\(folder)/scheduler/\(SchedulerFile.name)")
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
    if let rows = unet.config.numClassEmbeds, !(rows...rows + 1).contains(classNames.count + 1) {
      throw JSONError(
        path: path,
        sentence: "\"id2label\" names \(classNames.count) classes, but the network has \(rows).")
    }
    self.init(unet, scheduler, classNames: classNames)
  }

  /// What the folder's files say that nothing here knows, a sentence a key; it is kept.
  public var notes: [String] {
    let known = SchedulerClass.allCases.flatMap(\.keys)
    let scheduler = scheduler.unknownKeys.map { key in
      let near = nearestName(to: key, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      return "\(SchedulerFile.name): the key \"\(key)\" is unknown and does nothing\(near)"
    }
    return scheduler
      + unet.config.otherKeys.keys.filter { !$0.hasPrefix("_") }.map {
        "unet/\(ModelFolder.config): the key \"\($0)\" is unknown and does nothing"
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
