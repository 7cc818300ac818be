import Foundation
import Models
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// What a person relies on while drawing: batches, own noise, progress, stopping, previews.
@Suite struct TextToImageUseTests {
  typealias Request = TextToImagePipeline.Request

  private let request = Request(prompt: "a red cat", count: 1, seed: 5, steps: 4, size: Extent(32))

  @Test func aPictureDoesNotDependOnItsBatch() throws {
    let pipeline = try TextToImageTests.open("sd1")
    var three = request
    three.count = 3
    // With noise on the way, and with noise of the encoder.
    three.sampler = .eulerAncestral
    for start in [nil, TextToImagePipeline.Start(picture: .ones([1, 3, 32, 32]))] {
      three.start = start
      var last = three
      (last.count, last.seed) = (1, three.seed + 2)
      let (all, one) = (try pipeline.generate(three), try pipeline.generate(last))
      #expect(all.images.shape == [3, 3, 32, 32] && all.latents.shape == [3, 4, 4, 4])
      expectNear(all.latents[2..<3], one.latents, 1e-4)
    }
  }

  @Test func givenNoiseStandsForDrawnNoise() throws {
    let pipeline = try TextToImageTests.open("xl")
    var given = request
    given.latents = .randn([1, 4, 4, 4], using: Generator(seed: 5))
    given.seed = 77
    expectEqual(try pipeline.generate(given).latents, try pipeline.generate(request).latents)
  }

  @Test func progressIsToldAndStops() throws {
    struct Stopped: Error {}
    let pipeline = try TextToImageTests.open("sd2")
    var shares: [Double] = []
    var two = request
    two.count = 2
    _ = try pipeline.generate(two) { step, share in
      #expect(step.sample.shape == [2, 4, 4, 4] && step.total == 4)
      shares.append(share)
    }
    #expect(shares == [0.25, 0.5, 0.75, 1])
    shares = []
    #expect(throws: Stopped.self) {
      try pipeline.generate(two) { _, share in
        shares.append(share)
        if share >= 0.5 { throw Stopped() }
      }
    }
    #expect(shares == [0.25, 0.5])
  }

  @Test func weightsChangeThePictureAndWeightsOfOneDoNot() throws {
    let pipeline = try TextToImageTests.open("sd1")
    func latents(_ prompt: String) throws -> Tensor {
      var request = request
      request.prompt = prompt
      return try pipeline.generate(request).latents
    }
    let plain = try latents("a red cat")
    expectEqual(try latents("a (red:1.0) cat"), plain)
    #expect((try latents("a (red:1.5) cat") - plain).abs().max().item() > 1e-3)
    expectEqual(try latents("a (red) cat"), try latents("a (red:1.1) cat"))
  }

  @Test func packedWeightsDrawTheSame() throws {
    let pipeline = try TextToImageTests.open("sd1")
    let plain = try pipeline.generate(request)
    pipeline.packForInference(freeingWeights: true)
    for _ in 0..<2 {
      expectClose(try pipeline.generate(request).images, plain.images, rtol: 0, atol: 1e-4)
    }
  }

  /// Colours that are linear in the channels are found again, at any size.
  @Test func previewsFitLinearColours() {
    let generator = Generator(seed: 1)
    let (slopes, middle) = (
      Tensor.randn([3, 4, 1, 1], using: generator),
      Tensor([0.2, 0.5, -0.1] as [Float], shape: [1, 3, 1, 1])
    )
    func colours(_ latents: Tensor) -> Tensor { latents.conv2d(weight: slopes) + middle }
    let latents = Tensor.randn([2, 4, 8, 8], using: generator)
    let fitted = LatentColours(fitting: latents, to: colours(latents).interpolated(to: 32))
    let others = Tensor.randn([3, 4, 5, 7], using: generator)
    expectClose(fitted(others), colours(others), rtol: 1e-4, atol: 1e-4)
  }

  @Test(arguments: ["sd1", "xl"])
  func aPreviewIsAPicture(_ name: String) throws {
    let pipeline = try TextToImageTests.open(name)
    let preview = pipeline.preview(of: 9 * Tensor.randn([2, 4, 5, 3], using: Generator(seed: 1)))
    #expect(preview.shape == [2, 3, 5, 3])
    #expect(preview.min().item() >= 0 && preview.max().item() <= 1)
    #expect(preview.deviation().item() > 0)
  }
}
