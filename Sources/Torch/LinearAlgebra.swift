import CTorch

// MARK: - Linear algebra

extension Tensor {
  /// β · self + α · (a × b), for matrices.
  public func addmm(
    _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { ct_addmm(raw, a.raw, b.raw, beta, alpha, $0) }
  }

  /// A sum of products in Einstein's notation, for example `"bij,bjk->bik"`.
  public static func einsum(
    _ equation: String, _ tensors: Tensor..., file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    made(file, line) { out in withHandles(tensors) { ct_einsum(equation, $0, $1, out) } }
  }

  /// Eigenvalues, ascending, and eigenvectors (columns) of a symmetric matrix.
  public func symmetricEigen(
    file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, vectors: Tensor) {
    let pair = madePair(file, line) { ct_eigh(raw, $0, $1) }
    return (pair.0, pair.1)
  }

  /// The thin singular value decomposition self = u · diag(s) · vh.
  public func svd(
    file: StaticString = #fileID, line: UInt = #line
  ) -> (u: Tensor, s: Tensor, vh: Tensor) {
    var u: CTTensor?
    var s: CTTensor?
    var vh: CTTensor?
    check(ct_svd(raw, &u, &s, &vh), file, line)
    guard let u, let s, let vh else { fail(file, line) }
    return (Tensor(owning: u), Tensor(owning: s), Tensor(owning: vh))
  }

  /// The thin decomposition self = q · r into orthonormal columns and an upper triangle.
  public func qr(
    file: StaticString = #fileID, line: UInt = #line
  ) -> (q: Tensor, r: Tensor) {
    let pair = madePair(file, line) { ct_qr(raw, $0, $1) }
    return (pair.0, pair.1)
  }

  /// The lower triangle L with L · Lᵀ = self, of a positive definite matrix.
  public func cholesky(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_cholesky, file, line)
  }

  /// The inverse of a square matrix.
  public func inverse(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_inverse, file, line)
  }

  /// The x with self · x = b.
  public func solve(
    _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    binary(b, ct_solve, file, line)
  }

  /// The discrete Fourier transform of the last two dimensions of real numbers, without the half that
  /// follows by symmetry: `[..., H, W]` to `[..., H, W / 2 + 1, 2]`, real and imaginary parts last.
  public func rfft2(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    unary(ct_rfft2, file, line)
  }
}
