import Foundation
import Interchange
import Testing

/// Several processes that train together, as a launcher starts them.
@Suite(.serialized) struct RanksTests {
  private let folder = Scratch()

  /// Plain descent, whose steps are as alike as the gradients are, and nothing that depends on the
  /// training's length.
  private static let settings =
    Trained.small + ["--seed", "5"]
    + ["optimizer=sgd", "lr_schedule=constant", "kl_warmup=0"].flatMap { ["--set", $0] }
  private static let vae = ["train", "vae", "--out", "run"] + settings

  /// Starts `count` processes with the variables that torchrun sets.
  private func start(
    _ count: Int, _ arguments: [String], port: Int, more: [Int: [String]] = [:]
  ) throws -> [Tool.Started] {
    try (0..<count).map { rank in
      try Tool.Started(
        Tool.path, arguments + (more[rank] ?? []), in: folder,
        environment: [
          "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "LOCAL_RANK": "\(rank)",
          "LOCAL_WORLD_SIZE": "\(count)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
        ])
    }
  }

  /// The numbers of a run's network, behind the header that begins with its own length.
  private func weights(_ run: String) throws -> [Float] {
    let bytes = try folder.bytes("\(run)/vae/diffusion_pytorch_model.safetensors")
    let header = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    return bytes.dropFirst(8 + header).withUnsafeBytes { data in
      (0..<data.count / 4).map { data.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count, "networks of one shape")
    return zip(a, b).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }.squareRoot()
  }

  @Test func goesOnWithOneAndWithThree() throws {
    for (count, steps) in [(2, 6), (1, 9), (3, 14)] {
      let arguments =
        Self.vae + ["--steps", "\(steps)", "--quiet", "--json"] + (steps > 6 ? ["--resume"] : [])
      let outcomes = try start(count, arguments, port: 29_611).map { try $0.wait() }
      for (rank, outcome) in outcomes.enumerated() {
        #expect(outcome.status == 0, "rank \(rank) of \(count): \(outcome.errors)")
        #expect(outcome.output.isEmpty == (rank > 0), "rank 0 alone reports")
      }
      let json = try outcomes[0].json
      #expect(json["steps"]?.int == steps)
      #expect(json["ranks"]?.int == count)
    }
    // The training of one process that nobody stopped: what differs by rounding is nothing beside
    // what a single step changes.
    for steps in [13, 14] {
      let alone = try Tool.run(
        ["train", "vae", "--out", "alone-\(steps)", "--steps", "\(steps)", "--quiet"]
          + Self.settings, in: folder)
      #expect(alone.status == 0, "\(alone.errors)")
    }
    let (together, single) = (try weights("run"), try weights("alone-14"))
    #expect(together.count > 1000)
    let step = try distance(single, weights("alone-13"))
    #expect(step > 0)
    #expect(distance(together, single) < step / 100, "\(distance(together, single)) of \(step)")
  }

  @Test func aKilledRankEndsTheOthersAndTheRunGoesOn() throws {
    let arguments =
      Self.vae + ["--steps", "100000", "--quiet", "--checkpoint-minutes", "0.001"]
    let ranks = try start(2, arguments, port: 29_613)
    let limit = Date(timeIntervalSinceNow: 60)
    while !folder.names.contains(where: { $0.hasPrefix("run/checkpoints/step-") }), Date() < limit {
      usleep(100_000)
    }
    ranks[1].send(SIGKILL)
    _ = try ranks[1].wait()
    let outcome = try ranks[0].wait()
    expectRefusal(outcome, 1, "rank 0 of 2 has lost the others")
    #expect(outcome.errors.contains("start all ranks again, with --resume"))
    let steps = try #require(
      folder.names.compactMap { name in
        name.hasPrefix("run/checkpoints/step-")
          ? Int(name.dropFirst(21).prefix { $0 != "/" }) : nil
      }.max())
    let resumed = try Tool.run(
      Self.vae + ["--steps", "\(steps + 5)", "--resume", "--quiet", "--json"], in: folder)
    #expect(try resumed.json["steps"]?.int == steps + 5)
  }

  @Test func aSignalToOneEndsAll() throws {
    let ranks = try start(2, Self.vae + ["--steps", "100000", "--quiet"], port: 29_615)
    let limit = Date(timeIntervalSinceNow: 60)
    while !folder.exists("run/metrics.jsonl"), Date() < limit { usleep(100_000) }
    usleep(500_000)
    ranks[1].send(SIGTERM)
    for rank in ranks {
      let outcome = try rank.wait()
      #expect(outcome.status == 143, "\(outcome.errors)")
    }
    #expect(folder.names.contains { $0.hasPrefix("run/checkpoints/step-") })
  }

  @Test func ranksOfDifferentCommandsAreRefused() throws {
    let ranks = try start(
      2, Self.vae + ["--steps", "5", "--quiet"], port: 29_617, more: [1: ["--set", "beta=2"]])
    for rank in ranks {
      expectRefusal(try rank.wait(), 1, "the ranks do not agree in settings: 1 of 2 differ")
    }
    #expect(!folder.exists("run"))
  }

  @Test(arguments: [
    (["--resume"], "checkpoint"), (["--seed", "6"], "seed"), (["--steps", "6"], "length"),
  ]) func whatTheyDifferInIsNamed(_ flags: [String], _ thing: String) throws {
    let run = try Tool.run(Self.vae + ["--steps", "3", "--quiet"], in: folder)
    #expect(run.status == 0, "\(run.errors)")
    let arguments = Self.vae + (thing == "length" ? [] : ["--steps", "5"]) + ["--quiet"]
    let mine = thing == "length" ? ["--steps", "5"] : []
    let ranks = try start(
      2, arguments, port: 29_623,
      more: [0: mine + ["--force"], 1: flags + (thing == "checkpoint" ? [] : ["--force"])])
    for rank in ranks {
      expectRefusal(try rank.wait(), 1, "the ranks do not agree in \(thing): 1 of 2 differ")
    }
    #expect(folder.names.contains { $0.hasPrefix("run/checkpoints/step-") }, "nothing is lost")
  }

  /// One that neither answers nor goes away.
  @Test func aStuckRankEndsTheOthersAfterTheTimeout() throws {
    let ranks = try start(
      2, Self.vae + ["--steps", "100000", "--quiet", "--rank-timeout", "3"], port: 29_625)
    let limit = Date(timeIntervalSinceNow: 60)
    while !folder.exists("run/metrics.jsonl"), Date() < limit { usleep(100_000) }
    usleep(500_000)
    ranks[1].send(SIGSTOP)
    let outcome = try ranks[0].wait()
    ranks[1].send(SIGKILL)
    _ = try ranks[1].wait()
    expectRefusal(outcome, 1, "one was busy for longer than --rank-timeout")
  }

  @Test func aTrialIsToldOnce() throws {
    let outcomes = try start(2, Self.vae + ["--dry-run", "--json"], port: 29_627)
      .map { try $0.wait() }
    #expect(outcomes.map(\.status) == [0, 0])
    #expect(try outcomes[0].json["parameters"] != nil)
    #expect(outcomes[1].output.isEmpty)
  }

  @Test func whatLooksAcrossABatchIsNoted() throws {
    let ranks = try start(
      2, Self.vae + ["--steps", "3", "--set", "free_bits=0.1"], port: 29_629)
    let outcomes = try ranks.map { try $0.wait() }
    #expect(outcomes.map(\.status) == [0, 0], "\(outcomes.map(\.errors))")
    #expect(outcomes[0].errors.contains("goes by its own pictures for free_bits"))
  }

  @Test func moreRanksThanPicturesAreRefused() throws {
    let ranks = try start(
      2, Self.vae + ["--steps", "5", "--quiet", "--batch-size", "1"], port: 29_619)
    for rank in ranks {
      expectRefusal(try rank.wait(), 1, "a batch of 1 cannot be shared by 2 ranks")
    }
  }

  @Test func aWrongAddressIsTold() throws {
    let outcome = try Tool.Started(
      Tool.path, Self.vae + ["--steps", "5", "--quiet", "--rank-timeout", "2"], in: folder,
      environment: [
        "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.9", "MASTER_PORT": "29621",
      ]
    ).wait()
    expectRefusal(
      outcome, 1, "rank 1 of 2 did not meet the others at 127.0.0.9:29621 in ")
  }

  @Test func aMissingVariableIsNamed() throws {
    let outcome = try Tool.Started(
      Tool.path, Self.vae + ["--steps", "5", "--quiet"], in: folder,
      environment: ["WORLD_SIZE": "2"]
    ).wait()
    expectRefusal(outcome, 1, "RANK: this variable is missing")
  }
}
