import CTorch

// MARK: - Reductions

extension Tensor {
  /// The sum over the dimensions given, over all without any.
  public func sum(
    _ dims: [Int] = [], keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_sum(raw, $0, $1, keepingDims, out) }
    }
  }

  /// The mean over the dimensions given, over all without any.
  public func mean(
    _ dims: [Int] = [], keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_mean(raw, $0, $1, keepingDims, out) }
    }
  }

  /// The largest element over the dimensions given, over all without any.
  public func max(
    _ dims: [Int] = [], keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_amax(raw, $0, $1, keepingDims, out) }
    }
  }

  /// The smallest element over the dimensions given, over all without any.
  public func min(
    _ dims: [Int] = [], keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_amin(raw, $0, $1, keepingDims, out) }
    }
  }

  /// The variance, divided by n − `correction`, over the dimensions given, over all without any.
  public func variance(
    _ dims: [Int] = [], correction: Double = 1, keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_var(raw, $0, $1, correction, keepingDims, out) }
    }
  }

  /// The standard deviation, divided by n − `correction`, over the dimensions given, over all without any.
  public func deviation(
    _ dims: [Int] = [], correction: Double = 1, keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_std(raw, $0, $1, correction, keepingDims, out) }
    }
  }

  /// log Σ e^x, without overflow, over the dimensions given, over all without any.
  public func logSumExp(
    _ dims: [Int] = [], keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_logsumexp(raw, $0, $1, keepingDims, out) }
    }
  }

  /// The p-norm over the dimensions given, over all without any.
  public func norm(
    p: Double = 2, _ dims: [Int] = [], keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in
      withInt64(dims) { ct_norm(raw, p, $0, $1, keepingDims, out) }
    }
  }

  /// The product along one dimension.
  public func product(
    _ dim: Int, keepingDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_prod(raw, Int64(dim), keepingDims, $0) }
  }

  /// Where the largest element along one dimension stands, `int64`.
  public func argmax(
    _ dim: Int, keepingDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_argmax(raw, Int64(dim), keepingDims, $0) }
  }

  /// Where the smallest element along one dimension stands, `int64`.
  public func argmin(
    _ dim: Int, keepingDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_argmin(raw, Int64(dim), keepingDims, $0) }
  }

  /// The running sum along one dimension.
  public func cumulativeSum(
    _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_cumsum(raw, Int64(dim), $0) }
  }

  /// The running product along one dimension.
  public func cumulativeProduct(
    _ dim: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_cumprod(raw, Int64(dim), $0) }
  }

  /// Whether all elements are true, `bool []`.
  public func all(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_all, file, line)
  }

  /// Whether any element is true, `bool []`.
  public func any(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_any, file, line)
  }

  /// The elements in order along one dimension, and where each stood; equal ones keep their order.
  public func sorted(
    _ dim: Int = -1, descending: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    let pair = madePair(file, line) { ct_sort(raw, Int64(dim), descending, $0, $1) }
    return (pair.0, pair.1)
  }

  /// The `count` largest (or smallest) elements along one dimension, and where each stood.
  public func top(
    _ count: Int, _ dim: Int = -1, largest: Bool = true,
    file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    let pair = madePair(file, line) { ct_topk(raw, Int64(count), Int64(dim), largest, $0, $1) }
    return (pair.0, pair.1)
  }

  /// The `q`-quantile along one dimension, interpolated linearly.
  public func quantile(
    _ q: Double, _ dim: Int, keepingDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_quantile(raw, q, Int64(dim), keepingDims, $0) }
  }

  /// How often each whole number from 0 on stands in this one-dimensional tensor.
  public func bincount(
    minimumLength: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_bincount(raw, Int64(minimumLength), $0) }
  }

  /// The p-norm distances between the rows of two tensors, `[N, D]` and `[M, D]` to `[N, M]`.
  public func distances(
    to other: Tensor, p: Double = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_cdist(raw, other.raw, p, $0) }
  }
}
