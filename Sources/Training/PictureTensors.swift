import Datasets
import Images
import Torch

extension Dataset {
  /// Throws `TrainingError` unless the elements are pictures as high as wide.
  func requireSquarePictures() throws(TrainingError) {
    guard elementShape.count == 3 else {
      throw TrainingError(
        path: name, "this family learns pictures, but these are points in the plane.")
    }
    guard elementShape[1] == elementShape[2] else {
      throw TrainingError(
        path: name,
        "the pictures are \(elementShape[2])×\(elementShape[1]); the networks are square, so pass "
          + "--image-size.")
    }
  }

  /// At most `count` indices, spread evenly over the set, which may be sorted by class.
  public func spread(_ count: Int) -> [Int] {
    let count = min(count, self.count)
    return (0..<count).map { $0 * self.count / count }
  }

  /// Pictures as a tensor, `[N, C, H, W]` in [0, 1]. Throws when a file cannot be read.
  public func pictures(_ indices: some Collection<Int>) throws -> Tensor {
    let size = elementByteCount
    var bytes = [UInt8](repeating: 0, count: indices.count * size)
    try bytes.withUnsafeMutableBytes { buffer in
      for (place, index) in indices.enumerated() {
        try copyElement(
          at: index, into: .init(rebasing: buffer[place * size..<(place + 1) * size]))
      }
    }
    return Tensor(channelBytes: bytes, shape: [indices.count] + elementShape)
  }
}

extension Tensor {
  /// The pictures of a batch `[N, C, H, W]` in [0, 1] as 8-bit pictures.
  public var pictures: [Image] {
    let (count, channels, height, width) = (size(0), size(1), size(2), size(3))
    let values: [Float] = detached().to(.float32).elements()
    let length = channels * height * width
    return (0..<count).map {
      Image(
        floats: Array(values[$0 * length..<($0 + 1) * length]), width: width, height: height,
        channels: channels)
    }
  }
}
