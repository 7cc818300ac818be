import NeuralNets
import TestSupport
import Testing
import Torch

@Suite struct AverageTests {
  /// One weight, one buffer.
  private final class Network: Module {
    let weight: Parameter
    let count = Buffer(Tensor(0))

    init(_ weight: Tensor) { self.weight = Parameter(weight) }

    func set(_ tensor: Tensor) { withoutGradients { weight.value.copy(from: tensor) } }
  }

  private func tensors(_ average: ExponentialMovingAverage) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: average.state.map { ($0.key, $0.tensor.clone()) })
  }

  let fixture: Fixture

  init() throws { fixture = try Fixture("neural_nets/averages") }

  @Test(arguments: [("slow", 0.999), ("fast", 0.6)])
  func followsTheReferenceLoop(_ name: String, _ limit: Double) throws {
    let weights = try fixture["weights"]
    let (path, decays) = (try fixture[name], try fixture["\(name).decays"])
    let network = Network(weights[0].clone())
    let average = ExponentialMovingAverage(of: network, decay: limit)
    for update in 0..<12 {
      let decay = ExponentialMovingAverage.decay(atUpdate: update, limit: limit)
      #expect(abs(decay - decays[update].item()) < 1e-12)
      network.set(weights[update + 1])
      average.update()
      expectClose(try #require(tensors(average)["weight"]), path[update], "update \(update)")
      expectEqual(network.weight.value.detached(), weights[update + 1], "the network itself")
    }
    #expect(average.updates == 12)
  }

  @Test func lendsTheAveragesAndPutsTheWeightsBack() throws {
    struct Stop: Error {}
    let network = Network(.zeros([3]))
    let average = ExponentialMovingAverage(of: network, decay: 0.5)
    average.update()
    network.set(.ones([3]))
    average.update()  // decay min(0.5, 1 − 2^(−2/3)) = 0.37
    let trained = network.weight.value
    let lent = average.withAverages { network.weight.value.detached().clone() }
    expectClose(lent, .full([3], 0.629960524947437))
    #expect(network.weight.value.sharesMemory(with: trained))
    #expect(network.weight.value.requiresGradient)
    #expect(throws: Stop.self) { try average.withAverages { () throws(Stop) in throw Stop() } }
    expectEqual(network.weight.value.detached(), .ones([3]))
    expectClose(try #require(tensors(average)["weight"]), lent)
  }

  @Test func stateContinuesExactly() throws {
    let weights = try fixture["weights"]
    let (first, second) = (Network(weights[0].clone()), Network(weights[5].clone()))
    let whole = ExponentialMovingAverage(of: first, decay: 0.9)
    for place in 1..<6 {
      first.set(weights[place])
      whole.update()
    }
    first.count.value.fill(4)
    let resumed = ExponentialMovingAverage(of: second, decay: 0.9)
    try resumed.load(tensors(whole), updates: whole.updates)
    expectEqual(second.weight.value.detached(), weights[5], "the network keeps its own weights")
    #expect(second.weight.value.requiresGradient)
    for place in 6..<13 {
      for network in [first, second] { network.set(weights[place]) }
      whole.update()
      resumed.update()
    }
    #expect(resumed.updates == 12)
    for (key, tensor) in tensors(whole) {
      expectEqual(try #require(tensors(resumed)[key]), tensor, key)
    }
  }

  @Test func stateThatDoesNotFitChangesNothing() {
    let network = Network(.ones([3]))
    let average = ExponentialMovingAverage(of: network, decay: 0.9)
    let mismatch = #expect(throws: StateMismatch.self) {
      try average.load(["weight": .zeros([4])], updates: 7)
    }
    #expect(mismatch?.missing == ["count"])
    #expect(mismatch?.shapes.first?.found == [4])
    #expect(average.updates == 0)
    expectEqual(network.weight.value.detached(), .ones([3]))
  }
}
