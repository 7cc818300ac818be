/// The few parts of protocol buffers that event files need, by the rules of proto3: a scalar field
/// that is zero or empty is left out.
struct ProtobufEncoder {
  private(set) var bytes: [UInt8] = []

  mutating func double(_ value: Double, field: Int) {
    // By bits: a negative zero is not the default.
    guard value.bitPattern != 0 else { return }
    tag(field, wireType: 1)
    append(value.bitPattern)
  }

  mutating func float(_ value: Float, field: Int) {
    guard value.bitPattern != 0 else { return }
    presentFloat(value, field: field)
  }

  /// A float inside a `oneof`, which is written even when it is zero.
  mutating func presentFloat(_ value: Float, field: Int) {
    tag(field, wireType: 5)
    append(value.bitPattern)
  }

  mutating func integer(_ value: Int, field: Int) {
    guard value != 0 else { return }
    tag(field, wireType: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func string(_ value: String, field: Int) { data(Array(value.utf8), field: field) }

  mutating func data(_ value: [UInt8], field: Int) {
    if !value.isEmpty { message(value, field: field) }
  }

  /// An embedded message, or packed numbers, which are written even when they are empty.
  mutating func message(_ value: [UInt8], field: Int) {
    tag(field, wireType: 2)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func packed(_ values: [Double], field: Int) {
    guard !values.isEmpty else { return }
    tag(field, wireType: 2)
    varint(UInt64(8 * values.count))
    for value in values { append(value.bitPattern) }
  }

  private mutating func tag(_ field: Int, wireType: UInt64) {
    varint(UInt64(field) << 3 | wireType)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
