import Interchange
import NeuralNets

/// The tensors of one network among those of a single file.
struct SingleFilePart: Sendable {
  /// What the names of the network's tensors begin with.
  let prefix: String
  /// Whether names are those of OpenCLIP.
  var isOpenCLIP = false
  /// Shapes by the names without the prefix.
  let shapes: [String: [Int]]

  private init(_ prefix: String, in file: SafetensorsFile) {
    self.prefix = prefix
    var shapes: [String: [Int]] = [:]
    for (name, info) in file.tensors where name.hasPrefix(prefix) {
      shapes[String(name.dropFirst(prefix.count))] = info.shape
    }
    self.shapes = shapes
  }

  /// The tensors below the first prefix with which `key` is there.
  private init?(_ prefixes: [String], with key: String, in file: SafetensorsFile) {
    guard let prefix = prefixes.first(where: { file.tensors[$0 + key] != nil }) else { return nil }
    self.init(prefix, in: file)
  }

  static func unet(in file: SafetensorsFile) -> SingleFilePart? {
    SingleFilePart(["model.diffusion_model.", ""], with: "input_blocks.0.0.weight", in: file)
  }

  static func autoencoder(in file: SafetensorsFile) -> SingleFilePart? {
    SingleFilePart(
      ["first_stage_model.", "vae.", ""], with: "encoder.down.0.block.0.conv1.weight", in: file)
  }

  /// Text encoders in the order of the pipeline's, with their shapes.
  static func texts(
    in file: SafetensorsFile
  ) -> [(part: SingleFilePart, config: CLIPTextConfig)] {
    ["cond_stage_model.", "conditioner.embedders.0.", "conditioner.embedders.1."].compactMap {
      let plain = SingleFilePart("\($0)transformer.", in: file)
      if let config = CLIPTextConfig(singleFile: plain.shapes) { return (plain, config) }
      var open = SingleFilePart("\($0)model.", in: file)
      open.isOpenCLIP = true
      let isPenultimate = $0 == "cond_stage_model."
      return CLIPTextConfig(openCLIP: open.shapes, isPenultimate: isPenultimate).map { (open, $0) }
    }
  }

  /// Where weights stand by the network's keys, which `rename` tells from names without the prefix;
  /// a name without a key stays as it is, so that loading complains of it.
  func weights(_ rename: (String) -> String?) -> [String: StoredWeight] {
    var weights: [String: StoredWeight] = [:]
    for name in shapes.keys { weights[rename(name) ?? prefix + name] = StoredWeight(prefix + name) }
    return weights
  }

  /// Where the weights of a text encoder stand by its keys.
  func textWeights(for network: CLIPTextModel) -> [String: StoredWeight] {
    var weights: [String: StoredWeight] = [:]
    if isOpenCLIP {
      for (key, _) in network.namedParameters {
        guard var weight = SingleFileTextNames.openCLIP(key) else { continue }
        weight.name = prefix + weight.name
        weights[key] = weight
      }
    } else {
      for name in shapes.keys {
        if let key = network.currentKey(name) { weights[key] = StoredWeight(prefix + name) }
      }
    }
    return weights
  }

  /// What to say of a file that holds no such part.
  static func strangers(_ file: SafetensorsFile) -> String {
    let isDiffusers = file.names.contains {
      $0.hasPrefix("down_blocks.") || $0.hasPrefix("encoder.down_blocks.")
    }
    guard !isDiffusers else {
      return "its keys are those of diffusers; put it as diffusion_pytorch_model.safetensors into "
        + "a folder with its config.json, and open the folder."
    }
    let first = file.names.min().map { ", but for example \"\($0)\"" } ?? ""
    return "it holds no network under the key names of Stable Diffusion 1.x, 2.x or XL\(first); "
      + "other models are not supported."
  }
}
