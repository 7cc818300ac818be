import Foundation
import Interchange
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// One sampling that diffusers has done, by Tests/Fixtures/generators/_sampling.py.
struct SamplingCase: Decodable, Sendable, CustomTestStringConvertible {
  let scheduler: String
  let `case`: String
  let config: JSON
  let steps: Int
  let seed: UInt64?
  let eta: Double?
  let channels: Int
  let first: Int
  let timesteps: [Int]?
  let sigmas: [Double]?
  let mu: Double?

  var testDescription: String { name }
  var name: String { "\(scheduler)/\(`case`)" }

  /// All cases of a group of golden files.
  static func all(in group: String) -> [SamplingCase] {
    let path = Fixture.folder.appending(path: "\(group)/cases.json").path
    do {
      return try JSON(contentsOfFile: path).decode()
    } catch {
      fatalError("\(error)")
    }
  }

  var levels: SamplingLevels {
    timesteps.map(SamplingLevels.timesteps) ?? sigmas.map(SamplingLevels.sigmas) ?? .steps(steps)
  }

  /// Runs the sampling and compares every step of it. `told` is how far a timestep may be off, a
  /// whole one being 1.
  func check(
    against fixture: Fixture, rtol: Double = 1e-4, atol: Double = 2e-5,
    told tolerance: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let schedulerClass = try #require(SchedulerClass(rawValue: scheduler))
    let sampler = try schedulerClass.sampler(
      schedulerClass.configuration(config), levels, eta: eta, mu: mu)
    let told = Array(sampler.timesteps.dropFirst(first))
    expectClose(
      Tensor(told), try fixture["\(name)/timesteps"], rtol: 1e-6, atol: tolerance, "timesteps",
      sourceLocation: sourceLocation)
    let pictures = try fixture["\(name)/pictures"]
    let shape = Array(pictures.shape.dropFirst())
    let count = shape.reduce(1, *)
    var x = Tensor((0..<count).map { Float(($0 * 37) % 97 - 48) / 32 }, shape: shape)
    x = first > 0 ? sampler.noised(x, noise: x.flipped([0]), at: first) : x * sampler.initialScale
    var memory = SamplerMemory()
    let noise = NoiseSource([Generator(seed: seed ?? 0)])
    try #require(told.count == pictures.size(0), sourceLocation: sourceLocation)
    for index in told.indices {
      let input = sampler.modelInput(x, at: first + index)
      let t = Float(told[index])
      var output = input * Double(t) / Double(t + 1)
      if channels == 2 { output = Tensor.concatenated([output, output.tanh()], 1) }
      x = sampler.step(output, at: first + index, from: x, memory: &memory, noise: noise).sample
      let scale = max(1, pictures[index].abs().max().item())
      expectClose(
        x, pictures[index], rtol: rtol, atol: atol * scale, "step \(index)",
        sourceLocation: sourceLocation)
    }
  }
}
