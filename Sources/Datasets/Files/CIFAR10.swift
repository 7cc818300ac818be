import Foundation
import Interchange

/// The binary version of CIFAR-10: records of a label byte and 3 × 32 × 32 samples, a plane a
/// colour.
enum CIFAR10 {
  static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]
  private static let recordByteCount = 1 + 3 * 32 * 32

  static func files(_ split: Split) -> [String] {
    split == .test ? ["test_batch.bin"] : (1...5).map { "data_batch_\($0).bin" }
  }

  /// Whether `folder` holds the six files.
  static func recognizes(_ folder: String) -> Bool {
    Split.allCases.flatMap(files).allSatisfy {
      FileManager.default.fileExists(atPath: "\(folder)/\($0)")
    }
  }

  static func open(_ folder: String, name: String, split: Split) throws(DatasetError)
    -> StoredImages
  {
    var samples: [UInt8] = []
    var labels: [Int] = []
    for file in files(split) {
      let path = "\(folder)/\(file)"
      let bytes: [UInt8]
      do {
        bytes = try MappedFile(path: path).withUnsafeBytes { Array($0) }
      } catch {
        throw DatasetError(path: path, sentence: error.sentence)
      }
      guard !bytes.isEmpty, bytes.count.isMultiple(of: recordByteCount) else {
        throw DatasetError(
          path: path,
          sentence:
            "its \(bytes.count) bytes are no whole records of \(recordByteCount); fetch it again.")
      }
      for start in stride(from: 0, to: bytes.count, by: recordByteCount) {
        guard bytes[start] < classNames.count else {
          throw DatasetError(
            path: path, sentence: "it holds the label \(bytes[start]), but there are 10 classes.")
        }
        labels.append(Int(bytes[start]))
        samples += bytes[start + 1..<start + recordByteCount]
      }
    }
    return StoredImages(
      name: name, samples: samples, elementShape: [3, 32, 32], labels: labels,
      classNames: classNames)
  }
}
