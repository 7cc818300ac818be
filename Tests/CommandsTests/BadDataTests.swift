import Foundation
import Testing

/// Data and settings that no training can begin with: a sentence, an exit code, and no run folder.
@Suite struct BadDataTests {
  /// Trains with some arguments and expects a refusal that leaves nothing behind.
  private func refuses(
    _ arguments: [String], in folder: Scratch = Scratch(), _ status: Int32, _ sentence: String,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let before = folder.names
    let outcome = try Tool.run(
      ["train"] + arguments + ["--out", "run", "--steps", "1", "--quiet"], in: folder)
    expectRefusal(outcome, status, sentence, location)
    #expect(folder.names == before, sourceLocation: location)
  }

  @Test func folders() throws {
    let folder = Scratch()
    try folder.put("hello", "text/a.txt")
    try folder.put("x,y", "text/b.csv")
    for number in 0..<30 {
      try folder.put("no picture", "damaged/\(number).png")
      try folder.put(Trained.picture(8 + number % 2, 8), "mixed/\(number).png")
      try folder.put(Trained.picture(12, 8), "wide/\(number).png")
    }
    try folder.put(Trained.picture(8, 8), "single/1.png")
    for (data, sentence) in [
      ("nowhere", "there is no such file, folder or data set"),
      ("shpaes", "did you mean \"shapes\"?"),
      ("text", "none of its 2 files is a picture"),
      ("text/a.txt", "it is no IDX file"),
      ("damaged", "can be read; they are damaged"),
      ("mixed", "2 different sizes ("),
      ("wide", "the networks are square, so pass --image-size"),
      ("single", "held out"),
      ("ring8", "these are points in the plane"),
    ] {
      try refuses(["vae", "--data", data], in: folder, 1, sentence)
    }
    try FileManager.default.createDirectory(
      atPath: folder["empty"], withIntermediateDirectories: false)
    try refuses(["ae", "--data", "empty"], in: folder, 1, "the folder is empty")
  }

  @Test func strangersAndDamageAreCounted() throws {
    let folder = Scratch()
    for number in 0..<30 { try folder.put(Trained.picture(8, 8), "mine/\(number).png") }
    // Names decide what is held out; of ten, some train.
    for number in 0..<10 { try folder.put("no picture", "mine/broken\(number).png") }
    try folder.put("hello", "mine/note.md")
    let outcome = try Tool.run(
      "train", "ae", "--data", "mine", "--preset", "mlp", "--steps", "1", "--out", "run",
      "--threads", "1", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("note.md"), "\(outcome.errors)")
    #expect(outcome.errors.contains(/broken\d\.png.* cannot be read/), "\(outcome.errors)")
  }

  @Test(
    arguments: [
      (["vae", "--image-size", "2"], 1 as Int32, "an image_size of 2 cannot be halved 2 times"),
      (["vae", "--image-size", "0"], 1, "image size 0"),
      (["vae", "--image-size", "100000"], 1, "image size 100000"),
      (["vae", "--channels", "7"], 1, "1 (grey) or 3 (RGB)"),
      (["vae", "--set", "latent_dim=0"], 1, "latent_dim is 0"),
      (["vae", "--set", "learning_rate=-1"], 1, "learning_rate is -1.0"),
      (["vae", "--device", "cuda:77"], 1, "the device cuda:77 is not available"),
    ] as [([String], Int32, String)])
  func settings(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
    try refuses(arguments + ["--data", "shapes"], status, sentence)
  }

  @Test(
    arguments: [
      (["vea"], "did you mean vae?"),
      (
        ["pixelcnn-9000"],
        "The families are ae, vae, vae-gan, autoencoder-kl, gan, diffusion, latent-diffusion, "
          + "lora, classifier."
      ),
      (["vae", "--preset", "mpl"], "did you mean mlp?"),
      (["vae", "--preset", "huge-thing"], "the presets are conv, mlp"),
      (["vae", "--set", "learnig_rate=1"], "did you mean \"learning_rate\"?"),
      (["vae", "--set", "learning_rate=abc"], "a number is expected"),
      (["vae", "--set", "learning_rate=NaN"], "a number is expected"),
      (["vae", "--set", "learning_rate"], "key=value"),
      (["vae", "--batch-size", "0"], "--batch-size is 0"),
      (["vae", "--batch-size", "1000000000"], "--batch-size is 1000000000"),
      (["vae", "--batch-size", "99999999999999999999"], "--batch-size"),
      (["vae", "--threads", "0"], "--threads is 0"),
      (["vae", "--device", "tpu"], "--device tpu is none of"),
      (["vae", "--seed", "-1"], "--seed"),
      (["vae", "--seed", "18446744073709551615"], "--seed is 18446744073709551615"),
      (["vae", "--epochs", "2"], "one of --steps, --epochs and --minutes"),
    ] as [([String], String)])
  func usage(_ arguments: [String], _ sentence: String) throws {
    try refuses(arguments + ["--data", "shapes"], 64, sentence)
  }

  @Test func configFile() throws {
    let folder = Scratch()
    try folder.put("{\"learnig_rate\": 1}", "key.json")
    try folder.put("{\"learning_rate\": \"fast\"}", "type.json")
    try folder.put("{\"learning_rate\": 1", "cut.json")
    for (file, sentence) in [
      ("key.json", "did you mean \"learning_rate\"?"), ("type.json", "a number is expected"),
      ("cut.json", "cut.json: "), ("none.json", "none.json: "),
    ] {
      try refuses(["vae", "--data", "shapes", "--config", file], in: folder, 1, sentence)
    }
  }

  @Test func endlesslyLongArguments() throws {
    let long = String(repeating: "a", count: 2000)
    for (arguments, status) in [
      (["vae", "--data", long], 1), ([long, "--data", "shapes"], 64),
      (["vae", "--data", "shapes", "--preset", long], 64),
      (["vae", "--data", "shapes", "--set", "\(long)=1"], 64),
    ] as [([String], Int32)] {
      try refuses(arguments, status, long)
    }
    expectRefusal(
      try Tool.run(
        "train", "vae", "--data", "shapes", "--steps", "1", "--quiet", "--out", long, in: Scratch()),
      1, "the folder cannot be made")
    expectRefusal(try Tool.run("inspect", long, in: Scratch()), 1, "no such file or folder")
  }

  @Test(arguments: [0, 1, 8])
  func fullDisk(blocks: Int) throws {
    let folder = Scratch()
    let arguments = Trained.small.map { "'\($0)'" }.joined(separator: " ")
    // The talk goes into files as well: past the limit that too is lost, hence the pipe.
    let outcome = try Tool.shell(
      "{ (ulimit -f \(blocks); exec \"$latent\" train vae --steps 3 --out run --quiet \(arguments))"
        + " 2>&1; echo status $?; } | cat", in: folder)
    #expect(outcome.output.hasPrefix("error: "), "\(outcome.output)")
    #expect(outcome.output.hasSuffix("status 1\n"), "\(outcome.output)")
    #expect(outcome.output.contains("arge"), "\(outcome.output)")
    #expect(folder.names.isEmpty, "\(folder.names)")
  }
}
