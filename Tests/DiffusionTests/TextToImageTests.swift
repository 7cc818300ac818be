import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// A drawing by diffusers that `generators/text_to_image.py` lists.
struct DrawnCase: Sendable, CustomTestStringConvertible {
  let json: JSON
  var name: String { json["name"]?.string ?? "" }
  var folder: String { json["folder"]?.string ?? "" }
  var testDescription: String { name }

  static let group = Fixture.folder.appending(path: "text_to_image").path

  static let all: [DrawnCase] = {
    let list = try? JSON(contentsOfFile: "\(group)/cases.json").array
    return (list ?? []).map(DrawnCase.init)
  }()

  func request(_ drawn: Fixture) throws -> TextToImagePipeline.Request {
    var request = TextToImagePipeline.Request(
      prompt: json["prompt"]?.string ?? "", negativePrompt: json["negative"]?.string ?? "",
      count: json["count"]?.int ?? 1, seed: UInt64(json["seed"]?.int ?? 0),
      steps: json["steps"]?.int, sampler: json["sampler"]?.string.flatMap(SamplerName.init),
      eta: json["eta"]?.double,
      guidance: Guidance(
        scale: json["guidance"]?.double ?? 7.5, rescale: json["rescale"]?.double ?? 0),
      clipSkip: json["clip_skip"]?.int ?? 0)
    if json["spacing"]?.string == "karras" { request.spacing = .karras }
    if let height = json["height"]?.int, let width = json["width"]?.int {
      request.size = Extent(height, width)
    }
    if json["strength"] != nil {
      request.start = .init(
        picture: try drawn["picture"], strength: json["strength"]?.double ?? 0,
        mask: json["mask"] == nil ? nil : try drawn["mask"])
    }
    return request
  }
}

/// Text to image from folders that diffusers and transformers wrote, against what diffusers draws.
@Suite struct TextToImageTests {
  static let group = DrawnCase.group

  static func open(_ name: String) throws -> TextToImagePipeline {
    try TextToImagePipeline(folder: "\(group)/\(name)")
  }

  @Test(arguments: DrawnCase.all)
  func drawsWhatDiffusersDraws(_ drawn: DrawnCase) throws {
    let fixture = try Fixture("text_to_image/drawn")
    let pipeline = try Self.open(drawn.folder)
    let made = try pipeline.generate(try drawn.request(fixture))
    let latents = try fixture["\(drawn.name).latents"]
    expectNear(made.latents, latents, 1e-3, "latents")
    if fixture.contains("\(drawn.name).images") {
      let images = try fixture["\(drawn.name).images"].to(.float32)
      expectClose(made.images, images, rtol: 0, atol: 2e-3, "pictures")
    }
  }

  @Test func allKindsAreThere() throws {
    #expect(DrawnCase.all.count > 100)
    #expect(Set(DrawnCase.all.map(\.folder)) == ["sd1", "sd2", "xl", "inpainting", "lcm"])
    #expect(Set(DrawnCase.all.compactMap { $0.json["sampler"]?.string }).count >= 12)
  }
}

/// Expects that no element is off by more than `share` of the largest.
func expectNear(
  _ actual: Tensor, _ expected: Tensor, _ share: Double, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(
    actual, expected, rtol: 0, atol: share * expected.abs().max().item(), comment,
    sourceLocation: sourceLocation)
}
