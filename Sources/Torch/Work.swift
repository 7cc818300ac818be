import Synchronization

/// How much was computed: the multiplications and additions that the layers' definitions ask for, of
/// matrix products, convolutions and attention in the forward direction. Faster algorithms do fewer.
public enum Work {
  private static let counter = Atomic<Int>(0)

  /// Operations since the process began.
  public static var operations: Int { counter.load(ordering: .relaxed) }

  static func add(_ operations: Int) {
    counter.wrappingAdd(operations, ordering: .relaxed)
  }
}
