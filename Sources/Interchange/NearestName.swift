/// The candidate that `name` is most likely a misspelling of, or nil when none is close.
///
/// Close means: at most one edit in three characters (insertion, deletion, substitution or a swap
/// of neighbours; upper and lower case count as equal, `-` and `_` as nothing), or a beginning of at least
/// three characters that only one candidate has.
public func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
  let wanted = normalized(name)
  var best: (name: String, distance: Int)?
  var completions: [String] = []
  for candidate in candidates {
    let known = normalized(candidate)
    if wanted.count >= 3, known.starts(with: wanted) { completions.append(candidate) }
    let limit = max(1, max(wanted.count, known.count) / 3)
    guard abs(wanted.count - known.count) <= limit else { continue }
    let distance = editDistance(wanted, known)
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name ?? (completions.count == 1 ? completions[0] : nil)
}

private func normalized(_ name: String) -> [UInt8] {
  // Bytes are enough: names are ASCII, and a distance in bytes still orders other alphabets. A name
  // longer than this is no misspelling of anything.
  name.lowercased().utf8.prefix(256).filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") }
}

/// The restricted Damerau-Levenshtein distance (optimal string alignment).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1] + [Int](repeating: 0, count: b.count)
    for j in b.indices {
      row[j + 1] = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
      }
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
