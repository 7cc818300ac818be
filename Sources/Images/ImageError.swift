/// Why a picture could not be read or written; `description` is one sentence with the path.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file could not be opened or read.
  case unreadable(path: String, reason: String)
  /// The bytes start like none of the formats that are read.
  case unknownFormat(path: String)
  /// The bytes are cut short or contradict each other.
  case damaged(path: String, format: ImageFormat, reason: String)
  /// The file is well-formed, but of a kind that is not read or written.
  case unsupported(path: String, format: ImageFormat, reason: String)
  /// The picture has more than `Image.maximumPixelCount` pixels.
  case tooLarge(path: String, width: Int, height: Int)
  /// The picture could not be encoded or its file not be written.
  case unwritable(path: String, reason: String)

  /// One sentence that starts with the path and says what is wrong.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): the picture cannot be read: \(reason)"
    case .unknownFormat(let path):
      "\(path): this is not a PNG, JPEG or WebP picture"
    case .damaged(let path, let format, let reason):
      "\(path): the \(format.name) picture is damaged: \(reason)"
    case .unsupported(let path, let format, let reason):
      "\(path): this kind of \(format.name) picture is not supported: \(reason)"
    case .tooLarge(let path, let width, let height):
      "\(path): the picture has \(width) × \(height) pixels, more than the limit of "
        + "\(Image.maximumPixelCount) in all"
    case .unwritable(let path, let reason):
      "\(path): the picture cannot be written: \(reason)"
    }
  }
}
