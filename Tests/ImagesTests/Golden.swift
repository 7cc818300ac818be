import Foundation
import Images
import Testing

/// One of Pillow's results in `Tests/Fixtures/images/expected.json`.
struct Golden: Decodable, CustomTestStringConvertible {
  let name: String
  let kind: String
  let width: Int
  let height: Int
  let channels: Int
  let filter: String?
  private let offset: Int

  static let folder = URL(filePath: #filePath)
    .appending(path: "../../Fixtures/images").standardizedFileURL
  private static let bytes =
    (try? Data(contentsOf: folder.appending(path: "expected.bin"))) ?? Data()

  /// All results of one kind; a missing or unreadable list is an empty one, which fails the tests.
  static func all(_ kind: String) -> [Golden] {
    guard let json = try? Data(contentsOf: folder.appending(path: "expected.json")),
      let all = try? JSONDecoder().decode([Golden].self, from: json)
    else { return [] }
    return all.filter { $0.kind == kind }
  }

  var testDescription: String { "\(name) → \(width)×\(height)×\(channels) \(filter ?? "")" }

  var path: String { Golden.folder.appending(path: name).path }

  var image: Image {
    Image(
      width: width, height: height, channels: channels,
      pixels: Array(Golden.bytes[offset..<offset + width * height * channels]))
  }

  /// The generator's `pattern` picture of the size that `name` gives: "width height channels".
  var source: Image {
    let size = name.split(separator: " ").compactMap { Int($0) }
    return .pattern(width: size[0], height: size[1], channels: size[2])
  }
}

extension Image {
  static func pattern(width: Int, height: Int, channels: Int) -> Image {
    let samples = (0..<width * height * channels).map { (i: Int) -> UInt8 in
      let sum: Int = i * i * 31 + i * 7 + (i >> 5)
      return UInt8(sum & 255)
    }
    return Image(width: width, height: height, channels: channels, pixels: samples)
  }

  /// The largest difference of two samples, or nil when the shapes differ.
  func largestDifference(from other: Image) -> Int? {
    guard width == other.width, height == other.height, channels == other.channels else {
      return nil
    }
    return zip(pixels, other.pixels).map { abs(Int($0) - Int($1)) }.max()
  }
}

/// A folder that is removed when the value goes away.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appending(path: "images-\(UUID())")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }
}
