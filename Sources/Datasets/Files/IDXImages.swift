import Foundation
import Interchange

/// Finding and joining the IDX files of pictures and labels.
enum IDXImages {
  static let fashionMNISTClasses = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]
  static let digits = (0..<10).map(String.init)

  /// Whether a file or folder looks like IDX data.
  static func recognizes(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return false }
    return isFolder.boolValue
      ? pictures(in: path, .train) != nil || pictures(in: path, .test) != nil
      : path.contains("idx")
        && (path.hasSuffix("ubyte") || path.hasSuffix(".gz") || path.hasSuffix(".idx"))
  }

  /// Opens one part of the set in `path`, a folder with the usual four files or a file of pictures.
  ///
  /// A single file, and a folder without the part that is asked for, is split by `HeldOut` on the
  /// number of the picture.
  static func open(
    _ path: String, name: String, split: Split, classNames: [String]?
  ) throws(DatasetError) -> StoredImages {
    if let file = pictures(in: path, split) {
      let other = pictures(in: path, split == .train ? .test : .train)
      let isWhole = split == .test || other != nil
      let all = try read(file, name: name, classNames: classNames)
      return isWhole ? all : try heldOut(all, split, path)
    }
    let file = pictures(in: path, .train) ?? path
    return try heldOut(try read(file, name: name, classNames: classNames), split, path)
  }

  private static func pictures(in folder: String, _ split: Split) -> String? {
    let prefix = split == .train ? "train" : "t10k"
    for infix in ["-images-idx3-ubyte", "-images.idx3-ubyte"] {
      for suffix in ["", ".gz"] {
        let path = "\(folder)/\(prefix)\(infix)\(suffix)"
        if FileManager.default.fileExists(atPath: path) { return path }
      }
    }
    return nil
  }

  private static func heldOut(
    _ images: StoredImages, _ split: Split, _ path: String
  ) throws(DatasetError) -> StoredImages {
    let chosen = (0..<images.count).filter { HeldOut.belongs(String($0), to: split) }
    guard !chosen.isEmpty else {
      throw DatasetError(path: path, sentence: "it is too small to hold out a part of it.")
    }
    return images.selecting(chosen)
  }

  private static func read(
    _ path: String, name: String, classNames: [String]?
  ) throws(DatasetError) -> StoredImages {
    let file = try IDXFile(path: path)
    let sizes = file.dimensions
    guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 }) else {
      throw DatasetError(
        path: path,
        sentence:
          "its dimensions are \(sizes), but a number of grey pictures [N, H, W] is expected.")
    }
    let shape = [1, sizes[1], sizes[2]]
    guard let labelPath = labelFile(of: path) else {
      return StoredImages(name: name, samples: file.elements, elementShape: shape)
    }
    let labels = try IDXFile(path: labelPath)
    guard labels.dimensions == [sizes[0]] else {
      throw DatasetError(
        path: labelPath,
        sentence: "its dimensions are \(labels.dimensions), but there are \(sizes[0]) pictures.")
    }
    let highest = Int(labels.elements.max() ?? 0)
    guard highest < classNames?.count ?? 256 else {
      throw DatasetError(
        path: labelPath,
        sentence:
          "it holds the label \(highest), but the set has \(classNames?.count ?? 0) classes.")
    }
    return StoredImages(
      name: name, samples: file.elements, elementShape: shape,
      labels: labels.elements.map(Int.init),
      classNames: classNames ?? (0...highest).map(String.init))
  }

  private static func labelFile(of path: String) -> String? {
    let file = URL(filePath: path).lastPathComponent
    let folder = path.dropLast(file.count)
    let labels = file.replacing("images", with: "labels").replacing("idx3", with: "idx1")
    guard labels != file else { return nil }
    let bare = labels.hasSuffix(".gz") ? String(labels.dropLast(3)) : labels
    return [bare, "\(bare).gz"].map { "\(folder)\($0)" }
      .first { FileManager.default.fileExists(atPath: $0) }
  }
}
