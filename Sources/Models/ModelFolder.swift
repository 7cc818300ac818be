import Foundation
import Interchange
import Torch

/// A network's folder as diffusers lays it out: a configuration beside weights.
public enum ModelFolder {
  /// The file of the network's shape.
  public static let config = "config.json"
  /// The file of the network's weights.
  public static let weights = "diffusion_pytorch_model.safetensors"

  /// The file of a folder's weights by its name without ending: one safetensors file, the index of
  /// several, or either in half precision where that is all there is.
  ///
  /// Where there is none, the path of the first, so that opening it says what is missing.
  public static func weightsPath(
    in folder: String, named name: String = "diffusion_pytorch_model"
  ) -> String {
    let endings = [
      "safetensors", "safetensors.index.json", "fp16.safetensors", "safetensors.index.fp16.json",
    ]
    let paths = endings.map { "\(folder)/\(name).\($0)" }
    return paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0]
  }

  /// Writes both files into a folder that exists. Throws `FileError` when the disk refuses.
  static func write(
    _ config: some Encodable, _ state: [(key: String, tensor: Tensor)], to folder: String
  ) throws {
    try JSON(encoding: config).write(to: "\(folder)/\(Self.config)")
    try Weights.write(state, to: "\(folder)/\(weights)")
  }

  /// The configuration in a folder. Throws an `ExplainedError` that names the file when it is
  /// missing or damaged, or when it has a `problem`.
  static func readConfig<Config: Decodable>(
    in folder: String, problem: (Config) -> String?
  ) throws -> Config {
    let path = "\(folder)/\(Self.config)"
    let config: Config
    do {
      config = try JSON(contentsOfFile: path).decode()
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    if let problem = problem(config) { throw JSONError(path: path, sentence: "\(problem).") }
    return config
  }
}
