import Datasets
import Evaluation
import Foundation
import Testing
import Torch
import Training

/// Real pictures, damaged more and more: what the measures have to notice.
///
/// FID gets worse at every level that was tried, coverage at all but the mildest noise and blur. Recall
/// does so from one of these levels to the next, not at every step between: a sample beside a class
/// that is gone has a larger ball and recalls some of it (without class 0, or with class 4 gone too,
/// recall rises a little), and between three and five copies of each picture the fifth neighbour is
/// of the same rank, but farther off.
@Suite struct DamageTests {
  /// One way to spoil pictures, from nothing to a lot.
  enum Damage: String, CaseIterable {
    case noise, blur, droppedClasses, duplicates
  }

  static let hasClothes = DatasetCatalog.listings().contains {
    $0.name == "fashion-mnist" && $0.isPresent
  }

  @Test(.enabled(if: hasClothes, "Fashion-MNIST is not installed"), arguments: Damage.allCases)
  func everyLevelIsWorseThanTheOneBefore(_ damage: Damage) throws {
    let clothes = try DatasetCatalog.open("fashion-mnist", split: .test)
    let count = 1000
    let real = try clothes.pictures(0..<count)
    let pool = try clothes.pictures(count..<7000)
    let labels = (count..<7000).map { clothes.label(at: $0) ?? 0 }
    let components = PixelComponents(of: real, count: 64)
    let features = components(real)
    let distance = FrechetDistance(from: FeatureStatistics(features))

    let figures = try Self.levels(damage, of: pool, labels, count: count).map { pictures in
      #expect(pictures.size(0) == count)
      let samples = components(pictures)
      let balls = try PrecisionRecall(samples: samples, real: features)
      let fid = distance(to: FeatureStatistics(samples))
      return (fid: fid, recall: balls.recall, coverage: balls.coverage)
    }
    #expect(figures.count == 4)
    for (before, after) in zip(figures, figures.dropFirst()) {
      #expect(after.fid > before.fid, "\(figures)")
      #expect(after.recall < before.recall, "\(figures)")
      #expect(after.coverage < before.coverage, "\(figures)")
    }
  }

  /// `count` pictures as they are, then at three levels of damage.
  private static func levels(
    _ damage: Damage, of pool: Tensor, _ labels: [Int], count: Int
  ) -> [Tensor] {
    let whole = pool.narrowed(0, 0, count)
    switch damage {
    case .noise:
      let noise = Tensor.randn(whole.shape, using: Generator(seed: 0))
      return [0, 0.1, 0.2, 0.4].map { (whole + $0 * noise).clamped(min: 0, max: 1) }
    case .blur:
      return [whole] + [1, 2, 4].map { blurred(whole, deviation: $0) }
    case .droppedClasses:
      return [0, 2, 4, 8].map { first in
        let kept = labels.indices.filter { labels[$0] >= first }.prefix(count)
        return pool.selected(0, at: Tensor(Array(kept)))
      }
    case .duplicates:
      // Every picture stands as often, and fewer of them make up the number.
      return [1, 2, 3, 6].map { copies in
        whole.narrowed(0, 0, (count + copies - 1) / copies)
          .repeatedInterleaved(copies, 0).narrowed(0, 0, count)
      }
    }
  }

  /// Pictures under a Gaussian, black beyond their border.
  private static func blurred(_ x: Tensor, deviation: Double) -> Tensor {
    let radius = Int(3 * deviation)
    let bells = (-radius...radius).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
    let kernel = Tensor(bells.map { Float($0 / bells.reduce(0, +)) })
    let width = kernel.count
    return x.conv2d(weight: kernel.reshaped([1, 1, width, 1]), padding: Extent(radius, 0))
      .conv2d(weight: kernel.reshaped([1, 1, 1, width]), padding: Extent(0, radius))
  }
}
