import Foundation
import Images
import Interchange

/// A folder's pictures decoded whenever they are asked for, for sets that memory cannot hold.
///
/// Fingerprint: names, file sizes, labels and captions; the pixels of a large set take too long.
struct LazyImages: Dataset {
  let name: String
  let elementShape: [Int]
  let fingerprint: String
  let notes: [String]
  private let listing: FolderListing
  private let isFitted: Bool

  init(_ listing: FolderListing, name: String, elementShape: [Int], isFitted: Bool) {
    self.listing = listing
    self.name = name
    self.elementShape = elementShape
    self.isFitted = isFitted
    notes = ImageFolder.notes(listing, damaged: [])
    var fingerprint = Fingerprint()
    for entry in listing.entries {
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: "\(listing.folder)/\(entry.name)")
      fingerprint.update(entry.name)
      fingerprint.update("\(attributes?[.size] as? Int ?? -1)")
      fingerprint.update("\(entry.label ?? -1)")
      fingerprint.update(entry.captions.joined(separator: "\0"))
    }
    self.fingerprint = fingerprint.hex
  }

  var count: Int { listing.entries.count }
  var elementKind: ElementKind { .bytes }
  var classNames: [String]? { listing.classNames }

  func copyElement(at index: Int, into destination: UnsafeMutableRawBufferPointer) throws {
    let path = "\(listing.folder)/\(listing.entries[index].name)"
    let image: Image
    do {
      image = try Image(contentsOfFile: path)
    } catch {
      throw DatasetError(path: nil, sentence: "\(error); remove or replace the file.")
    }
    let result = fitted(image, side: isFitted ? elementShape[1] : nil, channels: elementShape[0])
    guard result.height == elementShape[1], result.width == elementShape[2] else {
      throw DatasetError(
        path: path,
        sentence:
          "it has \(image.width)×\(image.height) pixels, but the first picture of the set has \(elementShape[2])×\(elementShape[1]); choose one size with --image-size."
      )
    }
    destination.copyBytes(from: result.planar())
  }

  func label(at index: Int) -> Int? { listing.entries[index].label }
  func caption(at index: Int) -> String? { listing.entries[index].captions.first }
  func captions(at index: Int) -> [String] { listing.entries[index].captions }
}
