import CTorch

/// Stops the process when a C call failed: a mistake of the program, told with libtorch's words.
@inline(__always)
func check(_ status: Int32, _ file: StaticString, _ line: UInt) {
  if status != 0 { fail(file, line) }
}

/// The one place that stops: `preconditionFailure` would lose the sentence in release builds.
@inline(never)
func fail(_ file: StaticString, _ line: UInt) -> Never {
  fatalError(String(cString: ct_last_error()), file: file, line: line)
}

/// Calls a C function with one result and takes that result over.
@inline(__always)
func made(
  _ file: StaticString, _ line: UInt, _ call: (UnsafeMutablePointer<CTTensor?>) -> Int32
) -> Tensor {
  var out: CTTensor?
  check(call(&out), file, line)
  guard let out else { fail(file, line) }
  return Tensor(owning: out)
}

/// Calls a C function with two results and takes both over.
@inline(__always)
func madePair(
  _ file: StaticString, _ line: UInt,
  _ call: (UnsafeMutablePointer<CTTensor?>, UnsafeMutablePointer<CTTensor?>) -> Int32
) -> (Tensor, Tensor) {
  var first: CTTensor?
  var second: CTTensor?
  check(call(&first, &second), file, line)
  guard let first, let second else { fail(file, line) }
  return (Tensor(owning: first), Tensor(owning: second))
}

/// Lends the elements as the 64-bit integers that libtorch's shapes are made of.
@inline(__always)
func withInt64<R>(_ values: [Int], _ body: (UnsafePointer<Int64>?, Int64) -> R) -> R {
  values.withUnsafeBufferPointer { buffer in
    buffer.withMemoryRebound(to: Int64.self) { body($0.baseAddress, Int64(buffer.count)) }
  }
}

/// Lends the handles of several tensors as one C array.
@inline(__always)
func withHandles<R>(
  _ tensors: [Tensor], _ body: (UnsafePointer<CTTensor?>?, Int64) -> R
) -> R {
  let handles = tensors.map { Optional($0.raw) }
  return withExtendedLifetime(tensors) {
    handles.withUnsafeBufferPointer { body($0.baseAddress, Int64($0.count)) }
  }
}
