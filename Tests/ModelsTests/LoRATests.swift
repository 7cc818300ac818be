import Foundation
import Interchange
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Models

/// LoRA files under every family of key names, against diffusers and peft.
@Suite struct LoRATests {
  private static let folder = Fixture.folder.appending(path: "lora").path
  /// Files and the model that each is for.
  static let files = [("peft", "sd1"), ("kohya", "sd1"), ("old", "sd1"), ("release", "xl")]

  private func lora(_ name: String) throws -> LoRA {
    try LoRA(path: "\(Self.folder)/\(name).safetensors")
  }

  @Test(arguments: files) func besideTheWeightsOrInThem(_ name: String, _ kind: String) throws {
    let model = try SingleFileModel(kind)
    let plain = try model.outputs(kind)
    let added = try lora(name).add(to: model.unet, textEncoders: model.texts, scale: 0.7)
    #expect(added.count == (try lora(name)).changes.count && added.count > 5)
    try expectOutputs(model, kind, name)
    // What was added can be taken away, and be of another strength.
    added.scale = 0
    try expectSame(model, kind, plain)
    added.scale = 0.7
    let networks = [model.unet as Module] + model.texts
    let before = networks.map { $0.state.map { ($0.key, $0.tensor.clone()) } }
    let merged = networks.map { $0.mergeLowRankChanges() }
    #expect(networks.allSatisfy { $0.lowRankLayers.allSatisfy { $0.layer.lowRankChanges.isEmpty } })
    try expectOutputs(model, kind, "\(name).merged")
    for one in merged { one.takeBack() }
    for (network, old) in zip(networks, before) {
      for ((key, tensor), (_, expected)) in zip(network.state, old) {
        expectEqual(tensor, expected, key)
      }
    }
    try expectOutputs(model, kind, name)
    added.remove()
    try expectSame(model, kind, plain)
  }

  @Test func severalFilesAddUp() throws {
    let model = try SingleFileModel("sd1")
    try lora("peft").add(to: model.unet, textEncoders: model.texts, scale: 0.7)
    try lora("kohya").add(to: model.unet, textEncoders: model.texts, scale: -0.5)
    try expectOutputs(model, "sd1", "both")
    for network in [model.unet as Module] + model.texts { network.mergeLowRankChanges() }
    try expectOutputs(model, "sd1", "both")
  }

  /// Packed layers follow a merge and its undoing; weights that were given up can be added to only
  /// beside.
  @Test func packedLayersFollow() throws {
    for freeing in [false, true] {
      let model = try SingleFileModel("sd1")
      let plain = try model.outputs("sd1")
      for network in [model.unet as Module] + model.texts {
        network.packForInference(freeingWeights: freeing)
      }
      try expectSame(model, "sd1", plain, within: 1e-4)
      #expect(model.unet.hasGivenUpWeights == freeing)
      try lora("kohya").add(to: model.unet, textEncoders: model.texts, scale: 0.7)
      try expectOutputs(model, "sd1", "kohya")
      guard !freeing else { continue }
      let networks = [model.unet as Module] + model.texts
      let merged = networks.map { $0.mergeLowRankChanges() }
      try expectOutputs(model, "sd1", "kohya.merged")
      let before = networks.map { $0.lowRankLayers.map(\.layer.lowRankChanges.count) }
      #expect(before.joined().allSatisfy { $0 == 0 })
      for one in merged { one.takeBack() }
      for (_, layer) in networks.flatMap(\.lowRankLayers) { layer.lowRankChanges = [] }
      try expectSame(model, "sd1", plain, within: 1e-4)
    }
  }

  @Test func changesMoveWithTheirLayers() throws {
    let layer = Linear(6, 4, using: Generator(seed: 1))
    let random = Generator(seed: 2)
    layer.add(
      LowRankChange(
        down: .randn([2, 6], using: random), up: .randn([4, 2], using: random), scale: 2))
    let x = Tensor.randn([3, 6], using: random)
    let expected = withoutGradients { layer(x) }
    layer.move(dtype: .bfloat16)
    let half = withoutGradients { layer(x.to(.bfloat16)) }
    expectClose(half.to(.float32), expected, rtol: 0.05, atol: 0.2)
    #expect(layer.namedParameters.map(\.name) == ["weight", "bias"])
    #expect(layer.state.count == 2)
  }

  /// Ten steps of AdamW on the attention projections against peft: losses and final factors.
  @Test func tenStepsEqualPeft() throws {
    let fixture = try Fixture("lora/ten_steps")
    let unet = try UNet2DCondition(folder: DiffusersFolder("unet_condition", "sd1").path)
    let weights = unet.state.map { $0.tensor.clone() }
    let lora = TrainableLoRA(on: unet, rank: 3, alpha: 6, using: Generator(seed: 0))
    try lora.start(from: try start(of: fixture))
    let (latents, prompt) = (try fixture["latents"], PromptContext(try fixture["prompt"]))
    let rule = Adam(lora.parameters, learningRate: 1e-2, weightDecay: 0.01, decoupled: true)
    let betas = Tensor.linspace(0.00085.squareRoot(), 0.012.squareRoot(), steps: 1000).square()
    let alphas = (1 - betas).elements(as: Double.self).reduce(into: [Double]()) {
      $0.append(($0.last ?? 1) * $1)
    }
    let generator = Generator(seed: 84)
    var losses: [Double] = []
    for _ in 0..<10 {
      let t = Tensor.randint(0..<1000, [4], using: generator)
      let noise = Tensor.randn(latents.shape, using: generator)
      let kept = Tensor(
        t.elements(as: Int.self).map { Float(alphas[$0]) }, shape: [4, 1, 1, 1])
      let noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise
      rule.clearGradients()
      let loss = unet(noisy, timesteps: t, prompt: prompt).meanSquaredError(noise)
      loss.backward()
      rule.step()
      losses.append(loss.item())
    }
    for (loss, expected) in zip(losses, try fixture["losses"].elements(as: Double.self)) {
      #expect(abs(loss - expected) <= 1e-5 * max(1, expected), "\(loss) instead of \(expected)")
    }
    for (key, parameter) in lora.diffusersParameters {
      expectClose(
        parameter.value.detached(), try fixture["final/\(key)"], rtol: 1e-3, atol: 1e-4, key)
    }
    for (tensor, old) in zip(unet.state.map(\.tensor), weights) { expectEqual(tensor, old) }
  }

  /// The factors of the fixture that training starts from; no layer of the network has others.
  private func start(of fixture: Fixture) throws -> [String: Tensor] {
    let names = fixture.names.filter { $0.hasPrefix("start/") }
    return try Dictionary(
      uniqueKeysWithValues: names.map { (String($0.dropFirst(6)), try fixture[$0]) })
  }

  @Test func whatWasTrainedIsReadBack() throws {
    let folder = DiffusersFolder("unet_condition", "sd2").path
    let (trained, other) = (
      try UNet2DCondition(folder: folder), try UNet2DCondition(folder: folder)
    )
    let fixture = try Fixture("unet_condition/sd2")
    let lora = TrainableLoRA(on: trained, rank: 2, alpha: 3, using: Generator(seed: 4))
    func predict(_ unet: UNet2DCondition) throws -> Tensor {
      try withoutGradients {
        unet(
          try fixture["x"], timesteps: try fixture["timesteps"],
          prompt: PromptContext(try fixture["prompt"]))
      }
    }
    // At its beginning a change changes nothing.
    expectNear(try predict(trained), try fixture["out"])
    let random = Generator(seed: 6)
    let drawn = lora.diffusersParameters.map {
      ($0.key, Tensor.randn($0.parameter.value.shape, using: random))
    }
    try lora.start(from: Dictionary(uniqueKeysWithValues: drawn))
    try withScratchFolder { folder in
      let path = "\(folder)/\(LoRA.fileName)"
      try lora.save(to: path)
      try LoRA(path: folder).add(to: other)
      expectEqual(try predict(other), try predict(trained))
      #expect(try SafetensorsFile(path: path).metadata[AdapterMetadata.key]?.contains("3") == true)
    }
  }

  @Test func filesForAnotherModelAreRefused() throws {
    let model = try SingleFileModel("xl")
    let error = #expect(throws: SafetensorsError.self) {
      try lora("kohya").add(to: model.unet, textEncoders: model.texts)
    }
    // XL's layers stand elsewhere and have other widths.
    let sentence = try #require(error?.sentence)
    #expect(sentence.contains(" of its 60 keys do not fit this model, the first is \"lora_unet_"))
    #expect(sentence.hasSuffix("); it was made for another one."))
    #expect(model.unet.lowRankLayers.allSatisfy { $0.layer.lowRankChanges.isEmpty })
    // A file that changes text encoders does not fit a U-Net alone.
    let one = try SingleFileModel("sd1")
    let alone = #expect(throws: SafetensorsError.self) { try lora("kohya").add(to: one.unet) }
    #expect(
      alone?.sentence
        == "9 of its 60 keys do not fit this model, the first is "
        + "\"lora_te_text_model_encoder_layers_0_self_attn_q_proj.alpha\" (no such layer); it was "
        + "made for another one.")
  }

  /// The α of every layer counts for itself.
  @Test(arguments: ["kohya", "release"]) func strengthsAreTheLayersOwn(_ name: String) throws {
    let tensors = try Weights.read("\(Self.folder)/\(name).safetensors")
    let changes = try lora(name).changes
    for change in changes {
      let key = try #require(change.keys.first { $0.hasSuffix(".alpha") })
      let alpha = try #require(tensors[key]).item()
      #expect(change.scale == alpha / 2 && change.down.size(0) == 2, "\(key)")
    }
    #expect(Set(changes.map(\.scale)) == [0.5, 1, 1.5])
  }

  @Test func otherFilesAreExplained() throws {
    let (a, b) = (Tensor.ones([2, 3]), Tensor.ones([3, 2]))
    let cases: [([String: Tensor], String)] = [
      (
        ["lora_unet_x.hada_w1_a": a],
        "it is a LoHa file (\"lora_unet_x.hada_w1_a\"), and only plain LoRA files can be used."
      ),
      (
        ["unet.x.lora_A.weight": a, "unet.x.lora_B.weight": b, "unet.x.lora_magnitude_vector": a],
        "it is a DoRA file (\"unet.x.lora_magnitude_vector\"), and only plain LoRA files can be used."
      ),
      (
        ["conv_in.weight": a],
        "1 of its 1 keys are not those of a LoRA file, for example \"conv_in.weight\"."
      ),
      ([:], "0 of its 0 keys are not those of a LoRA file."),
      (
        ["unet.x.lora_A.weight": a],
        "\"unet.x.lora_A.weight\" stands alone; a layer needs both factors of its change."
      ),
      (
        [
          "lora_unet_x.alpha": a, "lora_unet_x.lora_down.weight": a,
          "lora_unet_x.lora_up.weight": b,
        ],
        "\"lora_unet_x.alpha\" must hold one number."
      ),
      (
        ["unet.x.lora_A.weight": a, "unet.x.lora_B.weight": b, "unet.x.lora.down.weight": a],
        "\"unet.x.lora_A.weight\" and \"unet.x.lora.down.weight\" are for one layer; "
          + "a layer can have one change."
      ),
    ]
    try withScratchFolder { folder in
      for (tensors, sentence) in cases {
        let path = "\(folder)/odd.safetensors"
        try Weights.write(tensors.map { ($0.key, $0.value) }, to: path)
        let error = #expect(throws: SafetensorsError.self) { try LoRA(path: path) }
        #expect(error?.path == path)
        #expect(error?.sentence == sentence)
      }
    }
  }

  @Test(arguments: [
    ("unet.a.0.b.lora_A.weight", "a.0.b"), ("unet.a.lora.up.weight", "a"),
    ("unet.a.attn1.processor.to_out_lora.down.weight", "a.attn1.to_out.0"),
    ("lora_unet_a_b.lora_down.weight", "a_b"), ("base_model.model.a.b.lora_B.weight", "a.b"),
    ("a.b.lora_A.default.weight", "a.b"), ("diffusion_model.a.lora_up.weight", "a"),
    ("text_encoder.l.0.self_attn.to_q_lora.up.weight", "l.0.self_attn.q_proj"),
    ("text_encoder_2.l.mlp.fc1.lora_linear_layer.down.weight", "l.mlp.fc1"),
    ("lora_te2_l_fc1.alpha", "l_fc1"), ("lora_te_l.alpha", "l"),
  ]) func keysAreTakenApart(_ key: String, _ layer: String) throws {
    let found = try #require(LoRAKey(key))
    #expect(found.layer == layer)
    #expect((found.role == .alpha) == key.hasSuffix("alpha"))
    let network: LoRAKey.Network =
      key.contains("te2") || key.contains("encoder_2")
      ? .textEncoder(1)
      : key.contains("te_") || key.contains("text_encoder") ? .textEncoder(0) : .unet
    #expect(found.network == network)
  }

  @Test(arguments: [".lora_A.weight", "lora_unet_.alpha", "x.weight", ""])
  func otherKeysAreNone(_ key: String) { #expect(LoRAKey(key) == nil) }

  private func expectOutputs(_ model: SingleFileModel, _ kind: String, _ name: String) throws {
    let golden = try Fixture("lora/results")
    for (part, out) in try model.outputs(kind) {
      let expected = try golden["\(name).\(part)"]
      let largest = expected.abs().max().item()
      expectClose(out, expected, rtol: 0, atol: 1e-4 * max(1, largest), "\(name).\(part)")
    }
  }

  private func expectSame(
    _ model: SingleFileModel, _ kind: String, _ expected: [String: Tensor], within: Double = 0
  ) throws {
    for (part, out) in try model.outputs(kind) {
      let largest = within * max(1, out.abs().max().item())
      expectClose(out, try #require(expected[part]), rtol: 0, atol: largest, part)
    }
  }
}

extension SingleFileModel {
  /// What the networks give for the inputs of group `lora`.
  fileprivate func outputs(_ kind: String) throws -> [String: Tensor] {
    let given = try Fixture("lora/results")
    return try withoutGradients {
      let added =
        try kind == "xl"
        ? AddedConditions(pooled: given["xl.pooled"], sizes: given["xl.sizes"]) : nil
      let ids = try given["\(kind).ids"]
      var outputs = [
        "unet": unet(
          try given["\(kind).x"], timesteps: Tensor(500, dtype: .int64),
          prompt: PromptContext(try given["\(kind).prompt"]), added: added),
        "text_encoder": texts[0](ids).lastHiddenState,
      ]
      if kind == "xl" { outputs["text_encoder_2"] = texts[1](ids).projected }
      return outputs
    }
  }
}

extension TrainableLoRA {
  /// Takes over factors by their keys in diffusers, which have to be the very same.
  fileprivate func start(from factors: [String: Tensor]) throws {
    let own = diffusersParameters
    #expect(factors.keys.sorted() == own.map(\.key).sorted())
    try withoutGradients {
      for (key, parameter) in own { parameter.value.copy(from: try #require(factors[key])) }
    }
  }
}
