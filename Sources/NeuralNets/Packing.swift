import Torch

/// Where a layer's weight stands on its way to the layout of the processor's kernels.
enum Packing {
  /// It stays as it is.
  case plain
  /// It is laid out for the first input; `isFreed`: and then given up.
  case wanted(isFreed: Bool)
  /// It was; `isFreed`: one number stands in the weight's place.
  case packed(PackedWeight, isFreed: Bool)
}

/// A layer whose weight can be packed.
protocol PackableLayer: Module {
  /// `[outputs, ...]`.
  var weight: Parameter { get }
  /// `[outputs]`.
  var bias: Parameter? { get }
  var packing: Packing { get set }
}

extension PackableLayer {
  /// The output of a packed layer, or of one that `make` packs now, and what is `added`; `nil` where
  /// the plain layer should compute it.
  func packed(_ x: Tensor, adding added: Tensor?, _ make: () -> PackedWeight?) -> Tensor? {
    if case .plain = packing { return nil }
    let isInUse = !isRecordingGradients && Precision.current == .fp32
    let shape = weight.shape
    if case .wanted(let isFreed) = packing, isInUse, let made = make() {
      packing = .packed(made, isFreed: isFreed)
      if isFreed { freeWeight(shape) }
    }
    guard case .packed(let packed, let isFreed) = packing else { return nil }
    let fits = isInUse && x.dtype == packed.dtype && x.device == .cpu
    precondition(
      fits || !isFreed,
      "a layer whose weights were given up takes \(packed.dtype) on the CPU, without gradients")
    guard fits else { return nil }
    let fanIn = shape.dropFirst().reduce(1, *)
    // One pass for both where the numbers are of one kind.
    let isOfOneKind = added.map { $0.dtype == x.dtype && $0.device == .cpu } ?? true
    let y = packed(x, bias: bias?.value, adding: isOfOneKind ? added : nil, fanIn: fanIn)
    return isOfOneKind ? y : added.map { y + $0 }
  }

  /// Puts one number in the place of all, so that the shape stays without the memory.
  private func freeWeight(_ shape: [Int]) {
    let isLarge = weight.count >= 1 << 20
    weight.value = .zeros([1], dtype: weight.dtype).expanded(shape)
    // Holes between weights that stay would else add up to a fifth of them.
    if isLarge { Runtime.trimAllocator() }
  }
}

extension Module {
  /// Lets linear and convolutional layers lay out their weights for the processor when they are first
  /// called without gradients: for use, as long as the weights stay, other than by `load` and `move`.
  ///
  /// With `freeingWeights` what is laid out takes the place of the weights: memory for one copy of
  /// them, and the module can be called, but neither trained nor saved any more.
  public final func packForInference(freeingWeights: Bool = false) {
    for case let layer as any PackableLayer in modules {
      if case .packed(_, isFreed: true) = layer.packing { continue }
      layer.packing = .wanted(isFreed: freeingWeights)
    }
  }

  /// Gives all weights up, packed ones too: shapes and types stay, and calling the module is a mistake of
  /// the program from then on.
  public final func giveUpWeights() {
    for case let layer as any PackableLayer in modules { layer.packing = .plain }
    for parameter in parameters {
      parameter.postpone { preconditionFailure("weights that were given up are asked for") }
    }
    Runtime.trimAllocator()
  }

  /// Whether a layer's weights were given up for those laid out for the processor.
  public final var hasGivenUpWeights: Bool {
    modules.contains {
      if case .packed(_, isFreed: true) = ($0 as? any PackableLayer)?.packing {
        true
      } else {
        false
      }
    }
  }

  /// Lets layers lay out weights anew, which are others now.
  final func packAnew() {
    for case let layer as any PackableLayer in modules {
      if case .packed(_, isFreed: false) = layer.packing {
        layer.packing = .wanted(isFreed: false)
      }
    }
  }
}
