import Datasets
import Foundation
import Images
import Interchange
import Models
import NeuralNets
import Torch

extension GANTrainer {
  /// Many where the samples are points, whose pictures become an animation.
  public var sheetCount: Int { mixture == nil ? 8 : 24 }

  /// Samples of the averaged generator from the first codes of the run's seed: pictures in [0, 1] or
  /// points, on the CPU.
  private func samples(_ count: Int) -> Tensor {
    let z = Tensor.randn([count, recipe.latentDim], using: Generator(seed: seed)).to(device)
    let labels =
      classNames.isEmpty
      ? nil : Tensor((0..<count).map { $0 / 8 % classNames.count }).to(device)
    return generating.withAverages {
      TrainedGAN.samples(generator, z, labels: labels)
    }
  }

  /// Samples for a watch.
  public func watchedSamples() throws -> Tensor? { samples(mixture == nil ? 500 : 2000) }

  /// Samples from the same codes each time: a row a class where there are classes; for points their
  /// density.
  public func sheet() throws -> Image {
    if let mixture {
      return DensityPicture(
        points: samples(4000).points, extent: mixture.extent, marks: mixture.centres
      ).image()
    }
    let rows = classNames.isEmpty ? 8 : min(classNames.count, 10)
    let pictures = samples(8 * rows)
    return try ImageGrid(
      pictures.pictures, columns: 8, scale: max(1, 56 / pictures.size(3)), margin: 8,
      rowTitles: Array(classNames.prefix(rows))
    ).image()
  }

  /// How well the discriminator tells held-out samples from generated ones.
  public func validate() throws -> [(name: String, value: Double)] {
    let count = min(test.count, 1000)
    guard count > 1 else { return [] }
    discriminator.setTraining(false)
    defer { discriminator.setTraining(true) }
    let real = try test.samples(0..<count)
    let fake = samples(count)
    let labels =
      classNames.isEmpty ? nil : (0..<count).map { test.label(at: $0) ?? 0 }
    let fakeLabels = classNames.isEmpty ? nil : (0..<count).map { $0 / 8 % classNames.count }
    let scores = withoutGradients {
      (
        TrainedGAN.scores(discriminator, real, labels: labels, device: device),
        TrainedGAN.scores(discriminator, fake, labels: fakeLabels, device: device)
      )
    }
    let balance = AdversarialBalance(
      recipe.loss, real: recipe.read(scores.0), fake: recipe.read(scores.1))
    return [("discriminator_accuracy", balance.accuracy), ("value", balance.value)]
  }

  /// Writes the averaged generator and the discriminator, the plot of the game, and the animation of
  /// points.
  public func export(to run: RunFolder) throws {
    try generator.save(
      to: run.createFolder(TrainedGAN.generatorFolder), state: generating.average.state)
    try discriminator.save(to: run.createFolder(TrainedGAN.discriminatorFolder))
    try GamePlot(of: run)?.image().write(to: "\(run.path)/game.png")
    guard mixture != nil else { return }
    let names = try FileManager.default.contentsOfDirectory(atPath: run.samplesPath)
    let frames = try names.filter { $0.hasSuffix(".png") }.sorted().map {
      try Image(contentsOfFile: "\(run.samplesPath)/\($0)")
    }
    if let first = frames.first {
      let alike = frames.filter { ($0.width, $0.height) == (first.width, first.height) }
      try PNGAnimation(alike, frameDuration: 0.2, lastFrameDuration: 2).write(
        to: "\(run.path)/animation.png")
    }
  }
}

extension Dataset {
  /// Samples as a tensor: pictures `[N, C, H, W]` in [0, 1] or points `[N, 2]`. Throws when a file
  /// cannot be read.
  public func samples(_ range: Range<Int>) throws -> Tensor {
    guard elementKind == .floats else { return try pictures(range) }
    let values = try range.flatMap { index -> [Float] in
      guard case .floats(let values) = try sample(at: index).values else { return [] }
      return values
    }
    return Tensor(values, shape: [range.count] + elementShape)
  }
}

extension Tensor {
  /// Points `[N, 2]` as pairs.
  public var points: [(x: Double, y: Double)] {
    let values: [Float] = detached().to(.float32).elements()
    return (0..<size(0)).map { (Double(values[2 * $0]), Double(values[2 * $0 + 1])) }
  }
}
