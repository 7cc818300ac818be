import Foundation
import Interchange
import Testing

/// Trainings that end at any moment and go on as if they had not.
@Suite struct StoppedTrainingTests {
  /// A small training of each family.
  private static let families: [String: [String]] = [
    "ae": Trained.small,
    "vae": Trained.small + ["--set", "lr_schedule=constant", "--set", "kl_warmup=0"],
    "classifier": pictures + ["--set", "block_out_channels=[8,8,8]"],
    "gan": pictures + [
      "--preset", "dcgan", "--set", "block_out_channels=[8,8]", "--set", "latent_dim=4",
      "--set", "class_conditional=true",
    ],
    "vae-gan": Trained.small + ["--set", "discriminator_channels=[8,8]"],
    "diffusion": Denoisers.small,
  ]
  private static let pictures = [
    "--data", "shapes", "--image-size", "16", "--batch-size", "8", "--threads", "1",
  ]

  private let folder = Scratch()

  private func arguments(_ family: String, _ run: String, steps: Int) -> [String] {
    // A checkpoint after every step that finds the one before it on the disk.
    ["train", family, "--out", run, "--steps", "\(steps)", "--seed", "5", "--quiet"]
      + ["--checkpoint-minutes", "0.00001"] + Self.families[family]!
  }

  /// What goes on with the run, or starts it where there is no checkpoint yet.
  private func goingOn(_ family: String, steps: Int) -> [String] {
    let isBegun = folder.names.contains { $0.hasPrefix("stopped/checkpoints/step-") }
    return arguments(family, "stopped", steps: steps) + [isBegun ? "--resume" : "--force"]
  }

  /// Starts a run or goes on with it, and ends the process after some seconds; whether the training
  /// was done before that.
  private func train(
    _ family: String, steps: Int, signal: Int32, after seconds: Double
  ) throws -> Bool {
    let training = try Tool.Started(Tool.path, goingOn(family, steps: steps), in: folder)
    usleep(UInt32(seconds * 1e6))
    training.send(signal)
    let outcome = try training.wait()
    #expect(
      [0, 128 + signal].contains(outcome.status), "\(outcome.status): \(outcome.errors)")
    #expect(!outcome.errors.contains("is damaged"), "\(outcome.errors)")
    return outcome.status == 0
  }

  /// SHA-256 of each file of tensors in the last checkpoint.
  private func hashes(_ run: String, steps: Int) throws -> [String: String] {
    let number = String(steps)
    let name = "step-" + String(repeating: "0", count: 8 - number.count) + number
    let manifest = try JSON(parsing: folder.text("\(run)/checkpoints/\(name)/manifest.json"))
    var hashes: [String: String] = [:]
    for (file, entry) in try #require(manifest["files"]?.object) where file != "position.json" {
      hashes[file] = entry["sha256"]?.string
    }
    return hashes
  }

  private func expectSame(_ family: String, steps: Int) throws {
    let whole = try Tool.run(arguments(family, "whole", steps: steps), in: folder)
    #expect(whole.status == 0, "\(whole.errors)")
    let hashes = try hashes("whole", steps: steps)
    #expect(hashes.count >= 4)
    #expect(try self.hashes("stopped", steps: steps) == hashes, "\(family)")
  }

  /// Weights, averages, optimizer and generators end as those of a training that nobody stopped.
  @Test(arguments: ["ae", "vae", "classifier", "gan", "vae-gan", "diffusion"], [SIGKILL, SIGTERM])
  func everyFamilyGoesOn(_ family: String, _ signal: Int32) throws {
    let steps = 150
    var isDone = false
    for _ in 0..<2 where !isDone {
      isDone = try train(family, steps: steps, signal: signal, after: .random(in: 0.7...1.5))
    }
    if !isDone {
      let rest = try Tool.run(goingOn(family, steps: steps), in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
    }
    try expectSame(family, steps: steps)
  }

  /// `LATENT_KILLS` kills (20) at random moments, most of them while a checkpoint is being written.
  @Test func killedAtAnyMoment() throws {
    let kills = ProcessInfo.processInfo.environment["LATENT_KILLS"].flatMap(Int.init) ?? 20
    // Step size and weight of the KL term are the same however long the training is to last.
    let steps = 1_000_000
    var reached = 0
    // On a machine with other work a process has not begun to train by then.
    var patience = 1.0
    for _ in 0..<kills {
      _ = try train("vae", steps: steps, signal: SIGKILL, after: patience * .random(in: 0.3...0.9))
      let names = try? FileManager.default.contentsOfDirectory(
        atPath: folder["stopped/checkpoints"])
      let newest =
        (names ?? []).compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.max() ?? 0
      #expect(newest >= reached, "a checkpoint is lost")
      reached = newest
      if reached == 0 { patience *= 1.5 }
    }
    #expect(reached > 0)
    let end = reached + 3
    let rest = try Tool.run(arguments("vae", "stopped", steps: end) + ["--resume"], in: folder)
    #expect(rest.status == 0 && rest.errors.isEmpty, "\(rest.errors)")
    try expectSame("vae", steps: end)
  }

  /// A disk that takes no more: the checkpoints that are there stay, and the run goes on from them.
  @Test func fullDisk() throws {
    let steps = 40
    let start = try Tool.run(arguments("vae", "stopped", steps: steps / 2), in: folder)
    #expect(start.status == 0, "\(start.errors)")
    let words = arguments("vae", "stopped", steps: steps) + ["--resume"]
    // 80 blocks of 512 bytes, fewer than the optimizer's state takes.
    let full = try Tool.shell(
      "ulimit -f 80; exec \"$latent\" " + words.map { "'\($0)'" }.joined(separator: " "),
      in: folder)
    #expect(full.status == 1)
    #expect(
      full.errors
        == "error: stopped: the checkpoint of step 21 cannot be written: the file would become larger "
        + "than this disk or session allows. The one of step 20 is whole; go on from it with --resume.\n"
    )
    #expect(!folder.names.contains { $0.contains("partial") })
    let rest = try Tool.run(words, in: folder)
    #expect(rest.status == 0 && rest.errors.isEmpty, "\(rest.errors)")
    #expect(try hashes("stopped", steps: steps).count >= 4)
  }
}
