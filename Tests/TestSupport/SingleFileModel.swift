import Foundation
import Interchange
import Models
import NeuralNets
import Testing
import Torch

/// A model of generators/single_file.py: its networks, and the file under the release's key names that
/// diffusers read to the same weights.
public struct SingleFileModel {
  /// The U-Net of the folder.
  public let unet: UNet2DCondition
  /// The autoencoder of the folder.
  public let autoencoder: AutoencoderKL
  /// The text encoders of the folder.
  public let texts: [CLIPTextModel]
  /// The release that the names are of.
  public let family: SingleFileCheckpoint.Family
  private let table: JSON
  private let extra: JSON

  /// One of `sd1`, `sd2`, `xl` and `inpainting`.
  public init(_ name: String) throws {
    func golden(_ name: String) throws -> JSON {
      try JSON(contentsOfFile: Fixture.folder.appending(path: "single_file/\(name).json").path)
    }
    let json = try golden(name)
    func config<Config: Decodable>(_ part: String) throws -> Config? {
      try json["config"]?[part]?.decode()
    }
    unet = UNet2DCondition(try #require(try config("unet")), using: nil)
    autoencoder = AutoencoderKL(try #require(try config("vae")), using: nil)
    texts = try ["text_encoder", "text_encoder_2"].compactMap { try config($0) }.map {
      CLIPTextModel($0, using: nil)
    }
    family =
      switch name {
      case "xl": .stableDiffusionXL
      case "sd2": .stableDiffusion2
      default: .stableDiffusion1
      }
    // In the order of the parts' names.
    for (place, network) in (texts as [Module] + [unet, autoencoder]).enumerated() {
      try network.draw(seed: 30 + UInt64(place))
    }
    table = try #require(try golden(name == "inpainting" ? "sd1" : name)["table"])
    extra = try #require(json["extra"])
  }

  /// The tensors of the single file.
  public var tensors: [String: Tensor] {
    get throws {
      var parts: [String: [String: Tensor]] = [:]
      let networks =
        Array(zip(["text_encoder", "text_encoder_2"], texts as [Module]))
        + [("unet", unet as Module), ("vae", autoencoder as Module)]
      for (name, network) in networks {
        parts[name] = Dictionary(uniqueKeysWithValues: network.state.map { ($0.key, $0.tensor) })
      }
      var tensors: [String: Tensor] = [:]
      for (key, value) in try #require(table.object) {
        var words = try #require(value.string).split(separator: " ").map(String.init)
        let change = ["kernel", "transposed"].contains(words[0]) ? words.removeFirst() : ""
        let sources = try words.map { word in
          let slash = try #require(word.firstIndex(of: "/"))
          return try #require(parts[String(word[..<slash])]?[String(word[slash...].dropFirst())])
        }
        let whole = sources.count == 1 ? sources[0] : Tensor.concatenated(sources, 0)
        switch change {
        case "kernel": tensors[key] = whole.unsqueezed(2).unsqueezed(3)
        case "transposed": tensors[key] = whole.transposed().contiguous()
        default: tensors[key] = whole
        }
      }
      for (key, shape) in try #require(extra.object) {
        tensors[key] = .ones(try #require(shape.array).compactMap(\.int))
      }
      return tensors
    }
  }

  /// Writes the single file.
  public func write(to path: String) throws {
    try Weights.write(try tensors.map { ($0.key, $0.value) }, to: path)
  }
}
