import Foundation
import Interchange
import Testing

/// `latent diagnose` as a person runs it.
@Suite struct DiagnoseTests {
  private func diagnose(_ run: String, _ flags: String..., in folder: Scratch) throws
    -> Tool.Outcome
  {
    try Tool.run(
      ["diagnose", run, "--features", "pixels", "--seed", "1", "--threads", "1", "--json"]
        + flags, in: folder)
  }

  @Test func aFaultIsNamedAndTheExitCodeIsZero() throws {
    let folder = try Trained.runs.get()
    let outcome = try diagnose("vae", "--samples", "50", "--quiet", in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try outcome.json
    #expect(
      json.object?.keys == ["run", "family", "healthy", "checks", "findings", "seed"])
    #expect(json["healthy"]?.bool == false && json["checks"]?.int ?? 0 > 10)
    let findings = try #require(json["findings"]?.array)
    #expect(findings.contains { $0["check"]?.string == "too_little_time" })
    for finding in findings {
      #expect(finding["message"]?.string?.hasSuffix(".") == true)
      #expect(finding["why"]?.string?.isEmpty == false)
      #expect(finding["remedy"]?.string?.isEmpty == false)
      #expect(["warning", "note"].contains(finding["severity"]?.string ?? ""))
      #expect(finding["figure"]?.double != nil && finding["threshold"]?.double != nil)
    }
    let text = try Tool.run(
      "diagnose", "vae", "--features", "pixels", "--samples", "50", "--threads", "1", in: folder)
    #expect(text.output.contains("warning: ") && text.output.contains("  try: "))
    #expect(text.output.hasPrefix("vae: "), "\(text.output)")
  }

  @Test func aDiffusionRunIsDiagnosed() throws {
    let folder = try Denoisers.runs.get()
    for run in ["classes", "flow", "plain", "learned"] {
      let outcome = try diagnose(run, "--samples", "25", "--quiet", in: folder)
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      let names = try outcome.json["findings"]?.array?.compactMap { $0["check"]?.string } ?? []
      #expect(names.contains("too_little_time"), "\(run): \(names)")
    }
  }

  @Test func aSoundRunGetsOneLine() throws {
    let folder = Scratch()
    let trained = try Tool.run(
      "train", "classifier", "--data", "shapes", "--image-size", "16", "--steps", "160",
      "--out", "run", "--seed", "1", "--quiet", "--batch-size", "80", "--set",
      "block_out_channels=[8,16,16]", "--set", "lr_warmup_steps=20", in: folder)
    #expect(trained.status == 0, "\(trained.errors)")
    let outcome = try Tool.run("diagnose", "run", "--quiet", in: folder)
    #expect(outcome.status == 0)
    #expect(
      outcome.output.wholeMatch(of: /run: nothing found: \d+ checks\n/) != nil,
      "\(outcome.output)")
  }

  @Test func badInput() throws {
    let folder = try Trained.copies()
    func expect(_ sentence: String, _ arguments: String...) throws {
      expectRefusal(
        try Tool.run(["diagnose", "--quiet", "--features", "pixels"] + arguments, in: folder), 1,
        sentence)
    }
    try expect("no such folder", "nothing")
    // Of another size too: pictures are brought to the network's before they are compared.
    for part in ["train", "test"] {
      for level in 0..<2 {
        try folder.put(Trained.picture(24, 24, UInt8(level)), "other/\(part)/\(level).png")
      }
    }
    try expect("not the data that the run was trained on", "vae", "--data", "other")
    try expect("points", "vae", "--data", "ring8")
    try FileManager.default.removeItem(atPath: folder["ae/autoencoder"])
    try expect("no trained network yet", "ae")
    try folder.put("{\"step\": 1,\n", "vae/metrics.jsonl")
    try expect("is no JSON object", "vae", "--samples", "30")
    expectRefusal(
      try Tool.run("diagnose", "vae", "--samples", "3", in: folder), 64, "25...100000")
  }
}
