import Foundation
import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// The KL autoencoder against diffusers' `AutoencoderKL`, from folders that diffusers wrote.
@Suite struct AutoencoderKLTests {
  static let networks = ["plain", "bare", "three_levels", "one_level"]

  /// A network of diffusers' and its numbers; every key and shape has to fit.
  private func golden(_ name: String) throws -> (network: AutoencoderKL, fixture: Fixture) {
    let folder = DiffusersFolder("autoencoder_kl", name)
    return (try AutoencoderKL(folder: folder.path), try Fixture("autoencoder_kl/\(name)"))
  }

  @Test(arguments: networks)
  func codesAndPicturesEqualDiffusers(_ name: String) throws {
    let (network, fixture) = try golden(name)
    try withoutGradients {
      let posterior = network.encode(try fixture["x"])
      expectClose(posterior.mean, try fixture["mean"], rtol: 0, atol: 2e-5)
      expectClose(posterior.logVariance, try fixture["logvar"], rtol: 0, atol: 2e-5)
      expectClose(posterior.kl, try fixture["kl"], rtol: 2e-5, atol: 2e-5)
      expectClose(
        posterior.sample(using: Generator(seed: 5)), try fixture["z"], rtol: 0, atol: 2e-5)
      expectClose(network.decode(try fixture["z"]), try fixture["decoded"], rtol: 0, atol: 2e-5)
    }
  }

  @Test func gradientsEqualDiffusers() throws {
    let (network, fixture) = try golden("plain")
    let z = network.encode(try fixture["x"]).sample(using: Generator(seed: 5))
    let decoded = network.decode(z)
    (decoded * GoldenCase.weights(like: decoded)).sum().backward()
    try network.expectGradients(fixture)
  }

  @Test(arguments: ["even", "uneven", "sliver"])
  func tilesEqualDiffusers(_ name: String) throws {
    let (network, _) = try golden("plain")
    let fixture = try Fixture("autoencoder_kl/tiles")
    let tiling = Tiling(network.config)
    #expect(tiling == Tiling(sampleSize: 16, latentSize: 8, overlap: 0.25))
    try withoutGradients {
      let posterior = network.encode(try fixture["\(name).x"], tiling: tiling)
      expectClose(posterior.mean, try fixture["\(name).mean"], rtol: 0, atol: 2e-5)
      expectClose(posterior.logVariance, try fixture["\(name).logvar"], rtol: 0, atol: 2e-5)
      let decoded = network.decode(try fixture["\(name).z"], tiling: tiling)
      expectClose(decoded, try fixture["\(name).decoded"], rtol: 0, atol: 2e-5)
      // Sides within a tile need none, and a batch may go through one by one.
      let small = try fixture["\(name).z"][0..<2].narrowed(2, 0, 7).narrowed(3, 0, 7)
      expectEqual(network.decode(small, tiling: tiling), network.decode(small))
      let single = network.decode(try fixture["\(name).z"], tiling: tiling, oneByOne: true)
      // A batch of another size may go through other kernels, each within rounding of the sum.
      expectClose(single, decoded, rtol: 1e-5, atol: 5e-6)
    }
  }

  @Test func batchesOneByOneGiveTheSame() throws {
    let (network, fixture) = try golden("plain")
    try withoutGradients {
      let (x, z) = (try fixture["x"], try fixture["z"])
      // A batch of another size may go through other kernels, each within rounding of the sum.
      let tolerance = (rtol: 1e-5, atol: 5e-6)
      expectClose(
        network.encode(x, oneByOne: true).mean, network.encode(x).mean, rtol: tolerance.rtol,
        atol: tolerance.atol)
      expectClose(
        network.decode(z, oneByOne: true), network.decode(z), rtol: tolerance.rtol,
        atol: tolerance.atol)
    }
  }

  @Test(arguments: networks)
  func savesWhatDiffusersWrote(_ name: String) throws {
    let (network, _) = try golden(name)
    try withScratchFolder { folder in
      try network.save(to: folder)
      try DiffusersFolder("autoencoder_kl", name).expectEqual(folder)
      #expect(try AutoencoderKL(folder: folder).config == network.config)
    }
  }

  /// The order of the draws: sums of all first weights after `torch.manual_seed(7)`.
  @Test(arguments: networks)
  func firstWeightsEqualDiffusers(_ name: String) throws {
    let network = AutoencoderKL(try golden(name).network.config, using: Generator(seed: 7))
    expectClose(
      network.sums, try Fixture("autoencoder_kl/starts")[name], rtol: 1e-12, atol: 1e-12)
  }

  @Test(arguments: networks)
  func weightsAreCountedWithoutANetwork(_ name: String) throws {
    let network = try golden(name).network
    #expect(network.state.reduce(0) { $0 + $1.tensor.count } == network.config.weightCount)
  }

  @Test func stableDiffusionsNetworkHasDiffusersKeysAndShapes() throws {
    let file = Fixture.folder.appending(path: "autoencoder_kl/stable_diffusion.json").path
    let json = try JSON(contentsOfFile: file)
    let config: AutoencoderKLConfig = try #require(json["config"]).decode()
    #expect(config.problem == nil)
    #expect(config.weightCount == 83_653_863)
    try AutoencoderKL(config, using: nil).expectShapes(json["shapes"])
  }

  @Test func weightsOfOlderVersionsLoad() throws {
    let (network, _) = try golden("plain")
    let older = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]
    let state = network.state.map { key, tensor in
      (key: older.reduce(key) { $0.replacingOccurrences(of: $1.key, with: $1.value) }, tensor)
    }
    #expect(state.contains { $0.key == "decoder.mid_block.attentions.0.proj_attn.bias" })
    try withScratchFolder { folder in
      try network.save(to: folder, state: state)
      let opened = try AutoencoderKL(folder: folder)
      for (a, b) in zip(network.state, opened.state) { expectEqual(b.tensor, a.tensor, a.key) }
    }
  }

  @Test(arguments: [DType.float16, .bfloat16])
  func halfWeightsLoadAsFloat32(_ dtype: DType) throws {
    let (network, _) = try golden("plain")
    try withScratchFolder { folder in
      try network.save(to: folder, state: network.state.map { ($0.key, $0.tensor.to(dtype)) })
      let opened = try AutoencoderKL(folder: folder)
      for (a, b) in zip(network.state, opened.state) {
        expectEqual(b.tensor, a.tensor.to(dtype).to(.float32), a.key)
      }
    }
  }

  @Test func networksInBFloat16StayNearby() throws {
    let (network, fixture) = try golden("plain")
    network.move(dtype: .bfloat16)
    try withoutGradients {
      let tiling = Tiling(sampleSize: 8, latentSize: 4)
      let z = try fixture["z"].to(.bfloat16)
      let decoded = network.decode(z)
      expectClose(decoded, try fixture["decoded"], rtol: 0, atol: 0.1)
      #expect(network.decode(z, tiling: tiling).dtype == .float32)
      let mean = network.encode(try fixture["x"].to(.bfloat16)).mean
      expectClose(mean, try fixture["mean"], rtol: 0, atol: 0.1)
    }
  }

  /// Both ways of scaling, by their formulas.
  @Test func latentsAreNormalizedAndBack() throws {
    let z = Tensor.randn([2, 2, 3, 3], using: Generator(seed: 1))
    let shifted = try golden("bare").network
    expectClose(shifted.normalized(z), (z - 0.25) * 0.5)
    expectClose(shifted.denormalized(shifted.normalized(z)), z)
    let wide = Tensor.randn([2, 3, 3, 3], using: Generator(seed: 1))
    let standardized = try golden("three_levels").network
    let second = standardized.normalized(wide).selected(1, 1)
    expectClose(second, (wide.selected(1, 1) + 1) * 0.18215 / 0.5)
    expectClose(standardized.denormalized(standardized.normalized(wide)), wide)
  }
}
