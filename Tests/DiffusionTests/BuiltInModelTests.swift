import Foundation
import Interchange
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The model that comes with the tool, against what diffusers draws with its folder.
@Suite struct BuiltInModelTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Models/emoji").path

  @Test(arguments: [false, true]) func drawsWhatDiffusersDraws(isPacked: Bool) throws {
    let pipeline = try TextToImagePipeline(path: Self.folder)
    if isPacked { pipeline.packForInference(freeingWeights: true) }
    let golden = try Fixture("built_in/drawn")
    let path = Fixture.folder.appending(path: "built_in/cases.json").path
    let cases = try #require(JSON(contentsOfFile: path).array)
    #expect(!cases.isEmpty)
    for (index, sample) in cases.enumerated() {
      let drawn = try pipeline.generate(
        TextToImagePipeline.Request(
          prompt: try #require(sample["prompt"]?.string),
          negativePrompt: try #require(sample["negative"]?.string),
          seed: UInt64(try #require(sample["seed"]?.int)), steps: sample["steps"]?.int,
          guidance: Guidance(scale: try #require(sample["guidance"]?.double))))
      let latents = try golden["latents.\(index)"]
      expectClose(
        drawn.latents, latents, rtol: 0, atol: 1e-3 * latents.abs().max().item(), "latents")
      expectClose(drawn.images, try golden["images.\(index)"], rtol: 0, atol: 2e-3, "images")
    }
  }

  /// Its weights in bfloat16 draw the same thing.
  @Test func halfPrecision() throws {
    let pipeline = try TextToImagePipeline(path: Self.folder)
    pipeline.move(to: .cpu, dtype: .bfloat16)
    pipeline.packForInference(freeingWeights: true)
    let golden = try Fixture("built_in/drawn")["images.0"]
    let drawn = try pipeline.generate(
      TextToImagePipeline.Request(
        prompt: "a cat face with heart eyes", seed: 0, guidance: Guidance(scale: 2))
    ).images
    #expect(drawn.dtype == .float32)
    #expect((drawn - golden).square().mean().item().squareRoot() < 0.05)
  }

  /// A preview explains most of the colours of what was drawn.
  @Test func previewsAreNearThePictures() throws {
    let pipeline = try TextToImagePipeline(path: Self.folder)
    let golden = try Fixture("built_in/drawn")
    for index in 0..<3 {
      let preview = pipeline.preview(of: try golden["latents.\(index)"])
      let colours = try golden["images.\(index)"].adaptiveAvgPool2d(16)
      let off = (preview - colours).square().mean().item()
      let spread = (colours - colours.mean([0, 2, 3], keepingDims: true)).square().mean().item()
      #expect(off < 0.5 * spread, "\(off) of \(spread)")
    }
  }
}
