/// What can be wrong with a number of a configuration, as one sentence; `nil` when nothing is.
enum ConfigCheck {
  /// The first of several problems.
  static func first(_ problems: [String?]) -> String? { problems.lazy.compactMap { $0 }.first }

  static func range(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> String? {
    range.contains(value)
      ? nil : "\(name) is \(value); it must lie in \(range.lowerBound)...\(range.upperBound)"
  }

  static func range(_ name: String, _ values: [Int], _ range: ClosedRange<Int>) -> String? {
    values.lazy.compactMap { Self.range(name, $0, range) }.first
  }

  /// Whether `divisor` divides a level's channels.
  static func divides(_ name: String, _ divisor: Int, _ channels: Int) -> String? {
    guard divisor >= 1 else { return "\(name) is \(divisor); it must be positive" }
    return channels.isMultiple(of: divisor)
      ? nil : "\(name) is \(divisor), which does not divide a level's \(channels) channels"
  }

  static func divides(_ name: String, _ divisor: Int, _ channels: [Int]) -> String? {
    channels.lazy.compactMap { divides(name, divisor, $0) }.first
  }

  static func notNegative(_ name: String, _ value: Double) -> String? {
    value >= 0 && value.isFinite ? nil : "\(name) is \(value); it must not be negative"
  }

  static func chance(_ name: String, _ value: Double) -> String? {
    (0..<1).contains(value) ? nil : "\(name) is \(value); it must lie in 0..<1"
  }

  /// Whether outputs may be divided by it.
  static func divisor(_ name: String, _ value: Double) -> String? {
    value != 0 && value.isFinite ? nil : "\(name) is \(value); outputs are divided by it"
  }

  /// Channels of the levels, and lists that must be as long.
  static func levels(
    _ blockOutChannels: [Int], _ lists: KeyValuePairs<String, Int?>
  ) -> String? {
    let levels = blockOutChannels.count
    guard (1...12).contains(levels) else {
      return "block_out_channels lists \(levels) levels; a network has 1 to 12"
    }
    for (name, count) in lists {
      guard let count, count != levels else { continue }
      return "\(name) lists \(count) levels and block_out_channels \(levels); "
        + "both must be of one length"
    }
    return range("block_out_channels", blockOutChannels, 1...8192)
  }

  static func pictureSize(_ size: PictureSize?) -> String? {
    guard let size else { return nil }
    guard let (height, width) = size.extents else {
      return "sample_size must be one number or [height, width]"
    }
    return range("sample_size", [height, width], 1...65_536)
  }

  /// Memory that is not there would end the process.
  static func weights(
    _ count: Int, remedy: String = "choose smaller block_out_channels or layers_per_block"
  ) -> String? {
    count <= mostWeights
      ? nil : "the network would have \(count) weights, more than \(mostWeights); \(remedy)"
  }

  /// 16 GiB of float32.
  static let mostWeights = 1 << 32
}
