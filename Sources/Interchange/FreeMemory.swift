import Foundation

/// The main memory that this process may still take.
public enum FreeMemory {
  /// Bytes by the kernel and by the process's control group; `nil` where neither says so.
  public static var bytes: Int? {
    func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
    func number(_ path: String) -> Int? {
      text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    let machine = text("/proc/meminfo").flatMap(ofMachine(meminfo:))
    let group = "/sys/fs/cgroup/memory"
    let allowed = number("\(group).max").flatMap { most in
      number("\(group).current").map { used in
        ofGroup(most: most, used: used, statistics: text("\(group).stat") ?? "")
      }
    }
    return [machine, allowed].compactMap(\.self).min()
  }

  /// A number of bytes for a sentence.
  public static func gigabytes(_ bytes: Int) -> String {
    String(format: "%.1f GB", Double(bytes) / 1e9)
  }

  /// What a control group has left, bytes: what the kernel keeps of files counts as used there, and
  /// goes when memory is asked for.
  static func ofGroup(most: Int, used: Int, statistics: String) -> Int {
    let reclaimable = ["active_file", "inactive_file", "slab_reclaimable"]
    let kept = statistics.split(separator: "\n").reduce(0) { sum, line in
      let words = line.split(separator: " ")
      guard words.count == 2, reclaimable.contains(String(words[0])) else { return sum }
      return sum + (Int(words[1]) ?? 0)
    }
    return max(most - used + min(kept, used), 0)
  }

  /// `MemAvailable` of `/proc/meminfo`, bytes.
  static func ofMachine(meminfo: String) -> Int? {
    for line in meminfo.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    return nil
  }
}
