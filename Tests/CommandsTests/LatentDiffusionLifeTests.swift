import Foundation
import Images
import Interchange
import Testing

/// The life of a text-to-image model, as a person leads it: an autoencoder first, captions learned,
/// pictures drawn, retrieval measured, the model given away.
@Suite(.serialized) struct LatentDiffusionLifeTests {
  /// Pictures of one colour each, with captions, in a folder `colours`.
  static func data(in folder: Scratch) throws {
    let colours: [(String, [UInt8])] = [
      ("red", [220, 30, 30]), ("green", [30, 200, 40]), ("blue", [30, 40, 220]),
      ("white", [250, 250, 250]),
    ]
    for part in ["train", "test"] {
      var lines: [String] = []
      for index in 0..<(part == "train" ? 16 : 4) {
        let (name, value) = colours[index % 4]
        try folder.put(
          Image(width: 16, height: 16, filledWith: value).pngBytes(),
          "colours/\(part)/\(index).png")
        lines.append(
          #"{"file_name":"\#(index).png","text":"\#(name)","texts":["a \#(name) square","색"]}"#)
      }
      try folder.put(Array(lines.joined(separator: "\n").utf8), "colours/\(part)/metadata.jsonl")
    }
  }

  private static let training = [
    "train", "latent-diffusion", "--preset", "tiny", "--data", "colours", "--out", "run",
    "--batch-size", "8", "--seed", "3", "--threads", "1", "--json", "--quiet",
  ]

  /// `run` after four steps.
  static let run = Result {
    let folder = Scratch()
    try data(in: folder)
    let outcome = try Tool.run(training + ["--steps", "4"], in: folder)
    guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    return (folder, try outcome.json)
  }

  @Test func trainsAnAutoencoderFirst() throws {
    let (folder, told) = try Self.run.get()
    #expect(told["steps"]?.int == 4 && told["loss"]?.double ?? 0 > 0)
    for file in [
      "run-autoencoder/vae/config.json", "run/model_index.json", "run/unet/config.json",
      "run/vae/diffusion_pytorch_model.safetensors", "run/text_encoder/model.safetensors",
      "run/tokenizer/vocab.json", "run/scheduler/scheduler_config.json", "run/samples",
    ] { #expect(folder.exists(file), "\(file)") }
    let record = try JSON(parsing: folder.text("run/run.json"))
    #expect(record["config"]?["autoencoder"]?.string == "run-autoencoder")
  }

  @Test func drawsFromAPrompt() throws {
    let (folder, _) = try Self.run.get()
    let drawn = try Prompted.draw("a red square", model: "run", in: folder)
    #expect(drawn["width"]?.int == 16 && drawn["sampler"]?.string == "DPMSolverMultistepScheduler")
    let inspected = try Tool.run("inspect", "x.png", "--json", in: folder)
    #expect(inspected.output.contains("a red square"), "\(inspected.errors)")
    expectRefusal(
      try Tool.run("sample", "run", "-o", "y.png", in: folder), 1, "draws from a prompt")
  }

  @Test func retrievalIsMeasured() throws {
    let (folder, _) = try Self.run.get()
    let outcome = try Tool.run(
      "evaluate", "run", "-n", "4", "--steps", "2", "--seed", "1", "--json", "--quiet",
      "--threads", "1", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let told = try outcome.json
    #expect(told["captions"]?.int == 4)
    let scales = try #require(told["scales"]?.array)
    #expect(scales.map { $0["guidance"]?.double } == [1, 3, 5, 7.5])
    for scale in scales {
      #expect((0...1).contains(scale["top1"]?.double ?? -1))
      #expect(scale["top5"]?.double ?? 0 >= scale["top1"]?.double ?? 1)
      #expect(scale["diversity"]?.double ?? 0 > 0)
    }
    #expect(try Image(contentsOfFile: folder["run/captions-test.png"]).width > 100)
  }

  @Test func isGivenAway() throws {
    let (folder, _) = try Self.run.get()
    let outcome = try Tool.run(
      "export", "run", "-o", "gift", "--guidance", "3", "--json", "--quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let told = try outcome.json
    #expect(told["dtype"]?.string == "fp16")
    #expect(told["bytes"]?.int == (told["parameters"]?.int ?? 0) * 2)
    let drawn = try Prompted.draw("a red square", model: "gift", in: folder)
    #expect(drawn["guidance"]?.double == 3)
    expectRefusal(
      try Tool.run("export", "run", "-o", "gift", in: folder), 1, "gift: this is there already")
    expectRefusal(
      try Tool.run("export", "colours", "-o", "other", in: folder), 1,
      "colours: this folder holds no text-to-image model")
  }

  @Test func theSameCommandGoesOn() throws {
    let folder = Scratch()
    try Self.data(in: folder)
    var first = Self.training
    first[1] = "autoencoder-kl"
    first[first.firstIndex(of: "run") ?? 0] = "run-autoencoder"
    // Two of the four steps that the whole training gives the autoencoder.
    let begun = try Tool.run(first + ["--steps", "2"], in: folder)
    #expect(begun.status == 0, "\(begun.errors)")
    // A finished autoencoder is taken as it is.
    let outcome = try Tool.run(Self.training + ["--steps", "4"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let record = try JSON(parsing: folder.text("run-autoencoder/run.json"))
    #expect(record["steps"]?.int == 2)
    // One of other data is not.
    try folder.put(
      Image(width: 16, height: 16, filledWith: [1, 2, 3]).pngBytes(), "colours/train/0.png")
    expectRefusal(
      try Tool.run(Self.training + ["--steps", "4", "--force"].dropLast(), in: folder), 1,
      "trained on other data")
  }

  @Test(
    arguments: [
      (["--set", "caption_dropout=2"], "caption_dropout is 2"),
      (["--set", "autoencoder=nowhere"], "nowhere"),
      (["--set", "window_length=3"], "window_length is 3"),
      (["--data", "ring8"], "points in the plane"),
    ])
  func whatCannotBeTrainedIsRefused(_ flags: [String], _ sentence: String) throws {
    let (folder, _) = try Self.run.get()
    var command =
      Self.training + ["--steps", "1", "--set", "autoencoder=run-autoencoder"]
    command[command.firstIndex(of: "run") ?? 0] = "other"
    if flags[0] == "--data" {
      command[command.firstIndex(of: "colours") ?? 0] = flags[1]
    } else {
      command += flags
    }
    expectRefusal(try Tool.run(command, in: folder), 1, sentence)
    #expect(!folder.exists("other"))
  }
}
