import Foundation
import Images
import Interchange
import Testing

/// Drawing from a prompt: what comes out, where it goes, and its recipe.
@Suite struct GenerateTests {
  @Test func result() throws {
    let folder = Scratch()
    let json = try Prompted.draw("a cat", in: folder)
    #expect(
      json.object?.keys == [
        "output", "outputs", "model", "model_sha256", "prompt", "negative_prompt", "steps",
        "sampler", "guidance", "width", "height", "seed", "count", "seconds", "load_seconds",
        "notes",
      ])
    #expect(json["output"]?.string == "x.png" && json["outputs"]?[0]?.string == "x.png")
    #expect(json["prompt"]?.string == "a cat" && json["model"]?.string == "sd1")
    #expect(json["seed"]?.int == 5 && json["steps"]?.int == 3 && json["count"]?.int == 1)
    #expect(json["sampler"]?.string == "PNDMScheduler" && json["guidance"]?.double == 7.5)
    #expect(json["width"]?.int == 64 && json["height"]?.int == 64)
    #expect((json["seconds"]?.double ?? 0) > 0 && (json["load_seconds"]?.double ?? 0) > 0)
    #expect(json["notes"]?.array == [])
    let image = try folder.image("x.png")
    #expect(image.width == 64 && image.height == 64 && image.channels == 3)
    let hash = try Fingerprint.ofFile(
      "\(Prompted.model)/unet/diffusion_pytorch_model.safetensors")
    #expect(json["model_sha256"]?.string == hash)
    // The default: 20 steps.
    let plain = try Tool.run(
      "generate", "a cat", "--model", Prompted.model, "-o", "y.png", "--json", in: folder)
    #expect(try plain.json["steps"]?.int == 20)
    #expect(plain.errors.contains("of 2"), "progress: \(plain.errors)")
    // For a person a line a file.
    let told = try Tool.run(
      ["generate", "a cat", "--model", Prompted.model, "-o", "z.png", "--seed", "9"]
        + Prompted.usual, in: folder)
    #expect(told.output.wholeMatch(of: /z\.png  64×64, seed 9, \d+\.\d\d s\n/) != nil)
  }

  @Test func sameSeedSameBytes() throws {
    let folder = Scratch()
    var files: [[UInt8]] = []
    for (prompt, seed) in [("a cat", 7), ("a cat", 7), ("a cat", 8), ("a dog", 7)] {
      try Prompted.draw(prompt, seed: seed, in: folder)
      files.append(try folder.bytes("x.png"))
    }
    #expect(files[0] == files[1])
    #expect(Set(files.dropFirst()).count == 3)
    // Without --seed a new one each time, which is reported.
    let seeds = try (0..<2).map { _ in try Prompted.draw("a cat", seed: nil, in: folder)["seed"] }
    #expect(seeds[0] != seeds[1])
  }

  @Test func flagsChangePictures() throws {
    let folder = Scratch()
    func drawn(_ flags: String...) throws -> [Float] {
      try Prompted.pictures("a (cat:1.3) face", flags, in: folder)
    }
    let plain = try drawn()
    #expect(try drawn("--guidance", "7.5", "--guidance-rescale", "0") == plain)
    let others = [
      try drawn("--negative-prompt", "dog"), try drawn("--guidance", "2"),
      try drawn("--guidance-rescale", "0.7"), try drawn("--guidance-interval", "0-0.5"),
      try drawn("--sampler", "ddim"), try drawn("--sampler", "ddim", "--eta", "1"),
      try drawn("--sampler", "dpmpp-2m"),
      try drawn("--sampler", "dpmpp-2m", "--sigmas", "karras"), try drawn("--clip-skip", "1"),
      try drawn("--steps", "4"), try drawn("--precision", "bf16"),
      try Prompted.pictures("a cat face", in: folder),
    ]
    #expect(Set(others + [plain]).count == others.count + 1)
    let wide = try Prompted.draw("a cat", ["--width", "96"], in: folder)
    #expect(wide["width"]?.int == 96 && wide["height"]?.int == 64)
    #expect(try folder.image("x.png").width == 96)
  }

  @Test(arguments: ["sd2", "xl"])
  func otherKinds(name: String) throws {
    let folder = Scratch()
    let json = try Prompted.draw("a cat", model: Prompted.fixture(name), in: folder)
    #expect(json["model"]?.string == name)
    #expect(try folder.image("x.png").width == 64)
  }

  @Test func severalPictures() throws {
    let folder = Scratch()
    try Prompted.draw("a cat", ["-n", "5"], in: folder)
    let grid = try folder.image("x.png")
    #expect(grid.width == 3 * 64 + 2 * 2 && grid.height == 2 * 64 + 2)
    #expect(try folder.recipe("x.png")["count"]?.int == 5)

    let numbered = try Prompted.draw("a cat", ["-n", "3"], to: "cat-%02d.png", in: folder)
    let names = ["cat-01.png", "cat-02.png", "cat-03.png"]
    #expect(numbered["outputs"]?.array?.compactMap(\.string) == names)
    #expect(numbered["count"]?.int == 3)
    let second = try folder.recipe("cat-02.png")
    #expect(second["seed"]?.int == 6 && second["count"]?.int == 1)
    // A picture does not depend on those beside it, but for the last bits of its sums.
    try Prompted.draw("a cat", seed: 6, in: folder)
    #expect(try folder.distance("x.png", "cat-02.png") <= 1)
    #expect(try folder.distance("x.png", "cat-01.png") > 1)
    let first = try folder.image("cat-01.png")
    #expect(grid.cropped(x: 0, y: 0, width: 64, height: 64).distance(to: first) <= 1)

    let inFolder = try Prompted.draw("A Cat!", ["-n", "2"], to: "cats/", in: folder)
    #expect(
      inFolder["outputs"]?.array?.compactMap(\.string) == ["cats/a-cat-5.png", "cats/a-cat-6.png"])
    #expect(folder.exists("cats/a-cat-6.png"))
  }

  @Test func namesWithoutOutput() throws {
    let folder = Scratch()
    func name(_ prompt: String) throws -> String? {
      try Prompted.draw(prompt, to: nil, in: folder)["output"]?.string
    }
    #expect(try name("웃는 고양이") == "웃는-고양이-5.png")
    #expect(try name("웃는 고양이") == "웃는-고양이-5-2.png")
    #expect(try name("../Été, (blue:1.2)/.") == "été-blue-1-2-5.png")
    #expect(try name("😀 ") == "picture-5.png")
    let long = try name(String(repeating: "한국어 ", count: 200)) ?? ""
    #expect(long.utf8.count < 200 && long.hasSuffix("-5.png") && folder.exists(long))
    #expect(folder.names.count == 5)
  }

  @Test func latents() throws {
    let folder = Scratch()
    try Prompted.draw(
      "a cat",
      ["-n", "2", "--save-latents", "end.safetensors", "--save-images", "im.safetensors"],
      in: folder)
    #expect(try folder.tensor("latents", of: "end.safetensors").shape == [2, 4, 8, 8])
    let images = try folder.tensor("images", of: "im.safetensors")
    #expect(images.shape == [2, 3, 64, 64] && images.numbers.allSatisfy { (0...1).contains($0) })
    let flags = ["--latents", "end.safetensors"]
    let drawn = try Prompted.pictures("a cat", flags, seed: 1, in: folder)
    #expect(try Prompted.pictures("a cat", flags, seed: 2, in: folder) == drawn)
    #expect(drawn.count == 2 * 3 * 64 * 64 && drawn != images.numbers)
  }

  @Test func preview() throws {
    let folder = Scratch()
    try Prompted.draw("a cat", ["--preview", "p.png"], in: folder)
    let preview = try folder.image("p.png")
    #expect(preview.width == 64 && preview.channels == 3)
    #expect(try folder.distance("p.png", "x.png") > 0)
  }

  @Test func interruption() throws {
    let folder = Scratch()
    let drawing = try Tool.Started(
      Tool.path,
      [
        "generate", "a cat", "--model", Prompted.model, "-n", "64", "--steps", "900", "--sampler",
        "ddim", "--preview", "p.png", "-o", "cat-%d.png", "--save-latents", "l.safetensors",
        "--threads", "1", "--quiet",
      ], in: folder)
    for _ in 0..<600 where !folder.exists("p.png") { usleep(100_000) }
    drawing.send(SIGINT)
    let outcome = try drawing.wait()
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(folder.names == ["p.png"])
  }
}

extension Image {
  /// The largest difference of two samples.
  func distance(to other: Image) -> Int {
    guard pixels.count == other.pixels.count else { return 256 }
    return zip(pixels, other.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }
}

extension Scratch {
  /// The largest difference of two samples of two pictures.
  func distance(_ a: String, _ b: String) throws -> Int {
    try image(a).distance(to: image(b))
  }

  /// Weights are read from their file while they are used; one that another program cuts short ends
  /// the process with a sentence.
  @Test func lostWeightsAreExplained() throws {
    let folder = Scratch()
    // The built-in model: what is as small as the fixtures is copied.
    try FileManager.default.copyItem(atPath: Prompted.builtIn, toPath: folder["model"])
    let outcome = try Tool.shell(
      """
      mkfifo lines
      $latent generate --interactive --model model --threads 1 <lines >out 2>&1 &
      exec 3>lines
      until grep -q "is ready" out; do sleep 0.1; done
      : >model/unet/diffusion_pytorch_model.safetensors
      echo "a cat" >&3
      exec 3>&-
      wait $!; code=$?; cat out >&2; exit $code
      """, in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("error: a file that was in use was cut short"))
  }
}
