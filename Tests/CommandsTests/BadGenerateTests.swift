import Foundation
import Images
import Interchange
import Testing

/// What `latent generate` refuses: one sentence each, and nothing is left behind.
@Suite struct BadGenerateTests {
  private func refuses(
    _ flags: [String], _ status: Int32 = 1, _ sentence: String, model: String = Prompted.model,
    in folder: Scratch = Scratch(), _ location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try Tool.run(
      ["generate", "-o", "y.png", "--threads", "1", "--quiet", "--model", model] + flags,
      in: folder)
    expectRefusal(outcome, status, sentence, location)
    #expect(!folder.exists("y.png"), sourceLocation: location)
  }

  @Test func flags() throws {
    for (flags, sentence) in [
      ([], "Say what to draw"), (["a cat", "--count", "0"], "--count is 0; it must lie in"),
      (["a cat", "--strength", "0.5"], "--strength is about the picture that --image names"),
      (["a cat", "--mask", "m.png"], "--mask is about the picture that --image names"),
      (["--variations"], "--variations is about the picture that --image names"),
      (
        ["a cat", "--image", "p.png", "--strength", "2"], "--strength is 2.0; it must lie in 0...1"
      ),
      (["a cat", "--image", "p.png", "--variations"], "leave prompts out"),
      (["a cat", "--steps", "0"], "--steps is 0; it must be positive"),
      (["a cat", "--guidance", "nan"], "--guidance is nan"),
      (["a cat", "--clip-skip", "-1"], "--clip-skip"),
      (["a cat", "--width", "5000"], "--width is 5000; it must lie in 1...4096"),
      (["a cat", "--sampler", "elder"], "elder"), (["a cat", "face"], "face"),
      (["a cat", "--precision", "fp8"], "fp8"), (["a cat", "--seed", "-1"], "--seed"),
    ] {
      try refuses(flags, 64, sentence)
    }
  }

  @Test func requests() throws {
    let folder = try Prompted.withPhoto()
    try folder.put("no picture", "text.png")
    try folder.put(Image(width: 32, height: 64, filledWith: [255]).pngBytes(), "narrow.png")
    try folder.put(Array(folder.bytes("photo.png").dropLast(30)), "cut.png")
    for (flags, sentence) in [
      (["--width", "65"], "a width of 65 is no multiple of 8"),
      (["--height", "4"], "a height of 4 is no multiple of 8"),
      (["--image", "none.png"], "none.png: the picture cannot be read"),
      (["--image", "text.png"], "text.png: this is not a PNG, JPEG or WebP picture"),
      (["--image", "cut.png"], "cut.png: the PNG picture is damaged"),
      (["--image", "photo.png", "--mask", "text.png"], "text.png: this is not a PNG"),
      (
        ["--image", "photo.png", "--mask", "narrow.png"],
        "narrow.png: the mask has 32×64 pixels, but photo.png has 64×64; make them the same size"
      ),
      (["--image", "photo.png", "--strength", "0"], "must lie above 0"),
      (["--sampler", "ddim-inverse"], "ddim-inverse goes from a picture to its noise"),
      (["--sampler", "flow-euler"], "flow-euler follows rectified flows"),
      (["--sampler", "ddim", "--sigmas", "karras"], "has no karras spacing"),
      (["--clip-skip", "50"], "50"), (["--steps", "2000", "--sampler", "ddim"], "2000"),
      (["--latents", "photo.png"], "photo.png: "),
      (["-o", "photo.png"], "photo.png: this file is there already; add --force"),
      (["-o", "x.gif"], "x.gif: the name must end in .png, .jpg or .webp"),
      (["-o", "no/x.png"], "make it first"), (["-o", "no/way/"], "make it first"),
      (["--save-latents", "l.bin"], "the name must end in .safetensors"),
      (["--preview", "photo.png"], "photo.png: this file is there already"),
      (["-n", "10000", "--width", "4096", "--height", "4096"], "picture"),
      (["--seed", "\(Int.max)", "-n", "2"], "is too large for 2 pictures"),
    ] {
      try refuses(["a cat"] + flags, 1, sentence, in: folder)
    }
    #expect(folder.names == ["cut.png", "mask.png", "narrow.png", "photo.png", "text.png"])
    // Files of a row, of which one is there.
    try folder.put("mine", "c-2.png")
    try refuses(["a cat", "-n", "2", "-o", "c-%d.png"], 1, "c-2.png: this file is", in: folder)
    // Of noise for two pictures no number of pictures is known before it is read.
    try Prompted.draw(
      "a cat", ["-n", "2", "--save-latents", "l.safetensors"], in: folder)
    try refuses(
      ["a cat", "--latents", "l.safetensors", "-o", "c-%d.png"], 1, "c-2.png: this file is",
      in: folder)
    try refuses(
      ["a cat", "-n", "3", "--latents", "l.safetensors"], 1, "noise of 2 pictures, not of 3",
      in: folder)
  }

  @Test func models() throws {
    let folder = Scratch()
    try folder.put("x", "model.ckpt")
    try folder.put("x", "model.txt")
    try folder.put("x", "empty/readme.txt")
    try folder.put("x", "pickled/pytorch_model.bin")
    try folder.put("{\"_class_name\": \"KandinskyPipeline\"}", "other/model_index.json")
    try folder.put("{", "broken/model_index.json")
    for (model, sentence) in [
      ("none", "none: there is no such folder, and no model of that name"),
      ("model.ckpt", "model.ckpt: this is a pickle, which can run any program"),
      ("model.txt", "model.txt: this is a file"),
      ("pickled", "pickled/pytorch_model.bin: this is a pickle"),
      ("empty", "empty: this folder holds no model_index.json"),
      ("other", "KandinskyPipeline; StableDiffusionPipeline"),
      ("broken", "broken/model_index.json: JSON line 1"),
    ] {
      try refuses(["a cat"], 1, sentence, model: model, in: folder)
    }
    let ae = try Denoisers.copies("plain")
    try refuses(["a cat"], 1, "DDPMPipeline", model: "plain", in: ae)
  }

  /// Folders in which something is missing or does not fit.
  @Test(
    arguments: [
      ("unet", nil, "unet/config.json"), ("vae", nil, "vae/config.json"),
      ("text_encoder", nil, "text_encoder/config.json"), ("tokenizer", nil, "tokenizer"),
      ("scheduler", nil, "scheduler/scheduler_config.json"),
      ("unet/diffusion_pytorch_model.safetensors", nil, "diffusion_pytorch_model.safetensors"),
      ("vae/config.json", "[", "vae/config.json: "),
      ("unet/diffusion_pytorch_model.safetensors", "short", "diffusion_pytorch_model.safetensors"),
      ("latent.json", "{\"guidance\": \"much\"}", "latent.json: \"guidance\" is no number"),
      ("latent.json", "{", "latent.json: JSON line 1"),
    ] as [(String, String?, String)])
  func damagedFolders(part: String, content: String?, sentence: String) throws {
    let folder = Scratch()
    try FileManager.default.copyItem(atPath: Prompted.model, toPath: folder["tiny"])
    if let content {
      try? FileManager.default.removeItem(atPath: folder["tiny/\(part)"])
      try folder.put(content, "tiny/\(part)")
    } else {
      try FileManager.default.removeItem(atPath: folder["tiny/\(part)"])
    }
    try refuses(["a cat"], 1, sentence, model: "tiny", in: folder)
  }

  @Test func idleFlagsAreNamed() throws {
    let folder = try Prompted.withPhoto()
    func notes(_ flags: String..., prompt: String = "a cat") throws -> [String] {
      try Prompted.draw(prompt, flags, in: folder)["notes"]?.array?.compactMap(\.string) ?? []
    }
    #expect(try notes() == [])
    #expect(
      try notes("--eta", "1") == ["--eta does nothing to PNDMScheduler; it is for ddim and tcd"])
    #expect(
      try notes("--guidance", "1", "--negative-prompt", "dog", "--guidance-rescale", "0.5") == [
        "--negative-prompt does nothing without --guidance",
        "--guidance-rescale does nothing without --guidance",
      ])
    #expect(try notes(prompt: " ") == ["the prompt is empty, so the picture follows none"])
    let told = try Tool.run(
      "generate", "", "--model", Prompted.model, "--steps", "2", "-o", "z.png", in: folder)
    #expect(told.status == 0 && told.errors.contains("note: the prompt is empty"))
  }

  @Test func longAndStrangePrompts() throws {
    let folder = Scratch()
    let long = (0..<10_000).map { "word\($0)" }.joined(separator: " ")
    let notes = try Prompted.draw(long, in: folder)["notes"]?.array
    #expect(notes?.count == 1)
    #expect(notes?[0].string?.contains("the prompt is too long; its last ") == true)
    #expect(try folder.recipe("x.png")["prompt"]?.string == long)
    for prompt in ["웃는 고양이 얼굴", "😀👨‍👩‍👧🇰🇷", "a\u{1}b\u{7F}c\r\n\t\u{202E}d", "((((", "(:1e999)"] {
      let json = try Prompted.draw(prompt, in: folder)
      #expect(json["prompt"]?.string == prompt)
      #expect(try folder.recipe("x.png")["prompt"]?.string == prompt)
    }
  }
}
