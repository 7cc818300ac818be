import Foundation
import Interchange
import Models
import Torch

/// Pictures that a model has drawn for measuring, in its folder: what an interrupted evaluation has
/// drawn is not drawn again, and neither is what a second one asks for alike.
struct SampleCache {
  /// Pictures a file.
  static let partSize = 250

  /// Some pictures and the seconds that they took.
  struct Part {
    /// `[N, C, H, W]`, uint8.
    let bytes: Tensor
    let seconds: Double
  }

  private let folder: String

  /// The cache of a drawer's pictures: one folder for each set of weights and way of drawing.
  ///
  /// Throws `EvaluationError` when the folder cannot be made.
  init(_ drawer: SampleDrawer) throws(EvaluationError) {
    var fingerprint = Fingerprint()
    fingerprint.update(drawer.model.weightsHash)
    fingerprint.update("seed \(drawer.request.seed)")
    fingerprint.update(drawer.request.description(for: drawer.model))
    folder = "\(drawer.model.folder.path)/evaluation/samples-\(fingerprint.hex.prefix(16))"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw EvaluationError(
        path: folder,
        "samples cannot be kept here (\((error as NSError).localizedDescription)); pass --no-cache."
      )
    }
  }

  /// The pictures with these numbers where they were drawn before. A part with more of them serves
  /// as well; a damaged file is as good as none.
  func part(_ range: Range<Int>) -> Part? {
    guard let found = try? Weights.read(path(range.lowerBound)), let bytes = found["pictures"],
      bytes.dtype == .uint8, bytes.rank == 4, bytes.size(0) >= range.count,
      let seconds = found["seconds"], seconds.count == 1
    else { return nil }
    let share = Double(range.count) / Double(bytes.size(0))
    return Part(bytes: bytes[0..<range.count], seconds: seconds.item() * share)
  }

  /// Keeps a part. Throws `FileError` when the disk refuses.
  func keep(_ part: Part, at start: Int) throws {
    try Weights.write(
      [("pictures", part.bytes), ("seconds", Tensor([part.seconds]))], to: path(start))
  }

  private func path(_ start: Int) -> String { "\(folder)/\(start).safetensors" }
}
