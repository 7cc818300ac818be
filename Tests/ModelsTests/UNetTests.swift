import Foundation
import TestSupport
import Testing
import Torch

@testable import Models

/// The U-Net against diffusers' `UNet2DModel`, from folders that diffusers wrote.
@Suite struct UNetTests {
  static let networks = [
    "plain", "attention", "resnet_resampling", "resnet_blocks", "scale_shift", "scale_shift_norm",
    "fourier", "learned_time", "frequencies", "class_table", "class_number", "class_vector",
    "one_head", "no_mid", "three_levels",
  ]
  /// Those whose gradients are golden too.
  static let graded = ["attention", "scale_shift_norm"]

  static func folder(_ name: String) -> String {
    Fixture.folder.appending(path: "unet/\(name)").path
  }

  /// A network of diffusers' with its input; every key and shape has to fit.
  private func golden(_ name: String) throws -> (
    network: UNet2D, fixture: Fixture, x: Tensor, labels: Tensor?
  ) {
    let fixture = try Fixture("unet/\(name)")
    let labels = fixture.contains("labels") ? try fixture["labels"] : nil
    return (try UNet2D(folder: Self.folder(name)), fixture, try fixture["x"], labels)
  }

  @Test(arguments: networks)
  func outputsEqualDiffusers(_ name: String) throws {
    let (network, fixture, x, labels) = try golden(name)
    network.setTraining(false)
    try withoutGradients {
      let out = network(x, timesteps: try fixture["timesteps"], classLabels: labels)
      expectClose(out, try fixture["out"], rtol: 0, atol: 2e-5)
      guard fixture.contains("out.first") else { return }
      let first = network(x, timesteps: Tensor(3, dtype: .int64), classLabels: labels)
      expectClose(first, try fixture["out.first"], rtol: 0, atol: 2e-5)
    }
  }

  /// In bfloat16, as networks draw: the same within its rounding, whatever tells the time.
  @Test(arguments: networks)
  func halfPrecisionIsNear(_ name: String) throws {
    let (network, fixture, x, labels) = try golden(name)
    network.setTraining(false)
    network.move(dtype: .bfloat16)
    try withoutGradients {
      let out = network(
        x.to(network.dtype), timesteps: try fixture["timesteps"],
        classLabels: labels.map { $0.dtype.isFloatingPoint ? $0.to(network.dtype) : $0 })
      let its = try fixture["out"]
      #expect(out.dtype == .float32)
      let error: Double = (out - its).square().mean().item()
      let power: Double = its.square().mean().item()
      #expect((error / power).squareRoot() < 0.03, "\(name)")
    }
  }

  @Test(arguments: graded)
  func gradientsEqualDiffusers(_ name: String) throws {
    let (network, fixture, x, _) = try golden(name)
    let out = network(x, timesteps: try fixture["timesteps"])
    (out * GoldenCase.weights(like: out)).sum().backward()
    try network.expectGradients(fixture)
  }

  @Test(arguments: networks)
  func savesWhatDiffusersWrote(_ name: String) throws {
    let (network, _, _, _) = try golden(name)
    try withScratchFolder { folder in
      try network.save(to: folder)
      try DiffusersFolder("unet", name).expectEqual(folder)
      #expect(try UNet2D(folder: folder).config == network.config)
    }
  }

  /// The order of the draws: sums of all first weights after `torch.manual_seed(7)`.
  @Test(arguments: networks)
  func firstWeightsEqualDiffusers(_ name: String) throws {
    let network = UNet2D(try golden(name).network.config, using: Generator(seed: 7))
    expectClose(network.sums, try Fixture("unet/starts")[name], rtol: 1e-12, atol: 1e-12)
  }

  @Test(arguments: networks)
  func weightsAreCountedWithoutANetwork(_ name: String) throws {
    let network = try golden(name).network
    #expect(network.state.reduce(0) { $0 + $1.tensor.count } == network.config.weightCount)
  }

  @Test func parametersComeInPyTorchsOrder() throws {
    let names = try golden("attention").network.namedParameters.map(\.name)
    #expect(names.first == "conv_in.weight" && names.last == "conv_out.bias")
    let blocks = [
      "down_blocks.1.attentions.0", "down_blocks.1.resnets.0", "up_blocks.0", "mid_block",
    ]
    let places = blocks.map { block in names.firstIndex { $0.hasPrefix(block) } ?? -1 }
    #expect(places == places.sorted() && places[0] > 0)
  }

  @Test func weightsOfOlderVersionsLoad() throws {
    let (network, _, _, _) = try golden("attention")
    let older = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]
    let state = network.state.map { key, tensor in
      (key: older.reduce(key) { $0.replacingOccurrences(of: $1.key, with: $1.value) }, tensor)
    }
    #expect(state.contains { $0.key == "mid_block.attentions.0.proj_attn.bias" })
    try withScratchFolder { folder in
      try network.save(to: folder, state: state)
      let opened = try UNet2D(folder: folder)
      for (a, b) in zip(network.state, opened.state) { expectEqual(b.tensor, a.tensor, a.key) }
    }
  }

  /// Blocks that run again in the backward pass change neither loss nor gradients, also where
  /// dropout draws.
  @Test(arguments: ["attention", "resnet_resampling", "three_levels"])
  func recomputedBlocksGiveTheSameGradients(_ name: String) throws {
    let (plain, fixture, x, _) = try golden(name)
    var config = plain.config
    config.dropout = 0.3
    let found = try [false, true].map { recomputes in
      let network = UNet2D(config, using: nil)
      try network.load(from: plain)
      network.recomputesBlocks = recomputes
      let loss = network(x, timesteps: try fixture["timesteps"]).square().mean()
      loss.backward()
      // The second run must not have moved the generator.
      let draw = Tensor.rand([4], using: network.dropoutGenerator)
      let gradients = try network.parameters.map { try #require($0.value.gradient) }
      return [loss.detached(), draw] + gradients
    }
    for (a, b) in zip(found[0], found[1]) { expectClose(b, a, rtol: 0, atol: 1e-6) }
    #expect(found[0].count == found[1].count)
  }

  @Test func dropoutActsInTrainingOnly() throws {
    let (plain, fixture, x, _) = try golden("attention")
    var config = plain.config
    config.dropout = 0.5
    let network = UNet2D(config, using: nil)
    try network.load(from: plain)
    let timesteps = try fixture["timesteps"]
    let first = network(x, timesteps: timesteps)
    #expect((first - network(x, timesteps: timesteps)).abs().max().item() > 1e-3)
    network.setTraining(false)
    expectClose(network(x, timesteps: timesteps), try fixture["out"], rtol: 0, atol: 2e-5)
  }
}
