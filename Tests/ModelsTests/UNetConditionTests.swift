import Interchange
import TestSupport
import Testing
import Torch

@testable import Models

/// The conditional U-Net against diffusers' `UNet2DConditionModel`, from folders that diffusers
/// wrote.
@Suite struct UNetConditionTests {
  static let networks = [
    "sd1", "sd2", "sdxl", "inpainting", "lcm", "upscaler", "nested", "half_tiny", "class_number",
    "class_vector", "class_projection", "class_simple",
  ]
  /// Those whose gradients are golden too.
  static let graded = ["sd1", "sdxl"]

  /// A network of diffusers' with everything that it is told; every key and shape has to fit.
  private struct Golden {
    let network: UNet2DCondition
    let fixture: Fixture

    init(_ name: String) throws {
      network = try UNet2DCondition(folder: DiffusersFolder("unet_condition", name).path)
      fixture = try Fixture("unet_condition/\(name)")
    }

    func prompt(masked: Bool = false) throws -> PromptContext {
      PromptContext(try fixture["prompt"], mask: masked ? try fixture["mask"] : nil)
    }

    /// The output for `x`, of this network or another of its shape.
    func out(
      _ prompt: PromptContext, x: String = "x", of network: UNet2DCondition? = nil,
      dtype: DType = .float32
    ) throws -> Tensor {
      func optional(_ key: String) throws -> Tensor? {
        fixture.contains(key) ? try fixture[key] : nil
      }
      let added = try optional("pooled").map {
        AddedConditions(pooled: $0, sizes: try fixture["sizes"])
      }
      return (network ?? self.network)(
        try fixture[x].to(dtype), timesteps: try fixture["timesteps"], prompt: prompt, added: added,
        classLabels: try optional("labels"), timeCondition: try optional("condition"))
    }
  }

  @Test(arguments: networks)
  func outputsEqualDiffusers(_ name: String) throws {
    let golden = try Golden(name)
    try withoutGradients {
      expectNear(try golden.out(golden.prompt()), try golden.fixture["out"])
      expectNear(try golden.out(golden.prompt(), x: "x.odd"), try golden.fixture["out.odd"])
    }
  }

  @Test(arguments: networks)
  func maskedTokensAreNotSeen(_ name: String) throws {
    let golden = try Golden(name)
    try withoutGradients {
      let masked = try golden.out(golden.prompt(masked: true))
      expectNear(masked, try golden.fixture["out.masked"])
      // Where only the second attention has a mask, the first one sees all.
      guard !golden.network.config.onlyCrossAttention.values.contains(true) else { return }
      // The first prompt's last two tokens have no say.
      let states = try golden.fixture["prompt"]
      states[0].narrowed(0, 3, 2).fill(9)
      let other = PromptContext(states, mask: try golden.fixture["mask"])
      expectEqual(try golden.out(other)[0], masked[0])
    }
  }

  /// Keys and values that are computed once a picture are those of every step.
  @Test(arguments: networks)
  func preparedPromptsGiveTheSame(_ name: String) throws {
    let golden = try Golden(name)
    try withoutGradients {
      for masked in [false, true] {
        let prompt = try golden.prompt(masked: masked)
        let prepared = golden.network.prepared(prompt)
        expectEqual(try golden.out(prepared), try golden.out(prompt))
        expectEqual(try golden.out(prepared, x: "x.odd"), try golden.out(prompt, x: "x.odd"))
      }
    }
  }

  /// A prepared prompt is what it was, even if the states in memory are written over; another
  /// network makes its own of them.
  @Test func preparedPromptsBelongToTheirNetwork() throws {
    let golden = try Golden("sd1")
    try withoutGradients {
      let prepared = golden.network.prepared(try golden.prompt())
      let before = try golden.out(prepared)
      let other = UNet2DCondition(golden.network.config, using: Generator(seed: 3))
      expectEqual(
        try golden.out(prepared, of: other), try golden.out(golden.prompt(), of: other))
      prepared.states.fill(0)
      expectEqual(try golden.out(prepared), before)
    }
  }

  @Test(arguments: graded)
  func gradientsEqualDiffusers(_ name: String) throws {
    let golden = try Golden(name)
    let out = try golden.out(golden.prompt(), x: "x.odd")
    (out * GoldenCase.weights(like: out)).sum().backward()
    try golden.network.expectGradients(golden.fixture)
  }

  @Test(arguments: networks)
  func savesWhatDiffusersWrote(_ name: String) throws {
    let network = try Golden(name).network
    try withScratchFolder { folder in
      try network.save(to: folder)
      try DiffusersFolder("unet_condition", name).expectEqual(folder)
      #expect(try UNet2DCondition(folder: folder).config == network.config)
    }
  }

  /// The order of the draws: sums of all first weights after `torch.manual_seed(7)`.
  @Test(arguments: networks)
  func firstWeightsEqualDiffusers(_ name: String) throws {
    let network = UNet2DCondition(try Golden(name).network.config, using: Generator(seed: 7))
    expectClose(
      network.sums, try Fixture("unet_condition/starts")[name], rtol: 1e-12, atol: 1e-12)
  }

  @Test(arguments: networks)
  func weightsAreCountedWithoutANetwork(_ name: String) throws {
    let network = try Golden(name).network
    #expect(network.state.reduce(0) { $0 + $1.tensor.count } == network.config.weightCount)
  }

  /// Stable Diffusion 1.5 and XL, with weights that are never touched.
  @Test(arguments: [("stable_diffusion", 859_520_964), ("stable_diffusion_xl", 2_567_463_684)])
  func fullSizesHaveDiffusersKeysAndShapes(_ name: String, _ count: Int) throws {
    let file = Fixture.folder.appending(path: "unet_condition/\(name).json").path
    let json = try JSON(contentsOfFile: file)
    let config: UNetConditionConfig = try #require(json["config"]).decode()
    #expect(config.problem == nil)
    #expect(config.weightCount == count)
    try UNet2DCondition(config, using: nil).expectShapes(json["shapes"])
  }

  @Test func parametersComeInPyTorchsOrder() throws {
    let names = try Golden("sdxl").network.namedParameters.map(\.name)
    let places = [
      "conv_in", "time_embedding.linear_1", "add_embedding", "down_blocks.1.attentions.0.norm",
      "down_blocks.1.attentions.0.proj_in",
      "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
      "down_blocks.1.attentions.0.transformer_blocks.0.attn2",
      "down_blocks.1.attentions.0.transformer_blocks.0.norm3",
      "down_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj",
      "down_blocks.1.attentions.0.transformer_blocks.0.ff.net.2",
      "down_blocks.1.attentions.0.proj_out", "down_blocks.1.resnets", "up_blocks", "mid_block",
      "conv_norm_out", "conv_out",
    ].map { prefix in names.firstIndex { $0.hasPrefix("\(prefix).") } ?? -1 }
    #expect(places == places.sorted() && places[0] == 0)
  }

  /// Blocks that run again in the backward pass change neither loss nor gradients, the prompt's
  /// included, also where dropout draws.
  @Test(arguments: ["sd1", "sdxl", "upscaler"])
  func recomputedBlocksGiveTheSameGradients(_ name: String) throws {
    let golden = try Golden(name)
    var config = golden.network.config
    config.dropout = 0.3
    let found = try [false, true].map { recomputes in
      let network = UNet2DCondition(config, using: nil)
      try network.load(from: golden.network)
      network.recomputesBlocks = recomputes
      let states = try golden.fixture["prompt"]
      states.requiresGradient = true
      let prompt = PromptContext(states, mask: try golden.fixture["mask"])
      let loss = try golden.out(prompt, x: "x.odd", of: network).square().mean()
      loss.backward()
      let gradients = try network.parameters.map { try #require($0.value.gradient) }
      return [loss.detached(), try #require(states.gradient)] + gradients
    }
    for (a, b) in zip(found[0], found[1]) { expectClose(b, a, rtol: 0, atol: 1e-6) }
    #expect(found[0].count == found[1].count)
  }

  /// Products in bfloat16 over weights in float32, and everything in bfloat16.
  @Test(arguments: ["sd1", "sdxl"], [false, true])
  func halfNetworksStayNearby(_ name: String, masked: Bool) throws {
    let golden = try Golden(name)
    let network = golden.network
    try withoutGradients {
      let prompt = try golden.prompt(masked: masked)
      let full = try golden.out(prompt)
      let products = try Precision.bf16 { try golden.out(network.prepared(prompt)) }
      expectClose(products, full, rtol: 0, atol: 0.1 * full.abs().max().item())
      network.move(dtype: .bfloat16)
      let states = try golden.fixture["prompt"].to(.bfloat16)
      let half = PromptContext(states, mask: masked ? try golden.fixture["mask"] : nil)
      let all = try golden.out(network.prepared(half), dtype: .bfloat16)
      expectClose(all, full, rtol: 0, atol: 0.1 * full.abs().max().item())
    }
  }

  /// Between convolutions and tokens nothing is copied: pictures lie channels-last throughout.
  @Test func transformersKeepTheLayout() throws {
    let transformer = try #require(
      try Golden("sdxl").network.downBlocks[1].attentions[0] as? Transformer2D)
    let x = Tensor.randn([2, 4, 6, 5], using: Generator(seed: 1)).contiguous(.channelsLast)
    try withoutGradients {
      let out = transformer(x, prompt: PromptContext(try Fixture("unet_condition/sdxl")["prompt"]))
      #expect(out.isContiguous(.channelsLast))
      #expect(transformer.norm(x).flattened(from: 2).transposed(1, 2).isContiguous())
    }
  }
}
