import Foundation
import Interchange
import NeuralNets
import Torch

/// A LoRA file: low-rank changes of a U-Net's and of text encoders' layers (Hu et al. 2022), linear and
/// convolutional ones, under the key names of diffusers, peft or kohya's scripts.
///
/// Limitation: relatives of LoRA (LoHa, LoKr, DoRA, a third factor in the middle) are refused.
public struct LoRA {
  /// The change of one layer.
  struct Change {
    let network: LoRAKey.Network
    /// The layer's path as the file spells it.
    let layer: String
    let down: Tensor
    let up: Tensor
    /// α / rank: what the product is multiplied by where it is used as trained.
    let scale: Double
    /// The file's keys.
    let keys: [String]
  }

  /// Where the file lies.
  public let path: String
  let changes: [Change]

  /// The name that diffusers gives such a file in a folder.
  public static let fileName = "pytorch_lora_weights.safetensors"

  /// Reads a file, or the one of that name in a folder.
  ///
  /// Throws `SafetensorsError` for one that is damaged, a pickle, or no plain LoRA's.
  public init(path given: String) throws {
    let inFolder = "\(given)/\(Self.fileName)"
    let path = FileManager.default.fileExists(atPath: inFolder) ? inFolder : given
    let file = try Weights.file(path)
    func refused(_ sentence: String) -> SafetensorsError {
      SafetensorsError(path: path, sentence: sentence)
    }
    for (mark, method) in Self.relatives {
      if let key = file.names.first(where: { "\($0).".contains(mark) }) {
        throw refused("it is a \(method) file (\"\(key)\"), and only plain LoRA files can be used.")
      }
    }
    var found: [Place: [LoRAKey.Role: String]] = [:]
    var order: [Place] = []
    var strangers: [String] = []
    for name in file.names.sorted() {
      guard let key = LoRAKey(name) else {
        strangers.append(name)
        continue
      }
      let place = Place(network: key.network, layer: key.layer)
      if found[place] == nil { order.append(place) }
      if let other = found[place]?[key.role] {
        throw refused(
          "\"\(name)\" and \"\(other)\" are for one layer; a layer can have one change.")
      }
      found[place, default: [:]][key.role] = name
    }
    guard strangers.isEmpty, !order.isEmpty else {
      let first = strangers.first.map { ", for example \"\($0)\"" } ?? ""
      throw refused(
        "\(strangers.count) of its \(file.names.count) keys are not those of a LoRA file\(first).")
    }
    let metadata = AdapterMetadata(file.metadata)
    guard metadata.problem == nil else { throw refused("\(metadata.problem ?? "").") }
    self.path = path
    changes = try order.map { place in
      let keys = found[place] ?? [:]
      guard let down = keys[.down], let up = keys[.up] else {
        let key = keys.values.sorted()[0]
        throw refused("\"\(key)\" stands alone; a layer needs both factors of its change.")
      }
      let factors = (try file.tensor(named: down).clone(), try file.tensor(named: up).clone())
      guard factors.0.rank >= 2, factors.0.dtype.isFloatingPoint, factors.1.dtype.isFloatingPoint
      else { throw refused("\"\(down)\" or its partner is no matrix of floating-point numbers.") }
      let rank = factors.0.size(0)
      var scale = metadata.scale(of: place.layer, in: place.network, rank: rank) ?? 1
      if let key = keys[.alpha] {
        let alpha = try file.tensor(named: key)
        guard alpha.count == 1, alpha.dtype != .bool, rank > 0 else {
          throw refused("\"\(key)\" must hold one number.")
        }
        scale = alpha.to(.float64).reshaped([]).item() / Double(rank)
      }
      guard scale.isFinite else { throw refused("the α of \"\(down)\" is not finite.") }
      return Change(
        network: place.network, layer: place.layer, down: factors.0, up: factors.1, scale: scale,
        keys: keys.values.sorted())
    }
  }

  private struct Place: Hashable {
    let network: LoRAKey.Network
    let layer: String
  }

  /// What other methods' files hold.
  private static let relatives: KeyValuePairs = [
    ".hada_w": "LoHa", ".lokr_w": "LoKr", ".dora_scale": "DoRA", ".lora_magnitude_vector": "DoRA",
    ".lora_mid": "LoRA with a third factor", ".lora_B.bias": "LoRA with biases", ".oft_": "OFT",
    ".diff.": "full-weight", ".diff_b.": "full-weight",
  ]
}
