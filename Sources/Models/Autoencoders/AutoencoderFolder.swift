import Interchange
import NeuralNets
import Torch

extension Autoencoder {
  /// The file names of a network's folder, as diffusers has them.
  public enum FileName {
    /// The network's shape.
    public static let config = "config.json"
    /// The network's weights.
    public static let weights = "diffusion_pytorch_model.safetensors"
  }

  /// Writes `config.json` and the weights in `state` (default: the network's own) into a folder
  /// that exists. Throws `FileError` when the disk refuses.
  public func save(to folder: String, state: [(key: String, tensor: Tensor)]? = nil) throws {
    try JSON(encoding: config).write(to: "\(folder)/\(FileName.config)")
    try Weights.write(state ?? self.state, to: "\(folder)/\(FileName.weights)")
  }

  /// The network that `save(to:)` wrote.
  ///
  /// Throws an `ExplainedError` that names the file for a missing or damaged one, an impossible
  /// configuration, or weights that do not fit it.
  public convenience init(folder: String) throws {
    let path = "\(folder)/\(FileName.config)"
    let config: AutoencoderConfig
    do {
      config = try JSON(contentsOfFile: path).decode()
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    if let problem = config.problem { throw JSONError(path: path, sentence: "\(problem).") }
    self.init(config, using: nil)
    try Weights.load("\(folder)/\(FileName.weights)", into: self)
  }
}
