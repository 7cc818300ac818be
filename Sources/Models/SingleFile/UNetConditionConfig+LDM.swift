extension UNetConditionConfig {
  /// The shape of a U-Net of the original release, told from the shapes of its weights by the release's
  /// names; `nil` where they are no such network's.
  ///
  /// What weights do not show is as in the release: 8 heads where projections are convolutions
  /// (Stable Diffusion 1.x), heads of 64 channels where they are linear layers (2.x and XL).
  /// `pooledWidth` is the width of the pooled text state, where an encoder with one is at hand.
  init?(ldm shapes: [String: [Int]], pooledWidth: Int? = nil) {
    guard let first = shapes["input_blocks.0.0.weight"], first.count == 4,
      let last = shapes["out.2.weight"], last.count == 4,
      let time = shapes["time_embed.2.weight"]?.first,
      let levels = LDMLevel.found(in: shapes)
    else { return nil }
    self.init()
    (inChannels, convInKernel) = (first[1], first[2])
    (outChannels, convOutKernel) = (last[0], last[2])
    blockOutChannels = levels.map(\.width)
    timeEmbeddingDim = time == 4 * blockOutChannels[0] ? nil : time
    layersPerBlock = Self.shortest(levels.map(\.down.count))
    downBlockTypes = levels.map { $0.down.contains { $0 > 0 } ? .cross : .plain }
    upBlockTypes = levels.reversed().map { $0.up.contains { $0 > 0 } ? .cross : .plain }
    let midDepth = LDMLevel.depth(at: "middle_block.1", in: shapes)
    midBlockType = midDepth > 0 ? .cross : .plain
    setDepths(levels, midDepth)
    setAttention(shapes)
    setConditions(shapes, pooledWidth)
  }

  /// Blocks of every transformer; levels without one say what others do, or 1.
  private mutating func setDepths(_ levels: [LDMLevel], _ midDepth: Int) {
    func one(_ depths: [Int]) -> OneOrMany<Int>? {
      depths.allSatisfy { $0 == 0 } ? nil : Self.shortest(depths)
    }
    var down = levels.map { one($0.down) }
    if down[down.count - 1] == nil, midDepth > 0 { down[down.count - 1] = .one(midDepth) }
    let up = levels.map { one($0.up) }
    let common =
      Set(down.compactMap { $0?.values }).count == 1 ? down.lazy.compactMap { $0 }.first : nil
    func all(_ levels: [OneOrMany<Int>?]) -> OneOrMany<OneOrMany<Int>> {
      Self.shortest(levels.map { $0 ?? common ?? .one(1) })
    }
    transformerLayersPerBlock = all(down)
    let isMirrored = zip(down, up).allSatisfy { $1 == nil || ($0 == $1 && $1?.count == nil) }
    if !isMirrored { reverseTransformerLayersPerBlock = all(up.reversed()) }
  }

  /// Widths of prompts, kinds of projections and heads.
  private mutating func setAttention(_ shapes: [String: [Int]]) {
    func place(_ level: Int) -> String? {
      let before = (0..<level).reduce(1) { $0 + layersPerBlock[$1] + 1 }
      return (before..<before + layersPerBlock[level]).map { "input_blocks.\($0).1" }.first {
        shapes["\($0).norm.weight"] != nil
      }
    }
    func contextWidth(_ attention: String, _ place: String) -> Int? {
      shapes["\(place).transformer_blocks.0.\(attention).to_k.weight"]?.last
    }
    let levels = blockOutChannels.indices.map { place($0) }
    let all = levels.compactMap { $0 } + ["middle_block.1"]
    if let width = all.lazy.compactMap({ contextWidth("attn2", $0) }).first {
      crossAttentionDim = .one(width)
    }
    useLinearProjection = all.contains { shapes["\($0).proj_in.weight"]?.count == 2 }
    attentionHeadDim =
      useLinearProjection ? .many(blockOutChannels.map { max(1, $0 / 64) }) : .one(8)
    onlyCrossAttention = Self.shortest(
      zip(levels, blockOutChannels).map { place, width in
        place.flatMap { contextWidth("attn1", $0) }.map { $0 != width } ?? false
      })
  }

  /// What is added to the time embedding.
  private mutating func setConditions(_ shapes: [String: [Int]], _ pooledWidth: Int?) {
    numClassEmbeds = shapes["label_emb.weight"]?.first
    guard let inputs = shapes["label_emb.0.0.weight"]?.last else { return }
    projectionClassEmbeddingsInputDim = inputs
    guard pooledWidth != nil || [1280, 2048].contains(crossAttentionDim[0]) else {
      classEmbedType = .projection
      return
    }
    additionEmbedType = .textTime
    // Six numbers beside the pooled state, or five in a refiner.
    let rest = inputs - (pooledWidth ?? inputs)
    additionTimeEmbedDim = rest <= 0 || rest.isMultiple(of: 256) ? 256 : rest / 6
  }

  /// A list, or one value where all are equal.
  private static func shortest<Value: Hashable>(_ values: [Value]) -> OneOrMany<Value> {
    Set(values).count == 1 ? .one(values[0]) : .many(values)
  }

  private static func shortest(_ values: [OneOrMany<Int>]) -> OneOrMany<OneOrMany<Int>> {
    values.allSatisfy { $0 == values[0] } ? .one(values[0]) : .many(values)
  }
}

/// What weights tell about a level of a U-Net of the original release.
private struct LDMLevel {
  var width = 0
  /// Blocks of the transformer behind every residual block on the way down; 0: there is none.
  var down: [Int] = []
  /// The same on the way up.
  var up: [Int] = []

  /// The levels from the largest picture to the smallest; `nil` where weights make no whole network.
  static func found(in shapes: [String: [Int]]) -> [LDMLevel]? {
    var levels = [LDMLevel()]
    for number in 1... {
      let place = "input_blocks.\(number)"
      if shapes["\(place).0.op.weight"] != nil {
        levels.append(LDMLevel())
      } else if let width = shapes["\(place).0.in_layers.2.weight"]?.first {
        levels[levels.count - 1].width = width
        levels[levels.count - 1].down.append(depth(at: "\(place).1", in: shapes))
      } else {
        break
      }
    }
    guard levels.allSatisfy({ !$0.down.isEmpty }) else { return nil }
    var number = 0
    for level in levels.indices.reversed() {
      for _ in 0...levels[level].down.count {
        levels[level].up.append(depth(at: "output_blocks.\(number).1", in: shapes))
        number += 1
      }
    }
    return levels
  }

  /// How many blocks the transformer at a place has.
  static func depth(at place: String, in shapes: [String: [Int]]) -> Int {
    (0...).first { shapes["\(place).transformer_blocks.\($0).norm1.weight"] == nil } ?? 0
  }
}
