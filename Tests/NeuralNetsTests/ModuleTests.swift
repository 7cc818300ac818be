import NeuralNets
import TestSupport
import Testing
import Torch

/// A network with every way to hold a part.
private final class Network: Module {
  let convOut2: Conv2d
  let downBlocks: [[Linear]]
  let missing: Linear?
  let present: Linear?
  let norm = BatchNorm2d(2)
  let tail: Sequential
  let anything: any Layer
  let renamed: Parameter
  let shape = [3, 4]  // no part
  private let logScale: Parameter

  override var keys: [String: String] { ["renamed": "other.name"] }

  init(using generator: Generator?) {
    convOut2 = Conv2d(1, 2, kernel: 1, using: generator)
    downBlocks = [[Linear(1, 1, using: generator)], [], [Linear(1, 2, using: generator)]]
    missing = nil
    present = Linear(2, 1, bias: false, using: generator)
    tail = Sequential(Dropout(0.5, using: Generator(seed: 0)), LayerNorm(2))
    anything = Embedding(2, 2, using: generator)
    renamed = Parameter(.zeros([2]))
    logScale = Parameter(Tensor(0))
  }

  static let expectedParameters = [
    "conv_out2.weight", "conv_out2.bias", "down_blocks.0.0.weight", "down_blocks.0.0.bias",
    "down_blocks.2.0.weight", "down_blocks.2.0.bias", "present.weight", "norm.weight",
    "norm.bias", "tail.1.weight", "tail.1.bias", "anything.weight", "other.name", "log_scale",
  ]
  static let expectedBuffers = [
    "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
  ]
}

@Suite struct ModuleTests {
  private let network = Network(using: Generator(seed: 1))

  private func copies() -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: network.state.map { ($0.key, $0.tensor.clone()) })
  }

  @Test func keysAreThePropertiesPaths() {
    #expect(network.namedParameters.map(\.name) == Network.expectedParameters)
    #expect(network.namedBuffers.map(\.name) == Network.expectedBuffers)
    #expect(network.state.map(\.key) == Network.expectedParameters + Network.expectedBuffers)
  }

  @Test func countsItsNumbers() {
    #expect(network.parameterCount == 2 + 2 + 1 + 1 + 2 + 2 + 2 + 2 + 2 + 2 + 2 + 4 + 2 + 1)
  }

  @Test func theModeReachesEveryPart() {
    func modes() -> [Bool] {
      [network.isTraining, network.norm.isTraining, network.tail.layers[0].isTraining]
        + network.downBlocks.joined().map(\.isTraining)
    }
    #expect(modes() == [true, true, true, true, true])
    network.setTraining(false)
    #expect(modes() == [false, false, false, false, false])
    network.setTraining(true)
    #expect(modes() == [true, true, true, true, true])
  }

  @Test func stateIsTheNetworksOwnMemory() throws {
    let weight = try #require(network.state.first).tensor
    weight.fill(7)
    #expect(!weight.requiresGradient)
    #expect(network.convOut2.weight.value.elements(as: Float.self) == [7, 7])
  }

  @Test func loadsWhatAnotherNetworkGave() throws {
    let other = Network(using: nil)
    try other.load(copies())
    for (a, b) in zip(network.state, other.state) {
      expectEqual(b.tensor, a.tensor, a.key)
      #expect(!b.tensor.sharesMemory(with: a.tensor))
    }
    #expect(other.parameters.allSatisfy { $0.value.isLeaf && $0.value.requiresGradient })
  }

  @Test func loadingConvertsTypes() throws {
    try network.load(copies().mapValues { ($0 + 0.5).to(.float64) })
    #expect(network.renamed.value.dtype == .float32)
    #expect(network.renamed.value.elements(as: Float.self) == [0.5, 0.5])
  }

  @Test func everythingThatDoesNotFitIsToldAtOnceAndNothingChanges() throws {
    let before = copies()
    var wrong = before.mapValues { $0 + 1 }
    wrong["other.name"] = nil
    wrong["norm.running_var"] = nil
    wrong["renamed"] = .zeros([2])
    wrong["extra.weight"] = .zeros([1])
    wrong["present.weight"] = .zeros([2, 1])
    wrong["log_scale"] = .zeros([1])
    let mismatch = try #require(
      #expect(throws: StateMismatch.self) { try network.load(wrong) })
    #expect(mismatch.missing == ["other.name", "norm.running_var"])
    #expect(mismatch.unused == ["extra.weight", "renamed"])
    #expect(mismatch.shapes.map(\.key) == ["present.weight", "log_scale"])
    #expect(mismatch.shapes.map(\.expected) == [[1, 2], []])
    #expect(mismatch.shapes.map(\.found) == [[2, 1], [1]])
    #expect(
      mismatch.description == """
        2 of the network's weights are missing in the file: other.name, norm.running_var; \
        2 weights of the file have no place in the network: extra.weight, renamed; \
        2 weights have another shape: present.weight is [2, 1], the network's is [1, 2], \
        log_scale is [1], the network's is []
        """)
    for (key, tensor) in network.state {
      expectEqual(tensor, try #require(before[key]), key)
    }
  }

  @Test func aLongListIsCut() {
    let mismatch = #expect(throws: StateMismatch.self) { try network.load([:]) }
    #expect(
      mismatch?.description == """
        17 of the network's weights are missing in the file: conv_out2.weight, conv_out2.bias, \
        down_blocks.0.0.weight, down_blocks.0.0.bias, down_blocks.2.0.weight, \
        down_blocks.2.0.bias and 11 more
        """)
  }

  @Test func movesFractionsToAnotherType() {
    network.renamed.value.requiresGradient = false
    network.move(to: .cpu, dtype: .float64)
    #expect(network.parameters.allSatisfy { $0.value.dtype == .float64 && $0.value.isLeaf })
    #expect(network.norm.runningMean.value.dtype == .float64)
    #expect(network.norm.numBatchesTracked.value.dtype == .int64)
    #expect(!network.renamed.value.requiresGradient)
    #expect(network.convOut2.weight.value.requiresGradient)
  }

  @Test func clearsGradients() {
    network.convOut2(.ones([1, 1, 2, 2])).sum().backward()
    #expect(network.convOut2.bias?.value.gradient?.elements(as: Float.self) == [4, 4])
    network.clearGradients()
    #expect(network.parameters.allSatisfy { $0.value.gradient == nil })
  }

  /// A network, its steps, its averages and a refused load leave no tensor behind.
  /// A weight comes when it is asked for, once, in the type that the network has by then.
  @Test func weightsComeWhenTheyAreAskedFor() throws {
    let linear = Linear(3, 2, using: nil)
    var made = 0
    linear.weight.postpone(as: .float16) {
      made += 1
      return Tensor.full([2, 3], 1.25)
    }
    #expect(linear.weight.shape == [2, 3] && linear.weight.count == 6)
    #expect(linear.weight.dtype == .float16)
    linear.move(to: .cpu, dtype: .bfloat16)
    #expect(linear.parameterCount == 8 && made == 0)
    expectEqual(linear.weight.value.detached(), Tensor.full([2, 3], 1.25, dtype: .bfloat16))
    #expect(linear.weight.value.requiresGradient && linear.weight.value.isLeaf)
    linear.move(dtype: .float32)
    expectEqual(linear.weight.value.detached(), .full([2, 3], 1.25))
    #expect(made == 1 && linear.weight.value.requiresGradient)
  }

  @Test func adoptedTensorsAreTheWeights() throws {
    let (network, given) = (Network(using: nil), copies())
    let packed = network.state.map(\.key)
    try network.adopt(given)
    #expect(network.state.map(\.key) == packed)
    for (key, tensor) in network.state { expectEqual(tensor, try #require(given[key]), key) }
    for (name, parameter) in network.namedParameters {
      #expect(parameter.value.sharesMemory(with: try #require(given[name])))
    }
    #expect(throws: StateMismatch.self) { try network.adopt(["other": Tensor(1)]) }
  }

  @Test func everyHandleIsGivenBack() async {
    await #expect(processExitsWith: .success) {
      expectNoLeaks {
        let network = Sequential(
          Conv2d(2, 4, kernel: 3, padding: 1, using: Generator(seed: 1)), BatchNorm2d(4),
          Activation(.silu), Dropout(0.2, using: Generator(seed: 2)),
          Upsample2D(4, 2, using: Generator(seed: 3)))
        let average = ExponentialMovingAverage(of: network, decay: 0.9)
        for rule in Rule.all {
          let optimizer = rule.make(network.parameters)
          for _ in 0..<3 {
            optimizer.clearGradients()
            network(.randn([2, 2, 4, 4], using: Generator(seed: 4))).square().sum().backward()
            let norm = gradientNorm(network.parameters).item()
            optimizer.step(along: clippingFactor(norm: norm, limit: 1), moving: average)
          }
        }
        average.withAverages { network.setTraining(false) }
        #expect(throws: StateMismatch.self) { try network.load(["0.weight": Tensor(1)]) }
      }
    }
  }
}
