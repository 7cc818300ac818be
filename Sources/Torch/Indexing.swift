import CTorch

// MARK: - Indexing

extension Tensor {
  /// The slice at one position of the first dimension; a view.
  public subscript(index: Int) -> Tensor { selected(0, index) }

  /// The slices in a range of the first dimension; a view.
  public subscript(range: Range<Int>) -> Tensor {
    narrowed(0, range.lowerBound, range.count)
  }

  /// The slice at one position of one dimension, without that dimension; a view.
  public func selected(
    _ dim: Int, _ index: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_select(raw, Int64(dim), Int64(index), $0) }
  }

  /// `length` slices of one dimension from `start` on; a view.
  public func narrowed(
    _ dim: Int, _ start: Int, _ length: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_narrow(raw, Int64(dim), Int64(start), Int64(length), $0) }
  }

  /// Every `step`-th slice of one dimension in a half-open range; a view.
  public func sliced(
    _ dim: Int, _ range: Range<Int>, step: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) {
      ct_slice(raw, Int64(dim), Int64(range.lowerBound), Int64(range.upperBound), Int64(step), $0)
    }
  }

  /// The slices of one dimension at the positions given, `int64 [K]`.
  public func selected(
    _ dim: Int, at indices: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_index_select(raw, Int64(dim), indices.raw, $0) }
  }

  /// For every position the element at the index given for it along one dimension.
  public func gathered(
    _ dim: Int, _ indices: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_gather(raw, Int64(dim), indices.raw, $0) }
  }

  /// A copy with the elements of `source` written at the indices given along one dimension.
  public func scattered(
    _ dim: Int, _ indices: Tensor, _ source: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_scatter(raw, Int64(dim), indices.raw, source.raw, $0) }
  }

  /// A copy with the slices of `source` added at the positions given along one dimension.
  public func indexAdded(
    _ dim: Int, _ indices: Tensor, _ source: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_index_add(raw, Int64(dim), indices.raw, source.raw, $0) }
  }

  /// A copy with one value wherever `mask` is true.
  public func maskedFilled(
    _ mask: Tensor, _ value: some TensorScalar, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_masked_fill(raw, mask.raw, value.scalar, $0) }
  }

  /// The elements where `mask` is true, in one dimension.
  public func maskedSelected(
    _ mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_masked_select(raw, mask.raw, $0) }
  }

  /// A 1 at the place each class names, 0 elsewhere: `int64 [...]` to `int64 [..., classes]`.
  public func oneHot(
    classes: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_one_hot(raw, Int64(classes), $0) }
  }
}
