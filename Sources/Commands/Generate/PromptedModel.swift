import Diffusion
import Foundation
import Interchange
import Models
import Torch
import Training

/// A text-to-image model, open to draw.
struct PromptedModel {
  /// The file in which a model's folder says what suits it best.
  static let advice = "latent.json"

  /// The name of its folder.
  let name: String
  let pipeline: TextToImagePipeline
  /// The guidance that suits it, where its folder says so.
  let guidance: Double?
  /// Whether it was made for pictures of one size, as those trained here.
  let keepsSize: Bool
  let hash: WeightsHash
  let loadSeconds: Double

  /// Opens the model of a name or a path; without one, that which comes with the tool.
  ///
  /// Throws an `ExplainedError` or `CommandError` when there is none, or it cannot be used.
  init(
    _ wanted: String?, tokenizer: String? = nil, loras: [LoRAChoice] = [], device: Device,
    precision: Precision
  ) throws {
    let start = ContinuousClock.now
    let path = try wanted.map(Self.place) ?? Self.standardFolder()
    let isFile = Self.isFile(path)
    if tokenizer != nil, !isFile {
      throw CommandError("\(path): a folder brings its own tokenizer; leave --tokenizer out")
    }
    let pipeline = try TextToImagePipeline(path: path, tokenizer: tokenizer)
    try pipeline.merge(loras)
    pipeline.move(to: device, dtype: precision == .bf16 ? .bfloat16 : nil)
    if device == .cpu { pipeline.packForInference(freeingWeights: true) }
    let weights =
      isFile ? path : ModelFolder.weightsPath(in: DiffusionPipeline.part("unet", of: path))
    hash = WeightsHash(of: try SafetensorsIndex(path: weights).shards.map(\.path))
    self.pipeline = pipeline
    name = URL(filePath: path).standardizedFileURL.lastPathComponent
    (guidance, keepsSize) = isFile ? (nil, false) : try Self.advice(in: path)
    loadSeconds = (ContinuousClock.now - start) / .seconds(1)
  }

  /// How many pixels become one latent, in height and in width.
  var scale: Int { pipeline.autoencoder.config.scale }

  /// The folder of the model that comes with the tool.
  private static func standardFolder() throws -> String {
    let name = TextToImageFolders.standard
    if let found = TextToImageFolders.builtIn.first(where: { $0.name == name }) {
      return found.path
    }
    let places = TextToImageFolders.shelves.map { "\($0)/\(name)" }.joined(separator: ", ")
    throw CommandError(
      "the built-in model is not there (looked for in \(places)); name a model with --model, or the "
        + "folder that holds \(name) with the variable LATENT_MODELS")
  }

  private static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }

  /// What `--model` means: a folder or a file that is there, or the name of a model of the tool's own.
  static func place(_ wanted: String) throws -> String {
    let path = RunFolder(path: wanted).path
    guard FileManager.default.fileExists(atPath: path) else {
      let known = TextToImageFolders.builtIn
      if let found = known.first(where: { $0.name == wanted }) { return found.path }
      let near = nearestName(to: wanted, among: known.map(\.name))
      throw CommandError(
        "\(wanted): there is no such folder, and no model of that name"
          + (near.map { "; did you mean \($0)?" } ?? "; `latent models` lists those that are here"))
    }
    if isFile(path) {
      guard path.hasSuffix(".safetensors") || Weights.isPickle(path) else {
        throw CommandError(
          "\(wanted): this is a file; --model takes the folder of a model, or a single safetensors "
            + "file of one")
      }
      return path
    }
    if DiffusionPipeline.isPipeline(path) { return path }
    if let record = try? RunRecord(of: RunFolder(path: path)) {
      throw CommandError(
        "\(wanted): this run of the family \(record.family) has no model that draws from a prompt")
    }
    if let pickle = Weights.pickle(in: path) {
      throw SafetensorsError(path: pickle, sentence: Weights.pickleRefusal)
    }
    throw CommandError(
      "\(wanted): this folder holds no model_index.json, so it is no model that draws from a prompt"
    )
  }

  /// What a folder says suits its model.
  static func advice(in folder: String) throws -> (guidance: Double?, keepsSize: Bool) {
    let path = "\(folder)/\(Self.advice)"
    guard FileManager.default.fileExists(atPath: path) else { return (nil, false) }
    let said: JSON
    do {
      said = try JSON(contentsOfFile: path)
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    guard let guidance = said["guidance"], !guidance.isNull else { return (nil, true) }
    guard let scale = guidance.double, abs(scale) <= 1000 else {
      throw JSONError(path: path, sentence: "\"guidance\" is no number in -1000...1000.")
    }
    return (scale, true)
  }
}
