import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Tokenizers
import Torch

@testable import Diffusion

/// Pictures from single files against pictures from the folders of the same models.
@Suite struct SingleFilePipelineTests {
  /// A folder with a model's single file and a tokenizer beside it.
  private func withFile(
    _ name: String, _ body: (_ folder: String, _ file: String, SingleFileModel) throws -> Void
  ) throws {
    let model = try SingleFileModel(name)
    try withScratchFolder { folder in
      let path = "\(folder)/\(name).safetensors"
      try model.write(to: path)
      try FileManager.default.createDirectory(
        atPath: "\(folder)/tokenizer", withIntermediateDirectories: true)
      try CLIPTokenizer.trained(
        on: ["a cat in the snow!", "the red dog and the red cat"], vocabularySize: 560,
        windowLength: 77
      ).save(to: "\(folder)/tokenizer")
      try body(folder, path, model)
    }
  }

  @Test(arguments: ["sd1", "sd2", "xl", "inpainting"])
  func theSamePictureAsTheFolder(_ name: String) throws {
    try withFile(name) { folder, path, model in
      let single = try TextToImagePipeline(path: path)
      // The networks are the folder's own, not those that were read from the file.
      let whole = TextToImagePipeline(
        single.kind, unet: model.unet, autoencoder: model.autoencoder,
        encoders: zip(single.encoders, model.texts).map {
          PromptEncoder(tokenizer: $0.tokenizer, model: $1)
        }, scheduler: single.scheduler)
      try FileManager.default.createDirectory(
        atPath: "\(folder)/model", withIntermediateDirectories: true)
      try whole.save(to: "\(folder)/model")
      let opened = try TextToImagePipeline(path: "\(folder)/model")
      #expect(opened.scheduler.schedulerClass == single.scheduler.schedulerClass)
      var request = TextToImagePipeline.Request(
        prompt: "the cat!", seed: 4, steps: 3, size: Extent(64))
      if name == "inpainting" {
        request.start = .init(
          picture: .rand([1, 3, 64, 64], using: Generator(seed: 1)), strength: 1,
          mask: .ones([1, 1, 64, 64]))
      }
      let (one, other) = (try single.generate(request), try opened.generate(request))
      // On AMD's processors MKL's sums go by where in memory a weight lies, which differs between files.
      expectClose(one.latents, other.latents, rtol: 1e-4, atol: 1e-4)
      expectClose(one.images, other.images, rtol: 0, atol: 1e-4)
      #expect(one.latents.abs().max().item() > 0.1)
    }
  }

  @Test func schedulersAreTheReleases() throws {
    let expected: [(String, SchedulerClass, Prediction)] = [
      ("sd1", .pndm, .epsilon), ("sd2", .ddim, .velocity), ("xl", .euler, .epsilon),
      ("inpainting", .pndm, .epsilon),
    ]
    for (name, schedulerClass, prediction) in expected {
      try withFile(name) { _, path, _ in
        let scheduler = try SchedulerFile(for: SingleFileCheckpoint(path: path))
        #expect(scheduler.schedulerClass == schedulerClass)
        #expect(scheduler.config.predictionType == prediction)
        #expect(scheduler.config.betaStart == 0.00085 && scheduler.config.betaEnd == 0.012)
        #expect(scheduler.config.stepsOffset == 1 && scheduler.config.betaSchedule == .scaledLinear)
        #expect(scheduler.unknownKeys.isEmpty)
      }
    }
  }

  /// Windows of OpenCLIP's encoders are filled up with "!", whatever the tokenizer's folder says.
  @Test func paddingIsTheEncoders() throws {
    for (name, isSign) in [("sd1", [false]), ("sd2", [true]), ("xl", [false, true])] {
      try withFile(name) { folder, path, _ in
        let pipeline = try TextToImagePipeline(file: path, tokenizer: "\(folder)/tokenizer")
        #expect(pipeline.encoders.map { $0.tokenizer.padID != $0.tokenizer.endID } == isSign)
      }
    }
  }

  @Test func whatIsMissingIsNamed() throws {
    try withFile("sd1") { folder, path, model in
      func sentence(_ path: String, tokenizer: String? = nil) throws -> String {
        let error = #expect(throws: SafetensorsError.self) {
          try TextToImagePipeline(path: path, tokenizer: tokenizer)
        }
        #expect(error?.path == path)
        return try #require(error).sentence
      }
      #expect(
        try sentence(path, tokenizer: "\(folder)/none").hasPrefix(
          "a single file holds no tokenizer, and \(folder)/none holds none; put the folder"))
      try FileManager.default.removeItem(atPath: "\(folder)/tokenizer")
      #expect(
        try sentence(path).hasPrefix(
          "a single file holds no tokenizer, and there is none beside it"))
      let alone = "\(folder)/alone.safetensors"
      let parts = try model.tensors.filter { $0.key.hasPrefix("model.diffusion_model.") }
      try Weights.write(parts.map { ($0.key, $0.value) }, to: alone)
      #expect(
        try sentence(alone)
          == "it holds no autoencoder and no text encoder; take a file of the whole model.")
      let pickle = "\(folder)/model.ckpt"
      try Data([0x50, 0x4b, 3, 4]).write(to: URL(filePath: pickle))
      #expect(try sentence(pickle) == Weights.pickleRefusal)
    }
  }
}
