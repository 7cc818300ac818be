import Foundation
import Images
import Interchange
import Testing

/// `latent shards`, and training on shards.
@Suite struct ShardsTests {
  /// 80 pictures of two classes as shards of 25, in `packed`.
  private static let packed = Result {
    let folder = Scratch()
    for number in 0..<80 {
      let image = Image(width: 8, height: 8, filledWith: [UInt8(3 * number), 100, 50])
      try folder.put(image.pngBytes(), "source/\(number % 2 == 0 ? "cats" : "dogs")/\(number).png")
    }
    let outcome = try Tool.run(
      "shards", "pack", "source", "-o", "packed", "--per-shard", "25", "--seed", "3", "--json",
      "--quiet", in: folder)
    guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    return (folder, try outcome.json)
  }

  private let small = [
    "--preset", "mlp", "--set", "hidden_dims=[12]", "--set", "latent_dim=2", "--batch-size", "8",
    "--threads", "1", "--json",
  ]

  /// A folder of one's own with the shards.
  private func copy() throws -> Scratch {
    let folder = Scratch()
    try FileManager.default.copyItem(
      atPath: Self.packed.get().0["packed"], toPath: folder["packed"])
    return folder
  }

  @Test func packs() throws {
    let (folder, json) = try Self.packed.get()
    let (train, test) = (try #require(json["train"]?.int), try #require(json["test"]?.int))
    #expect(train + test == 80 && test > 0 && json["seed"]?.int == 3)
    #expect(json["shards"]?.int == (train + 24) / 25 + (test + 24) / 25)
    #expect(folder.exists("packed/train-000000.tar") && folder.exists("packed/test-000000.tar"))
    #expect(!folder.names.contains { $0.contains("partial") })
    let index = try JSON(parsing: folder.text("packed/shards.json"))
    #expect(index["__kind__"]?.string == "wids-shard-index-v1")
    #expect(index["classes"]?.array?.compactMap(\.string) == ["cats", "dogs"])
    #expect(index["image_size"]?.int == 8 && index["channels"]?.int == 3)
    expectRefusal(
      try Tool.run("shards", "pack", "source", "-o", "packed", in: folder), 1, "add --force")
    expectRefusal(
      try Tool.run("shards", "pack", "ring8", "-o", "points", in: folder), 1, "holds points")
    expectRefusal(
      try Tool.run("shards", "pack", "source", "-o", "x", "--per-shard", "0", in: folder), 64,
      "--per-shard is 0")
    expectRefusal(
      try Tool.run("shards", "pack", "source", "-o", "x", "--format", "gif", in: folder), 64, "gif")
  }

  @Test func inspects() throws {
    let folder = try copy()
    let found = try Tool.run("shards", "inspect", "packed", "--check", "--json", in: folder).json
    #expect(found["samples"]?.int == 80 && found["problems"]?.array?.isEmpty == true)
    #expect(found["fields"]?["png"]?.int == 80 && found["fields"]?["cls"]?.int == 80)
    #expect(found["picture_sizes"]?["8×8×3"]?.int == 80 && found["damaged"]?.int == 0)
    #expect(found["classes"]?.array?.compactMap { $0["count"]?.int } == [40, 40])
    let cut = Array(try folder.bytes("packed/train-000001.tar").dropLast(9000))
    try folder.put(cut, "packed/train-000001.tar")
    let damaged = try Tool.run("shards", "inspect", "packed", in: folder)
    #expect(damaged.status == 0)
    #expect(damaged.output.contains("problem     train-000001.tar: it ends"), "\(damaged.output)")
    expectRefusal(try Tool.run("shards", "inspect", "none.tar", in: folder), 1, "no such file")
  }

  @Test func trainsAndGoesOn() throws {
    let folder = try copy()
    let first = try Tool.run(
      [
        "train", "vae", "--data", "packed", "--out", "run", "--steps", "5", "--seed", "1",
        "--quiet",
      ]
        + ["--shuffle-buffer", "20"] + small, in: folder)
    #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
    let json = try first.json
    #expect((0...1).contains(try #require(json["data_wait"]?.double)))
    #expect(json["damaged_samples"]?.int == 0 && json["negative_elbo"]?.double != nil)
    let record = try JSON(parsing: folder.text("run/run.json"))
    #expect(record["data"]?["shards"]?["shuffle_buffer"]?.int == 20)
    #expect(record["data"]?["shards"]?["is_fitted"]?.bool == false)
    #expect(try folder.text("run/metrics.jsonl").contains("\"data_wait\":"))
    expectRefusal(
      try Tool.run(
        "train", "vae", "--out", "run", "--resume", "--steps", "20", "--shuffle-buffer", "7",
        in: folder), 1, "a shuffle buffer of 20")
    let second = try Tool.run(
      ["train", "vae", "--out", "run", "--resume", "--steps", "20", "--json", "--quiet"], in: folder
    )
    #expect(try second.json["steps"]?.int == 20, "\(second.errors)")
    let evaluated = try Tool.run(
      "evaluate", "run", "--iwae-samples", "0", "--samples", "20", "--json", "--quiet", in: folder)
    #expect(try evaluated.json["elbo"]?.double != nil, "\(evaluated.errors)")
    let diagnosed = try Tool.run("diagnose", "run", "--samples", "25", "--json", in: folder)
    #expect(diagnosed.status == 0, "\(diagnosed.errors)")
    expectRefusal(
      try Tool.run(
        "train", "vae", "--data", "shapes", "--shuffle-buffer", "7", in: folder), 1,
      "--shuffle-buffer is for tar shards")
    expectRefusal(
      try Tool.run(
        "train", "vae", "--data", "packed", "--shuffle-buffer", "0", in: folder), 64,
      "--shuffle-buffer is 0")
  }

  /// A run that is stopped and goes on ends with the bytes of one that nobody stopped.
  @Test func goesOnExactly() throws {
    let folder = try copy()
    for (out, stops) in [("whole", [14]), ("parts", [5, 14])] {
      for (place, steps) in stops.enumerated() {
        let outcome = try Tool.run(
          ["train", "vae", "--out", out, "--steps", "\(steps)", "--quiet"]
            + (place == 0
              ? [
                "--data", "packed", "--seed", "1", "--set", "lr_schedule=constant", "--set",
                "kl_warmup=0",
              ] + small
              : ["--resume", "--threads", "1"]),
          in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
    }
    let file = "checkpoints/step-00000014/network.safetensors"
    #expect(try folder.bytes("whole/\(file)") == folder.bytes("parts/\(file)"))
  }

  @Test func commandsAndDamage() throws {
    let folder = try copy()
    let test = "{\"url\": \"packed/test-000000.tar\", \"nsamples\": 5}"
    let pipes = (0..<2).map {
      "{\"url\": \"pipe:cat packed/train-00000\($0).tar | head -c \($0 == 0 ? 99999999 : 20500)\", "
        + "\"nsamples\": 25}"
    }
    try folder.put(
      "{\"__kind__\": \"wids-shard-index-v1\", \"shardlist\": [\(test), \(pipes.joined(separator: ", "))]}",
      "pipes.json")
    let outcome = try Tool.run(
      ["train", "ae", "--data", "pipes.json", "--out", "run", "--epochs", "2"] + small, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("damaged and left out, with others in their place: "))
    #expect(outcome.errors.contains("it ends early, inside"), "\(outcome.errors)")
    #expect(try #require(try outcome.json["damaged_samples"]?.int) > 10)
    for (data, sentence) in [
      ("pipe:cat x.tar", "stands in an index"), ("packed/train-{000000..9.tar", "not closed"),
      ("packed/none-{0..3}.tar", "4 shards ("), ("empty.tar", "there is no such file"),
    ] {
      expectRefusal(
        try Tool.run("train", "ae", "--data", data, "--out", "no", "--steps", "1", in: folder), 1,
        sentence)
    }
    #expect(!folder.exists("no"))
  }

  @Test func fullDisk() throws {
    let folder = try copy()
    let outcome = try Tool.shell(
      "{ (ulimit -f 8; exec \"$latent\" shards pack packed -o again --quiet) 2>&1; echo status $?; }"
        + " | cat", in: folder)
    #expect(outcome.output.hasPrefix("error: ") && outcome.output.hasSuffix("status 1\n"))
    #expect(outcome.output.contains("larger than this disk"), "\(outcome.output)")
    #expect(!folder.names.contains { $0.contains("again") }, "\(folder.names)")
  }
}
