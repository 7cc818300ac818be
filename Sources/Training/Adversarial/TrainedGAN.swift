import Datasets
import Foundation
import Interchange
import Models
import Torch

/// A run of the family gan, opened to be used.
public struct TrainedGAN: TrainedModel {
  /// The folder of the generator inside a run.
  public static let generatorFolder = "generator"
  /// The folder of the discriminator inside a run.
  public static let discriminatorFolder = "discriminator"

  /// The run's folder.
  public let folder: RunFolder
  /// What was run.
  public let record: RunRecord
  /// The recipe of the run.
  public let recipe: GANRecipe
  /// The averaged generator, ready for use.
  public let generator: GeneratorNetwork
  /// SHA-256 of the generator's weights file.
  public let weightsHash: String
  private let device: Device

  /// What was run.
  public var origin: RunRecord? { record }
  /// The adversarial networks.
  public var family: Family { .gan }
  /// Pixels along each side; 0 for points.
  public var imageSize: Int { generator.config.imageSize }
  /// 1 for grey, 3 for colour, 2 for points.
  public var channels: Int { generator.config.channels }
  /// Whether the samples are points in the plane.
  public var makesPoints: Bool { imageSize == 0 }
  /// The classes that can be asked for; empty where the networks were told none.
  public var classNames: [String] {
    generator.config.classCount > 0 ? record.data.classNames ?? [] : []
  }

  /// Opens the run at a path.
  ///
  /// Throws an `ExplainedError` when there is none, when it is of another family, when it has no
  /// trained network yet, or when its files are damaged or do not belong together.
  public init(path: String, device: Device = .cpu) throws {
    folder = RunFolder(path: path)
    record = try RunRecord(of: folder)
    guard try record.knownFamily(in: folder) == .gan else {
      throw TrainingError(
        path: folder.path, "this is a run of the family \(record.family), not of gan.")
    }
    do {
      recipe = try GANRecipe(recorded: record.config)
    } catch {
      throw TrainingError(path: folder.recordPath, error.sentence)
    }
    let network = "\(folder.path)/\(Self.generatorFolder)"
    guard FileManager.default.fileExists(atPath: network) else { throw folder.noNetwork(.gan) }
    generator = try GeneratorNetwork(folder: network)
    let classes = generator.config.classCount
    guard classes == 0 || record.data.classNames?.count == classes else {
      throw TrainingError(
        path: network,
        "the generator knows \(classes) classes, but run.json names "
          + "\(record.data.classNames?.count ?? 0).")
    }
    weightsHash = try Fingerprint.ofFile("\(network)/\(ModelFolder.weights)")
    generator.setTraining(false)
    generator.move(to: device)
    self.device = device
  }

  /// The discriminator. Throws as `init(path:)` does.
  public func discriminator() throws -> DiscriminatorNetwork {
    let path = "\(folder.path)/\(Self.discriminatorFolder)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw TrainingError(path: folder.path, "this run holds no discriminator.")
    }
    let network = try DiscriminatorNetwork(folder: path)
    let (mine, its) = (generator.config, network.config)
    guard
      (mine.imageSize, mine.channels, mine.classCount)
        == (its.imageSize, its.channels, its.classCount)
    else {
      throw TrainingError(path: path, "the discriminator judges other samples than the run's.")
    }
    network.setTraining(false)
    network.move(to: device)
    return network
  }

  /// The toy set that a run over points was trained on, or another one by its name.
  ///
  /// Throws `DatasetError` for a name that is none, `TrainingError` for data that is no points.
  public func openPoints(_ data: String?, split: Split) throws -> any Dataset {
    let set = try DatasetCatalog.open(data ?? record.data.name, split: split)
    guard set.elementShape == [2] else {
      throw TrainingError(
        path: set.name, "this run draws points in the plane, and these are pictures.")
    }
    return set
  }

  // MARK: Samples

  /// The codes of the samples that `seed` draws, `[count, D]`: code i comes from `seed + i`.
  ///
  /// `truncation`: numbers that lie further than this from 0 are drawn again (Brock et al. 2019,
  /// "the truncation trick"), for safer and less varied samples.
  public func codes(_ count: Int, seed: UInt64, truncation: Double? = nil) -> Tensor {
    let dimensions = generator.config.latentDim
    let rows = (0..<count).map { index -> Tensor in
      let generator = Generator(seed: seed &+ UInt64(index))
      var z = Tensor.randn([1, dimensions], using: generator)
      guard let truncation else { return z }
      for _ in 0..<1000 {
        let isFar = z.abs() .> truncation
        guard isFar.to(.int64).sum().intItem() > 0 else { return z }
        z = Tensor.select(isFar, Tensor.randn([1, dimensions], using: generator), z)
      }
      return z.clamped(min: -truncation, max: truncation)
    }
    return Tensor.concatenated(rows)
  }

  /// New samples of classes (in turn, where the networks were told classes): pictures
  /// `[N, C, H, W]` in [0, 1], or points `[N, 2]`.
  public func sample(
    _ count: Int, seed: UInt64, classes: [Int] = [], truncation: Double? = nil
  ) -> Tensor {
    decode(
      codes(count, seed: seed, truncation: truncation), classes: classesInTurn(count, classes))
  }

  /// The class of each of `count` samples: the given ones in turn, or all; `nil` without classes.
  public func classesInTurn(_ count: Int, _ classes: [Int] = []) -> [Int]? {
    guard !classNames.isEmpty else { return nil }
    return (0..<count).map {
      classes.isEmpty ? $0 % classNames.count : classes[$0 % classes.count]
    }
  }

  /// The samples of codes `[N, D]`, a few at a time.
  public func decode(_ codes: Tensor, classes: [Int]? = nil) -> Tensor {
    withoutGradients {
      Self.samples(generator, codes.to(device), labels: classes.map { Tensor($0).to(device) })
    }
  }

  /// A class by its name or its number.
  ///
  /// Throws `TrainingError` for one that the model does not know, with the nearest one.
  public func label(_ text: String) throws(TrainingError) -> Int {
    try classNames.label(text, of: folder.path)
  }

  /// G(z) as people see it, a few at a time, on the CPU: pictures in [0, 1] or points.
  static func samples(_ generator: GeneratorNetwork, _ z: Tensor, labels: Tensor?) -> Tensor {
    let parts = stride(from: 0, to: z.size(0), by: 256).map { start in
      let range = start..<min(start + 256, z.size(0))
      let x = generator(z[range], labels: labels?[range]).to(.cpu)
      return x.rank == 2 ? x : ((x + 1) / 2).clamped(min: 0, max: 1)
    }
    return Tensor.concatenated(parts)
  }

  /// D's scores of samples as people see them, a few at a time, one a sample, on the CPU: `[N]`.
  public static func scores(
    _ discriminator: DiscriminatorNetwork, _ samples: Tensor, labels: [Int]?,
    device: Device = .cpu
  ) -> Tensor {
    let parts = stride(from: 0, to: samples.size(0), by: 256).map { start in
      let range = start..<min(start + 256, samples.size(0))
      let seen = samples[range].to(device)
      let scores = discriminator(
        seen.rank == 2 ? seen : 2 * seen - 1,
        labels: labels.map { Tensor(Array($0[range])).to(device) })
      return (scores.rank == 1 ? scores : scores.flattened(from: 1).mean([1])).to(.cpu)
    }
    return Tensor.concatenated(parts)
  }
}

extension [String] {
  /// A class by its name or its number among these names.
  ///
  /// Throws `TrainingError` for one that the model at `path` does not know, with the nearest one.
  func label(_ text: String, of path: String) throws(TrainingError) -> Int {
    guard !isEmpty else {
      throw TrainingError(
        path: path, "this model knows no classes; leave --class and --negative-class out.")
    }
    if let place = firstIndex(where: { $0.lowercased() == text.lowercased() }) { return place }
    if let number = Int(text), indices.contains(number) { return number }
    let near = nearestName(to: text, among: self).map { "; did you mean \($0)?" } ?? ";"
    throw TrainingError(
      path: path,
      "there is no class \"\(text)\"\(near) the classes are "
        + enumerated().map { "\($0.offset) \($0.element)" }.joined(separator: ", ") + ".")
  }
}
