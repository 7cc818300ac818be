import Foundation
import Images
import Interchange
import Testing

/// The atlas: what it leaves, and that it goes on where it was.
@Suite struct AtlasTests {
  static let quick = ["kl-penalty", "jump", "alpha-bar", "saturation"]

  @Test func claimsAreMeasuredOnce() throws {
    let folder = Scratch()
    func atlas(_ claims: [String]) throws -> (json: JSON, talk: String) {
      let outcome = try Tool.run(
        ["atlas", "--out", "claims", "--seed", "1", "--json", "--threads", "1"]
          + claims.flatMap { ["--claim", $0] }, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return (try outcome.json, outcome.errors)
    }
    let first = try atlas(Array(Self.quick.prefix(2)))
    #expect(first.json["claims"]?.array?.count == 2)
    let all = try atlas(Self.quick)
    #expect(all.talk.contains("small, and that of N(0, 1) none") == false)
    #expect(all.talk.contains("ᾱ is 0.9999"))
    let claims = try #require(all.json["claims"]?.array)
    #expect(claims.compactMap { $0["id"]?.string } == Self.quick)
    // These hold by arithmetic.
    #expect(claims.allSatisfy { $0["holds"] == .bool(true) }, "\(claims)")
    #expect(abs((claims[0]["figures"]?["far"]?.double ?? 0) - 51.81) < 0.01)
    for name in Self.quick {
      #expect(try Image(contentsOfFile: folder["claims/\(name).png"]).width > 100)
    }
    let index = try folder.text("claims/README.md")
    #expect(index.contains("| claim | measured | holds |") && index.contains("## jump"))
    #expect(index.contains("claims are not measured yet"))
  }

  @Test func badInputIsNamed() throws {
    let folder = Scratch()
    expectRefusal(
      try Tool.run("atlas", "--claim", "jmup", in: folder), 64, "did you mean jump?")
    try folder.put("x", "file")
    expectRefusal(
      try Tool.run("atlas", "--out", "file", in: folder), 1, "the folder cannot be made")
    _ = try Tool.run(
      "atlas", "--out", "a", "--claim", "alpha-bar", "--seed", "1", "--quiet", in: folder)
    try folder.put("{", "a/alpha-bar.json")
    expectRefusal(
      try Tool.run("atlas", "--out", "a", "--claim", "alpha-bar", "--quiet", in: folder), 1,
      "a/alpha-bar.json")
  }
}
