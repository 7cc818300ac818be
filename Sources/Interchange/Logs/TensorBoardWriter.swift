import Foundation

/// An event file that TensorBoard shows while it grows.
///
/// Every call appends one record in one write, so nothing is lost when the process is killed. For
/// use by one thread at a time.
public final class TensorBoardWriter {
  /// Where the events go.
  public let path: String
  private let file: AppendingFile
  private let now: () -> Double

  /// Creates `events.out.tfevents.<seconds>.<host>` in `folder`, which has to exist.
  ///
  /// - Throws: `FileError` when the file cannot be created.
  public convenience init(folder: String) throws(FileError) {
    let seconds = Int(Date().timeIntervalSince1970)
    // Process and a random part keep apart two writers that begin in the same second.
    let host = ProcessInfo.processInfo.hostName.replacing("/", with: "-")
    let process = ProcessInfo.processInfo.processIdentifier
    let tail = String(UInt32.random(in: .min ... .max), radix: 36)
    try self.init(
      path: "\(folder)/events.out.tfevents.\(seconds).\(host).\(process).\(tail)",
      now: { Date().timeIntervalSince1970 })
  }

  /// The seam where tests put a fixed clock.
  init(path: String, now: @escaping () -> Double) throws(FileError) {
    self.path = path
    self.now = now
    file = try AppendingFile(path: path)
    try append(TensorBoardEvent.fileVersion(wallTime: now()))
  }

  /// Adds a point to the curve `tag`.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public func scalar(_ tag: String, _ value: Float, step: Int) throws(FileError) {
    try append(TensorBoardEvent.scalar(tag, value, step: step, wallTime: now()))
  }

  /// Adds points to several curves in one write.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public func scalars(_ values: [(tag: String, value: Float)], step: Int) throws(FileError) {
    let time = now()
    try file.append(
      values.flatMap {
        TensorBoardEvent.record(
          TensorBoardEvent.scalar($0.tag, $0.value, step: step, wallTime: time))
      })
  }

  /// Adds a picture, given as the bytes of a PNG file and its size in pixels.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public func image(
    _ tag: String, png: [UInt8], width: Int, height: Int, channels: Int, step: Int
  ) throws(FileError) {
    try append(
      TensorBoardEvent.image(
        tag, png: png, height: height, width: width, channels: channels, step: step,
        wallTime: now()))
  }

  /// Adds a histogram.
  ///
  /// - Throws: `FileError` when the disk refuses.
  public func histogram(_ tag: String, _ histogram: Histogram, step: Int) throws(FileError) {
    try append(TensorBoardEvent.histogram(tag, histogram, step: step, wallTime: now()))
  }

  private func append(_ event: [UInt8]) throws(FileError) {
    try file.append(TensorBoardEvent.record(event))
  }
}
