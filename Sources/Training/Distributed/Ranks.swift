import Foundation
import Interchange
import NeuralNets
import Torch

/// The processes that train a network together, as one of them sees it: rank `rank` of `count`.
///
/// Every rank holds the whole network and its own part of each batch; gradients are averaged, so all
/// take the same step. Noise is drawn for the whole batch by every rank from the same generator and
/// each uses its pictures' part, so that a training does not depend on how many ranks share it.
public struct Ranks {
  /// Which one this is, from 0. Rank 0 writes.
  public let rank: Int
  /// How many there are.
  public let count: Int
  /// How many run on this machine.
  public let localCount: Int
  private let group: ProcessGroup?

  /// A single process.
  public static var alone: Ranks { Ranks() }

  private init() { (rank, count, localCount, group) = (0, 1, 1, nil) }

  /// Meets the other processes of a launch. `timeout`: seconds that a rank waits for the others,
  /// here and later.
  ///
  /// Throws `TrainingError` when they do not come.
  public init(_ launch: Launch, timeout: Double) throws(TrainingError) {
    let start = ContinuousClock.now
    do {
      group = try ProcessGroup(
        host: launch.host, port: launch.port, rank: launch.rank, count: launch.count,
        hostsStore: launch.hostsStore, spansMachines: launch.spansMachines, prefix: launch.prefix,
        timeout: timeout)
    } catch {
      throw TrainingError(
        "rank \(launch.rank) of \(launch.count) did not meet the others at \(launch.host):"
          + "\(launch.port) in \(Int((.now - start) / .seconds(1))) seconds (\(error)); look whether MASTER_ADDR and "
          + "MASTER_PORT name the machine of rank 0 and every rank was started.")
    }
    (rank, count, localCount) = (launch.rank, launch.count, launch.localCount)
  }

  /// Whether this is the rank that writes and reports.
  public var isFirst: Bool { rank == 0 }

  private func exchange(_ body: (ProcessGroup) throws(ProcessGroupError) -> Void)
    throws(TrainingError)
  {
    guard let group else { return }
    do {
      try body(group)
    } catch {
      throw lost(error)
    }
  }

  private func lost(_ error: ProcessGroupError) -> TrainingError {
    guard !error.isLocal else {
      return TrainingError("rank \(rank) of \(count) cannot go on: \(error).")
    }
    return TrainingError(
      "rank \(rank) of \(count) has lost the others: one ended, the network between them did, or "
        + "one was busy for longer than --rank-timeout (\(error)). Checkpoints are whole; start all "
        + "ranks again, with --resume if there is one.")
  }

  /// The sums of numbers over the ranks.
  func sum(_ numbers: [Double]) throws(TrainingError) -> [Double] {
    guard group != nil else { return numbers }
    let tensor = Tensor(numbers)
    try exchange { group throws(ProcessGroupError) in try group.sum([tensor]) }
    return tensor.elements(as: Double.self)
  }

  /// Replaces gradients by their means over the ranks.
  func average(_ gradients: [Tensor]) throws(TrainingError) {
    guard group != nil, !gradients.isEmpty else { return }
    try exchange { group throws(ProcessGroupError) in try group.sum(gradients) }
    withoutGradients { gradients.multiplyAll(by: Tensor(1 / Double(count))) }
  }

  /// Gives every rank the state of rank 0, in place: weights, averages, moments.
  public func share(_ state: TrainingState) throws(TrainingError) {
    let tensors = state.flatMap { $0.state.map(\.tensor) }.filter(\.dtype.isFloatingPoint)
    try exchange { group throws(ProcessGroupError) in try group.broadcast(tensors) }
  }

  /// Rank 0's number, for all.
  public func first(of number: UInt64) throws(TrainingError) -> UInt64 {
    guard group != nil else { return number }
    let tensor = Tensor([Int(truncatingIfNeeded: number)])
    try exchange { group throws(ProcessGroupError) in try group.broadcast([tensor]) }
    return UInt64(bitPattern: Int64(tensor.elements(as: Int.self)[0]))
  }

  /// Waits for all others, if they come.
  public func meet() { _ = try? sum([0]) }

  /// Throws `TrainingError` that names the first of some things in which a rank differs from rank 0.
  public func requireSame(_ things: [(name: String, value: String)]) throws(TrainingError) {
    guard group != nil else { return }
    var differ: [Double] = []
    for thing in things {
      var fingerprint = Fingerprint()
      fingerprint.update(thing.value)
      let hash = UInt64(fingerprint.hex.prefix(16), radix: 16) ?? 0
      differ.append(try first(of: hash) == hash ? 0 : 1)
    }
    let counts = try sum(differ)
    guard let index = counts.firstIndex(where: { $0 > 0 }) else { return }
    throw TrainingError(
      "the ranks do not agree in \(things[index].name): \(Int(counts[index])) of \(count) differ from "
        + "rank 0; start all of them with the same command, data and run folder.")
  }

  /// Has a network take the statistics of whole batches over all ranks.
  func synchronize(_ network: Module) {
    for case let layer as any BatchStatistics in network.modules { layer.group = group }
  }

  /// What averages the gradients of parameters during their backward pass; `nil` for a single
  /// process.
  func reducer(of parameters: [Tensor]) throws(TrainingError) -> RankReducer? {
    guard let group else { return nil }
    do {
      return RankReducer(try GradientReducer(group, parameters: parameters), ranks: self)
    } catch {
      throw lost(error)
    }
  }

  /// A gradient reducer whose errors say which rank met them.
  struct RankReducer {
    private let reducer: GradientReducer
    private let ranks: Ranks

    fileprivate init(_ reducer: GradientReducer, ranks: Ranks) {
      (self.reducer, self.ranks) = (reducer, ranks)
    }

    func backward(_ loss: Tensor) throws(TrainingError) {
      do {
        try reducer.backward(loss)
      } catch {
        throw ranks.lost(error)
      }
    }
  }
}
