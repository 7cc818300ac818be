import Interchange

func contentFingerprint(
  _ shape: [Int], _ samples: [UInt8], _ labels: [Int]?, _ captions: [String]?
) -> String {
  var fingerprint = Fingerprint()
  fingerprint.update("\(shape)")
  fingerprint.update(samples)
  for label in labels ?? [] { fingerprint.update("\(label)") }
  for caption in captions ?? [] { fingerprint.update(caption) }
  return fingerprint.hex
}
