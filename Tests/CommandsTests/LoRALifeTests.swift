import Foundation
import Images
import Interchange
import Testing

/// The life of a LoRA, as a person leads it: a model is taught captioned pictures, draws with what it
/// learned, and the picture's recipe is repeated.
@Suite(.serialized) struct LoRALifeTests {
  private static let training = [
    "train", "lora", "--model", Prompted.model, "--data", "colours", "--out", "run",
    "--batch-size", "4", "--set", "learning_rate=0.05", "--seed", "3", "--threads", "1", "--json",
    "--quiet",
  ]
  private static let file = "run/pytorch_lora_weights.safetensors"

  /// `run` after six steps.
  private static let run = Result {
    let folder = Scratch()
    try LatentDiffusionLifeTests.data(in: folder)
    let outcome = try Tool.run(training + ["--steps", "6"], in: folder)
    guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    return (folder, try outcome.json)
  }

  @Test func teachesAModel() throws {
    let (folder, told) = try Self.run.get()
    #expect(told["steps"]?.int == 6 && told["family"]?.string == "lora")
    #expect(told["loss"]?.double ?? 0 > 0)
    for file in [Self.file, "run/run.json", "run/samples", "run/metrics.jsonl"] {
      #expect(folder.exists(file), "\(file)")
    }
    let names = try SafetensorsFile(path: folder[Self.file]).names
    #expect(names.allSatisfy { $0.hasPrefix("unet.") && $0.hasSuffix(".weight") })
    #expect(names.contains { $0.hasSuffix("attn2.to_out.0.lora_B.weight") })
  }

  @Test func drawsWithWhatItLearned() throws {
    let (folder, _) = try Self.run.get()
    let plain = try Prompted.pictures("a red cat", in: folder)
    let taught = try Prompted.pictures("a red cat", ["--lora", "run"], in: folder)
    #expect(plain != taught)
    #expect(try Prompted.pictures("a red cat", ["--lora", "run:0"], in: folder) == plain)
    let half = try Prompted.pictures("a red cat", ["--lora", "\(Self.file):0.5"], in: folder)
    #expect(half != plain && half != taught)
    // Half and half again is the whole, but for rounding.
    let twice = try Prompted.pictures(
      "a red cat", ["--lora", "run:0.5", "--lora", "run:0.5"], in: folder)
    #expect(zip(twice, taught).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test func recipesNameIt() throws {
    let (folder, _) = try Self.run.get()
    try FileManager.default.copyItem(atPath: folder[Self.file], toPath: folder["mine.safetensors"])
    try Prompted.draw("a red cat", ["--lora", "mine.safetensors:0.5"], to: "a.png", in: folder)
    let recipe = try folder.recipe("a.png")["lora"]?[0]
    #expect(recipe?["file"]?.string == "mine.safetensors" && recipe?["scale"]?.double == 0.5)
    try Prompted.draw(nil, ["--like", "a.png"], seed: nil, to: "b.png", in: folder)
    #expect(
      try Image(contentsOfFile: folder["a.png"]) == Image(contentsOfFile: folder["b.png"]))
    try FileManager.default.removeItem(atPath: folder["mine.safetensors"])
    expectRefusal(
      try Tool.run(
        "generate", "--like", "a.png", "--model", Prompted.model, "-o", "c.png", in: folder), 1,
      "it was drawn with the file mine.safetensors")
    // Files of runs have one name; the folder tells them apart.
    try Prompted.draw("a red cat", ["--lora", "run"], to: "r.png", in: folder)
    #expect(try folder.recipe("r.png")["lora"]?[0]?["file"]?.string == Self.file)
    try Prompted.draw(nil, ["--like", "r.png"], seed: nil, to: "s.png", in: folder)
    #expect(
      try Image(contentsOfFile: folder["r.png"]) == Image(contentsOfFile: folder["s.png"]))
  }

  /// Three pictures of one's own are enough: one is held out.
  @Test func fewPicturesTeach() throws {
    let folder = Scratch()
    for index in 0..<3 {
      try folder.put(
        Image(width: 16, height: 16, filledWith: [200, 30, UInt8(index)]).pngBytes(),
        "few/\(index).png")
      try folder.put(Array("a red square".utf8), "few/\(index).txt")
    }
    let outcome = try Tool.run(
      "train", "lora", "--preset", "low-memory", "--model", Prompted.model, "--data", "few",
      "--out", "run", "--steps", "2", "--threads", "1", "--json", "--quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let record = try JSON(contentsOfFile: folder["run/run.json"])
    #expect(record["data"]?["count"]?.int == 2)
    #expect(record["config"]?["batch_size"]?.int == 1)
  }

  @Test func goesOn() throws {
    let (folder, _) = try Self.run.get()
    let outcome = try Tool.run(
      "train", "lora", "--out", "run", "--resume", "--steps", "8", "--json", "--quiet",
      "--threads", "1", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.json["steps"]?.int == 8)
  }

  @Test func isNoModelByItself() throws {
    let (folder, _) = try Self.run.get()
    expectRefusal(
      try Tool.run("sample", "run", "-o", "none.png", in: folder), 1,
      "changes of a model, not a model; draw with `latent generate")
    expectRefusal(
      try Tool.run(
        "generate", "a cat", "--model", Prompted.fixture("xl"), "--lora", "run", "-o", "none.png",
        in: folder), 1, "keys do not fit this model, the first is \"unet.")
    expectRefusal(
      try Tool.run(
        "generate", "a cat", "--model", Self.file, "-o", "none.png", in: folder), 1,
      "it holds no network under the key names of Stable Diffusion")
    expectRefusal(
      try Tool.run(
        "generate", "a cat", "--model", Prompted.model, "--lora", "none", "-o", "none.png",
        in: folder), 1, "none: it cannot be opened")
    #expect(!folder.exists("none.png"))
  }

  @Test(
    arguments: [
      (["--set", "rank=0"], 1, "rank is 0; it must lie in 1...1024"),
      (["--model", ""], 1, "name the folder of a text-to-image model with --model"),
      (["--model", "nowhere"], 1, "nowhere"),
      (["--model", Prompted.fixture("inpainting")], 1, "its U-Net fills masks in"),
      (["--set", "rang=4"], 64, "rank"), (["--data", "ring8"], 1, "points in the plane"),
    ] as [([String], Int32, String)])
  func whatCannotBeTrainedIsRefused(
    _ flags: [String], _ status: Int32, _ sentence: String
  ) throws {
    let (folder, _) = try Self.run.get()
    var command = Self.training + ["--steps", "1"]
    command[command.firstIndex(of: "run") ?? 0] = "other"
    if flags[0] == "--set" {
      command += flags
    } else if let place = command.firstIndex(of: flags[0]) {
      command[place + 1] = flags[1]
    }
    expectRefusal(try Tool.run(command, in: folder), status, sentence)
    #expect(!folder.exists("other"))
  }
}
