import Foundation
import Images
import Interchange

/// Pictures in tar shards of any number (WebDataset's layout), read in order and never held all at
/// once. A `DataLoader` makes their batches.
///
/// The order of an epoch: shards in a permutation of SplitMix64 from (seed, epoch), in it blocks of
/// `shuffleBuffer` samples, and block b in a permutation of SplitMix64 from (seed, epoch, b, 2).
/// What is read is a function of seed, epoch and batch alone.
///
/// Fingerprint: names, numbers of samples and lengths of the shards, and what of them belongs to the
/// part.
///
/// Limitation: single elements cannot be asked for; `inMemory(_:)` gives a sample that can.
public struct ShardedImages: Dataset {
  /// The samples of a block where nothing else is asked for.
  public static let defaultShuffleBuffer = 4096
  /// The pictures of a held-out part that are read into memory at most.
  public static let heldOutLimit = 2000

  /// The name of the folder, pattern or index.
  public let name: String
  /// The number of samples in this part.
  public let count: Int
  /// `[C, H, W]`.
  public let elementShape: [Int]
  /// The names of the classes, or nil when there are none.
  public let classNames: [String]?
  /// SHA-256 of names, counts and lengths of the shards.
  public let fingerprint: String
  /// What differs from the index and the like.
  public let notes: [String]
  /// Whether pictures of other sizes are brought to the one of the set; otherwise they count as
  /// damaged.
  public let isFitted: Bool
  /// The samples of a block, of which two are held at a time.
  public var shuffleBuffer = defaultShuffleBuffer
  let shards: [Shard]
  /// The samples before each shard.
  private let starts: [Int]

  /// Opens a part of the set at a path: a folder of shards, a shard, a pattern in braces or an
  /// index. `imageSize`: the side that pictures are brought to; nil keeps what the index or the first
  /// picture has. `channels`: 1 for grey, 3 for RGB.
  ///
  /// - Throws: `DatasetError`.
  public init(
    path: String, split: Split, imageSize: Int? = nil, channels: Int? = nil
  ) throws(DatasetError) {
    let set = try ShardSet(path: path)
    let shards = set.shards.part(split)
    guard shards.sampleCount > 0 else {
      throw DatasetError(
        path: path,
        sentence: split == .train
          ? "no sample is left to learn from beside those that are held out."
          : "the shards of its held-out part are empty.")
    }
    self.shards = shards
    name = set.name
    count = shards.sampleCount
    classNames = set.classNames
    notes = set.notes
    isFitted = imageSize != nil
    starts = shards.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.samples.count) }
    var fingerprint = Fingerprint()
    for shard in shards {
      fingerprint.update(shard.name)
      fingerprint.update("\(shard.samples) of \(shard.count), \(shard.byteCount ?? -1) bytes")
    }
    self.fingerprint = fingerprint.hex
    let (side, depth) = (imageSize ?? set.imageSize, channels ?? set.channels)
    if let side, let depth {
      elementShape = [depth, side, side]
    } else {
      // Both parts have the size of the first picture to learn from.
      let first = try Self.firstPicture(of: set.shards.part(.train) + shards, path)
      elementShape = [
        depth ?? (first.channels == 1 ? 1 : 3), side ?? first.height, side ?? first.width,
      ]
    }
  }

  /// Always bytes.
  public var elementKind: ElementKind { .bytes }

  /// Always an error: elements come in order.
  ///
  /// - Throws: `DatasetError`.
  public func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws {
    throw DatasetError(
      path: name,
      sentence:
        "pictures in shards come in order, in the batches of a loader, so none can be asked for by its number."
    )
  }

  /// Nil: elements come in order.
  public func label(at index: Int) -> Int? { nil }

  /// The first picture that can be read.
  private static func firstPicture(
    of shards: [Shard], _ path: String
  ) throws(DatasetError) -> Image {
    var problem = "they hold no picture"
    for shard in shards.prefix(8) {
      do {
        let reader = try ShardReader(shard)
        for _ in 0..<min(100, shard.count) {
          guard let sample = try reader.read(.everything) else { break }
          do {
            return try Image(decoding: sample.picture, name: sample.pictureName ?? sample.key)
          } catch {
            problem = "\(shard.name): \(error)"
          }
        }
      } catch let error as ShardError {
        problem = "\(shard.name): \(error.problem)"
      } catch {
        problem = "\(shard.name): \(error)"
      }
    }
    throw DatasetError(path: path, sentence: "no picture of its shards can be read: \(problem).")
  }

  // MARK: Samples

  /// The number of an element by its shard and its number there.
  func index(shard: Int, number: Int) -> Int {
    starts[shard] + number - shards[shard].samples.lowerBound
  }

  /// The shard of an element and its number there.
  func place(of index: Int) -> (shard: Int, number: Int) {
    let shard = starts.slot(of: index)
    return (shard, index - starts[shard] + shards[shard].samples.lowerBound)
  }

  /// Decodes a sample into `destination` and says its class and its text.
  ///
  /// Throws `ShardError` for a sample that is damaged or does not belong into this set.
  func decode(
    _ sample: EncodedSample, into destination: UnsafeMutableRawBufferPointer
  ) throws(ShardError) -> (label: Int?, caption: String?) {
    if let problem = sample.problem { throw ShardError(problem: problem) }
    guard let name = sample.pictureName else {
      throw ShardError(problem: "\(sample.key) has no picture")
    }
    let label = sample.classNumber(among: classNames ?? [])
    if let classNames, label.map({ !classNames.indices.contains($0) }) ?? true {
      throw ShardError(
        problem: "\(sample.key) has "
          + (label.map { "the class \($0), and there are \(classNames.count)" } ?? "no class"))
    }
    let image: Image
    do {
      image = try Image(decoding: sample.picture, name: name)
    } catch {
      throw ShardError(problem: "\(error)")
    }
    let result = fitted(image, side: isFitted ? elementShape[1] : nil, channels: elementShape[0])
    guard result.height == elementShape[1], result.width == elementShape[2] else {
      throw ShardError(
        problem: "\(name) has \(image.width)×\(image.height) pixels instead of "
          + "\(elementShape[2])×\(elementShape[1]) (--image-size would fit it)")
    }
    destination.copyBytes(from: result.planar())
    return (classNames == nil ? nil : label, sample.text)
  }
}
