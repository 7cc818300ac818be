/// The rule that holds out a tenth of a set which comes without a test part: an element belongs to
/// the test part when the 64-bit FNV-1a hash of its name, mixed, is divisible by ten.
///
/// The rule looks at nothing but the name (the number, for sets without names), so that adding
/// pictures never moves others from one part to the other.
enum HeldOut {
  static func belongs(_ name: String, to split: Split) -> Bool {
    let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    var mixed = SplitMix64(hash)
    return mixed.next().isMultiple(of: 10) == (split == .test)
  }
}
