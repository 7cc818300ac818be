import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// What `TextToImagePipeline` says about requests and folders that it cannot use.
@Suite struct TextToImageRefusalTests {
  typealias Request = TextToImagePipeline.Request
  typealias Start = TextToImagePipeline.Start

  private func request(_ change: (inout Request) -> Void) -> Request {
    var request = Request(prompt: "a cat", seed: 0, steps: 2)
    change(&request)
    return request
  }

  private func expect(
    _ sentence: String, _ pipeline: TextToImagePipeline,
    sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout Request) -> Void
  ) {
    let request = request(change)
    let error = #expect(throws: SamplerError.self, sourceLocation: sourceLocation) {
      try pipeline.generate(request)
    }
    #expect(error?.sentence == sentence, sourceLocation: sourceLocation)
  }

  @Test func whatCannotBeDrawnIsRefused() throws {
    let pipeline = try TextToImageTests.open("sd1")
    let picture = Tensor.zeros([1, 3, 64, 64])
    expect(
      "a height of 60 is no multiple of 8, the pixels that become one latent; 56 or 64 would do.",
      pipeline
    ) { $0.size = Extent(60, 64) }
    expect(
      "a width of 0 is no multiple of 8, the pixels that become one latent; 8 or 16 would do.",
      pipeline
    ) { $0.size = Extent(64, 0) }
    expect("a height of 4611686018427387904 is more than 65536.", pipeline) {
      $0.size = Extent(1 << 62, 8)
    }
    expect("a count of 0 leaves nothing to draw.", pipeline) { $0.count = 0 }
    expect("a sampling needs at least one step.", pipeline) { $0.steps = 0 }
    expect("2000 steps are more than the 1000 levels that the network knows.", pipeline) {
      $0.steps = 2000
    }
    expect("ddim-inverse goes from a picture to its noise, and nothing is drawn with it.", pipeline)
    { $0.sampler = .ddimInverse }
    expect("the guidance must be a number.", pipeline) { $0.guidance.scale = .nan }
    expect("4 layers cannot be skipped of a text encoder with 3.", pipeline) { $0.clipSkip = 4 }
    expect("a clip skip of -1 is negative.", pipeline) { $0.clipSkip = -1 }
    expect("the starting noise is [1, 4, 4, 4], but [1, 4, 8, 8] is needed.", pipeline) {
      $0.latents = .zeros([1, 4, 4, 4])
    }
    expect("the picture to start from is 64×64, but 32×64 is asked for.", pipeline) {
      ($0.start, $0.size) = (Start(picture: picture), Extent(64, 32))
    }
    expect("a strength of 0.0 must lie above 0 and be 1 at most.", pipeline) {
      $0.start = Start(picture: picture, strength: 0)
    }
    expect("a strength of nan must lie above 0 and be 1 at most.", pipeline) {
      $0.start = Start(picture: picture, strength: .nan)
    }
    expect(
      "a strength of 0.2 leaves none of 2 steps; choose a larger strength or more steps.", pipeline
    ) { $0.start = Start(picture: picture, strength: 0.2) }
    expect("the mask is 32×64, but the picture 64×64; make both of one size.", pipeline) {
      $0.start = Start(picture: picture, mask: .zeros([1, 1, 64, 32]))
    }
    expect(
      "the picture to start from is [1, 1, 64, 64], but [1, 3, height, width] is needed.", pipeline
    ) { $0.start = Start(picture: .zeros([1, 1, 64, 64])) }
    let painter = try TextToImageTests.open("inpainting")
    expect(
      "this unet was trained to fill in pictures; it needs one to start from and a mask.", painter
    ) { _ in }
    expect(
      "this unet was trained to fill in pictures; it needs a mask beside the picture.", painter
    ) { $0.start = Start(picture: picture) }
    expect(
      "4 layers cannot be skipped of a text encoder with 3.", try TextToImageTests.open("xl")
    ) { $0.clipSkip = 3 }
  }

  @Test func memoryIsEstimatedFirst() throws {
    let pipeline = try TextToImageTests.open("sd1")
    let large = request { $0.size = Extent(65_536, 65_536) }
    let problem = try #require(pipeline.memoryProblem(large, available: 8_000_000_000))
    #expect(problem.hasPrefix("a picture of 65536×65536 needs about "))
    #expect(problem.hasSuffix(" GB to draw, and 8.0 GB are free; choose a smaller one"))
    #expect(pipeline.memoryProblem(request { _ in }, available: 8_000_000_000) == nil)
    #expect(pipeline.problem(with: large) != nil)
    // Stable Diffusion at 512×512: a few hundred megabytes for the U-Net, about one for the decoder.
    var unet = UNetConditionConfig()
    unet.crossAttentionDim = .one(768)
    var autoencoder = AutoencoderKLConfig()
    autoencoder.blockOutChannels = [128, 256, 512, 512]
    let need = DrawingMemory(unet, autoencoder, latents: Extent(64), rows: 2)
    #expect((100_000_000...1_000_000_000).contains(need.unet))
    #expect((500_000_000...2_000_000_000).contains(need.autoencoder))
  }

  @Test func aLongPromptIsCutAndReported() throws {
    let pipeline = try TextToImageTests.open("xl")
    let words = Array(repeating: "the red dog", count: 3334).joined(separator: " ")
    let made = try pipeline.generate(
      request { ($0.prompt, $0.negativePrompt) = (words, "snow") })
    #expect(made.notes.count == 1)
    #expect(
      made.notes[0].hasPrefix("the prompt is too long; its last 9984 tokens were left out: \""))
    #expect(made.notes[0].count < 200)
    #expect(try pipeline.generate(request { _ in }).notes.isEmpty)
  }
}

/// What is said about folders that cannot be opened.
@Suite struct TextToImageFolderTests {
  /// A copy of a folder that `body` may damage.
  private func withCopy<R>(of name: String, _ body: (String) throws -> R) throws -> R {
    try withScratchFolder { folder in
      let copy = "\(folder)/copy"
      try FileManager.default.copyItem(atPath: "\(TextToImageTests.group)/\(name)", toPath: copy)
      return try body(copy)
    }
  }

  private func error(_ folder: String) -> (any ExplainedError)? {
    do {
      _ = try TextToImagePipeline(folder: folder)
      return nil
    } catch {
      return error as? any ExplainedError
    }
  }

  private func change(_ path: String, _ body: (inout JSON) -> Void) throws {
    var json = try JSON(contentsOfFile: path)
    body(&json)
    try json.write(to: path)
  }

  @Test func foldersGoRound() throws {
    for name in ["sd2", "xl", "inpainting"] {
      try withScratchFolder { folder in
        let first = try TextToImageTests.open(name)
        try first.save(to: folder)
        #expect(TextToImagePipeline.isPipeline(folder))
        let second = try TextToImagePipeline(folder: folder)
        #expect(second.unet.config == first.unet.config && second.notes.isEmpty)
        var request = TextToImagePipeline.Request(prompt: "a red cat", seed: 3, steps: 2)
        if name == "inpainting" {
          request.start = .init(picture: .zeros([1, 3, 64, 64]), mask: .ones([1, 1, 64, 64]))
        }
        expectEqual(
          try second.generate(request).images, try first.generate(request).images, name)
      }
    }
  }

  @Test func indexesThatCannotBeUsedAreExplained() throws {
    try withCopy(of: "xl") { folder in
      let index = "\(folder)/model_index.json"
      func sentence(_ body: (inout JSON) -> Void) throws -> String? {
        let original = try Data(contentsOf: URL(filePath: index))
        defer { try? original.write(to: URL(filePath: index)) }
        try change(index, body)
        let error = error(folder)
        #expect(error?.path == index)
        return error?.sentence
      }
      #expect(
        try sentence { $0["_class_name"] = "FluxPipeline" }
          == "the pipeline's class is FluxPipeline; StableDiffusionPipeline, "
          + "StableDiffusionXLPipeline and their Img2Img and Inpaint forms can be used here.")
      #expect(
        try sentence { $0["text_encoder"] = [nil, nil] }
          == "this pipeline has no text_encoder; a StableDiffusionXLPipeline needs a CLIPTextModel "
          + "there.")
      #expect(
        try sentence { $0["vae"] = ["diffusers", "AutoencoderTiny"] }
          == "this pipeline's vae is a AutoencoderTiny, which cannot be used here; the nearest is "
          + "AutoencoderKL.")
      #expect(
        try sentence { $0["requires_aesthetics_score"] = true }?.contains("this is a refiner")
          == true)
      try change(index) { $0["image_encoder"] = ["transformers", "CLIPVisionModelWithProjection"] }
      #expect(
        try TextToImagePipeline(folder: folder).notes
          == ["image_encoder: it is not used; only text guides the pictures here"])
    }
  }

  @Test func picklesAreRefused() throws {
    try withCopy(of: "sd1") { folder in
      let unet = "\(folder)/unet/diffusion_pytorch_model"
      try FileManager.default.moveItem(atPath: "\(unet).safetensors", toPath: "\(unet).bin")
      let found = error(folder)
      #expect(found?.path == "\(unet).bin")
      #expect(found?.sentence == Weights.pickleRefusal)
      try FileManager.default.removeItem(atPath: "\(folder)/model_index.json")
      try Data().write(to: URL(filePath: "\(folder)/v1-5-pruned.ckpt"))
      #expect(error(folder)?.path == "\(folder)/v1-5-pruned.ckpt")
      #expect(error("\(folder)/v1-5-pruned.ckpt")?.sentence == Weights.pickleRefusal)
    }
  }

  @Test func partsThatDoNotFitAreExplained() throws {
    try withCopy(of: "sd1") { folder in
      for part in ["unet", "vae", "text_encoder", "tokenizer", "scheduler"] {
        try FileManager.default.moveItem(
          atPath: "\(folder)/\(part)", toPath: "\(folder)/elsewhere")
        #expect(error(folder)?.path?.contains("/\(part)/") == true, "\(part)")
        try FileManager.default.moveItem(
          atPath: "\(folder)/elsewhere", toPath: "\(folder)/\(part)")
      }
      // The U-Net of another model.
      try FileManager.default.removeItem(atPath: "\(folder)/unet")
      try FileManager.default.copyItem(
        atPath: "\(TextToImageTests.group)/xl/unet", toPath: "\(folder)/unet")
      #expect(
        error(folder)?.sentence
          == "the unet's cross_attention_dim is 36, but the prompt's states are 16 wide; take unet "
          + "and text encoder from the same place.")
    }
  }

  /// Every file cut off and overwritten in many places: a sentence or a pipeline, never a crash.
  @Test(arguments: ["sd1", "xl"])
  func damagedFilesAreExplained(_ name: String) throws {
    try withCopy(of: name) { folder in
      let paths = try #require(FileManager.default.enumerator(atPath: folder)).compactMap {
        ($0 as? String).map { URL(filePath: "\(folder)/\($0)") }
      }.filter { ["json", "txt", "safetensors"].contains($0.pathExtension) }
      #expect(paths.count >= 10)
      var refused = 0
      for path in paths {
        let original = try Data(contentsOf: path)
        defer { try? original.write(to: path) }
        var damaged = [0, 1, 9, original.count / 3, original.count - 1].map { original.prefix($0) }
        for place in stride(from: 0, to: original.count, by: original.count / 7 + 1) {
          var copy = original
          copy[place] ^= 0x13
          damaged.append(copy)
        }
        for data in damaged {
          try data.write(to: path)
          do {
            let pipeline = try TextToImagePipeline(folder: folder)
            _ = pipeline.problem(with: .init(prompt: "a cat", seed: 0))
          } catch {
            refused += 1
            #expect(error is any ExplainedError, "\(path.lastPathComponent): \(error)")
          }
        }
      }
      #expect(refused > paths.count)
    }
  }

  /// Other values under every key of the configurations: a sentence or a pipeline that draws.
  @Test(arguments: [
    "unet/config.json", "vae/config.json", "text_encoder/config.json",
    "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json", "model_index.json",
  ])
  func otherValuesAreExplained(_ file: String) throws {
    try withCopy(of: "sd1") { folder in
      let path = "\(folder)/\(file)"
      let given = try JSON(contentsOfFile: path)
      let values: [JSON] = [nil, 0, -1, 7, .int(.max), "x", []]
      for key in try #require(given.object).keys {
        for value in values {
          var json = given
          json[key] = value
          try json.write(to: path)
          do {
            let pipeline = try TextToImagePipeline(folder: folder)
            let made = try pipeline.generate(.init(prompt: "a cat", seed: 0, steps: 1, size: 16))
            #expect(made.images.shape == [1, 3, 16, 16])
          } catch {
            #expect(error is any ExplainedError, "\(key) \(value): \(error)")
          }
        }
      }
    }
  }
}
