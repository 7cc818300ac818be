import Interchange
import NeuralNets
import Torch

/// Low-rank changes of a U-Net's attention projections, to be trained while its weights stay.
///
/// It is a module of its own, whose parameters are the factors; the U-Net's layers look at the same.
public final class TrainableLoRA: Module {
  private let factors: [Factors]
  /// Rows of every A.
  public let rank: Int
  /// What products are multiplied by, times the rank.
  public let alpha: Double
  private let layers: [(path: String, change: LowRankChange)]

  /// A change's factors as a part of a module.
  private final class Factors: Module {
    let down: Parameter
    let up: Parameter

    init(_ change: LowRankChange) { (down, up) = (change.down, change.up) }
  }

  /// Freezes `unet` and adds a change to the queries, keys, values and outputs of every attention in its
  /// transformers: A as peft starts it, B zero, so that the network gives what it gave.
  public init(
    on unet: UNet2DCondition, rank: Int, alpha: Double? = nil, using generator: Generator
  ) {
    let alpha = alpha ?? Double(rank)
    for parameter in unet.parameters { parameter.value.requiresGradient = false }
    let start = Initializer.kaimingUniform(slope: 5.0.squareRoot())
    layers = unet.lowRankLayers.filter { Self.isProjection($0.path) }.map { path, layer in
      let shape = layer.weight.shape
      let change = LowRankChange(
        down: start.tensor([rank, shape[1]], using: generator), up: .zeros([shape[0], rank]),
        scale: alpha / Double(rank))
      layer.add(change)
      return (path, change)
    }
    factors = layers.map { Factors($0.change) }
    self.rank = rank
    self.alpha = alpha
  }

  /// A and B of every layer by their keys in diffusers.
  public var diffusersParameters: [(key: String, parameter: Parameter)] {
    layers.flatMap { path, change in
      [("unet.\(path).lora_A.weight", change.down), ("unet.\(path).lora_B.weight", change.up)]
    }
  }

  /// Writes a file that diffusers' `load_lora_weights` reads.
  ///
  /// Throws `FileError` when the disk refuses.
  public func save(to path: String) throws {
    let names = Set(layers.map { Self.projection($0.path) ?? "" }).sorted()
    let metadata = AdapterMetadata.written(rank: rank, alpha: alpha, layers: names)
    try Weights.write(
      diffusersParameters.map { ($0.key, $0.parameter.value.detached()) }, metadata: metadata,
      to: path)
  }

  private static func isProjection(_ path: String) -> Bool {
    path.contains(".transformer_blocks.") && projection(path) != nil
  }

  /// The name of an attention's projection at the end of a path, if it is one.
  private static func projection(_ path: String) -> String? {
    ["to_q", "to_k", "to_v", "to_out.0"].first { path.hasSuffix(".\($0)") }
  }
}
