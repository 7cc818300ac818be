/// The two 32-bit cyclic redundancy checks that file formats here use.
enum Checksum {
  /// CRC-32 (ISO-HDLC, polynomial 0x04C11DB7): PNG chunks.
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 { run(bytes, table: ieee) }

  /// CRC-32C (Castagnoli, polynomial 0x1EDC6F41): TFRecord framing.
  static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 { run(bytes, table: castagnoli) }

  /// TFRecord's mask: rotated right by 15 bits plus a constant, so that a checksum stored beside
  /// data that holds checksums stays strong.
  static func maskedCRC32C(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let crc = crc32c(bytes)
    return ((crc >> 15) | (crc << 17)) &+ 0xA282_EAD8
  }

  private static let ieee = table(reflectedPolynomial: 0xEDB8_8320)
  private static let castagnoli = table(reflectedPolynomial: 0x82F6_3B78)

  private static func table(reflectedPolynomial: UInt32) -> [UInt32] {
    (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { crc, _ in
        crc & 1 == 1 ? (crc >> 1) ^ reflectedPolynomial : crc >> 1
      }
    }
  }

  private static func run(_ bytes: some Sequence<UInt8>, table: [UInt32]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8)
    }
    return ~crc
  }
}
