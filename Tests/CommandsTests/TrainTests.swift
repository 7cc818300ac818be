import Foundation
import Images
import Interchange
import Testing

/// Training that ends, goes on, is interrupted, is refused.
@Suite struct TrainTests {
  @Test func resultAndTalk() throws {
    let folder = Scratch()
    let outcome = try Tool.run(
      [
        "train", "vae", "--preset", "mlp", "--data", "shapes", "--image-size", "8", "--out", "run",
        "--steps", "5", "--batch-size", "8", "--threads", "1", "--json", "--quiet",
      ], in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try outcome.json
    #expect(json["steps"]?.int == 5)
    #expect(json["interrupted"]?.bool == false)
    #expect(json["negative_elbo"]?.double ?? -1 > 0)
    #expect(folder.names.first == "run" && folder.exists("run/vae/config.json"))
  }

  @Test func resume() throws {
    let folder = try Trained.copies()
    let more = try Tool.run(
      "train", "vae", "--out", "vae", "--resume", "--steps", "30", "--json", in: folder)
    #expect(try more.json["steps"]?.int == 30)
    #expect(folder.exists("vae/checkpoints/step-00000030/position.json"))
    let steps = try folder.text("vae/metrics.jsonl").split(separator: "\n")
      .compactMap { try JSON(parsing: String($0))["step"]?.int }
    #expect(steps == steps.sorted() && steps.last == 30)

    let before = try folder.text("vae/run.json")
    for (flags, sentence) in [
      (["ae"], "a run of the family vae, not of ae"),
      (["vae", "--data", "shapes", "--set", "beta=2"], "goes on with its own settings"),
      (["vae", "--preset", "mlp"], "goes on with its own settings"),
      (["vae", "--seed", "4"], "the seed 3"),
      (["vae", "--image-size", "32"], "16×16"),
    ] {
      expectRefusal(
        try Tool.run(["train", "--out", "vae", "--resume"] + flags, in: folder), 1, sentence)
    }
    for number in 0..<20 {
      try folder.put(Trained.picture(16, 16, UInt8(number)), "other/\(number).png")
    }
    expectRefusal(
      try Tool.run("train", "vae", "--out", "vae", "--resume", "--data", "other", in: folder), 1,
      "not the data that the run began with")
    #expect(try folder.text("vae/run.json") == before)
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func interruption(signal: Int32) throws {
    let folder = Scratch()
    let training = try Tool.Started(
      Tool.path,
      ["train", "vae", "--out", "run", "--steps", "1000000", "--json"] + Trained.small, in: folder)
    // The first sheet would come after 125,000 steps; the first report, after a second.
    for _ in 0..<600
    where (try? folder.text("run/metrics.jsonl"))?.isEmpty != false { usleep(100_000) }
    training.send(signal)
    let outcome = try training.wait()
    #expect(outcome.status == 128 + signal, "\(outcome.errors)")
    #expect(outcome.errors.contains("interrupted after step"))
    let json = try outcome.json
    #expect(json["interrupted"]?.bool == true)
    let steps = try #require(json["steps"]?.int)
    #expect(try JSON(parsing: folder.text("run/run.json"))["status"]?.string == "interrupted")

    let resumed = try Tool.run(
      "train", "vae", "--out", "run", "--resume", "--steps", "\(steps + 3)", "--json", in: folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try resumed.json["steps"]?.int == steps + 3)
    #expect(try JSON(parsing: folder.text("run/run.json"))["status"]?.string == "finished")
  }

  @Test func quickstart() throws {
    let folder = Scratch()
    let outcome = try Tool.run(
      "quickstart", "--minutes", "0.02", "--data", "shapes", "--threads", "1", "--out", "tour",
      "--json", "--quiet", in: folder)
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(try outcome.json["sheet"]?.string == "tour/quickstart.png")
    let sheet = try folder.image("tour/quickstart.png")
    #expect(sheet.width > 400 && sheet.height > 400)
    expectRefusal(
      try Tool.run("quickstart", "--data", "shapes", "--out", "tour", in: folder), 1,
      "tour/quickstart.png: this file is there already; add --force")
  }

  @Test func runThatIsThere() throws {
    let folder = try Trained.copies()
    let before = folder.names
    let arguments = ["train", "vae", "--steps", "1", "--quiet"] + Trained.small
    expectRefusal(
      try Tool.run(arguments + ["--out", "vae"], in: folder), 1, "a run is there already")
    try folder.put("mine", "stuff/note.txt")
    expectRefusal(
      try Tool.run(arguments + ["--out", "stuff", "--force"], in: folder), 1,
      "holds other things than a run")
    #expect(try folder.text("stuff/note.txt") == "mine")
    #expect(folder.names.filter { !$0.hasPrefix("stuff") } == before)
    #expect(try Tool.run(arguments + ["--out", "vae", "--force"], in: folder).status == 0)
    #expect(try JSON(parsing: folder.text("vae/run.json"))["steps"]?.int == 1)
  }
}

extension Scratch {
  func image(_ name: String) throws -> Image { try Image(contentsOfFile: self[name]) }
}
