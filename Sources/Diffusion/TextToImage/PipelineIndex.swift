import Foundation
import Interchange
import Models

/// The `model_index.json` of a text-to-image pipeline that can be opened here: its class and the
/// classes of its parts.
struct PipelineIndex {
  static let name = "model_index.json"

  let json: JSON
  let kind: TextToImagePipeline.Kind
  private let path: String

  /// Reads the index of a folder.
  ///
  /// Throws an `ExplainedError` for a missing or damaged one, a pipeline of another class, and parts
  /// that are missing or of another class.
  init(folder: String) throws {
    path = "\(folder)/\(Self.name)"
    let isThere = FileManager.default.fileExists(atPath: path)
    if !isThere, let pickle = Weights.isPickle(folder) ? folder : Weights.pickle(in: folder) {
      throw SafetensorsError(path: pickle, sentence: Weights.pickleRefusal)
    }
    do {
      json = try JSON(contentsOfFile: path)
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    let name = json["_class_name"]?.string
    guard let kind = name.flatMap(TextToImagePipeline.Kind.init) else {
      throw JSONError(
        path: path,
        sentence: "the pipeline's class is \(name ?? "missing"); StableDiffusionPipeline, "
          + "StableDiffusionXLPipeline and their Img2Img and Inpaint forms can be used here.")
    }
    self.kind = kind
    try require("unet", of: [UNetConditionConfig.className])
    try require("vae", of: [AutoencoderKLConfig.className])
    for names in kind.encoderNames {
      try require(names.encoder, of: CLIPTextConfig.Architecture.allCases.map(\.rawValue))
      try require(names.tokenizer, of: ["CLIPTokenizer", "CLIPTokenizerFast"])
    }
    try require("scheduler", of: SchedulerClass.allCases.map(\.rawValue))
    if json["requires_aesthetics_score"]?.bool == true {
      throw JSONError(
        path: path,
        sentence: "\"requires_aesthetics_score\" is set: this is a refiner, and only pipelines "
          + "that draw a picture from the beginning can be used here.")
    }
  }

  /// Throws unless a part is there and of one of these classes.
  private func require(_ part: String, of classes: [String]) throws(JSONError) {
    guard let found = json[part]?[1]?.string else {
      throw JSONError(
        path: path,
        sentence: "this pipeline has no \(part); a \(kind.className) needs a \(classes[0]) "
          + "there.")
    }
    guard classes.contains(found) else {
      let near = nearestName(to: found, among: classes).map { "; the nearest is \($0)" } ?? ""
      throw JSONError(
        path: path,
        sentence: "this pipeline's \(part) is a \(found), which cannot be used here\(near).")
    }
  }

  /// What the folder holds that does nothing here.
  var notes: [String] {
    var notes: [String] = []
    if json["safety_checker"]?[1]?.string != nil {
      notes.append("safety_checker: it is not used; look at the pictures before others do")
    }
    if json["image_encoder"]?[1]?.string != nil {
      notes.append("image_encoder: it is not used; only text guides the pictures here")
    }
    return notes
  }
}
