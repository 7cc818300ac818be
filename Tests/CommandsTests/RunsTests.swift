import Foundation
import Interchange
import Testing

/// `latent runs`, `latent train --dry-run` and `--keep-best`.
@Suite struct RunsTests {
  @Test func listsRunsWithTheirState() throws {
    let folder = try Trained.copies()
    try folder.put("{", "cut/run.json")
    try folder.put("x", "stuff/note.txt")
    // A process that died left its run behind.
    let record = try folder.text("ae/run.json")
    try folder.put(record.replacing("\"finished\"", with: "\"running\""), "ae/run.json")
    let descriptor = open(folder["vae/.lock"], O_RDWR | O_CREAT, 0o644)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX) == 0)
    let outcome = try Tool.run("runs", ".", "--json", in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let runs = try #require(try outcome.json["runs"]?.array)
    #expect(runs.map { $0["run"]?.string } == ["./ae", "./cut", "./vae"])
    #expect(runs.map { $0["state"]?.string } == ["stopped", "damaged", "training"])
    #expect(runs[0]["steps"]?.int == 20 && runs[0]["progress"]?.double == 1)
    #expect(runs[0]["checkpoint"]?.int == 20 && runs[0]["family"]?.string == "ae")
    #expect(runs[0]["figures"]?["loss"]?.double != nil)
    #expect(runs[1]["problem"]?.string?.contains("cut/run.json") == true)
    let lines = try Tool.run("runs", ".", in: folder).output.split(separator: "\n")
    #expect(lines.count == 3 && lines[2].contains("training"))
    expectRefusal(
      try Tool.run("runs", "nowhere", in: folder), 1, "nowhere: there is no such folder")
  }

  @Test func aDryRunLeavesNothing() throws {
    let folder = Scratch()
    let outcome = try Tool.run(
      ["train", "vae", "--dry-run", "--epochs", "2", "--json"] + Trained.small, in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try outcome.json
    #expect(json["parameters"]?.int == 7299)
    let (step, steps) = (
      try #require(json["step_seconds"]?.double), try #require(json["steps"]?.int)
    )
    #expect(step > 0 && steps > 100)
    #expect(json["seconds"]?.double == step * Double(steps))
    #expect(try #require(json["memory_bytes"]?.int) > 10_000_000)
    #expect(folder.names.isEmpty)
  }

  @Test func keepsTheBest() throws {
    let folder = Scratch()
    let arguments =
      ["train", "vae", "--out", "run", "--steps", "60", "--seed", "2", "--quiet", "--json"]
      + ["--keep-best", "--checkpoint-minutes", "0.00001"] + Trained.small
    // Steps this large make the network worse again and again.
    let outcome = try Tool.run(arguments + ["--set", "learning_rate=0.3"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let records = try folder.text("run/metrics.jsonl").split(separator: "\n")
      .map { try JSON(parsing: String($0)) }
    let measured = records.compactMap { record in
      record["validation_negative_elbo"]?.double.map { (step: record["step"]!.int!, value: $0) }
    }
    let best = try #require(measured.map(\.value).min())
    #expect(measured.count > 3 && measured.map(\.value).max()! > best)
    #expect(try outcome.json["negative_elbo"]?.double == best)
    let step = try #require(measured.first { $0.value == best }?.step)
    #expect(
      folder.exists(
        "run/checkpoints/step-" + String(repeating: "0", count: 8 - "\(step)".count) + "\(step)"))
    expectRefusal(
      try Tool.run("train", "gan", "--data", "shapes", "--keep-best", in: folder), 64, "have none")
  }
}
