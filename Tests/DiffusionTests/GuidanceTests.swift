import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Classifier-free guidance against its formula, and how often the network is asked.
@Suite struct GuidanceTests {
  /// A network whose answer depends on picture, timestep and condition, and that counts its calls.
  private final class Network {
    private(set) var batches: [Int] = []

    func callAsFunction(_ x: Tensor, _ t: Tensor, _ condition: Tensor) -> Tensor {
      batches.append(x.size(0))
      let shift = condition.to(.float32).reshaped([-1, 1, 1, 1])
      return (x * (shift + 1)).sin() + t.reshaped([-1, 1, 1, 1]) / 1000
    }
  }

  private let x = Tensor.randn([3, 2, 4, 4], using: Generator(seed: 1))
  private let classes = Tensor([0, 2, 1])
  private let nothing = Tensor([3, 3, 3])

  private func guided(_ guidance: Guidance, _ network: Network) -> GuidedNetwork {
    GuidedNetwork(
      guidance, condition: classes, negative: nothing, trainTimesteps: 1000
    ) { network($0, $1, $2) }
  }

  @Test(arguments: [0.0, 0.5, 2, 7.5])
  func isTheFormulaInOneForward(_ w: Double) {
    let network = Network()
    let output = guided(Guidance(scale: w), network)(x, 300)
    #expect(network.batches == [6])
    let t = Tensor.full([3], 300.0)
    let (conditional, unconditional) = (network(x, t, classes), network(x, t, nothing))
    expectClose(output, w * conditional + (1 - w) * unconditional, rtol: 1e-5, atol: 1e-5)
  }

  @Test func scaleOneAsksOnceAndForTheConditionAlone() {
    let network = Network()
    let output = guided(Guidance(scale: 1, rescale: 0.7), network)(x, 300)
    #expect(network.batches == [3])
    expectEqual(output, network(x, .full([3], 300.0), classes))
  }

  @Test func actsInItsIntervalAlone() {
    let network = Network()
    let steered = guided(Guidance(scale: 4, interval: 0.2...0.6), network)
    for t in [100.0, 200, 600, 601, 999] { _ = steered(x, t) }
    #expect(network.batches == [3, 6, 6, 3, 3])
  }

  /// Lin et al. 2024, eqs. 15 and 16, picture by picture.
  @Test func rescalingBringsTheDeviationBack() {
    let conditional = Tensor.randn([2, 3, 5, 5], using: Generator(seed: 2))
    let unconditional = Tensor.randn([2, 3, 5, 5], using: Generator(seed: 3))
    let whole = Guidance(scale: 6, rescale: 1)(
      conditional: conditional, unconditional: unconditional)
    let half = Guidance(scale: 6, rescale: 0.5)(
      conditional: conditional, unconditional: unconditional)
    let plain = Guidance(scale: 6)(conditional: conditional, unconditional: unconditional)
    for i in 0..<2 {
      let wanted = conditional[i].deviation().item()
      #expect(abs(whole[i].deviation().item() - wanted) < 1e-5)
      #expect(plain[i].deviation().item() > 3 * wanted)
    }
    expectClose(half, 0.5 * whole + 0.5 * plain)
  }

  @Test func aLearnedVarianceIsTheConditionsOwn() {
    let steered = GuidedNetwork(
      Guidance(scale: 3), condition: classes, negative: nothing, trainTimesteps: 1000
    ) { x, _, labels in
      let shift = labels.to(.float32).reshaped([-1, 1, 1, 1])
      return .concatenated([x + shift, x * 0 + shift], 1)
    }
    let output = steered(x, 10)
    let shift = classes.to(.float32).reshaped([-1, 1, 1, 1])
    expectClose(output.narrowed(1, 0, 2), x + 3 + 3 * (shift - 3), rtol: 1e-5, atol: 1e-5)
    expectEqual(output.narrowed(1, 2, 2), (x * 0 + shift))
  }
}
