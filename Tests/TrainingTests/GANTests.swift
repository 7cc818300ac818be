import Datasets
import Foundation
import Images
import Interchange
import Models
import NeuralNets
import TestSupport
import Testing
import Torch

@testable import Training

/// A recipe that plays in no time.
private func smallGame(_ change: (inout GANRecipe) -> Void = { _ in }) -> GANRecipe {
  var recipe = GANRecipe()
  (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (4, [8], [4, 6])
  (recipe.batchSize, recipe.lrWarmupSteps, recipe.groupSize) = (8, 2, 0)
  change(&recipe)
  return recipe
}

private let pictures = discs(count: 20, channels: 1, size: 8, classes: 2)

/// Games: how they go on, what they refuse, what they leave.
@Suite(.serialized) struct GANTests {
  @Test func aKilledGameGoesOnExactly() async {
    await #expect(processExitsWith: .success) {
      Runtime.setThreads(1)
      let games = [
        smallGame {
          ($0.architecture, $0.loss, $0.discriminatorSteps) = (.dcgan, .nonSaturating, 3)
          ($0.r1Gamma, $0.r2Gamma, $0.diffAugment, $0.flip) = (0, 0, true, true)
        },
        smallGame { ($0.classConditional, $0.gradientPenalty) = (true, 1) },
      ]
      for game in games {
        try expectExactResume {
          try GANTrainer(game, train: pictures, test: pictures, seed: 3, from: $0)
        }
      }
      try expectExactResume {
        var recipe = VAEGANRecipe()
        (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (3, [8], [4])
        (recipe.discriminatorChannels, recipe.batchSize) = ([4, 6], 8)
        return try VAEGANTrainer(recipe, train: pictures, test: pictures, seed: 3, from: $0)
      }
    }
  }

  @Test(arguments: [
    ("discriminator_steps=0", "discriminator_steps (k) is 0"), ("r1_gamma=-1", "r1_gamma is -1.0"),
    ("clip=-0.1", "clip is -0.1"), ("gradient_penalty=-3", "gradient_penalty is -3.0"),
    ("beta1=1", "beta1 is 1.0"), ("learning_rate=0", "learning_rate is 0.0"),
    ("discriminator_learning_rate=-1", "discriminator_learning_rate is -1.0"),
    ("loss=wgan discriminator_head=probability", "discriminator_head is probability"),
    (
      "architecture=dcgan discriminator_norm=true gradient_penalty=10",
      "does not go with batch normalisation"
    ),
    ("spectral_norm=true", "spectral_norm is for mlp, dcgan and sngan"),
    ("architecture=patch", "patch is an architecture of discriminators"),
    ("block_out_channels=[4,4,4,4,4]", "cannot be halved 4 times"),
  ])
  func impossibleGamesAreRefused(_ settings: String, _ sentence: String) throws {
    var layers = try ConfigLayers(preset: smallGame())
    for setting in settings.split(separator: " ") { try layers.set(String(setting)) }
    let game = layers.config
    let error = #expect(throws: TrainingError.self) {
      try GANTrainer(game, train: pictures, test: pictures, seed: 0)
    }
    #expect(error?.sentence.contains(sentence) == true, "\(error?.sentence ?? "")")
  }

  @Test func classesAreNeeded() {
    let without = discs(count: 20, channels: 1, size: 8)
    let error = #expect(throws: TrainingError.self) {
      try GANTrainer(
        smallGame { $0.classConditional = true }, train: without, test: without, seed: 0)
    }
    #expect(error?.sentence.contains("class_conditional needs data with classes") == true)
  }

  @Test func littleDataIsAdvised() throws {
    let recipe = smallGame { $0.batchSize = 64 }
    #expect(recipe.notes(on: pictures).first?.contains("diff_augment=true") == true)
    #expect(smallGame().notes(on: PointMixture.ring8(split: .train)).isEmpty)
    // Every batch is all that there is.
    let trainer = try GANTrainer(recipe, train: pictures, test: pictures, seed: 0)
    #expect(trainer.stepsPerEpoch == 1)
  }

  @Test(arguments: GANRecipe.Game.allCases)
  func everyGameIsItself(_ game: GANRecipe.Game) throws {
    for preset in GANRecipe.presets(of: .gan) {
      var recipe = preset.recipe
      recipe.game = game
      #expect(recipe.problem == nil, "\(preset.name): \(recipe.problem ?? "")")
      #expect(recipe.game == game, "\(preset.name)")
    }
    let recorder = try play(smallGame { $0.game = game }, steps: 3)
    let metrics = try #require(recorder.reports.last?.metrics)
    #expect(metrics.allSatisfy { $0.value.isFinite })
    for name in [
      "generator_loss", "value", "real_score", "fake_score", "distance_to_half",
      "generator_gradient_norm",
    ] { #expect(metrics.contains { $0.name == name }, "\(name)") }
  }

  /// The other player's weights stay as they are, and none of its gradients is computed.
  @Test func aTurnLeavesTheOtherPlayerAlone() throws {
    let trainer = try GANTrainer(
      smallGame { $0.discriminatorLearningRate = 1e-30 }, train: pictures, test: pictures, seed: 0)
    let before = trainer.discriminator.parameters.map { $0.value.detached().clone() }
    let start = trainer.generator.parameters.map { $0.value.detached().clone() }
    _ = try run(trainer, steps: 2)
    for (old, parameter) in zip(before, trainer.discriminator.parameters) {
      expectClose(parameter.value.detached(), old, rtol: 0, atol: 1e-20)
      #expect(parameter.value.requiresGradient)
    }
    let moved = zip(start, trainer.generator.parameters).contains {
      ($0 - $1.value.detached()).abs().max().item() > 0
    }
    #expect(moved)
  }

  /// Points: the animation has the sheets' frames, and the run opens.
  @Test func pointsLeaveAnAnimation() throws {
    let set = PointMixture.ring8(split: .train)
    try withScratchFolder { scratch in
      let folder = RunFolder(path: "\(scratch)/run")
      try folder.create(replacing: false)
      let trainer = try GANTrainer(
        smallGame(), train: set, test: PointMixture.ring8(split: .test), seed: 1)
      let session = TrainingSession(
        run: folder, budget: .steps(6), stepsPerEpoch: trainer.stepsPerEpoch,
        observers: [try MetricsObserver(run: folder)], sheets: 3, reportSeconds: 0)
      try trainer.train(session)
      let measures = try session.finish(trainer)
      #expect(measures.map(\.name) == ["discriminator_accuracy", "value"])
      let animation = try [UInt8](Data(contentsOf: URL(filePath: "\(folder.path)/animation.png")))
      #expect(animation.count { $0 == UInt8(ascii: "f") } > 0)
      let sheet = try Image(contentsOfFile: "\(folder.path)/samples/step-00000006.png")
      let last = try Image(contentsOfFile: "\(folder.path)/animation.png")
      #expect(sheet == last)
      #expect(try Image(contentsOfFile: "\(folder.path)/game.png").width > 100)
    }
  }

  // MARK: VAE-GAN

  /// Without weights for the decoder it stays where it was, while the encoder learns.
  @Test func encoderAndDecoderDescendTheirOwn() throws {
    var recipe = VAEGANRecipe()
    (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (3, [8], [4])
    (recipe.discriminatorChannels, recipe.batchSize, recipe.optimizer) = ([4, 6], 8, .sgd)
    (recipe.lrWarmupSteps, recipe.reconstructionWeight, recipe.adversarialWeight) = (0, 0, 0)
    recipe.learningRate = 1e-5
    let trainer = try VAEGANTrainer(recipe, train: pictures, test: pictures, seed: 2)
    let before = trainer.autoencoder.state.map { ($0.key, $0.tensor.detached().clone()) }
    _ = try run(trainer, steps: 2)
    let after = Dictionary(
      uniqueKeysWithValues: trainer.autoencoder.state.map { ($0.key, $0.tensor) })
    var moved = 0
    for (key, old) in before {
      let distance = (try #require(after[key]).detached() - old).abs().max().item()
      if key.hasPrefix("decoder.") { #expect(distance == 0, "\(key)") }
      if key.hasPrefix("encoder."), distance > 0 { moved += 1 }
    }
    #expect(moved > 0)
  }

  @Test(arguments: ["larsen", "perceptual"])
  func presetsTrain(_ preset: String) throws {
    var recipe = try VAEGANRecipe(preset: preset, family: .vaeGAN)
    (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (3, [8], [4])
    (recipe.discriminatorChannels, recipe.batchSize) = ([4, 6], 8)
    let trainer = try VAEGANTrainer(recipe, train: pictures, test: pictures, seed: 2)
    let recorder = try run(trainer, steps: 6)
    #expect(recorder.reports.count == 6)
    #expect(recorder.reports.allSatisfy { $0.metrics.allSatisfy { $0.value.isFinite } })
    let weights = recorder.reports.map { report in
      report.metrics.first { $0.name == "adversarial_weight" }?.value ?? -1
    }
    // The game of the perceptual one begins after a fifth.
    #expect((weights[0] == 0) == (preset == "perceptual"))
    #expect(weights[5] > 0)
  }

  @Test func featuresOfPatchesAreRefused() {
    var recipe = VAEGANRecipe()
    recipe.discriminator = .patch
    #expect(recipe.problem?.contains("reconstruction is features") == true)
  }

  // MARK: Playing

  private func play(_ recipe: GANRecipe, steps: Int) throws -> Recorder {
    try run(GANTrainer(recipe, train: pictures, test: pictures, seed: 0), steps: steps)
  }

  private func run(_ trainer: any Trainer, steps: Int) throws -> Recorder {
    let recorder = Recorder()
    try withScratchFolder { folder in
      try trainer.train(
        TrainingSession(
          run: RunFolder(path: folder), budget: .steps(steps),
          stepsPerEpoch: trainer.stepsPerEpoch, observers: [recorder],
          checkpoints: .atTheEnd, sheets: 0, reportSeconds: 0))
    }
    return recorder
  }
}

/// Seven steps at once, and seven that an error ends after four.
private func expectExactResume(
  _ make: (TrainingPosition) throws -> any Trainer
) throws {
  func session(
    _ folder: String, _ trainer: any Trainer, _ observer: Recorder,
    from position: TrainingPosition = TrainingPosition(), checkpoints: Bool = false
  ) -> TrainingSession {
    TrainingSession(
      run: RunFolder(path: folder), budget: .steps(7), stepsPerEpoch: trainer.stepsPerEpoch,
      observers: [observer], from: position, checkpoints: checkpoints ? .everyStep : .atTheEnd,
      sheets: 0, reportSeconds: 0)
  }
  try withScratchFolder { folder in
    let whole = try make(TrainingPosition())
    let all = Recorder()
    try whole.train(session(folder, whole, all))

    let killed = try make(TrainingPosition())
    let before = Recorder { event in
      if case .checkpointed(let step, _) = event { step == 4 } else { false }
    }
    #expect(throws: Recorder.Stop.self) {
      try killed.train(session(folder, killed, before, checkpoints: true))
    }
    let checkpoint = try #require(Checkpoint.newest(of: RunFolder(path: folder)))
    let position = try checkpoint.position()
    let resumed = try make(position)
    try resumed.load(checkpoint)
    let after = Recorder()
    try resumed.train(session(folder, resumed, after, from: position))
    let losses = (before.reports + after.reports).map { $0.metrics.map(\.value) }
    #expect(losses == all.reports.map { $0.metrics.map(\.value) })
    for (a, b) in zip(whole.checkpointState, resumed.checkpointState) {
      #expect(a.file == b.file)
      for (x, y) in zip(a.state, b.state) {
        expectEqual(y.tensor, x.tensor, "\(a.file) \(x.key)")
      }
    }
  }
}
