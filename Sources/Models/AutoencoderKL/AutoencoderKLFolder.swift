import Interchange
import NeuralNets
import Torch

extension AutoencoderKL {
  /// Writes `config.json` and the weights in `state` (default: the network's own) into a folder
  /// that exists. `config`: the network's own with other factors of its latents.
  ///
  /// Throws `FileError` when the disk refuses.
  public func save(
    to folder: String, config: AutoencoderKLConfig? = nil,
    state: [(key: String, tensor: Tensor)]? = nil
  ) throws {
    try ModelFolder.write(config ?? self.config, state ?? self.state, to: folder)
  }

  /// The network that `save(to:)` or diffusers wrote, in float32 whatever the file holds.
  ///
  /// Throws an `ExplainedError` that names the file for a missing or damaged one, an impossible
  /// configuration, or weights that do not fit it.
  public convenience init(folder: String) throws {
    let config: AutoencoderKLConfig = try ModelFolder.readConfig(in: folder) { $0.problem }
    self.init(config, using: nil)
    try Weights.load(
      ModelFolder.weightsPath(in: folder), into: self, renaming: AttentionBlock.currentKey)
  }
}
