import Torch

/// A change of a layer's weight W by a product of two thin ones: W + scale · B · A (LoRA: Hu et al. 2022,
/// §4.1).
///
/// It belongs to a layer without being part of its module's parameters and state: training and files
/// hold it beside the network.
public final class LowRankChange {
  /// A, `[rank, inputs]`, or the kernel `[rank, inputs, kernel, kernel]` of a convolution.
  public let down: Parameter
  /// B, `[outputs, rank]`, or `[outputs, rank, 1, 1]`.
  public let up: Parameter
  /// What the product is multiplied by.
  public var scale: Double

  /// A change with given factors; see `LowRankLayer.fits` for shapes.
  public init(down: Tensor, up: Tensor, scale: Double) {
    self.down = Parameter(down)
    self.up = Parameter(up)
    self.scale = scale
  }

  /// How many rows A has.
  public var rank: Int { down.value.size(0) }

  /// scale · B · A as float32 in the shape of the weight.
  func product(like weight: Tensor) -> Tensor {
    let (a, b) = (down.value.to(.float32).flattened(from: 1), up.value.to(.float32))
    return (b.reshaped([b.size(0), -1]).matmul(a) * scale).reshaped(weight.shape)
  }

  func move(to device: Device, dtype: DType) {
    for factor in [down, up] {
      let required = factor.value.requiresGradient
      factor.value = factor.value.detached().to(dtype).to(device)
      factor.value.requiresGradient = required
    }
  }
}

/// A layer whose weight can be changed by products of thin ones: `Linear` and `Conv2d`.
public protocol LowRankLayer: Module {
  /// `[outputs, inputs]`, or `[outputs, inputs, kernel, kernel]`.
  var weight: Parameter { get }
  /// What is added to the layer's output, on top of what its weight gives.
  var lowRankChanges: [LowRankChange] { get set }
}

extension LowRankLayer {
  /// Whether factors have the shapes that a change of this layer needs.
  public func fits(down: Tensor, up: Tensor) -> Bool {
    let shape = weight.shape
    guard let rank = down.shape.first, rank > 0 else { return false }
    return down.shape == [rank] + shape.dropFirst()
      && up.shape == [shape[0], rank] + shape.dropFirst(2).map { _ in 1 }
  }

  /// Adds a change, in the type and on the device of the layer's weight.
  public func add(_ change: LowRankChange) {
    precondition(
      fits(down: change.down.value, up: change.up.value),
      "a change of \(change.up.value.shape) by \(change.down.value.shape) "
        + "does not fit a weight of \(weight.shape)")
    change.move(to: weight.device, dtype: weight.dtype)
    lowRankChanges.append(change)
  }

  /// The layer's output with all changes; `apply` is the layer with another weight and no bias.
  func changed(_ output: Tensor, _ apply: (LowRankChange) -> Tensor) -> Tensor {
    lowRankChanges.reduce(output) { $0 + apply($1) * $1.scale }
  }
}

extension Module {
  /// The layers below this module that low-rank changes can be added to, with their paths.
  public final var lowRankLayers: [(path: String, layer: any LowRankLayer)] {
    namedModules.compactMap { path, module in (module as? any LowRankLayer).map { (path, $0) } }
  }

  /// Adds the products of all low-rank changes to the weights, which takes the layers back to one
  /// product each; what comes back can undo it.
  ///
  /// Layers that `packForInference` gave the weights of up have none to add to: that is a mistake of
  /// the program, see `hasGivenUpWeights`.
  @discardableResult
  public final func mergeLowRankChanges() -> MergedChanges {
    precondition(!hasGivenUpWeights, "weights that were given up for packed ones cannot change")
    let changed = lowRankLayers.map(\.layer).filter { !$0.lowRankChanges.isEmpty }
    return withoutGradients { MergedChanges(changed) }
  }
}

/// Low-rank changes that were added to weights, and the weights as they were: memory for the weights of
/// the changed layers, for as long as this object lives.
public final class MergedChanges {
  private let layers: [(layer: any LowRankLayer, weight: Tensor, changes: [LowRankChange])]

  fileprivate init(_ changed: [any LowRankLayer]) {
    layers = changed.map { layer in
      let before = (layer, layer.weight.value, layer.lowRankChanges)
      let sum = layer.lowRankChanges.reduce(layer.weight.value.to(.float32)) {
        $0 + $1.product(like: $0)
      }
      layer.lowRankChanges = []
      layer.replaceWeight(sum.to(layer.weight.value.dtype))
      return before
    }
  }

  /// Gives the layers their weights back, bit for bit, and the changes beside them.
  public func takeBack() {
    for (layer, weight, changes) in layers {
      layer.replaceWeight(weight)
      layer.lowRankChanges = changes + layer.lowRankChanges
    }
  }
}

extension LowRankLayer {
  fileprivate func replaceWeight(_ value: Tensor) {
    let required = weight.value.requiresGradient
    weight.value = value.detached()
    weight.value.requiresGradient = required
    packAnew()
  }
}

extension Linear: LowRankLayer {}
extension Conv2d: LowRankLayer {}
