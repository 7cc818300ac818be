import NeuralNets
import TestSupport
import Testing
import Torch

/// First weights: the draws of `torch.nn.init` and of PyTorch's layers from the same seeds.
@Suite struct InitializerTests {
  /// In the order of generators/_neural_layers.py, which counts the seeds up from 200.
  static let initializers: [(name: String, initializer: Initializer)] = [
    ("zeros", .zeros), ("ones", .ones), ("uniform", .uniform(-0.3, 2)),
    ("normal", .normal(mean: 0.5, deviation: 3)), ("truncated_normal", .truncatedNormal()),
    ("truncated_normal.narrow", .truncatedNormal(mean: 0.5, deviation: 2, low: -1, high: 1.5)),
    ("truncated_normal.tail", .truncatedNormal(low: 1, high: 2)),
    ("xavier_uniform", .xavierUniform()), ("xavier_normal", .xavierNormal(gain: 2)),
    ("kaiming_uniform", .kaimingUniform()), ("kaiming_normal", .kaimingNormal(slope: 0.2)),
    ("orthogonal", .orthogonal(gain: 1.5)),
  ]

  /// In the generator's order too, from seed 300.
  static let layers: [(name: String, make: @Sendable (Generator) -> Module)] = [
    ("linear", { Linear(7, 5, using: $0) }),
    ("linear.no_bias", { Linear(7, 5, bias: false, using: $0) }),
    ("embedding", { Embedding(9, 4, using: $0) }),
    ("conv", { Conv2d(4, 6, kernel: Extent(3, 2), groups: 2, using: $0) }),
    ("transpose", { ConvTranspose2d(4, 6, kernel: Extent(3, 2), groups: 2, using: $0) }),
  ]

  let fixture: Fixture

  init() throws { fixture = try Fixture("neural_nets/starts") }

  @Test(arguments: initializers.indices, [[6, 5], [3, 4, 2, 3]])
  func drawsWhatPyTorchDraws(_ place: Int, _ shape: [Int]) throws {
    let (name, initializer) = Self.initializers[place]
    let drawn = initializer.tensor(shape, using: Generator(seed: 200 + UInt64(place)))
    expectClose(drawn, try fixture["\(name).\(shape.count)"], rtol: 1e-6, atol: 1e-6, name)
  }

  @Test(arguments: layers.indices)
  func layersStartAsPyTorch(_ place: Int) throws {
    let (name, make) = Self.layers[place]
    let state = make(Generator(seed: 300 + UInt64(place))).state
    let prefix = "layer.\(name)/"
    let golden = fixture.names.filter { $0.hasPrefix(prefix) }
    #expect(state.map { prefix + $0.key }.sorted() == golden.sorted())
    for (key, tensor) in state {
      expectClose(tensor, try fixture[prefix + key], rtol: 1e-6, atol: 1e-7, "\(name) \(key)")
    }
  }

  @Test func everyGoldenTensorIsTested() {
    let names =
      Self.initializers.flatMap { ["\($0.name).2", "\($0.name).4"] }
      + Self.layers.flatMap { layer in
        layer.make(Generator(seed: 0)).state.map { "layer.\(layer.name)/\($0.key)" }
      }
    #expect(names.sorted() == fixture.names.sorted())
  }

  @Test func normsStartPlain() {
    for layer in [GroupNorm(groups: 1, channels: 3), LayerNorm(3), BatchNorm2d(3)] as [Module] {
      let state = Dictionary(uniqueKeysWithValues: layer.state.map { ($0.key, $0.tensor) })
      #expect(state["weight"]?.elements(as: Float.self) == [1, 1, 1])
      #expect(state["bias"]?.elements(as: Float.self) == [0, 0, 0])
      #expect(state["running_var"]?.elements(as: Float.self) ?? [1, 1, 1] == [1, 1, 1])
      #expect(state["running_mean"]?.elements(as: Float.self) ?? [0, 0, 0] == [0, 0, 0])
    }
  }

  @Test func drawsLeaveNoGraph() {
    let tensor = Tensor.empty([4, 4])
    tensor.requiresGradient = true
    for (_, initializer) in Self.initializers {
      initializer.fill(tensor, using: Generator(seed: 1))
      #expect(tensor.isLeaf)
    }
  }
}
