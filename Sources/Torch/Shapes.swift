import CTorch

// MARK: - Shapes (views of the same memory wherever possible)

extension Tensor {
  /// The same elements in another shape; one extent may be −1.
  public func reshaped(
    _ shape: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withInt64(shape) { ct_reshape(raw, $0, $1, out) } }
  }

  /// A view in another shape; stops where that needs a copy.
  public func view(
    _ shape: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withInt64(shape) { ct_view(raw, $0, $1, out) } }
  }

  /// The dimensions from `start` to `end` as one.
  public func flattened(
    from start: Int = 0, to end: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_flatten(raw, Int64(start), Int64(end), $0) }
  }

  /// The dimensions in another order.
  public func permuted(
    _ dims: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withInt64(dims) { ct_permute(raw, $0, $1, out) } }
  }

  /// Two dimensions swapped.
  public func transposed(
    _ dim0: Int = -2, _ dim1: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_transpose(raw, Int64(dim0), Int64(dim1), $0) }
  }

  /// Without a dimension of extent 1.
  public func squeezed(
    _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_squeeze(raw, Int64(dim), $0) }
  }

  /// With a new dimension of extent 1 at `dim`.
  public func unsqueezed(
    _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_unsqueeze(raw, Int64(dim), $0) }
  }

  /// Dimensions of extent 1 repeated without a copy; −1 keeps an extent.
  public func expanded(
    _ shape: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withInt64(shape) { ct_expand(raw, $0, $1, out) } }
  }

  /// The whole tensor tiled.
  public func repeated(
    _ counts: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withInt64(counts) { ct_repeat(raw, $0, $1, out) } }
  }

  /// Every slice along `dim` `count` times in a row.
  public func repeatedInterleaved(
    _ count: Int, _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_repeat_interleave(raw, Int64(count), Int64(dim), $0) }
  }

  /// The elements in reverse order along the dimensions given.
  public func flipped(
    _ dims: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withInt64(dims) { ct_flip(raw, $0, $1, out) } }
  }

  /// The elements on and below a diagonal, zero elsewhere.
  public func lowerTriangle(
    diagonal: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_tril(raw, Int64(diagonal), $0) }
  }

  /// The elements on and above a diagonal, zero elsewhere.
  public func upperTriangle(
    diagonal: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_triu(raw, Int64(diagonal), $0) }
  }

  /// The elements moved round along the dimensions given.
  public func rolled(
    _ shifts: [Int], _ dims: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    precondition(shifts.count == dims.count, "one shift a dimension", file: file, line: line)
    return made(file, line) { out in
      withInt64(shifts) { shifts, count in
        withInt64(dims) { dims, _ in ct_roll(raw, shifts, dims, count, out) }
      }
    }
  }

  /// The main diagonal of a matrix.
  public func diagonal(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_diagonal, file, line)
  }

  /// Tensors laid end to end along one dimension.
  public static func concatenated(
    _ tensors: [Tensor], _ dim: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withHandles(tensors) { ct_cat($0, $1, Int64(dim), out) } }
  }

  /// Tensors of one shape side by side along a new dimension.
  public static func stacked(
    _ tensors: [Tensor], _ dim: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withHandles(tensors) { ct_stack($0, $1, Int64(dim), out) } }
  }

  /// At most `count` parts of equal extent along one dimension; the last may be smaller.
  public func chunked(
    _ count: Int, _ dim: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    var handles = [CTTensor?](repeating: nil, count: count)
    var found: Int64 = 0
    check(ct_chunk(raw, Int64(count), Int64(dim), &handles, &found), file, line)
    return handles.prefix(Int(found)).compactMap { $0.map(Tensor.init(owning:)) }
  }
}
