import Interchange
import NeuralNets
import Torch

extension Autoencoder {
  /// The file names of a network's folder, as diffusers has them.
  public typealias FileName = ModelFolder

  /// Writes `config.json` and the weights in `state` (default: the network's own) into a folder
  /// that exists. Throws `FileError` when the disk refuses.
  public func save(to folder: String, state: [(key: String, tensor: Tensor)]? = nil) throws {
    try ModelFolder.write(config, state ?? self.state, to: folder)
  }

  /// The network that `save(to:)` wrote.
  ///
  /// Throws an `ExplainedError` that names the file for a missing or damaged one, an impossible
  /// configuration, or weights that do not fit it.
  public convenience init(folder: String) throws {
    let config: AutoencoderConfig = try ModelFolder.readConfig(in: folder) { $0.problem }
    self.init(config, using: nil)
    try Weights.load("\(folder)/\(ModelFolder.weights)", into: self)
  }
}
