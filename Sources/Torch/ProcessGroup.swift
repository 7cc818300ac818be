import CTorch

/// Why ranks could not meet, or could not exchange numbers: libtorch's first sentence.
public struct ProcessGroupError: Error, CustomStringConvertible {
  /// What libtorch says.
  public let description: String
  /// Whether neither the other ranks nor the network are the reason.
  public let isLocal: Bool

  init(_ status: Int32) {
    description = Self.reason(in: String(cString: ct_last_error()))
    isLocal = status == 2
  }

  /// "operation(shapes): [file:line] Reason. Advice", and lines for people with a debugger.
  static func reason(in text: String) -> String {
    var reason = text.prefix { $0 != "\n" }
    if let operation = reason.firstRange(of: ": ") { reason = reason[operation.upperBound...] }
    if reason.hasPrefix("["), let place = reason.firstRange(of: "] ") {
      reason = reason[place.upperBound...]
    }
    if let sentence = reason.firstRange(of: ". ") { reason = reason[..<sentence.lowerBound] }
    return String(reason.hasSuffix(".") ? reason.dropLast() : reason)
  }
}

/// Processes that exchange tensors: c10d's process group over Gloo.
///
/// All ranks make the same calls in the same order; each call waits for all of them.
public final class ProcessGroup {
  let raw: CTProcessGroup

  /// Meets the other ranks at `host:port`. The rank that `hostsStore` keeps the store by which they
  /// find each other, under keys that begin with `prefix`; with `spansMachines` an address that only
  /// this machine knows is refused. `timeout`: seconds that a call waits.
  ///
  /// Throws when they have not met in time.
  public init(
    host: String, port: Int, rank: Int, count: Int, hostsStore: Bool, spansMachines: Bool = false,
    prefix: String = "latent", timeout: Double
  ) throws(ProcessGroupError) {
    var out: CTProcessGroup?
    let status = ct_process_group_new(
      host, Int32(port), Int32(rank), Int32(count), hostsStore, spansMachines, prefix,
      Int64(timeout * 1000), &out)
    guard status == 0, let out else { throw ProcessGroupError(status) }
    raw = out
  }

  deinit { ct_process_group_free(raw) }

  /// Replaces every tensor by its sum over the ranks; all have one type.
  public func sum(_ tensors: [Tensor]) throws(ProcessGroupError) {
    guard !tensors.isEmpty else { return }
    let status = withHandles(tensors) { ct_all_reduce_(raw, $0, $1) }
    if status != 0 { throw ProcessGroupError(status) }
  }

  /// Replaces every tensor by that of rank 0.
  public func broadcast(_ tensors: [Tensor]) throws(ProcessGroupError) {
    guard !tensors.isEmpty else { return }
    let status = withHandles(tensors) { ct_broadcast_(raw, $0, $1) }
    if status != 0 { throw ProcessGroupError(status) }
  }
}

/// Averages gradients over the ranks while the backward pass is still under way: c10d's reducer (Li
/// et al. 2020, "PyTorch Distributed").
///
/// Parameters are put into buckets of 25 MB, those of the last layers first; a bucket travels as soon
/// as its last gradient is there.
public final class GradientReducer {
  private let raw: CTReducer
  // The reducer's buckets travel through it.
  private let group: ProcessGroup

  /// A reducer of the gradients of `parameters`, which all take part in every backward pass.
  public init(_ group: ProcessGroup, parameters: [Tensor]) throws(ProcessGroupError) {
    var out: CTReducer?
    let status = withHandles(parameters) { ct_reducer_new(group.raw, $0, $1, &out) }
    guard status == 0, let out else { throw ProcessGroupError(status) }
    raw = out
    self.group = group
  }

  deinit { ct_reducer_free(raw) }

  /// Adds the gradients of this number to those that parameters have, and leaves in each the mean of
  /// that over the ranks.
  public func backward(_ loss: Tensor) throws(ProcessGroupError) {
    let status = ct_reducer_backward(raw, loss.raw)
    if status != 0 { throw ProcessGroupError(status) }
  }
}
