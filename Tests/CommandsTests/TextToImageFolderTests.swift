import Foundation
import Interchange
import Testing

/// Finding models that draw from prompts, and looking into them.
@Suite struct TextToImageFolderTests {
  /// The tool at another place, where no model lies.
  private func tool(at place: String, in folder: Scratch) throws -> String {
    let url = URL(filePath: folder[place])
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let files = FileManager.default
    let real = URL(filePath: Tool.path).resolvingSymlinksInPath().path
    do {
      try files.linkItem(atPath: real, toPath: url.path)
    } catch {
      try files.copyItem(atPath: real, toPath: url.path)
    }
    return url.path
  }

  private func run(
    _ tool: String, _ arguments: [String], models: String? = nil, in folder: Scratch
  ) throws -> Tool.Outcome {
    try Tool.Started(
      tool, arguments, in: folder, environment: ["LATENT_MODELS": models ?? ""]
    ).wait()
  }

  private func put(_ place: String, in folder: Scratch) throws {
    let url = URL(filePath: folder[place])
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Prompted.model, toPath: url.path)
  }

  private static let draw = [
    "generate", "a cat", "--steps", "2", "--threads", "1", "--seed", "5", "-o", "x.png", "--json",
    "--quiet", "--force",
  ]

  @Test func builtInModel() throws {
    let folder = Scratch()
    let built = try tool(at: "clone/.build/some-machine/release/latent", in: folder)
    let installed = try tool(at: "prefix/bin/latent", in: folder)
    for tool in [built, installed] {
      let outcome = try run(tool, Self.draw, in: folder)
      expectRefusal(outcome, 1, "the built-in model is not there (looked for in ")
      #expect(outcome.errors.contains("name a model with --model"))
    }
    try put("clone/Models/emoji", in: folder)
    try put("prefix/share/latent/models/emoji", in: folder)
    try put("mine/emoji", in: folder)
    for (tool, models) in [(built, nil), (installed, nil), (installed, folder["mine"])] {
      let json = try run(tool, Self.draw, models: models, in: folder).json
      #expect(json["model"]?.string == "emoji")
      let listed = try run(tool, ["models", "--json"], models: models, in: folder).json
      let found = listed["models"]?.array ?? []
      #expect(found.count == 1 && found[0]["built_in"]?.bool == true)
      let path = found[0]["path"]?.string ?? ""
      #expect(
        path.hasSuffix(
          models == nil ? tool == built ? "clone/Models/emoji" : "models/emoji" : "mine/emoji"),
        "\(path)")
    }
    // By its name, misspelt, and repeated by its name.
    let named = try run(built, Self.draw + ["--model", "emoji"], in: folder)
    #expect(named.status == 0)
    let misspelt = try run(built, Self.draw + ["--model", "emojis"], in: folder)
    expectRefusal(
      misspelt, 1, "emojis: there is no such folder, and no model of that name; did you")
    let first = try folder.bytes("x.png")
    let again = try run(
      built, ["generate", "--like", "x.png", "-o", "y.png", "--threads", "1"], in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(try folder.bytes("y.png") == first)
  }

  @Test func modelsThatAreHere() throws {
    let folder = Scratch()
    try put("tiny", in: folder)
    try put("runs/other", in: folder)
    let json = try Tool.run("models", "--json", in: folder).json
    let found = (json["models"]?.array ?? []).filter { $0["built_in"]?.bool == false }
    #expect(found.compactMap { $0["path"]?.string } == ["tiny", "runs/other"])
    #expect(found.compactMap { $0["model"]?.string } == ["tiny", "other"])
    let told = try Tool.run("models", in: folder).output
    #expect(told.contains("tiny  draws from a prompt\n"))
  }

  @Test func advice() throws {
    let folder = Scratch()
    try put("tiny", in: folder)
    try folder.put("{\"guidance\": 3}", "tiny/latent.json")
    #expect(try Prompted.draw("a", model: "tiny", in: folder)["guidance"]?.double == 3)
    let more = try Prompted.draw("a", ["--guidance", "4"], model: "tiny", in: folder)
    #expect(more["guidance"]?.double == 4)
    // Made for pictures of one size: photos are brought to it.
    try folder.put(Prompted.photo(100, 80).pngBytes(), "photo.png")
    let json = try Prompted.draw("a", ["--image", "photo.png"], model: "tiny", in: folder)
    #expect(json["width"]?.int == 64 && json["height"]?.int == 64)
  }

  @Test func inspect() throws {
    let json = try Tool.run("inspect", Prompted.fixture("sd2"), "--json", in: Scratch()).json
    #expect(json["kind"]?.string == "text-to-image")
    #expect(json["class"]?.string == "StableDiffusionPipeline")
    let parts = json["components"]?.array ?? []
    #expect(
      Set(parts.compactMap { $0["component"]?.string }) == [
        "scheduler", "text_encoder", "tokenizer", "unet", "vae",
      ])
    let unet = parts.first { $0["component"]?.string == "unet" }
    #expect(unet?["class"]?.string == "UNet2DConditionModel")
    #expect(unet?["dtypes"]?.array == ["F32"])
    let numbers = parts.compactMap { $0["parameters"]?.int }
    #expect(numbers.count == 3 && json["parameters"]?.int == numbers.reduce(0, +))
    #expect(unet?["bytes"]?.int == (unet?["parameters"]?.int ?? 0) * 4)
    #expect(json["width"]?.int == 64 && json["height"]?.int == 64)
    #expect(json["latent_channels"]?.int == 4 && json["latent_scale"]?.int == 8)
    #expect(json["prediction_type"]?.string == "v_prediction")
    #expect(json["scheduler"]?["_class_name"]?.string == "DDIMScheduler")
    let told = try Tool.run("inspect", Prompted.fixture("xl"), in: Scratch()).output
    for part in ["StableDiffusionXLPipeline", "text_encoder_2", "F32", "64×64", "epsilon"] {
      #expect(told.contains(part), "\(told)")
    }
    for part in ["unet", "vae"] {
      let seen = try Tool.run(
        "inspect", "\(Prompted.model)/\(part)", "--json", in: Scratch()
      ).json
      #expect(seen["kind"]?.string == "network" && (seen["parameters"]?.int ?? 0) > 1000)
    }
    let text = try Tool.run(
      "inspect", "\(Prompted.model)/text_encoder", "--json", in: Scratch()
    ).json
    #expect(text["kind"]?.string == "network" && text["config"]?["hidden_size"] != nil)
  }
}
