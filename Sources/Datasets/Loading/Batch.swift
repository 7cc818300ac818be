/// Several elements of a set, one after the other: a batch, or a rank's share of it.
public struct Batch: Sendable, Equatable {
  /// The place in the order of batches that this one was made for.
  public let position: DataLoader.Position
  /// What of the whole batch this is: all of it, unless several ranks share it.
  public let share: Share
  /// Which elements of the set these are.
  public let indices: [Int]
  /// The shape of one element: `[C, H, W]` or `[2]`.
  public let elementShape: [Int]
  /// The numbers, `[N] + elementShape`.
  public let values: ElementValues
  /// The classes, or nil when the set has none.
  public let labels: [Int]?
  /// The texts, or nil when the set has none; an element without one has the empty text.
  public let captions: [String]?

  /// What was wrong with samples that others stand in for, a clause each.
  var problems: [String] = []

  /// The number of elements.
  public var count: Int { indices.count }

  /// A rank's part of a batch.
  public struct Share: Sendable, Equatable {
    /// The places in the whole batch. Never empty: where ranks are more than elements, those that go
    /// without get the first one, which then counts nothing.
    public let range: Range<Int>
    /// Elements of the whole batch.
    public let wholeCount: Int
    /// How much the mean over this part counts in the mean over the ranks, so that it is the mean
    /// over the whole batch: 1 for equal parts.
    public let weight: Double

    /// The part of a batch of `wholeCount` that is `rank`'s of `ranks`.
    public init(of wholeCount: Int, rank: Int = 0, ranks: Int = 1) {
      let range = (0..<wholeCount).part(rank, of: ranks)
      self.wholeCount = wholeCount
      self.range = range.isEmpty ? 0..<1 : range
      weight = Double(range.count * ranks) / Double(wholeCount)
    }
  }

  /// What is known of an element beside its numbers.
  struct Element {
    let index: Int
    let label: Int?
    let caption: String?
    let isFlipped: Bool
  }

  /// Makes a batch of `count` elements of a set; `element` writes the one of a place of it.
  init(
    of dataset: any Dataset, count: Int, position: DataLoader.Position, share: Share,
    element: (_ place: Int, UnsafeMutableRawBufferPointer) throws -> Element
  ) throws {
    self.position = position
    self.share = share
    elementShape = dataset.elementShape
    let size = dataset.elementByteCount
    let width = dataset.elementShape.last ?? 1
    var elements: [Element] = []
    values = try ElementValues(
      dataset.elementKind, count: count * elementShape.reduce(1, *)
    ) { buffer in
      for place in 0..<count {
        let destination = UnsafeMutableRawBufferPointer(
          rebasing: buffer[place * size..<(place + 1) * size])
        elements.append(try element(place, destination))
        if elements[place].isFlipped { mirror(destination, width: width) }
      }
    }
    indices = elements.map(\.index)
    let labels = elements.compactMap(\.label)
    self.labels = labels.count == count ? labels : nil
    let captions = elements.map(\.caption)
    self.captions = captions.contains { $0 != nil } ? captions.map { $0 ?? "" } : nil
  }
}

/// Reverses every row of a picture.
private func mirror(_ picture: UnsafeMutableRawBufferPointer, width: Int) {
  for row in stride(from: 0, to: picture.count, by: width) {
    var (left, right) = (row, row + width - 1)
    while left < right {
      picture.swapAt(left, right)
      left += 1
      right -= 1
    }
  }
}
