import NeuralNets
import TestSupport
import Testing
import Torch

@Suite struct DropoutTests {
  /// The same elements survive as in `torch.nn.functional.dropout` from the same seed. On x86-64
  /// alone: there libtorch draws these bits with MKL, elsewhere with its own generator.
  #if arch(x86_64)
    @Test(arguments: [(0.1, 50), (0.5, 51), (0.75, 52)] as [(Double, UInt64)])
    func dropsWhatPyTorchDrops(_ probability: Double, _ seed: UInt64) throws {
      let fixture = try Fixture("neural_nets/dropout")
      let layer = Dropout(probability, using: Generator(seed: seed))
      let x = try fixture["dropout.\(probability)/x0"]
      expectClose(layer(x), try fixture["dropout.\(probability)/out"])
      expectClose(layer(x), try fixture["dropout.\(probability)/next"], "the second call")
    }
  #endif

  @Test(arguments: [0.1, 0.5, 0.75])
  func keepsTheExpectation(_ probability: Double) {
    let layer = Dropout(probability, using: Generator(seed: 4))
    let y = layer(.ones([200, 500])).elements(as: Float.self)
    let scale = Float(1 / (1 - probability))
    let kept = y.count { abs($0 - scale) < 1e-6 * scale }
    #expect(kept + y.count { $0 == 0 } == y.count)
    // Four standard deviations of a share over 100,000 draws.
    let tolerance = 4 * (probability * (1 - probability) / 1e5).squareRoot()
    #expect(abs(Double(kept) / 1e5 - (1 - probability)) < tolerance)
  }

  @Test func gradientsTakeTheSameWay() throws {
    let x = Tensor.ones([50])
    x.requiresGradient = true
    let y = Dropout(0.4, using: Generator(seed: 5))(x)
    y.sum().backward()
    expectEqual(try #require(x.gradient), y.detached())
    #expect(y.elements(as: Float.self).contains(0))
  }

  @Test func theSeedDecides() {
    func drawn(_ seed: UInt64) -> [Float] {
      Dropout(0.5, using: Generator(seed: seed))(.ones([64])).elements()
    }
    #expect(drawn(1) == drawn(1))
    #expect(drawn(1) != drawn(2))
  }

  @Test func doesNothingInUse() {
    let generator = Generator(seed: 6)
    let layer = Dropout(0.5, using: generator)
    layer.setTraining(false)
    let x = Tensor.randn([9], using: Generator(seed: 7))
    let before = generator.state
    expectEqual(layer(x), x)
    expectEqual(Dropout(0, using: generator)(x), x)
    expectEqual(generator.state, before, "nothing was drawn")
  }
}
