import Interchange
import NeuralNets
import Torch

/// Low-rank changes of a U-Net's attention projections, to be trained while its weights stay.
public final class TrainableLoRA {
  /// Rows of every A.
  public let rank: Int
  /// What products are multiplied by, times the rank.
  public let alpha: Double
  private let layers: [(path: String, change: LowRankChange)]

  /// Freezes `unet` and adds a change to the queries, keys, values and outputs of every attention in its
  /// transformers: A as peft starts it, B zero, so that the network gives what it gave.
  public init(
    on unet: UNet2DCondition, rank: Int, alpha: Double? = nil, using generator: Generator
  ) {
    let alpha = alpha ?? Double(rank)
    for parameter in unet.parameters { parameter.value.requiresGradient = false }
    let start = Initializer.kaimingUniform(slope: 5.0.squareRoot())
    layers = unet.lowRankLayers.filter { Self.isProjection($0.path) }.map { path, layer in
      let shape = layer.weight.value.shape
      let change = LowRankChange(
        down: start.tensor([rank] + shape.dropFirst(), using: generator),
        up: .zeros([shape[0], rank]), scale: alpha / Double(rank))
      layer.add(change)
      return (path, change)
    }
    self.rank = rank
    self.alpha = alpha
  }

  /// A and B of every layer by their keys in diffusers.
  public var namedParameters: [(name: String, parameter: Parameter)] {
    layers.flatMap { path, change in
      [("unet.\(path).lora_A.weight", change.down), ("unet.\(path).lora_B.weight", change.up)]
    }
  }

  /// A and B of every layer.
  public var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// A and B of every layer by their keys in diffusers, outside of any graph.
  public var state: [(key: String, tensor: Tensor)] {
    namedParameters.map { ($0.name, $0.parameter.value.detached()) }
  }

  /// Takes over what `state` gave. Throws `StateMismatch` with all that does not fit.
  public func load(_ state: [String: Tensor]) throws(StateMismatch) {
    var mismatch = StateMismatch()
    mismatch.unused = Set(state.keys).subtracting(namedParameters.map(\.name)).sorted()
    for (key, tensor) in self.state {
      guard let found = state[key] else {
        mismatch.missing.append(key)
        continue
      }
      if found.shape != tensor.shape { mismatch.shapes.append((key, tensor.shape, found.shape)) }
    }
    guard mismatch.missing.isEmpty, mismatch.unused.isEmpty, mismatch.shapes.isEmpty else {
      throw mismatch
    }
    withoutGradients {
      for (key, tensor) in self.state {
        if let found = state[key] { tensor.copy(from: found) }
      }
    }
  }

  /// The name that diffusers gives the file.
  public static let fileName = "pytorch_lora_weights.safetensors"

  /// Writes a file that diffusers' `load_lora_weights` reads: `state`, or the changes as they are.
  ///
  /// Throws `FileError` when the disk refuses.
  public func save(
    to path: String, state: [(key: String, tensor: Tensor)]? = nil
  ) throws {
    let metadata = try AdapterMetadata.written(
      rank: rank, alpha: alpha, layers: layers.map(\.path))
    try Weights.write(state ?? self.state, metadata: metadata, to: path)
  }

  private static func isProjection(_ path: String) -> Bool {
    path.contains(".transformer_blocks.")
      && [".to_q", ".to_k", ".to_v", ".to_out.0"].contains { path.hasSuffix($0) }
  }
}
