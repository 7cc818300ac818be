import Datasets
import Foundation
import Interchange
import Models
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Training

/// Ten steps of trainings of KL autoencoders against PyTorch and diffusers' `AutoencoderKL`: first
/// weights, order of the data, noise, losses, the game and its weight, rates, optimizers and
/// averages, through the trainer's own loop.
@Suite struct AutoencoderKLTenStepTests {
  @Test(arguments: ["alone", "squared", "game", "steady_game"])
  func equalsPyTorch(_ name: String) throws { try check(name) }

  /// With feature weights that no file holds, and against a discriminator.
  @Test func perceptualEqualsPyTorch() throws {
    try withScratchFolder { folder in
      try InceptionWeights.write(seed: 11, to: "\(folder)/inception.safetensors")
      try check("perceptual", weights: "\(folder)/inception.safetensors")
    }
  }

  private func check(_ name: String, weights: String = "") throws {
    let group = "autoencoder_kl_training"
    let cases = try JSON(contentsOfFile: Fixture.folder.appending(path: "\(group)/cases.json").path)
    let run = try #require(cases[name])
    let fixture = try Fixture("\(group)/\(name)")
    func number(_ key: String) throws -> Int { try #require(run[key]?.int) }
    let set = discs(
      count: try number("count"), channels: try number("channels"), size: try number("size"))
    var recipe = try AutoencoderKLRecipe(recorded: #require(run["recipe"]))
    recipe.perceptualWeights = weights
    let trainer = try AutoencoderKLTrainer(
      recipe, train: set, test: set, seed: UInt64(try number("seed")))
    var players: [(name: String, network: Module)] = [("autoencoder", trainer.network)]
    var names = ["loss", "reconstruction", "kl"] + (weights.isEmpty ? [] : ["perceptual"])
    if let discriminator = trainer.discriminator {
      players.append(("discriminator", discriminator))
      names += ["discriminator_loss", "generator_loss", "adversarial_weight"]
      // Its first weights are drawn in another order than PyTorch's; the autoencoder's are equal.
      try discriminator.load(
        Dictionary(
          uniqueKeysWithValues: discriminator.state.map {
            ($0.key, try fixture["start/discriminator/\($0.key)"])
          }))
    }
    #expect((trainer.discriminator != nil) == !["alone", "squared"].contains(name))

    let recorder = Recorder()
    try withScratchFolder { folder in
      let session = TrainingSession(
        run: RunFolder(path: folder), budget: .steps(10), stepsPerEpoch: trainer.stepsPerEpoch,
        observers: [recorder], checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0)
      try trainer.train(session)
    }
    let reports = try recorder.reports.flatMap { report in
      try names.map { name in
        try #require(report.metrics.first { $0.name == name }?.value)
      }
    }
    expectClose(
      Tensor(reports).reshaped([10, names.count]), try fixture["reports"], rtol: 1e-5, atol: 1e-7,
      "reports")
    // The bias of keys has no gradient but rounding errors, and Adam makes whole steps of these.
    func hasGradient(_ key: String) -> Bool { !key.hasSuffix("to_k.bias") }
    func check(_ value: Tensor, _ name: String) throws {
      let golden = try fixture[name]
      expectClose(
        strided(value.detached()).sliced(0, 0..<golden.count).clone(), golden, rtol: 1e-5,
        atol: 1e-5, name)
    }
    for (player, network) in players {
      for (key, value) in network.state where hasGradient(key) {
        try check(value, "final/\(player)/\(key)")
      }
    }
    for (key, value) in trainer.learning.average.state where hasGradient(key) {
      try check(value, "average/\(key)")
    }
  }
}

/// What surrounds the steps: recipes, resuming, what is kept and measured.
@Suite struct AutoencoderKLTrainerTests {
  static func recipe(_ change: (inout AutoencoderKLRecipe) -> Void = { _ in })
    -> AutoencoderKLRecipe
  {
    var recipe = AutoencoderKLRecipe()
    (recipe.blockOutChannels, recipe.normNumGroups, recipe.batchSize) = ([4, 8], 4, 8)
    (recipe.discriminatorChannels, recipe.lrWarmupSteps, recipe.flip) = ([4, 6], 2, true)
    change(&recipe)
    return recipe
  }

  static func trainer(
    _ recipe: AutoencoderKLRecipe = recipe(), size: Int = 16,
    from position: TrainingPosition = TrainingPosition()
  ) throws -> AutoencoderKLTrainer {
    let set = discs(count: 20, channels: 3, size: size)
    return try AutoencoderKLTrainer(recipe, train: set, test: set, seed: 3, from: position)
  }

  static func session(
    _ folder: String, _ trainer: AutoencoderKLTrainer, _ observers: [any TrainingObserver] = [],
    from position: TrainingPosition = TrainingPosition(), checkpoints: CheckpointPlan = .atTheEnd
  ) -> TrainingSession {
    TrainingSession(
      run: RunFolder(path: folder), budget: .steps(8), stepsPerEpoch: trainer.stepsPerEpoch,
      observers: observers, from: position, checkpoints: checkpoints, sheets: 0, reportSeconds: 0)
  }

  @Test func presetsMakeNetworks() throws {
    for preset in AutoencoderKLRecipe.presets(of: .autoencoderKL) {
      let recipe = preset.recipe
      #expect(recipe.problem == nil)
      let side = preset.name == "kl-f8" ? 256 : 64
      #expect(recipe.network(elementShape: [3, side, side]).problem == nil)
      #expect(recipe.discriminator(elementShape: [3, side, side]).problem == nil)
      let decoded: AutoencoderKLRecipe = try JSON(encoding: recipe).decode()
      #expect(decoded == recipe)
    }
    let large = try AutoencoderKLRecipe(preset: "kl-f8", family: .autoencoderKL)
    let network = AutoencoderKL(large.network(elementShape: [3, 512, 512]), using: nil)
    // Of Stable Diffusion 1.5.
    #expect(network.parameterCount == 83_653_863)
  }

  static let problems: [(String, @Sendable (inout AutoencoderKLRecipe) -> Void)] = [
    ("adversarial_start is 1.0; it must lie in 0..<1.", { $0.adversarialStart = 1 }),
    ("kl_weight is -1.0; it must not be negative.", { $0.klWeight = -1 }),
    ("latent_channels is 0; it must lie in 1...4096.", { $0.latentChannels = 0 }),
    ("the discriminator's batch normalisation would see parts", { $0.accumulation = 2 }),
    ("norm_num_groups", { $0.normNumGroups = 3 }),
    ("is not divisible by the 8 pixels", { $0.blockOutChannels = [4, 4, 4, 4] }),
  ]

  @Test(arguments: problems.indices)
  func badRecipesAreRefused(_ place: Int) {
    let (sentence, change) = Self.problems[place]
    let error = #expect(throws: TrainingError.self) {
      try Self.trainer(Self.recipe(change), size: 12)
    }
    #expect(error?.sentence.contains(sentence) == true, "\(error?.sentence ?? "")")
  }

  /// A training that goes on, before and amid the game, is the training that never stopped.
  @Test func aKilledTrainingGoesOnExactly() async {
    await #expect(processExitsWith: .success) {
      Runtime.setThreads(1)
      for stop in [3, 6] {
        try withScratchFolder { folder in
          let whole = try Self.trainer()
          let all = Recorder()
          try whole.train(Self.session(folder, whole, [all]))

          let killed = try Self.trainer()
          let before = Recorder { event in
            if case .checkpointed(let step, _) = event { step == stop } else { false }
          }
          #expect(throws: Recorder.Stop.self) {
            try killed.train(Self.session(folder, killed, [before], checkpoints: .everyStep))
          }
          let checkpoint = try #require(Checkpoint.newest(of: RunFolder(path: folder)))
          let position = try checkpoint.position()
          #expect(position.step == stop)
          let resumed = try Self.trainer(from: position)
          try resumed.load(checkpoint)
          let after = Recorder()
          try resumed.train(Self.session(folder, resumed, [after], from: position))
          let losses = (before.reports + after.reports).map { $0.metrics.map(\.value) }
          #expect(losses == all.reports.map { $0.metrics.map(\.value) })
          for (a, b) in zip(whole.checkpointState, resumed.checkpointState) {
            #expect(a.file == b.file && a.state.map(\.key) == b.state.map(\.key))
            for (x, y) in zip(a.state, b.state) {
              expectEqual(y.tensor, x.tensor, "\(a.file) \(x.key), stopped after \(stop)")
            }
          }
        }
      }
    }
  }

  /// Parts of a batch add up to the batch.
  @Test func accumulationChangesNothing() throws {
    func losses(_ parts: Int) throws -> Tensor {
      let recipe = Self.recipe { ($0.adversarialWeight, $0.accumulation) = (0, parts) }
      let trainer = try Self.trainer(recipe)
      let recorder = Recorder()
      try withScratchFolder { try trainer.train(Self.session($0, trainer, [recorder])) }
      return Tensor(recorder.reports.map { $0.metrics[0].value })
    }
    expectClose(try losses(3), try losses(1), rtol: 1e-5, atol: 0)
  }

  /// Latents of the exported network, scaled by its factor, have unit variance; the averaged weights
  /// are what is kept.
  @Test func theExportHasTheFactorOfItsLatents() throws {
    let trainer = try Self.trainer()
    try withScratchFolder { folder in
      try trainer.train(Self.session(folder, trainer))
      try trainer.export(to: RunFolder(path: folder))
      let network = try AutoencoderKL(folder: "\(folder)/vae")
      let averages = Dictionary(
        uniqueKeysWithValues: trainer.learning.average.state.map { ($0.key, $0.tensor) })
      for (key, value) in network.state {
        expectEqual(value.detached(), try #require(averages[key]).detached(), key)
      }
      let x = try discs(count: 20, channels: 3, size: 16).pictures(0..<20)
      let posterior = withoutGradients { network.encode(2 * x - 1) }
      let draws = Tensor.concatenated(
        (0..<200).map { posterior.sample(using: Generator(seed: UInt64($0))) })
      let scaled = network.normalized(draws)
      let deviation = (scaled - scaled.mean()).square().mean().item() as Double
      #expect(abs(deviation.squareRoot() - 1) < 0.01)
      #expect(network.config.shiftFactor == nil && network.config.scalingFactor != 0.18215)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/discriminator/config.json"))
    }
  }

  @Test func validationMeasuresPictures() throws {
    let trainer = try Self.trainer()
    let measures = Dictionary(
      uniqueKeysWithValues: try trainer.validate().map { ($0.name, $0.value) })
    let x = try discs(count: 20, channels: 3, size: 16).pictures(0..<20)
    let restored = withoutGradients {
      ((trainer.network.decode(trainer.network.encode(2 * x - 1).mean) + 1) / 2)
        .clamped(min: 0, max: 1)
    }
    let errors: [Float] = (restored - x).square().flattened(from: 1).mean([1]).elements()
    let ratios = errors.map { -10 * log10(Double($0)) }
    #expect(abs(try #require(measures["psnr"]) - ratios.reduce(0, +) / 20) < 1e-4)
    #expect(abs(try #require(measures["mse"]) - Double(errors.reduce(0, +)) / 20) < 1e-6)
    #expect(try #require(measures["kl"]) > 0)
    #expect(try trainer.sheet().width > 160)
  }
}
