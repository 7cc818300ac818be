/// Paths in braces: `train-{000000..000099}.tar`, `{train,extra}.tar`.
enum ShardPattern {
  /// The most paths that a pattern may stand for.
  static let maximumCount = 1_000_000

  /// The paths that a pattern stands for; a path without braces stands for itself.
  static func expand(_ pattern: String) throws(DatasetError) -> [String] {
    guard let open = pattern.firstIndex(of: "{") else { return [pattern] }
    guard let close = pattern[open...].firstIndex(of: "}") else {
      throw DatasetError(path: pattern, sentence: "a brace is opened and not closed.")
    }
    let inside = String(pattern[pattern.index(after: open)..<close])
    guard let choices = choices(inside) else {
      throw DatasetError(
        path: pattern,
        sentence: "{\(inside)} is neither a range such as {000000..000099} nor a list with commas.")
    }
    let endings = try expand(String(pattern[pattern.index(after: close)...]))
    guard choices.count * endings.count <= maximumCount else {
      throw DatasetError(
        path: pattern, sentence: "it stands for more than \(maximumCount) files.")
    }
    return choices.flatMap { choice in endings.map { pattern[..<open] + choice + $0 } }
  }

  private static func choices(_ inside: String) -> [String]? {
    guard let dots = inside.firstRange(of: "..") else {
      let list = inside.split(separator: ",", omittingEmptySubsequences: false)
      return list.count > 1 ? list.map(String.init) : nil
    }
    let ends = [inside[..<dots.lowerBound], inside[dots.upperBound...]]
    guard ends.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
      let first = Int(ends[0]), let last = Int(ends[1]), first <= last,
      last - first < maximumCount
    else { return nil }
    // As in the shell, zeros in front set the width.
    let isPadded = ends.contains { $0.count > 1 && $0.hasPrefix("0") }
    let width = isPadded ? max(ends[0].count, ends[1].count) : 0
    return (first...last).map { number in
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
  }
}
