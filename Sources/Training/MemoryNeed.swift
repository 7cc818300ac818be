import Foundation

/// What a training has to hold besides its activations, which only its first step shows.
public struct MemoryNeed: Sendable {
  /// Numbers that are trained.
  public let parameters: Int

  /// The need of a training of so many numbers.
  public init(parameters: Int) { self.parameters = parameters }

  /// Bytes that come on top of the weights and their averages: gradients, two moments of the
  /// optimizer, and the copy of weights, averages and moments that a checkpoint is written from.
  public var bytes: Int { 7 * parameters * MemoryLayout<Float>.stride }

  /// Why this does not fit into so many free bytes, as one sentence; `nil` where it does.
  public func problem(available: Int) -> String? {
    guard bytes > available else { return nil }
    func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
    return "gradients, optimizer and checkpoints of \(parameters) parameters need "
      + "\(gigabytes(bytes)), and \(gigabytes(available)) are free; choose a smaller network "
      + "(block_out_channels, hidden_dims, latent_dim) or another machine."
  }

  /// Bytes that this process may still take, by the kernel and by its control group; `nil` where
  /// neither says so.
  public static var available: Int? {
    func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
    func number(_ path: String) -> Int? {
      text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    let ofMachine = text("/proc/meminfo").flatMap(available(meminfo:))
    let group = "/sys/fs/cgroup/memory"
    let ofGroup = number("\(group).max").flatMap { most in
      number("\(group).current").map { used in
        available(most: most, used: used, statistics: text("\(group).stat") ?? "")
      }
    }
    return [ofMachine, ofGroup].compactMap(\.self).min()
  }

  /// What a control group has left, bytes: what the kernel keeps of files counts as used there, and
  /// goes when memory is asked for.
  static func available(most: Int, used: Int, statistics: String) -> Int {
    let reclaimable = ["active_file", "inactive_file", "slab_reclaimable"]
    let kept = statistics.split(separator: "\n").reduce(0) { sum, line in
      let words = line.split(separator: " ")
      guard words.count == 2, reclaimable.contains(String(words[0])) else { return sum }
      return sum + (Int(words[1]) ?? 0)
    }
    return max(most - used + min(kept, used), 0)
  }

  /// `MemAvailable` of `/proc/meminfo`, bytes.
  static func available(meminfo: String) -> Int? {
    for line in meminfo.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    return nil
  }
}
