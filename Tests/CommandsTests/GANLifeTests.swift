import Foundation
import Images
import Interchange
import Testing

/// The life of adversarial runs, as a person leads it.
@Suite(.serialized) struct GANLifeTests {
  static let small = [
    "--data", "shapes", "--image-size", "16", "--batch-size", "8", "--threads", "1", "--seed", "3",
    "--set", "block_out_channels=[8,8]", "--set", "latent_dim=4", "--steps", "8", "--quiet",
  ]

  /// `told` with classes, `points` over ring8 and `mixed`, a vae-gan.
  static let runs = Result {
    let folder = Scratch()
    let commands = [
      ["train", "gan", "--out", "told", "--set", "class_conditional=true"] + small,
      ["train", "vae-gan", "--out", "mixed", "--set", "hidden_dims=[16]"] + small,
      [
        "train", "gan", "--data", "ring8", "--out", "points", "--steps", "30", "--seed", "3",
        "--threads", "1", "--quiet",
      ],
    ]
    for command in commands {
      let outcome = try Tool.run(command, in: folder)
      guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    }
    return folder
  }

  @Test func runFolders() throws {
    let folder = try Self.runs.get()
    for file in [
      "told/generator/config.json", "told/generator/diffusion_pytorch_model.safetensors",
      "told/discriminator/diffusion_pytorch_model.safetensors",
      "told/checkpoints/step-00000008/generator-optimizer.safetensors",
      "told/checkpoints/step-00000008/discriminator-network.safetensors", "points/animation.png",
      "mixed/vae/config.json", "mixed/discriminator/config.json",
    ] { #expect(folder.exists(file), "\(file)") }
    let record = try JSON(parsing: folder.text("told/run.json"))
    #expect(record["data"]?["class_names"]?[3]?.string == "star")
  }

  @Test func samples() throws {
    let folder = try Self.runs.get()
    func sample(_ arguments: String...) throws -> JSON {
      let outcome = try Tool.run(
        ["sample"] + arguments + ["--json", "--quiet", "--force"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try outcome.json
    }
    let told = try sample(
      "told", "-n", "4", "--class", "star", "--truncation", "0.7", "--seed", "1", "-o", "a.png")
    #expect(told["classes"]?[2]?.int == 3 && told["truncation"]?.double == 0.7)
    _ = try sample(
      "told", "-n", "4", "--class", "3", "--truncation", "0.7", "--seed", "1", "-o", "b.png")
    #expect(try Image(contentsOfFile: folder["a.png"]) == Image(contentsOfFile: folder["b.png"]))
    let points = try sample("points", "--seed", "1", "-o", "c.png")
    #expect(points["count"]?.int == 4000)
    #expect(try Image(contentsOfFile: folder["c.png"]).width > 100)
    #expect(try sample("mixed", "-n", "2", "-o", "d.png")["count"]?.int == 2)
    for run in ["told", "points", "mixed"] {
      let json = try sample(run, "-n", "8", "--seed", "1", "--precision", "bf16", "-o", "e.png")
      #expect(json["precision"]?.string == "bf16", "\(run)")
    }
  }

  @Test func measures() throws {
    let folder = try Self.runs.get()
    func json(_ arguments: String...) throws -> JSON {
      let outcome = try Tool.run(arguments + ["--json", "--quiet", "--threads", "1"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try outcome.json
    }
    let told = try json(
      "evaluate", "told", "--samples", "30", "-n", "40", "--measures", "discriminator,kid",
      "--seed", "1")
    let area = try #require(told["discriminator"]?["auc"]?.double)
    #expect((0...1).contains(area) && told["samples"]?["kid"]?.double != nil)
    let points = try json("evaluate", "points", "--samples", "500", "--seed", "1")
    #expect(points["mode_count"]?.int == 8 && points["modes"]?.int ?? 9 <= 8)
    let mixed = try json("evaluate", "mixed", "-n", "20", "--measures", "reconstruction")
    #expect(mixed["reconstructions"]?["mse"]?.double ?? -1 > 0)
    #expect(mixed["elbo"] == nil)
    for run in ["told", "mixed", "points"] {
      let found = try json("diagnose", run, "-n", "30", "--seed", "1")
      #expect(found["checks"]?.int ?? 0 > 4, "\(run)")
    }
    let walk = try json(
      "interpolate", "told", "-n", "2", "--steps", "4", "-o", "walk.png", "--seed", "1")
    #expect(walk["path"]?.string == "spherical" && walk["rows"]?.int == 2)
    let compared = try json(
      "compare", "told", "mixed", "--samples", "30", "-o", "compared", "--seed", "1")
    #expect(compared["html"]?.string == "compared/compare.html")
  }

  @Test(
    arguments: [
      (["train", "gan", "--data", "shapes", "--loss", "wgan-pg"], 64, "did you mean wgan-gp?"),
      (
        ["train", "vae", "--data", "shapes", "--loss", "wgan"], 64, "--loss names the game of a gan"
      ),
      (
        ["train", "gan", "--data", "shapes", "--set", "discriminator_steps=0"], 1,
        "discriminator_steps (k) is 0"
      ),
      (
        [
          "train", "gan", "--data", "shapes", "--loss", "wgan", "--set",
          "discriminator_head=probability",
        ],
        1, "needs scores without bounds"
      ),
      (["train", "vae-gan", "--data", "ring8"], 1, "this family learns pictures"),
      (["sample", "mixed", "--truncation", "1", "-o", "x.png"], 1, "--truncation means nothing"),
      (["sample", "told", "--class", "stra", "-o", "x.png"], 1, "did you mean star?"),
      (["sample", "told", "--steps", "9", "-o", "x.png"], 1, "belongs to diffusion models"),
      (["sample", "told", "--truncation", "0", "-o", "x.png"], 64, "it must lie in 0.1...10"),
      (["interpolate", "points", "-o", "x.png"], 1, "points in the plane"),
      (["interpolate", "told", "--data", "shapes", "-o", "x.png"], 1, "a gan has no encoder"),
      (["evaluate", "points", "--data", "shapes"], 1, "these are pictures"),
      (["compare", "told", "points", "-o", "x"], 1, "points in the plane"),
      (["reconstruct", "told", "-o", "x.png"], 1, "which has no codes"),
    ] as [([String], Int32, String)])
  func refusals(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
    let folder = try Self.runs.get()
    expectRefusal(try Tool.run(arguments, in: folder), status, sentence)
  }

  @Test func aDamagedDiscriminatorIsNamed() throws {
    let source = try Self.runs.get()
    let folder = Scratch()
    try FileManager.default.copyItem(atPath: source["told"], toPath: folder["told"])
    try FileManager.default.removeItem(atPath: folder["told/discriminator"])
    expectRefusal(
      try Tool.run("evaluate", "told", "--measures", "discriminator", "--quiet", in: folder), 1,
      "this run holds no discriminator")
    try FileManager.default.copyItem(
      atPath: folder["told/generator"], toPath: folder["told/discriminator"])
    expectRefusal(
      try Tool.run("diagnose", "told", "--quiet", in: folder), 1,
      "_class_name says that this is a generator")
  }
}
