import CTorch

/// What is true of the whole process: versions, threads, the allocator.
public enum Runtime {
  /// libtorch's version, for example `2.13.0`.
  public static var version: String { String(cString: ct_version()) }

  /// How libtorch was built: compiler, BLAS, oneDNN, flags; several lines.
  public static var buildConfiguration: String { String(cString: ct_build_configuration()) }

  /// The libtorch library file that this process has loaded.
  public static var libraryPath: String? { ct_library_path().map { String(cString: $0) } }

  /// The vector instructions that libtorch's kernels use here, for example `AVX512`.
  public static var cpuCapability: String { String(cString: ct_cpu_capability()) }

  /// Whether the processor has a matrix unit for `Precision.bf16x3`.
  public static var hasMatrixUnit: Bool { ct_has_matrix_unit() }

  /// The number of threads that one operation may use.
  public static var threads: Int { Int(ct_get_threads()) }

  /// Sets the number of threads that one operation may use; at least 1.
  public static func setThreads(
    _ count: Int, file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_set_threads(Int32(clamping: count)), file, line)
  }

  /// Computes `body` without further threads, but for matrix products: for what a thread of its own
  /// does beside a training.
  ///
  /// OpenMP counts all threads that it has handed out. Once there are more than processors, threads
  /// that wait for work sleep at once, and small networks wait for them to wake.
  public static func onOneThread<R, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    let before = ct_set_threads_here(1)
    defer { _ = ct_set_threads_here(before) }
    return try body()
  }

  /// Prepares the process; call once, before the first tensor and the first other thread.
  ///
  /// Large buffers stay in the heap between operations: glibc otherwise gives them back to the kernel,
  /// and the page faults of taking them again cost 10 to 15 % of a training step. Tensors of usual
  /// sizes are given out again, from 64 MB at most that are kept for them. What Intel's
  /// vector functions look up at their first call is looked up here, so that the same seed gives the
  /// same result.
  public static func prepare() { ct_prepare() }

  /// Gives memory that nobody uses back to the system, what `prepare` keeps too. For after
  /// something large that does not come again.
  public static func trimAllocator() { ct_trim_allocator() }
}
