import Foundation
import Images

@testable import Datasets

/// Writes a file, with the folders that it needs.
func put(_ bytes: [UInt8], _ path: String) throws {
  let url = URL(filePath: path)
  try FileManager.default.createDirectory(
    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(bytes).write(to: url)
}

func put(_ text: String, _ path: String) throws { try put(Array(text.utf8), path) }

func putPicture(_ path: String, _ width: Int, _ height: Int, _ colour: [UInt8]) throws {
  try put(Image(width: width, height: height, filledWith: colour).pngBytes(), path)
}

/// An IDX file of bytes.
func idx(_ dimensions: [Int], _ elements: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(dimensions.count)]
    + dimensions.flatMap { size in (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
    }
    + elements
}

/// Small pictures that tell their own number.
struct Counter: Dataset {
  struct Broken: Error, Equatable {}
  var count = 103
  var brokenIndex: Int?
  var labelled = false
  var name: String { "counter" }
  var elementShape: [Int] { [1, 2, 3] }
  var elementKind: ElementKind { .bytes }
  var classNames: [String]? { nil }
  var fingerprint: String { "" }

  func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws {
    if index == brokenIndex { throw Broken() }
    for place in 0..<6 { destination[place] = UInt8(truncatingIfNeeded: index * 7 + place) }
  }
  func label(at index: Int) -> Int? { labelled ? index : nil }
  func caption(at index: Int) -> String? { labelled && index.isMultiple(of: 2) ? "\(index)" : nil }
}
