/// Pictures that lie in memory one after the other.
///
/// Fingerprint: the shape, the samples, the labels and the captions.
public struct StoredImages: Dataset {
  /// What people call the set.
  public let name: String
  /// `[C, H, W]`.
  public let elementShape: [Int]
  /// The names of the labels, or nil when there are none.
  public let classNames: [String]?
  /// SHA-256 of the shape, the samples, the labels and the captions, or that of the set which the
  /// pictures were taken from.
  public let fingerprint: String
  /// What was skipped and the like.
  public let notes: [String]
  /// The number of pictures.
  public let count: Int
  /// The samples of all pictures, `[N, C, H, W]`.
  public let samples: [UInt8]
  /// The class of each picture, or nil.
  public let labels: [Int]?
  /// The text of each picture, or nil.
  public let captions: [String]?
  /// Every text of each picture where there are several, or nil.
  public let captionChoices: [[String]]?
  private let stride: Int

  /// Makes a set of samples `[N, C, H, W]`.
  ///
  /// - Precondition: the samples are a whole number of pictures, and labels and captions as many.
  public init(
    name: String, samples: [UInt8], elementShape: [Int], labels: [Int]? = nil,
    captions: [String]? = nil, captionChoices: [[String]]? = nil, classNames: [String]? = nil,
    notes: [String] = [],
    fingerprint: String? = nil
  ) {
    stride = elementShape.reduce(1, *)
    precondition(elementShape.count == 3 && stride > 0, "pictures have a shape [C, H, W]")
    precondition(samples.count.isMultiple(of: stride), "the samples are no whole pictures")
    let count = samples.count / stride
    precondition(labels.map { $0.count == count } ?? true, "there is one label a picture")
    precondition(captions.map { $0.count == count } ?? true, "there is one caption a picture")
    precondition(captionChoices.map { $0.count == count } ?? true, "captions for every picture")
    self.count = count
    self.name = name
    self.samples = samples
    self.elementShape = elementShape
    self.labels = labels
    self.captions = captions
    self.captionChoices = captionChoices
    self.classNames = classNames
    self.notes = notes
    self.fingerprint =
      fingerprint
      ?? contentFingerprint(
        elementShape, samples, labels,
        captionChoices?.map { $0.joined(separator: "\0") } ?? captions)
  }

  /// Always bytes.
  public var elementKind: ElementKind { .bytes }

  /// Copies one picture.
  public func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) {
    samples.withUnsafeBytes {
      destination.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: $0[index * stride..<(index + 1) * stride]))
    }
  }

  /// The class of a picture.
  public func label(at index: Int) -> Int? { labels?[index] }

  /// The text of a picture.
  public func caption(at index: Int) -> String? { captions?[index] }

  /// Every text of a picture.
  public func captions(at index: Int) -> [String] {
    captionChoices?[index] ?? captions.map { [$0[index]] } ?? []
  }

  /// The pictures with the given numbers, in that order.
  func selecting(_ indices: [Int]) -> StoredImages {
    var selected: [UInt8] = []
    selected.reserveCapacity(indices.count * stride)
    for index in indices { selected += samples[index * stride..<(index + 1) * stride] }
    return StoredImages(
      name: name, samples: selected, elementShape: elementShape,
      labels: labels.map { labels in indices.map { labels[$0] } },
      captions: captions.map { captions in indices.map { captions[$0] } },
      captionChoices: captionChoices.map { choices in indices.map { choices[$0] } },
      classNames: classNames, notes: notes)
  }
}
