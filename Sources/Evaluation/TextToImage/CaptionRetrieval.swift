import Datasets
import Diffusion
import Foundation
import Images
import Models
import Torch
import Training

/// How well a text-to-image model draws what captions say: every picture drawn for a caption looks
/// for its caption's own picture among those of all captions, by distance in the latents of the
/// model's autoencoder.
public struct CaptionRetrieval {
  /// What came out at one guidance scale.
  public struct Row: Sendable {
    /// w.
    public let guidance: Double
    /// The share of the drawn pictures whose nearest picture is their caption's.
    public let top1: Double
    /// The share of those with it among the nearest five.
    public let top5: Double
    /// How far drawn pictures are from their caption's, as a share of how far pictures of different
    /// captions are from each other: 0 the same, 1 as any other one.
    public let distance: Double
    /// How far two draws of one caption are from each other, measured alike: 0 without diversity.
    public let diversity: Double
  }

  /// A row for every guidance scale.
  public let rows: [Row]
  /// How many captions there were.
  public let count: Int
  /// The data's name.
  public let data: String
  /// The first captions' own pictures and, scale by scale, the drawn ones.
  public let sheet: Image

  /// Draws `count` captions of a set, evenly spread over it, twice at every scale: caption i with the
  /// seeds `seed + 2 i` and the one after. `progress` hears the share that is done.
  ///
  /// Throws when a picture cannot be read or drawn, and what `progress` throws.
  public init(
    of model: TrainedLatentDiffusion, on set: any Dataset, count: Int, scales: [Double],
    steps: Int?, sampler: SamplerName?, seed: UInt64, progress: (Double) throws -> Void
  ) throws {
    let pipeline = model.pipeline
    let indices = set.spread(count)
    let captions = indices.map { set.caption(at: $0) ?? "" }
    let pictures = try set.pictures(indices)
    let own = Self.codes(pictures, pipeline.autoencoder)
    let others = Self.meanDistance(own, to: own)
    var rows: [Row] = []
    var shown = [Array(pictures.pictures.prefix(Self.shown))]
    for (place, scale) in scales.enumerated() {
      var draws: [Tensor] = []
      for (index, caption) in captions.enumerated() {
        let request = TextToImagePipeline.Request(
          prompt: caption, count: 2, seed: seed &+ UInt64(2 * index), steps: steps,
          sampler: sampler, guidance: Guidance(scale: scale))
        draws.append(try pipeline.generate(request).images)
        let done = Double(place) + Double(index + 1) / Double(captions.count)
        try progress(done / Double(scales.count))
      }
      let first = Tensor.concatenated(draws.map { $0[0..<1] })
      let second = Tensor.concatenated(draws.map { $0[1..<2] })
      let codes = [first, second].map { Self.codes($0, pipeline.autoencoder) }
      let ranks = codes.flatMap { Self.ranks($0, among: own) }
      let total = Double(ranks.count)
      rows.append(
        Row(
          guidance: scale, top1: Double(ranks.count { $0 == 0 }) / total,
          top5: Double(ranks.count { $0 < 5 }) / total,
          distance: codes.map { Self.pairedDistance($0, own) }.reduce(0, +) / 2 / others,
          diversity: Self.pairedDistance(codes[0], codes[1]) / others))
      shown.append(Array(first.pictures.prefix(Self.shown)))
    }
    self.rows = rows
    self.count = captions.count
    data = set.name
    sheet = try ImageGrid(
      rows: shown, scale: max(1, 96 / pictures.size(3)), margin: 8,
      columnTitles: captions.prefix(Self.shown).map(\.self),
      rowTitles: ["the set's"] + scales.map { String(format: "w = %g", $0) }
    ).image()
  }

  private static let shown = 12

  /// What pictures `[N, 3, H, W]` in [0, 1] are compared by, `[N, D]`.
  private static func codes(_ pictures: Tensor, _ autoencoder: AutoencoderKL) -> Tensor {
    withoutGradients {
      let device = autoencoder.parameters[0].value.device
      let parts = stride(from: 0, to: pictures.size(0), by: 25).map { start in
        let some = pictures[start..<min(start + 25, pictures.size(0))].to(device)
        return autoencoder.encode(2 * some - 1).mean.flattened(from: 1)
      }
      return Tensor.concatenated(parts).to(.cpu).to(.float64)
    }
  }

  /// The mean distance between rows of different places.
  private static func meanDistance(_ a: Tensor, to b: Tensor) -> Double {
    var sum = 0.0
    SquaredDistances(a, b).forEachBlock { _, squares in
      sum += squares.clamped(min: 0).sqrt().sum().item()
    }
    let n = Double(a.size(0))
    return sum / max(n * (n - 1), 1)
  }

  private static func pairedDistance(_ a: Tensor, _ b: Tensor) -> Double {
    (a - b).square().sum([1]).sqrt().mean().item()
  }

  /// How many other rows of `own` are nearer to a drawn row than its own one.
  private static func ranks(_ drawn: Tensor, among own: Tensor) -> [Int] {
    var ranks: [Int] = []
    SquaredDistances(drawn, own).forEachBlock { range, squares in
      for row in range {
        let distances = squares[row - range.lowerBound].elements(as: Double.self)
        ranks.append(distances.count { $0 < distances[row] })
      }
    }
    return ranks
  }
}
