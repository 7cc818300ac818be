import Interchange
import NeuralNets
import Torch

extension LoRA {
  /// Adds the file's changes to networks, beside their weights and multiplied by `scale`, on top of
  /// those of other files.
  ///
  /// `mergeLowRankChanges` on a network then makes them part of its weights. Throws `SafetensorsError`,
  /// and changes nothing, when a key of the file does not fit: it counts them and names the first.
  @discardableResult
  public func add(
    to unet: UNet2DCondition?, textEncoders: [CLIPTextModel] = [], scale: Double = 1
  ) throws(SafetensorsError) -> AddedLoRA {
    var targets: [LoRAKey.Network: [String: any LowRankLayer]] = [:]
    if let unet { targets[.unet] = Self.layers(of: unet) }
    for (place, model) in textEncoders.enumerated() {
      targets[.textEncoder(place)] = Self.layers(of: model)
    }
    var fitting: [(layer: any LowRankLayer, change: LowRankChange, scale: Double)] = []
    var strangers: [(key: String, reason: String)] = []
    for change in changes {
      guard let layer = targets[change.network]?[change.layer] else {
        strangers += change.keys.map { ($0, "no such layer") }
        continue
      }
      let up = Self.shaped(change.up, like: layer)
      let down = Self.shaped(change.down, like: layer)
      guard layer.fits(down: down, up: up) else {
        let reason = "\(change.down.shape) for a weight of \(layer.weight.shape)"
        strangers += change.keys.map { ($0, reason) }
        continue
      }
      let added = LowRankChange(down: down, up: up, scale: scale * change.scale)
      fitting.append((layer, added, change.scale))
    }
    if let first = strangers.first {
      let count = changes.reduce(0) { $0 + $1.keys.count }
      throw SafetensorsError(
        path: path,
        sentence: "\(strangers.count) of its \(count) keys do not fit this model, the first is "
          + "\"\(first.key)\" (\(first.reason)); it was made for another one.")
    }
    for (layer, change, _) in fitting {
      change.down.value.requiresGradient = false
      change.up.value.requiresGradient = false
      layer.add(change)
    }
    return AddedLoRA(fitting, scale: scale)
  }

  /// The layers of a network by every name that a file may give them.
  private static func layers(of network: Module) -> [String: any LowRankLayer] {
    let release = (network as? UNet2DCondition).map { LDMUNetNames.current($0.config).inverse }
    var layers: [String: any LowRankLayer] = [:]
    for (path, layer) in network.lowRankLayers {
      var names = [path] + (release?(path).map { [$0] } ?? [])
      if path.hasPrefix("text_model.") { names.append(String(path.dropFirst("text_model.".count))) }
      for name in names {
        layers[name] = layer
        layers[name.replacing(".", with: "_")] = layer
      }
    }
    return layers
  }

  /// A factor as a matrix or as a kernel, whichever the layer has: files mix both for 1×1 kernels.
  private static func shaped(_ factor: Tensor, like layer: any LowRankLayer) -> Tensor {
    let rank = layer.weight.shape.count
    if rank == 2, factor.rank == 4, factor.size(2) == 1, factor.size(3) == 1 {
      return factor.flattened(from: 1)
    }
    return rank == 4 && factor.rank == 2 ? factor.unsqueezed(2).unsqueezed(3) : factor
  }
}

/// The changes that a LoRA file added to networks.
public final class AddedLoRA {
  private let changes: [(layer: any LowRankLayer, change: LowRankChange, scale: Double)]
  /// What the changes are multiplied by, besides what the file says; of no effect on merged ones.
  public var scale: Double {
    didSet { for (_, change, own) in changes { change.scale = scale * own } }
  }

  init(
    _ changes: [(layer: any LowRankLayer, change: LowRankChange, scale: Double)], scale: Double
  ) {
    self.changes = changes
    self.scale = scale
  }

  /// How many layers are changed.
  public var count: Int { changes.count }

  /// Takes the changes away from the networks; take merged ones back first.
  public func remove() {
    for (layer, change, _) in changes { layer.lowRankChanges.removeAll { $0 === change } }
  }
}
