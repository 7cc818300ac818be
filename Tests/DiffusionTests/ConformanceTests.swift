import Foundation
import Interchange
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// The published figures of diffusers' test suite: sum and mean of the final picture's magnitudes.
@Suite(.serialized) struct ConformanceTests {
  @Test(arguments: PublishedCase.all)
  func publishedFigures(_ published: PublishedCase) throws {
    let final = try published.run().abs()
    let (sum, mean) = (final.sum().item(), final.mean().item())
    let expectedSum = published.expectedAbsSum.map { "\($0)" } ?? "-"
    print(
      "| \(published.testDescription) | \(expectedSum) | \(sum) | \(published.expectedAbsMean) "
        + "| \(mean) |")
    if let expected = published.expectedAbsSum {
      #expect(abs(sum - expected) < published.toleranceSum)
    }
    #expect(abs(mean - published.expectedAbsMean) < published.toleranceMean)
  }
}

/// A row of Tests/Fixtures/conformance/schedulers.json, which says how it is run.
struct PublishedCase: Decodable, Sendable, CustomTestStringConvertible {
  enum Loop: String, Decodable, Sendable { case plain, sigma, edm, pndm }

  let scheduler: String
  let `case`: String
  let config: JSON
  let steps: Int
  let seed: UInt64?
  let addNoiseFrom: Int?
  let loop: Loop
  let expectedAbsSum: Double?
  let expectedAbsMean: Double
  let toleranceSum: Double
  let toleranceMean: Double

  var testDescription: String { "\(scheduler), \(`case`)" }

  static let all: [PublishedCase] = {
    let path = Fixture.folder.appending(path: "conformance/schedulers.json").path
    do {
      return try JSON(contentsOfFile: path)["cases"]?.decode() ?? []
    } catch {
      fatalError("\(error)")
    }
  }()

  /// The final picture.
  func run() throws -> Tensor {
    let schedulerClass = try #require(SchedulerClass(rawValue: scheduler))
    // TCD's γ stands among the configuration's keys.
    let sampler = try schedulerClass.sampler(
      schedulerClass.configuration(config), .steps(steps), eta: config["eta"]?.double)
    let places = Tensor((0..<768).map { Float($0) / 768 }, shape: [3, 8, 8, 4])
    var x = places.permuted([3, 0, 1, 2])
    let noise = (767.0 / 768 - places).permuted([3, 0, 1, 2])

    let first = (addNoiseFrom ?? 0) * sampler.callsPerStep
    if loop == .sigma || loop == .edm { x = x * sampler.initialScale }
    if addNoiseFrom != nil { x = sampler.noised(x, noise: noise, at: first) }
    var memory = SamplerMemory()
    let source = NoiseSource([Generator(seed: seed ?? 0)])
    for index in sampler.timesteps.indices.dropFirst(first) {
      let input = sampler.modelInput(x, at: index)
      let t = Float(sampler.timesteps[index])
      // Diffusers' tests of the sigma loop step from the scaled picture.
      x =
        sampler.step(
          input * Double(t / (t + 1)), at: index, from: loop == .sigma ? input : x,
          memory: &memory, noise: source
        ).sample
    }
    return x
  }
}
