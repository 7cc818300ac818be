import Interchange
import Models
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten steps of whole trainings against PyTorch: first weights, order of the data, noise, rates,
/// objective, optimizer and averages, through the trainers' own loops.
@Suite struct TenStepTests {
  @Test(arguments: ["ae_conv", "ae_mlp", "vae_mlp", "vae_conv", "vae_everything"])
  func equalsPyTorch(_ name: String) throws {
    let cases = try JSON(contentsOfFile: Fixture.folder.appending(path: "models/cases.json").path)
    let run = try #require(cases["runs"]?[name])
    let fixture = try Fixture("models/ten_steps_\(name)")
    let recipe = try AutoencoderRecipe(recorded: #require(run["recipe"]))
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = discs(
      count: try number("count"), channels: try number("channels"), size: try number("size"))
    let family = try #require(run["kind"]?.string.flatMap(Family.init(rawValue:)))
    let training = try AutoencoderTraining(
      #require(family.autoencoderKind), recipe: recipe, train: set, test: set,
      seed: UInt64(try number("seed")))
    let parameters = training.network.namedParameters
    #expect(
      parameters.map { "start/\($0.name)" }.sorted()
        == fixture.names.filter { $0.hasPrefix("start/") }.sorted())
    for (key, parameter) in parameters {
      let first = parameter.value.detached().flattened().sliced(0, 0..<8).clone()
      expectClose(first, try fixture["start/\(key)"], rtol: 1e-6, atol: 1e-7, "start of \(key)")
    }

    let recorder = Recorder()
    try withScratchFolder { folder in
      let session = TrainingSession(
        run: RunFolder(path: folder), budget: .steps(10), stepsPerEpoch: training.stepsPerEpoch,
        observers: [recorder], checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0)
      let trainer: any Trainer =
        family == .ae ? AutoencoderTrainer(training) : VAETrainer(training)
      try trainer.train(session)
    }
    let norms = recorder.reports.flatMap { $0.metrics.filter { $0.name == "gradient_norm" } }
    #expect(norms.count == (training.recipe.gradientClip > 0 ? 10 : 0))
    #expect(norms.allSatisfy { $0.value > 0 })
    let losses = recorder.reports.flatMap { report in
      report.metrics.filter { $0.name != "gradient_norm" }.map(\.value)
    }
    #expect(recorder.reports.map(\.step) == Array(1...10))
    let golden = try fixture["losses"]
    expectClose(Tensor(losses, shape: golden.shape), golden, rtol: 1e-5, atol: 1e-6, "losses")
    for (key, parameter) in parameters {
      let value = parameter.value.detached()
      expectClose(strided(value), try fixture["final/\(key)"], rtol: 0, atol: 1e-5, key)
      let whole = value.to(.float64)
      // What the strided elements leave out: a mean and a root mean square off by 1e-6.
      let count = Double(value.count)
      let sums = try fixture["sums/\(key)"]
      #expect(abs(whole.sum().item() - sums[0].item()) <= 1e-6 * count, "the sum of \(key)")
      let norm = whole.norm().item()
      #expect(abs(norm - sums[1].item()) <= 1e-6 * count.squareRoot(), "the norm of \(key)")
    }
    for (key, average) in training.learning.average.state {
      let golden = try fixture["average/\(key)"]
      let some = strided(average).sliced(0, 0..<256).clone()
      expectClose(some, golden, rtol: 0, atol: 1e-5, "the average of \(key)")
    }
  }

}

/// At most about 4,096 elements, evenly spread: `some` in generators/_autoencoder_training.py.
func strided(_ tensor: Tensor) -> Tensor {
  let step = max(1, tensor.count / 4096) | 1
  return tensor.flattened().sliced(0, 0..<tensor.count, step: step).clone()
}
