import Torch

/// How a large picture is encoded or decoded in overlapping tiles, so that the memory needed does
/// not grow with it: each tile takes the place of the last one gradually, over the overlap.
public struct Tiling: Sendable, Equatable {
  /// Side of a tile in pixels: diffusers' `tile_sample_min_size`.
  public var sampleSize: Int
  /// Side of a tile in latents: diffusers' `tile_latent_min_size`.
  public var latentSize: Int
  /// The share of a tile that the next one overlaps: diffusers' `tile_overlap_factor`.
  public var overlap: Double

  /// Tiles of these sides.
  public init(sampleSize: Int, latentSize: Int, overlap: Double = 0.25) {
    self.sampleSize = sampleSize
    self.latentSize = latentSize
    self.overlap = overlap
  }

  /// Tiles of the size that a network was made for.
  public init(_ config: AutoencoderKLConfig) {
    let side = config.sampleSize.extents?.height ?? 0
    self.init(sampleSize: side, latentSize: side / config.scale)
  }

  /// Why tiles do not lie side by side with a network whose latents stand for `scale` pixels, as one
  /// sentence; `nil` when they do.
  public func problem(scale: Int) -> String? {
    guard sampleSize > 0, latentSize > 0, (0..<1).contains(overlap) else {
      return "tiles of \(sampleSize) pixels and \(latentSize) latents with an overlap of "
        + "\(overlap); sides must be positive and the overlap in 0..<1"
    }
    let (pixels, latents) = (strides(sampleSize), strides(latentSize))
    guard latents.step > 0, pixels.step > 0, latents.step * scale == pixels.kept,
      pixels.step == latents.kept * scale
    else {
      return "tiles of \(sampleSize) pixels and \(latentSize) latents with an overlap of "
        + "\(overlap) leave gaps; choose sides of which the overlap is a whole number of latents"
    }
    return nil
  }

  /// The distance of tiles, how far they are blended, and what is kept of each.
  private func strides(_ side: Int) -> (step: Int, blend: Int, kept: Int) {
    let blend = Int(Double(side) * overlap)
    return (Int(Double(side) * (1 - overlap)), blend, side - blend)
  }

  /// `encode` on tiles of `x`, `[N, C, H, W]`.
  func encoded(_ x: Tensor, scale: Int, _ encode: (Tensor) -> Tensor) -> Tensor {
    check(scale)
    let blend = strides(latentSize).blend
    return tiled(
      x, side: sampleSize, step: strides(sampleSize).step, least: scale, blend: blend,
      kept: latentSize - blend, encode)
  }

  /// `decode` on tiles of `z`, `[N, C, H, W]`.
  func decoded(_ z: Tensor, scale: Int, _ decode: (Tensor) -> Tensor) -> Tensor {
    check(scale)
    let blend = strides(sampleSize).blend
    return tiled(
      z, side: latentSize, step: strides(latentSize).step, least: 1, blend: blend,
      kept: sampleSize - blend, decode)
  }

  private func check(_ scale: Int) {
    let problem = problem(scale: scale)
    precondition(problem == nil, problem ?? "")
  }

  /// `body` on tiles that start every `step` and are at least `least` long; its results, blended
  /// into their neighbours, are laid side by side with a side of `kept` each.
  private func tiled(
    _ x: Tensor, side: Int, step: Int, least: Int, blend: Int, kept: Int,
    _ body: (Tensor) -> Tensor
  ) -> Tensor {
    func starts(_ dim: Int) -> [Int] {
      stride(from: 0, through: x.size(dim) - least, by: step).map { $0 }
    }
    func part(_ x: Tensor, _ dim: Int, _ start: Int, _ side: Int) -> Tensor {
      x.narrowed(dim, start, min(side, x.size(dim) - start))
    }
    var rows: [Tensor] = []
    var above: [Tensor] = []
    for top in starts(2) {
      var row: [Tensor] = []
      for left in starts(3) {
        var tile = body(part(part(x, 2, top, side), 3, left, side))
        if !above.isEmpty { tile = blended(above[row.count], tile, 2, blend) }
        if let neighbour = row.last { tile = blended(neighbour, tile, 3, blend) }
        row.append(tile)
      }
      rows.append(.concatenated(row.map { part(part($0, 2, 0, kept), 3, 0, kept) }, 3))
      above = row
    }
    return .concatenated(rows, 2)
  }

  /// `b` whose beginning along `dim` goes over from the end of `a`, evenly within `extent` places.
  private func blended(_ a: Tensor, _ b: Tensor, _ dim: Int, _ extent: Int) -> Tensor {
    let extent = min(extent, a.size(dim), b.size(dim))
    guard extent > 0 else { return b }
    let share = (Tensor.arange(extent, dtype: .float32) / Double(extent))
      .reshaped(dim == 2 ? [-1, 1] : [1, -1]).to(b.device).to(b.dtype)
    let beginning =
      a.narrowed(dim, a.size(dim) - extent, extent) * (1 - share)
      + b.narrowed(dim, 0, extent) * share
    return .concatenated([beginning, b.narrowed(dim, extent, b.size(dim) - extent)], dim)
  }
}
