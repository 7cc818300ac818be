import ArgumentParser
import Datasets
import Evaluation
import Training

/// The pictures whose codes a command looks at.
struct CodedPictures: ParsableArguments {
  @Option(help: "The data to encode (default: the run's own).")
  var data: String?

  @Option(help: "The part of the data: train or test.")
  var split = Split.test

  @Option(
    name: [.customShort("n"), .long],
    help: "How many pictures to encode, spread evenly over the data.")
  var count = 2000

  mutating func validate() throws {
    guard (2...1_000_000).contains(count) else {
      throw ValidationError("--count is \(count); it must lie in 2...1000000.")
    }
  }

  /// The set, the places of the chosen pictures in it, and what the dimensions of their codes do.
  func encode(
    by trained: TrainedAutoencoder
  ) throws -> (set: any Dataset, indices: [Int], dimensions: LatentDimensions) {
    let set = try trained.open(data, split: split)
    let indices = set.spread(count)
    guard indices.count >= 2 else {
      throw CommandError(
        "\(data ?? trained.folder.path): the \(split.rawValue) part holds one picture, and it "
          + "takes two to see how codes vary")
    }
    let dimensions = try LatentDimensions(of: trained, on: set, at: indices)
    guard dimensions.codes.isFinite().all().item() == 1 else {
      throw CommandError(
        "\(trained.folder.path): the network's codes are not finite, so its training has diverged; "
          + "train again with a lower learning rate")
    }
    return (set, indices, dimensions)
  }
}
