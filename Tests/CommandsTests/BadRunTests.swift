import Foundation
import Testing

/// Runs, pictures, codes and outputs that a command cannot use.
@Suite struct BadRunTests {
  @Test func damagedRuns() throws {
    let folder = try Trained.copies()
    try folder.put("{", "cut/run.json")
    try folder.put("{\"family\": 3}", "typed/run.json")
    try folder.put("x", "stuff/note.txt")
    let weights = "vae/diffusion_pytorch_model.safetensors"
    let bytes = try folder.bytes("vae/\(weights)")
    func damage(_ name: String, _ body: () throws -> Void) throws {
      try FileManager.default.copyItem(atPath: folder["vae"], toPath: folder[name])
      try body()
    }
    try damage("truncated") {
      try folder.put(Array(bytes.dropLast(100)), "truncated/\(weights)")
    }
    try damage("headless") { try folder.put(Array(bytes.prefix(5)), "headless/\(weights)") }
    try damage("garbled") { try folder.put("{\"image_size\": 16", "garbled/vae/config.json") }
    try damage("huge") {
      let config = try folder.text("huge/vae/config.json")
      try folder.put(
        config.replacing("\"latent_dim\": 4", with: "\"latent_dim\": 99999999999"),
        "huge/vae/config.json")
    }
    try damage("misfit") {
      let config = try folder.text("misfit/vae/config.json")
      try folder.put(
        config.replacing("\"latent_dim\": 4", with: "\"latent_dim\": 5"), "misfit/vae/config.json")
    }
    try damage("renamed") {
      let record = try folder.text("renamed/run.json")
      try folder.put(
        record.replacing("\"family\": \"vae\"", with: "\"family\": \"pixelcnn\""),
        "renamed/run.json")
    }
    try damage("weightless") {
      try FileManager.default.removeItem(atPath: folder["weightless/\(weights)"])
    }
    for (run, sentence) in [
      ("nowhere", "there is no such folder"), ("stuff", "this folder is no run"),
      ("cut", "cut/run.json: "), ("typed", "typed/run.json: "),
      ("truncated", "truncated/\(weights): "), ("headless", "headless/\(weights): "),
      ("garbled", "garbled/vae/config.json: "), ("huge", "latent_dim is 99999999999"),
      ("misfit", "these weights do not fit the network"), ("renamed", "the family \"pixelcnn\""),
      ("weightless", "weightless/\(weights): "),
    ] {
      expectRefusal(
        try Tool.run("sample", run, "-o", "x.png", "--quiet", in: folder), 1, sentence)
    }
    #expect(!folder.exists("x.png"))
    expectRefusal(
      try Tool.run("inspect", "truncated/\(weights)", in: folder), 1, "truncated/\(weights): ")
  }

  @Test func damagedCheckpoint() throws {
    let folder = try Trained.copies()
    let checkpoint = "vae/checkpoints/step-00000020"
    let position = try folder.text("\(checkpoint)/position.json")
    let resume = ["train", "vae", "--out", "vae", "--resume", "--steps", "25", "--quiet"]
    try folder.put(
      position.replacing("\"step\": 20", with: "\"step\": -20"), "\(checkpoint)/position.json")
    expectRefusal(try Tool.run(resume, in: folder), 1, "position.json has ")
    // One of an earlier version, without a manifest.
    let manifest = try folder.bytes("\(checkpoint)/manifest.json")
    try FileManager.default.removeItem(atPath: folder["\(checkpoint)/manifest.json"])
    expectRefusal(try Tool.run(resume, in: folder), 1, "no position in a training")
    try folder.put(manifest, "\(checkpoint)/manifest.json")
    try folder.put(position, "\(checkpoint)/position.json")
    let file = "\(checkpoint)/optimizer.safetensors"
    try folder.put(Array(folder.bytes(file).dropLast(10)), file)
    expectRefusal(
      try Tool.run(resume, in: folder), 1,
      "none of this run's checkpoints is whole (\(checkpoint): optimizer.safetensors has ")
    try FileManager.default.removeItem(atPath: folder["vae/checkpoints"])
    expectRefusal(try Tool.run(resume, in: folder), 1, "no checkpoint to go on from")
  }

  /// Two processes do not write into one run.
  @Test func runInUse() throws {
    let folder = try Trained.copies()
    let descriptor = open(folder["vae/.lock"], O_RDWR | O_CREAT, 0o644)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX) == 0)
    #expect(ftruncate(descriptor, 0) == 0 && write(descriptor, "4711", 4) == 4)
    for more in [["--resume"], ["--force", "--data", "shapes", "--image-size", "16"]] {
      expectRefusal(
        try Tool.run(
          ["train", "vae", "--out", "vae", "--steps", "25", "--quiet"] + more, in: folder), 1,
        "another process (4711) is training in this folder")
    }
    #expect(folder.exists("vae/run.json"))
  }

  @Test func outputs() throws {
    let folder = try Trained.copies()
    try folder.put("mine", "there.png")
    try FileManager.default.createDirectory(
      atPath: folder["folder.png"], withIntermediateDirectories: false)
    let before = folder.names
    for (output, sentence) in [
      ("x.gif", "must end in .png, .jpg or .webp"), ("x", "must end in .png"),
      ("there.png", "add --force to replace it"), ("no/such/x.png", "make it first"),
      ("/dev/full", "must end in .png"),
    ] {
      expectRefusal(try Tool.run("sample", "vae", "-o", output, in: folder), 1, sentence)
    }
    expectRefusal(
      try Tool.run("sample", "vae", "-o", "folder.png", "--force", in: folder), 1,
      "this is a folder")
    for (output, sentence) in [
      ("codes.txt", "must end in .safetensors"), ("no/codes.safetensors", "make it first"),
    ] {
      expectRefusal(
        try Tool.run("encode", "vae", "grey.png", "-o", output, in: folder), 1, sentence)
    }
    #expect(folder.names == before)
    #expect(try folder.text("there.png") == "mine")
    let forced = try Tool.run("sample", "vae", "-n", "1", "-o", "there.png", "--force", in: folder)
    #expect(forced.status == 0)
    #expect(try folder.image("there.png").width == 16)
  }

  @Test func fullDisk() throws {
    let folder = try Trained.copies()
    let before = folder.names
    for line in ["sample vae -n 64 -o x.png", "encode vae grey.png -o x.safetensors"] {
      let outcome = try Tool.shell(
        "{ (ulimit -f 0; exec \"$latent\" \(line)) 2>&1; echo status $?; } | cat", in: folder)
      #expect(outcome.output.hasPrefix("error: x."), "\(outcome.output)")
      #expect(outcome.output.hasSuffix("status 1\n"), "\(outcome.output)")
    }
    #expect(folder.names == before)
  }

  #if os(Linux)
    @Test(arguments: ["datasets", "inspect grey.png --json"])
    func fullStandardOutput(line: String) throws {
      let outcome = try Tool.shell("\"$latent\" \(line) > /dev/full", in: Trained.copies())
      expectRefusal(outcome, 1, "standard output: it cannot be written: the disk is full")
    }
  #endif

  @Test func picturesAndCodes() throws {
    let folder = try Trained.copies()
    try folder.put("hello", "note.txt")
    try folder.put(Array(Trained.picture(40, 40).prefix(60)), "cut.png")
    let before = folder.names
    for picture in ["note.txt", "cut.png", "none.png", "vae"] {
      for command in ["reconstruct", "encode"] {
        expectRefusal(
          try Tool.run(
            command, "vae", picture, "-o", command == "encode" ? "x.safetensors" : "x.png",
            in: folder), 1, "\(picture): ")
      }
    }
    expectRefusal(
      try Tool.run(
        "decode", "vae", "vae/vae/diffusion_pytorch_model.safetensors", "-o", "x.png",
        in: folder), 1, "it holds no tensor \"codes\"")
    expectRefusal(
      try Tool.run("decode", "vae", "note.txt", "-o", "x.png", in: folder), 1, "note.txt: ")
    #expect(folder.names == before)
    // Codes of another width.
    _ = try Tool.run(
      ["train", "ae", "--out", "wider", "--steps", "1", "--quiet"] + Trained.small
        + ["--set", "latent_dim=6"], in: folder)
    _ = try Tool.run("encode", "wider", "grey.png", "-o", "six.safetensors", in: folder)
    expectRefusal(
      try Tool.run("decode", "vae", "six.safetensors", "-o", "x.png", in: folder), 1,
      "codes is float32 [1, 6], the network decodes fractions [N, 4]")
  }

  @Test(
    arguments: [
      (["sample", "vae"], "--output"),
      (["sample", "vae", "-o", "x.png", "-n", "0"], "--count is 0"),
      (["sample", "vae", "-o", "x.png", "--threads", "0"], "--threads is 0"),
      (["interpolate", "vae", "a.png", "-o", "x.png"], "Name two pictures"),
      (["interpolate", "vae", "-o", "x.png", "--path", "curved"], "curved"),
      (["map", "vae", "-o", "x.png", "-n", "1"], "--count is 1"),
      (["traverse", "vae", "-o", "x.png", "--steps", "1"], "--steps is 1"),
      (["traverse", "vae", "-o", "x.png", "--range", "0"], "--range is 0"),
      (["traverse", "vae", "-o", "x.png", "--range", "nan"], "--range is nan"),
      (["reconstruct", "vae", "a.png", "--data", "shapes", "-o", "x.png"], "not both"),
      (["evaluate", "vae", "--iwae-samples", "-2"], "--iwae-samples"),
      (["train", "vae"], "--data is missing"),
      (["train", "vae", "--resume"], "--resume needs --out"),
    ] as [([String], String)])
  func usage(_ arguments: [String], _ sentence: String) throws {
    expectRefusal(try Tool.run(arguments, in: Scratch()), 64, sentence)
  }

  @Test func pointsForAVAE() throws {
    let folder = try Trained.copies()
    expectRefusal(
      try Tool.run("evaluate", "vae", "--data", "ring8", in: folder), 1, "the set holds points")
  }
}
