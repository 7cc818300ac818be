import Models
import NeuralNets
import TestSupport
import Testing
import Torch

/// Ten training steps from the same weights, batches and noise as PyTorch
/// (Tests/Fixtures/generators/training_parity.py): every loss, every final parameter.
@Suite struct TrainingParityTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let config: AutoencoderConfig
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "ae", config: config(.deterministic, .mlp)),
    Case(name: "vae_mlp", config: config(.variational, .mlp)),
    Case(name: "vae_conv", config: config(.variational, .conv)),
  ]

  private static func config(
    _ kind: AutoencoderConfig.Kind, _ architecture: AutoencoderConfig.Architecture
  ) -> AutoencoderConfig {
    let isConv = architecture == .conv
    return AutoencoderConfig(
      kind: kind, architecture: architecture, imageSize: 28, channels: 1,
      latentDim: isConv ? 32 : 20, hiddenDims: [isConv ? 256 : 400], blockOutChannels: [32, 64],
      layersPerBlock: 0, activation: isConv ? .silu : .relu, likelihood: .bernoulli)
  }

  @Test(arguments: cases) func tenStepsAsInPyTorch(_ run: Case) throws {
    let golden = try Fixture("training_parity/\(run.name)")
    let network = Autoencoder(run.config, using: Generator(seed: 0))
    let optimizer = Adam(network.parameters, learningRate: 1e-3)
    let (batches, noise) = (Generator(seed: 1), Generator(seed: 2))
    var losses: [Float] = []
    for _ in 0..<10 {
      let x = Tensor.rand([16, 1, 28, 28], using: batches)
      let loss =
        run.config.kind == .variational
        ? network.evidenceLowerBound(x, using: noise).objective(beta: 1)
        : network.meanReconstructionLoss(x, output: network.decodeOutput(network.encode(x)))
      optimizer.clearGradients()
      loss.backward()
      optimizer.step()
      losses.append(Float(loss.item()))
    }
    expectClose(Tensor(losses), try golden["losses"], rtol: 1e-5, atol: 0)
    var compared = 0
    for (name, parameter) in network.namedParameters {
      let flat = parameter.value.detached().flattened()
      let some = flat.sliced(0, 0..<flat.count, step: max(1, flat.count / 1000))
      expectClose(some, try golden["\(name).some"], rtol: 0, atol: 1e-5, "\(name)")
      let wide = flat.to(.float64)
      // A sum of n deviations within 1e-5 each.
      #expect(abs(wide.sum().item() - (try golden["\(name).sum"]).item()) <= 1e-5 * Double(flat.count))
      expectClose(wide.norm(), try golden["\(name).norm"], rtol: 1e-5, atol: 0, "\(name)")
      compared += 3
    }
    #expect(compared + 1 == golden.names.count)
  }

  @Test func klOfTwoGaussiansFromTheStandardOne() {
    func kl(_ mean: Float, variance: Double) -> Double {
      DiagonalGaussian(
        mean: Tensor([mean], shape: [1, 1]), logVariance: Tensor(variance).log().reshaped([1, 1])
      ).kl.item()
    }
    #expect(abs(kl(10, variance: 0.01) - 51.81) < 0.005)
    #expect(abs(kl(1.5, variance: 0.3) - 1.377) < 0.0005)
  }
}
