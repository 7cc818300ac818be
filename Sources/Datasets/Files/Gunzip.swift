import CZlib

/// What is wrong with a compressed stream, as a clause.
struct GunzipError: Error {
  let problem: String
}

/// Expands gzip data (also several members one after the other), giving at most `limit` bytes.
///
/// The memory taken grows with what really comes out, whatever the file claims.
func gunzip(_ compressed: UnsafeRawBufferPointer, limit: Int) throws(GunzipError) -> [UInt8] {
  var stream = z_stream()
  // 16 + 15: gzip framing, the largest window.
  guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
    throw GunzipError(problem: "there is not enough memory to expand it")
  }
  defer { inflateEnd(&stream) }
  var output: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 18)
  var position = 0
  while output.count < limit {
    // zlib counts in 32 bits, so long inputs go in by pieces.
    let input = compressed[position...].prefix(1 << 30)
    stream.next_in = UnsafeMutablePointer(
      mutating: UnsafeRawBufferPointer(rebasing: input).bindMemory(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(input.count)
    let room = min(chunk.count, limit - output.count)
    let status = chunk.withUnsafeMutableBufferPointer { buffer in
      stream.next_out = buffer.baseAddress
      stream.avail_out = UInt32(room)
      return inflate(&stream, Z_NO_FLUSH)
    }
    let consumed = input.count - Int(stream.avail_in)
    let produced = room - Int(stream.avail_out)
    position += consumed
    output += chunk[..<produced]
    switch status {
    case Z_STREAM_END where position == compressed.count: return output
    case Z_STREAM_END: inflateReset(&stream)
    case Z_OK where consumed + produced > 0: continue
    case Z_OK, Z_BUF_ERROR: throw GunzipError(problem: "its gzip data is cut short")
    default: throw GunzipError(problem: "its gzip data is damaged")
    }
  }
  return output
}
