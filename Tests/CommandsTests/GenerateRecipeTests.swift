import Foundation
import Images
import Interchange
import Testing

/// Recipes in pictures, and repeating them.
@Suite struct GenerateRecipeTests {
  @Test func inspect() throws {
    let folder = Scratch()
    let prompt = "웃는 고양이 😀 \"quoted\"\u{1B}\u{7}\nline"
    try Prompted.draw(prompt, ["--negative-prompt", "dog"], in: folder)
    let seen = try Tool.run("inspect", "x.png", "--json", in: folder).json["recipe"]
    let version = try Tool.run("--version", in: folder).output.dropLast()
    #expect(seen?["tool"]?.string == "latent" && seen?["version"]?.string == String(version))
    #expect(seen?["command"]?.string == "generate" && seen?["prompt"]?.string == prompt)
    #expect(seen?["negative_prompt"]?.string == "dog" && seen?["seed"]?.int == 5)
    #expect(seen?["model"]?.string == "sd1" && seen?["model_sha256"]?.string?.count == 64)
    #expect(seen?["sampler"]?.string == "PNDMScheduler" && seen?["steps"]?.int == 3)
    #expect(seen?["guidance"]?.double == 7.5)
    #expect(seen?["width"]?.int == 64 && seen?["height"]?.int == 64)
    // Nothing of this machine, and nothing that the same command would not give again.
    #expect(seen?["seconds"] == nil && seen?["output"] == nil)
    #expect(try !folder.text("x.png").contains("Fixtures"))
  }

  @Test func repeated() throws {
    let folder = try Prompted.withPhoto()
    try FileManager.default.copyItem(atPath: Prompted.model, toPath: folder["tiny"])
    func draw(_ flags: [String], to output: String) throws {
      let outcome = try Tool.run(
        ["generate", "--threads", "1", "--quiet", "-o", output] + flags, in: folder)
      guard outcome.status == 0 else { throw Tool.Unexpected("\(flags): \(outcome.errors)") }
    }
    let all = [
      ["a cat", "--seed", "3"],
      [
        "a (cat:1.2)", "--seed", "4", "--steps", "4", "--sampler", "dpmpp-2m", "--sigmas", "karras",
        "--guidance", "3", "--guidance-rescale", "0.5", "--guidance-interval", "0.1-0.9",
        "--negative-prompt", "dog", "--width", "72", "--height", "56", "--clip-skip", "1", "-n",
        "2", "--precision", "bf16",
      ],
      ["a cat", "--sampler", "ddim", "--eta", "0.5", "--steps", "4"],
      ["a cat", "--image", "photo.png", "--strength", "0.6", "--steps", "4"],
      ["a cat", "--image", "photo.png", "--mask", "mask.png", "--steps", "4"],
      ["--variations", "--image", "photo.png", "--steps", "4"],
    ]
    for (number, flags) in all.enumerated() {
      try draw(flags + ["--model", "tiny"], to: "a\(number).png")
      try draw(["--like", "a\(number).png"], to: "b\(number).png")
      #expect(
        try folder.bytes("a\(number).png") == folder.bytes("b\(number).png"), "\(flags)")
    }
    // Flags count more.
    try draw(["--like", "a0.png", "--seed", "4"], to: "c.png")
    try draw(["a cat", "--model", "tiny", "--seed", "4"], to: "d.png")
    #expect(try folder.bytes("c.png") == folder.bytes("d.png"))
    try draw(["a dog", "--like", "a0.png"], to: "e.png")
    #expect(try folder.recipe("e.png")["prompt"]?.string == "a dog")
    #expect(try folder.recipe("e.png")["seed"]?.int == 3)
    // One of several files.
    try draw(
      ["a cat", "--model", "tiny", "--seed", "3", "-n", "2", "--steps", "3"], to: "f-%d.png")
    try draw(["--like", "f-2.png"], to: "g.png")
    #expect(try folder.distance("f-2.png", "g.png") <= 1)
    // Noise that was given.
    try draw(
      ["a cat", "--model", "tiny", "--save-latents", "l.safetensors", "--steps", "2"], to: "h.png")
    try draw(
      ["a cat", "--model", "tiny", "--latents", "l.safetensors", "--steps", "2"], to: "i.png")
    try draw(["--like", "i.png"], to: "j.png")
    #expect(try folder.bytes("i.png") == folder.bytes("j.png"))

    // The picture that one starts from has to be the same.
    try folder.put(Prompted.photo(64, 56).pngBytes(), "photo.png")
    expectRefusal(
      try Tool.run("generate", "--like", "a3.png", "-o", "k.png", in: folder), 1,
      "it was drawn with the file photo.png, which is neither beside it nor here as it was")
    // Another model of that name draws another picture, and says so.
    try FileManager.default.removeItem(atPath: folder["tiny"])
    try FileManager.default.copyItem(atPath: Prompted.fixture("sd2"), toPath: folder["tiny"])
    let other = try Tool.run("generate", "--like", "a0.png", "-o", "l.png", in: folder)
    #expect(other.status == 0)
    #expect(
      other.errors.contains("a0.png: it was drawn by another model than tiny is now"),
      "\(other.errors)")
    try FileManager.default.removeItem(atPath: folder["tiny"])
    expectRefusal(
      try Tool.run("generate", "--like", "a0.png", "-o", "m.png", in: folder), 1,
      "a0.png: it was drawn by the model tiny, which is neither built in nor here; name its folder "
        + "or file with --model")
  }

  @Test func recipesThatCannotBeRepeated() throws {
    let folder = try Prompted.withPhoto()
    func refuses(
      _ name: String, _ sentence: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
      expectRefusal(
        try Tool.run(
          "generate", "--like", name, "--model", Prompted.model, "-o", "y.png", in: folder), 1,
        sentence, location)
      #expect(!folder.exists("y.png"), sourceLocation: location)
    }
    func put(_ recipe: String) throws {
      let text = PNGText.Entry(keyword: "latent", text: recipe)
      try folder.put(PNGText.insert([text], into: folder.bytes("photo.png")), "r.png")
    }
    try refuses("photo.png", "photo.png: this picture carries no recipe; --like takes a PNG")
    try refuses("none.png", "none.png: ")
    try folder.put("no picture", "text.png")
    try refuses("text.png", "text.png: ")
    try put("[]")
    try refuses("r.png", "carries no recipe")
    try put("{\"command\": \"sample\"}")
    try refuses("r.png", "r.png: its recipe is one of `latent sample`")
    for (key, value, wanted) in [
      ("steps", "0", "not a whole number in 1...100000"), ("steps", "\"9\"", "a whole number"),
      ("seed", "-1", "a whole number"), ("prompt", "7", "not a text"),
      ("guidance", "1e9", "a number in -1000.0...1000.0"), ("eta", "2", "a number in 0.0...1.0"),
      ("width", "1000000", "a whole number in 1...4096"), ("count", "0", "a whole number"),
      ("guidance_interval", "[1, 0]", "two numbers in 0.0...1.0"),
    ] {
      // A key that stands twice would make it no JSON.
      let prompt = key == "prompt" ? "" : "\"prompt\": \"a\", "
      try put("{\"command\": \"generate\", \(prompt)\"\(key)\": \(value)}")
      try refuses("r.png", "r.png: its recipe's \"\(key)\" is ")
      try refuses("r.png", wanted)
    }
  }
}
