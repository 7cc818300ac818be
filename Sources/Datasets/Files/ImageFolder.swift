import Dispatch
import Foundation
import Images
import Interchange

/// Opening a folder of pictures: plain, one folder a class, with captions beside the pictures
/// (`.txt`) or in `metadata.jsonl`.
///
/// Sets that fit `memoryLimit` are decoded once and kept; larger ones are decoded whenever a picture
/// is asked for, and a damaged picture then surfaces as an error in the middle of an epoch.
enum ImageFolder {
  /// The decoded size up to which a set is kept in memory, in bytes.
  static let memoryLimit = 1 << 30

  static func open(
    _ folder: String, split: Split, imageSize: Int?, channels: Int?, memoryLimit: Int = memoryLimit
  ) throws(DatasetError) -> any Dataset {
    let listing = try FolderListing(folder: folder, split: split)
    let name = URL(filePath: folder).standardizedFileURL.lastPathComponent
    let first = listing.entries.lazy.compactMap { entry in
      try? Image(contentsOfFile: "\(listing.folder)/\(entry.name)")
    }.first
    let area = imageSize.map { $0 * $0 } ?? first.map { $0.width * $0.height } ?? 1
    let (bytes, overflows) = area.multipliedReportingOverflow(by: 3 * listing.entries.count)
    if overflows || bytes > memoryLimit, let first {
      return LazyImages(
        listing, name: name,
        elementShape: [
          channels ?? 3, imageSize ?? first.height, imageSize ?? first.width,
        ], isFitted: imageSize != nil)
    }
    let images = decodeAll(listing, imageSize)
    try checkSizes(images, listing)
    let readable = listing.entries.indices.filter { (try? images[$0].get()) != nil }
    let isGrey = readable.allSatisfy { (try? images[$0].get())?.channels == 1 }
    return stored(images, listing, readable, name: name, channels: channels ?? (isGrey ? 1 : 3))
  }

  private static func stored(
    _ images: [Result<Image, ImageError>], _ listing: FolderListing, _ readable: [Int],
    name: String, channels: Int
  ) -> StoredImages {
    var samples: [UInt8] = []
    var shape = [channels, 1, 1]
    for case .success(let image) in images {
      shape = [channels, image.height, image.width]
      if samples.isEmpty {
        samples.reserveCapacity(readable.count * channels * image.height * image.width)
      }
      samples += image.converted(toChannels: channels).planar()
    }
    let damaged = listing.entries.indices.filter { (try? images[$0].get()) == nil }
    let entries = readable.map { listing.entries[$0] }
    let captions = entries.map { $0.captions.first ?? "" }
    let hasChoices = entries.contains { $0.captions.count > 1 }
    return StoredImages(
      name: name, samples: samples, elementShape: shape,
      labels: listing.classNames == nil ? nil : entries.map { $0.label ?? 0 },
      captions: captions.allSatisfy(\.isEmpty) ? nil : captions,
      captionChoices: hasChoices ? entries.map(\.captions) : nil, classNames: listing.classNames,
      notes: notes(listing, damaged: damaged.map { listing.entries[$0].name }))
  }

  /// Decodes and fits every picture on all cores.
  private static func decodeAll(
    _ listing: FolderListing, _ side: Int?
  ) -> [Result<Image, ImageError>] {
    let paths = listing.entries.map { "\(listing.folder)/\($0.name)" }
    return [Result<Image, ImageError>](unsafeUninitializedCapacity: paths.count) { buffer, count in
      // Every iteration initialises the one place that is its own.
      nonisolated(unsafe) let places = buffer
      DispatchQueue.concurrentPerform(iterations: paths.count) { index in
        let image = Result { () throws(ImageError) in
          let image = try Image(contentsOfFile: paths[index])
          return fitted(image, side: side, channels: image.channels == 1 ? 1 : 3)
        }
        places.initializeElement(at: index, to: image)
      }
      count = paths.count
    }
  }

  private static func checkSizes(
    _ images: [Result<Image, ImageError>], _ listing: FolderListing
  ) throws(DatasetError) {
    var sizes: [String: Int] = [:]
    for case .success(let image) in images {
      sizes["\(image.width)×\(image.height)", default: 0] += 1
    }
    guard !sizes.isEmpty else {
      let names = countedNames(listing.entries.map(\.name), "picture", "pictures")
      throw DatasetError(
        path: listing.folder, sentence: "not one of its \(names) can be read; they are damaged.")
    }
    guard sizes.count == 1 else {
      let common = sizes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(4)
      let list = common.map { "\($0.value) of \($0.key)" }.joined(separator: ", ")
      throw DatasetError(
        path: listing.folder,
        sentence:
          "its pictures have \(sizes.count) different sizes (\(list)\(sizes.count > 4 ? ", …" : "")); choose one with --image-size."
      )
    }
  }

  static func notes(_ listing: FolderListing, damaged: [String]) -> [String] {
    var notes: [String] = []
    if !listing.strangers.isEmpty {
      let names = countedNames(
        listing.strangers, "file that is no picture was", "files that are no pictures were")
      notes.append("\(names) skipped.")
    }
    if !damaged.isEmpty {
      notes.append("\(countedNames(damaged, "picture", "pictures")) cannot be read and left out.")
    }
    return notes
  }
}
