import Foundation
import Interchange

/// The data sets that are known by name.
public enum DatasetCatalog {
  /// A named set: what it is and where it is looked for.
  public struct Listing: Sendable {
    /// The name that `--data` takes.
    public let name: String
    /// What the set is, in a sentence.
    public let summary: String
    /// The folders where it is looked for, in order; empty when it is made on the fly.
    public let places: [String]
    /// How to get it when it is in none of the places.
    public let remedy: String
    /// Whether it can be opened on this machine.
    public var isPresent: Bool { places.isEmpty || folder != nil }

    let holdsSet: @Sendable (String) -> Bool
    var folder: String? { places.first(where: holdsSet) }
  }

  /// All named sets; `environment` may hold `LATENT_DATA`, a folder with one folder a set.
  public static func listings(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [Listing] {
    func places(_ name: String) -> [String] {
      let own = environment["LATENT_DATA"].flatMap { $0.isEmpty ? nil : "\($0)/\(name)" }
      return [own, "/usr/share/datasets/\(name)"].compactMap(\.self)
    }
    let idxRemedy =
      "put its four IDX files (train-images-idx3-ubyte.gz and so on) into a folder of that name inside the folder that LATENT_DATA names"
    func made(_ name: String, _ summary: String) -> Listing {
      Listing(name: name, summary: summary, places: [], remedy: "") { _ in true }
    }
    return [
      Listing(
        name: "fashion-mnist", summary: "70,000 grey pictures of clothes, 28×28, 10 classes.",
        places: places("fashion-mnist"),
        remedy: "install Debian's package dataset-fashion-mnist, or \(idxRemedy)",
        holdsSet: IDXImages.recognizes),
      Listing(
        name: "mnist", summary: "70,000 grey handwritten digits, 28×28, 10 classes.",
        places: places("mnist"), remedy: idxRemedy, holdsSet: IDXImages.recognizes),
      Listing(
        name: "cifar10", summary: "60,000 colour photographs, 32×32, 10 classes.",
        places: places("cifar10").flatMap { [$0, "\($0)/cifar-10-batches-bin"] }
          + places("cifar-10-batches-bin"),
        remedy:
          "put the folder cifar-10-batches-bin of its binary version into the folder that LATENT_DATA names",
        holdsSet: CIFAR10.recognizes),
      made("shapes", "Coloured shapes with captions, any size, drawn on the fly, 8 classes."),
      made("ring8", "Points in the plane: eight Gaussians on a circle."),
      made("grid25", "Points in the plane: twenty-five Gaussians on a grid."),
    ]
  }

  /// Opens a set by name, or by the path of a folder of pictures, a folder with IDX or CIFAR-10
  /// files, an IDX file, or tar shards: a folder of them, one, a pattern in braces, an index.
  ///
  /// The training part of shards is a `ShardedImages`, whose elements come in order; of their
  /// held-out part at most 2,000 pictures are read into memory.
  ///
  /// - Parameters:
  ///   - nameOrPath: A name of `listings()`, or a path; a path that looks like a name starts with `./`.
  ///   - split: The part to open; sets without a test part have a tenth held out, by file name.
  ///   - imageSize: The side in pixels to fit pictures to; nil keeps their size.
  ///   - channels: 1 for grey, 3 for RGB; nil keeps what the pictures have.
  ///   - environment: Where `LATENT_DATA` is looked up.
  /// - Throws: `DatasetError` that says what is missing and where to get it.
  public static func open(
    _ nameOrPath: String, split: Split, imageSize: Int? = nil, channels: Int? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(DatasetError) -> any Dataset {
    if let imageSize, !(1...4096).contains(imageSize) {
      throw DatasetError(
        path: nameOrPath, sentence: "the image size \(imageSize) is not between 1 and 4096 pixels.")
    }
    if let channels, channels != 1, channels != 3 {
      throw DatasetError(
        path: nameOrPath, sentence: "pictures have 1 (grey) or 3 (RGB) channels, not \(channels).")
    }
    if nameOrPath == "shapes" {
      let shapes = ShapesDataset(split: split, side: imageSize ?? 32)
      return channels == 1 ? FittedImages(shapes, side: nil, channels: 1) : shapes
    }
    if let points = PointMixture.named(nameOrPath, split: split) {
      guard imageSize == nil, channels == nil else {
        throw DatasetError(
          path: nameOrPath, sentence: "the set holds points, so image size and channels do not fit."
        )
      }
      return points
    }
    let listings = listings(environment: environment)
    if let listing = listings.first(where: { $0.name == nameOrPath }) {
      guard let folder = listing.folder else {
        let places = listing.places.joined(separator: ", ")
        throw DatasetError(
          path: listing.name,
          sentence: "the set is not on this machine (looked in \(places)); \(listing.remedy).")
      }
      return fit(try openNamed(listing.name, folder, split), imageSize, channels)
    }
    if nameOrPath.hasPrefix("pipe:") {
      throw DatasetError(
        path: nameOrPath,
        sentence:
          "a command stands in an index of shards, with the number of its samples; `latent help shards` shows one."
      )
    }
    let isPattern = nameOrPath.contains("{") && nameOrPath.hasSuffix(".tar")
    guard isPattern || FileManager.default.fileExists(atPath: nameOrPath) else {
      let names = listings.map(\.name)
      let hint = nearestName(to: nameOrPath, among: names).map { "did you mean \"\($0)\"?" }
      throw DatasetError(
        path: nameOrPath,
        sentence:
          "there is no such file, folder or data set; \(hint ?? "known sets are \(names.joined(separator: ", ")).")"
      )
    }
    return try openPath(nameOrPath, split, imageSize, channels)
  }

  private static func openNamed(
    _ name: String, _ folder: String, _ split: Split
  ) throws(DatasetError) -> StoredImages {
    switch name {
    case "cifar10": try CIFAR10.open(folder, name: name, split: split)
    case "fashion-mnist":
      try IDXImages.open(
        folder, name: name, split: split, classNames: IDXImages.fashionMNISTClasses)
    default: try IDXImages.open(folder, name: name, split: split, classNames: IDXImages.digits)
    }
  }

  private static func openPath(
    _ path: String, _ split: Split, _ imageSize: Int?, _ channels: Int?
  ) throws(DatasetError) -> any Dataset {
    let name = URL(filePath: path).standardizedFileURL.lastPathComponent
    if IDXImages.recognizes(path) {
      return fit(
        try IDXImages.open(path, name: name, split: split, classNames: nil), imageSize, channels)
    }
    if CIFAR10.recognizes(path) {
      return fit(try CIFAR10.open(path, name: name, split: split), imageSize, channels)
    }
    if ShardSet.recognizes(path) {
      let shards = try ShardedImages(
        path: path, split: split, imageSize: imageSize, channels: channels)
      return split == .train ? shards : try shards.sample(ShardedImages.heldOutLimit)
    }
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard isFolder.boolValue else {
      throw DatasetError(
        path: path,
        sentence: "it is no IDX file; name a folder of pictures or of IDX files, or tar shards.")
    }
    return try ImageFolder.open(path, split: split, imageSize: imageSize, channels: channels)
  }

  private static func fit(_ images: StoredImages, _ side: Int?, _ channels: Int?) -> any Dataset {
    let shape = images.elementShape
    let isSquare = side == nil || (shape[1] == side && shape[2] == side)
    let isSame = isSquare && (channels == nil || channels == shape[0])
    return isSame ? images : FittedImages(images, side: side, channels: channels)
  }
}
