/// One event of a TensorBoard log, encoded as TensorFlow's `Event` message.
enum TensorBoardEvent {
  static func fileVersion(wallTime: Double) -> [UInt8] {
    var event = ProtobufEncoder()
    event.double(wallTime, field: 1)
    event.string("brain.Event:2", field: 3)
    return event.bytes
  }

  static func scalar(_ tag: String, _ value: Float, step: Int, wallTime: Double) -> [UInt8] {
    summary(tag, step: step, wallTime: wallTime) { $0.presentFloat(value, field: 2) }
  }

  static func image(
    _ tag: String, png: [UInt8], height: Int, width: Int, channels: Int, step: Int, wallTime: Double
  ) -> [UInt8] {
    var image = ProtobufEncoder()
    image.integer(height, field: 1)
    image.integer(width, field: 2)
    image.integer(channels, field: 3)
    image.data(png, field: 4)
    return summary(tag, step: step, wallTime: wallTime) { $0.message(image.bytes, field: 4) }
  }

  static func histogram(
    _ tag: String, _ histogram: Histogram, step: Int, wallTime: Double
  ) -> [UInt8] {
    var message = ProtobufEncoder()
    message.double(histogram.minimum, field: 1)
    message.double(histogram.maximum, field: 2)
    message.double(histogram.count, field: 3)
    message.double(histogram.sum, field: 4)
    message.double(histogram.sumOfSquares, field: 5)
    message.packed(histogram.limits, field: 6)
    message.packed(histogram.counts, field: 7)
    return summary(tag, step: step, wallTime: wallTime) { $0.message(message.bytes, field: 5) }
  }

  /// The record that holds an event on disk: length, masked CRC-32C of the length, bytes, masked
  /// CRC-32C of the bytes.
  static func record(_ event: [UInt8]) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(event.count).littleEndian) { Array($0) }
    func checksum(_ bytes: [UInt8]) -> [UInt8] {
      withUnsafeBytes(of: Checksum.maskedCRC32C(bytes).littleEndian) { Array($0) }
    }
    return length + checksum(length) + event + checksum(event)
  }

  private static func summary(
    _ tag: String, step: Int, wallTime: Double, _ content: (inout ProtobufEncoder) -> Void
  ) -> [UInt8] {
    var value = ProtobufEncoder()
    value.string(tag, field: 1)
    content(&value)
    var summary = ProtobufEncoder()
    summary.message(value.bytes, field: 1)
    var event = ProtobufEncoder()
    event.double(wallTime, field: 1)
    event.integer(step, field: 2)
    event.message(summary.bytes, field: 5)
    return event.bytes
  }
}
