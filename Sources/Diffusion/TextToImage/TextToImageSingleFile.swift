import Foundation
import Interchange
import Models
import Tokenizers

extension TextToImagePipeline {
  /// Opens a folder of diffusers, or a single file of the original release.
  ///
  /// Throws what opening either throws.
  public convenience init(path: String, tokenizer: String? = nil) throws {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if isThere, !isFolder.boolValue {
      try self.init(file: path, tokenizer: tokenizer)
    } else {
      try self.init(folder: path)
    }
  }

  /// Opens a single safetensors file with the original release's key names, see
  /// `SingleFileCheckpoint`.
  ///
  /// Such a file holds no tokenizer. It is taken from the folder `tokenizer`, or from `tokenizer` (and
  /// `tokenizer_2`) beside the file, or from `vocab.json` and `merges.txt` there. All Stable Diffusion
  /// models have the same vocabulary.
  ///
  /// Throws an `ExplainedError` that names the file for one that is missing, damaged or a pickle, that
  /// is no whole model, and where the tokenizer is missing.
  public convenience init(file path: String, tokenizer: String? = nil) throws {
    let file = try SingleFileCheckpoint(path: path)
    guard file.family != .stableDiffusionXLRefiner else {
      throw SafetensorsError(
        path: path,
        sentence:
          "this is a refiner, and only models that draw a picture from the beginning can be "
          + "used here.")
    }
    let kind: Kind = file.family == .stableDiffusionXL ? .stableDiffusionXL : .stableDiffusion
    let missing = [
      "U-Net": file.unetConfig == nil, "autoencoder": file.autoencoderConfig == nil,
      "text encoder": file.textConfigs.count < kind.encoderNames.count,
    ].filter(\.value).keys.sorted()
    guard missing.isEmpty else {
      throw SafetensorsError(
        path: path,
        sentence: "it holds no \(missing.joined(separator: " and no ")); take a file of the whole "
          + "model.")
    }
    let tokenizers = try Self.tokenizers(for: file, kind, in: tokenizer)
    let encoders = zip(tokenizers, try file.textEncoders()).map {
      PromptEncoder(tokenizer: $0, model: $1)
    }
    let (unet, autoencoder) = (try file.unet(), try file.autoencoder())
    if let problem = Self.problem(
      kind, unet: unet.config, autoencoder: autoencoder.config, encoders: encoders)
    {
      throw SafetensorsError(path: path, sentence: "\(problem).")
    }
    self.init(
      kind, unet: unet, autoencoder: autoencoder, encoders: encoders,
      scheduler: try SchedulerFile(for: file))
  }

  /// The tokenizers for the file's text encoders.
  private static func tokenizers(
    for file: SingleFileCheckpoint, _ kind: Kind, in given: String?
  ) throws -> [CLIPTokenizer] {
    let folder = given ?? URL(filePath: file.path).deletingLastPathComponent().path
    func holdsVocabulary(_ folder: String) -> Bool {
      ["vocab.json", "tokenizer.json"].contains {
        FileManager.default.fileExists(atPath: "\(folder)/\($0)")
      }
    }
    guard let first = ["\(folder)/tokenizer", folder].first(where: holdsVocabulary) else {
      let place = given.map { "\($0) holds none" } ?? "there is none beside it"
      throw SafetensorsError(
        path: file.path,
        sentence:
          "a single file holds no tokenizer, and \(place); put the folder \"tokenizer\" of any "
          + "Stable Diffusion model (vocab.json and merges.txt) beside the file, or name one with "
          + "--tokenizer.")
    }
    return try kind.encoderNames.enumerated().map { place, names in
      let own = "\(folder)/\(names.tokenizer)"
      // OpenCLIP's encoders were trained on windows that "!" fills up.
      let isOpenCLIP = file.family == .stableDiffusion2 || place == 1
      return place == 1 && holdsVocabulary(own)
        ? try CLIPTokenizer(folder: own)
        : try CLIPTokenizer(folder: first, padding: isOpenCLIP ? "!" : nil)
    }
  }
}
