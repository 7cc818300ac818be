import CTorch

extension Tensor {
  /// A tensor with uninitialised memory: write every element before reading one.
  public static func empty(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(shape) { ct_empty($0, $1, dtype.rawValue, device.kind, device.index, out) }
    }
  }

  /// A tensor whose elements all have one value.
  public static func full(
    _ shape: [Int], _ value: some TensorScalar, dtype: DType = .float32, device: Device = .cpu,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(shape) {
        ct_full($0, $1, value.scalar, dtype.rawValue, device.kind, device.index, out)
      }
    }
  }

  /// A tensor of zeros.
  public static func zeros(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    full(shape, 0, dtype: dtype, device: device, file: file, line: line)
  }

  /// A tensor of ones.
  public static func ones(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    full(shape, 1, dtype: dtype, device: device, file: file, line: line)
  }

  /// Zeros in another tensor's shape, type, device and memory format.
  public static func zeros(
    like other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let tensor = made(file, line) { ct_empty_like(other.raw, $0) }
    tensor.fill(0, file: file, line: line)
    return tensor
  }

  /// Ones in another tensor's shape, type, device and memory format.
  public static func ones(
    like other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let tensor = made(file, line) { ct_empty_like(other.raw, $0) }
    tensor.fill(1, file: file, line: line)
    return tensor
  }

  /// Evenly spaced numbers from `start` up to, but without, `end`.
  public static func arange<S: TensorScalar>(
    _ start: S, _ end: S, step: S, dtype: DType = .float32, device: Device = .cpu,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) {
      ct_arange(
        start.scalar, end.scalar, step.scalar, dtype.rawValue, device.kind, device.index, $0)
    }
  }

  /// 0, 1, … `count` − 1.
  public static func arange(
    _ count: Int, dtype: DType = .int64, device: Device = .cpu,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    arange(0, count, step: 1, dtype: dtype, device: device, file: file, line: line)
  }

  /// `steps` evenly spaced numbers from `start` to `end`, both included.
  public static func linspace(
    _ start: Double, _ end: Double, steps: Int, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_linspace(start, end, Int64(steps), dtype.rawValue, $0) }
  }

  /// The identity matrix, `[n, n]`.
  public static func eye(
    _ n: Int, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_eye(Int64(n), dtype.rawValue, $0) }
  }

  /// A tensor with the elements of an array, row-major; `shape` defaults to one dimension.
  public init<Element: TensorElement>(
    _ elements: [Element], shape: [Int]? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let shape = shape ?? [elements.count]
    precondition(
      shape.reduce(1, *) == elements.count,
      "\(elements.count) elements do not fill the shape \(shape)", file: file, line: line)
    self = elements.withUnsafeBytes {
      Tensor(bytes: $0, shape: shape, dtype: Element.dtype, file: file, line: line)
    }
  }

  /// A tensor without dimensions that holds one number.
  public init(
    _ value: Double, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self = .full([], value, dtype: dtype, file: file, line: line)
  }

  /// A tensor with a copy of raw bytes in row-major order and this machine's byte order.
  public init(
    bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      shape.reduce(1, *) * dtype.size == bytes.count,
      "\(bytes.count) bytes do not fill \(dtype) \(shape)", file: file, line: line)
    self = made(file, line) { out in
      withInt64(shape) { ct_from_bytes(bytes.baseAddress, $0, $1, dtype.rawValue, out) }
    }
  }

  /// Pictures' bytes as float32, 0 to 255 as 0 to 1.
  public init(
    channelBytes bytes: [UInt8], shape: [Int], file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      shape.reduce(1, *) == bytes.count, "\(bytes.count) bytes do not fill \(shape)", file: file,
      line: line)
    self = made(file, line) { out in
      withInt64(shape) { sizes, count in
        bytes.withUnsafeBufferPointer { ct_from_channel_bytes($0.baseAddress, sizes, count, out) }
      }
    }
  }

  /// A tensor that looks at memory that `owner` keeps alive, without a copy, aligned to `dtype`.
  /// Never write to it where the memory must stay as it is.
  public init(
    sharing bytes: UnsafeRawBufferPointer, owner: AnyObject, shape: [Int], dtype: DType,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      shape.reduce(1, *) * dtype.size == bytes.count,
      "\(bytes.count) bytes do not fill \(dtype) \(shape)", file: file, line: line)
    let context = Unmanaged.passRetained(owner).toOpaque()
    self = made(file, line) { out in
      withInt64(shape) {
        ct_from_external(
          UnsafeMutableRawPointer(mutating: bytes.baseAddress), $0, $1, dtype.rawValue, context,
          { context in
            if let context { Unmanaged<AnyObject>.fromOpaque(context).release() }
          }, out)
      }
    }
  }
}

// MARK: - Reading

extension Tensor {
  /// The elements in row-major order, converted to the asked type; waits for the device.
  public func elements<Element: TensorElement>(
    as type: Element.Type = Element.self, file: StaticString = #fileID, line: UInt = #line
  ) -> [Element] {
    let source = dtype == Element.dtype ? self : to(Element.dtype, file: file, line: line)
    let count = source.count
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      check(ct_copy_bytes(source.raw, bytes.baseAddress, Int64(bytes.count)), file, line)
      initialized = count
    }
  }

  /// The elements' bytes in row-major order and this machine's byte order.
  public func rawBytes(file: StaticString = #fileID, line: UInt = #line) -> [UInt8] {
    let count = count * dtype.size
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      check(ct_copy_bytes(raw, buffer.baseAddress, Int64(count)), file, line)
      initialized = count
    }
  }

  /// The one element of a tensor that has just one.
  public func item(file: StaticString = #fileID, line: UInt = #line) -> Double {
    var floating = 0.0
    var integer: Int64 = 0
    check(ct_item(raw, &floating, &integer), file, line)
    return floating
  }

  /// The one element of a tensor of whole numbers that has just one.
  public func intItem(file: StaticString = #fileID, line: UInt = #line) -> Int {
    var floating = 0.0
    var integer: Int64 = 0
    check(ct_item(raw, &floating, &integer), file, line)
    return Int(integer)
  }
}

// MARK: - Conversion

extension Tensor {
  /// The same values in another element type; the tensor itself where it has that type.
  public func to(
    _ dtype: DType, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let device = device
    return made(file, line) {
      ct_to(raw, dtype.rawValue, device.kind, device.index, false, $0)
    }
  }

  /// The same values on another device; the tensor itself where it is there.
  public func to(
    _ device: Device, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_to(raw, dtype.rawValue, device.kind, device.index, false, $0) }
  }

  /// A copy in memory of its own, part of the graph.
  public func clone(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    made(file, line) { ct_clone(raw, $0) }
  }

  /// The same values laid out as `format` says; the tensor itself where it lies so already.
  public func contiguous(
    _ format: MemoryFormat = .contiguous, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_contiguous(raw, format == .channelsLast, $0) }
  }
}
