import Interchange
import NeuralNets
import Torch

extension CLIPTextModel {
  /// The name of the weights' file, without its ending.
  static let weightsName = "model"

  /// Writes `config.json` and the weights in `state` (default: the network's own) into a folder
  /// that exists. Throws `FileError` when the disk refuses.
  public func save(to folder: String, state: [(key: String, tensor: Tensor)]? = nil) throws {
    try JSON(encoding: config).write(to: "\(folder)/\(ModelFolder.config)")
    try Weights.write(state ?? self.state, to: "\(folder)/\(Self.weightsName).safetensors")
  }

  /// The network that `save(to:)` or transformers wrote: weights in one file or several, of any
  /// floating-point type, with and without `text_model.` in their keys.
  ///
  /// `architecture` counts more than the configuration's own. Throws an `ExplainedError` that names
  /// the file for a missing or damaged one, an impossible configuration, or weights that do not fit.
  public convenience init(
    folder: String, architecture: CLIPTextConfig.Architecture? = nil
  ) throws {
    func chosen(_ config: CLIPTextConfig) -> CLIPTextConfig {
      var config = config
      config.architecture = architecture ?? config.architecture
      return config
    }
    let config: CLIPTextConfig = try ModelFolder.readConfig(in: folder) { chosen($0).problem }
    self.init(chosen(config), using: nil)
    try Weights.load(
      ModelFolder.weightsPath(in: folder, named: Self.weightsName), into: self,
      renaming: currentKey)
  }

  /// The network's key for one of a file; `nil` for those that it does without.
  func currentKey(_ key: String) -> String? {
    // Older versions saved the places 0, 1, 2, … as well.
    if key.hasSuffix("embeddings.position_ids") { return nil }
    if key == "text_projection.weight" { return config.architecture == .projecting ? key : nil }
    return key.hasPrefix("text_model.") ? key : "text_model.\(key)"
  }
}
