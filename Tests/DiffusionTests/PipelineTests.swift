import Foundation
import Interchange
import Models
import TestSupport
import Testing
import Torch

@testable import Diffusion

/// Whole samplings from folders that diffusers wrote, against the pictures that it draws from them
/// for seed 0, and the folders written here.
@Suite struct PipelineTests {
  private func open(_ name: String) throws -> DiffusionPipeline {
    try DiffusionPipeline(folder: Fixture.folder.appending(path: "pipelines/\(name)").path)
  }

  private func expectPicture(
    _ name: String, _ pipeline: DiffusionPipeline, _ request: DiffusionPipeline.Request,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let golden = try Fixture("pipelines/pictures")[name]
    expectClose(
      try pipeline.sample(request), golden, rtol: 0, atol: 1e-4, name,
      sourceLocation: sourceLocation)
  }

  @Test func drawsWhatDiffusersDraws() throws {
    let plain = try open("plain")
    #expect(plain.classNames.isEmpty)
    try expectPicture("plain/ddpm 20", plain, .init(count: 1, seed: 0, steps: 20))
    try expectPicture("plain/ddim 10", plain, .init(count: 1, seed: 0, steps: 10, sampler: .ddim))
    try expectPicture(
      "plain/ddim 10 eta 1", plain,
      .init(count: 1, seed: 0, steps: 10, sampler: .ddim, eta: 1))
  }

  @Test func aPictureOfABatchIsDrawnWithItsOwnSeed() throws {
    let plain = try open("plain")
    try expectPicture("plain/three", plain, .init(count: 3, seed: 0, steps: 20))
    let last = try plain.sample(.init(count: 1, seed: 2, steps: 20))
    expectClose(last[0], try Fixture("pipelines/pictures")["plain/three"][2], rtol: 0, atol: 1e-4)
  }

  @Test(arguments: [1.0, 3])
  func drawsClassesUnderGuidance(_ scale: Double) throws {
    let classes = try open("classes")
    #expect(classes.classNames.count == 5 && classes.nullClass == nil)
    func request(_ steps: Int, _ sampler: SamplerName) -> DiffusionPipeline.Request {
      .init(
        count: 1, seed: 0, steps: steps, sampler: sampler, classes: [2], negativeClass: 4,
        guidance: Guidance(scale: scale))
    }
    try expectPicture("classes/ddpm 20 scale \(Int(scale))", classes, request(20, .ddpm))
    try expectPicture("classes/ddim 10 scale \(Int(scale))", classes, request(10, .ddim))
  }

  @Test func aFolderGoesRound() throws {
    try withScratchFolder { folder in
      let config = try open("classes").unet.config
      let unet = UNet2D(config, using: Generator(seed: 5))
      let names = ["one", "둘", "three", "four"]
      let file = try SchedulerFile(.ddpm, SchedulerClass.ddpm.defaults)
      let made = DiffusionPipeline(unet, file, classNames: names)
      #expect(made.nullClass == 4)
      try made.save(to: folder)
      let read = try DiffusionPipeline(folder: folder)
      #expect(read.classNames == names && read.nullClass == 4)
      #expect(read.scheduler.config == file.config && read.unet.config == config)
      let request = DiffusionPipeline.Request(
        count: 2, seed: 3, steps: 4, classes: [0, 1], guidance: Guidance(scale: 2))
      expectEqual(try read.sample(request), try made.sample(request))
    }
  }

  /// A picture brought to its noise comes back, where the network's word changes slowly and the last
  /// level still holds some of the picture.
  @Test func inversionFindsTheNoise() throws {
    let source = try open("plain")
    let unet = source.unet
    withoutGradients {
      for (name, parameter) in unet.namedParameters where name.hasPrefix("conv_out") {
        parameter.value.multiply(by: 0.05)
      }
    }
    var config = source.scheduler.config
    (config.clipSample, config.betaEnd) = (false, 0.002)
    let pipeline = DiffusionPipeline(unet, try SchedulerFile(.ddim, config))
    let picture = Tensor.rand([2, 3, 16, 16], using: Generator(seed: 4))
    let noise = try pipeline.invert(
      picture, .init(count: 2, seed: 0, steps: 25, sampler: .ddimInverse))
    let again = try pipeline.sample(.init(count: 2, seed: 0, steps: 25, noise: noise))
    #expect((again - picture).abs().max().item() < 0.02)
    #expect((noise - (2 * picture - 1)).abs().max().item() > 0.1)
  }

  @Test func whatCannotBeDrawnIsRefused() throws {
    let (plain, classes) = (try open("plain"), try open("classes"))
    func sentence(_ pipeline: DiffusionPipeline, _ request: DiffusionPipeline.Request) -> String? {
      #expect(throws: SamplerError.self) { try pipeline.sample(request) }?.sentence
    }
    #expect(
      sentence(plain, .init(count: 1, seed: 0, classes: [1]))
        == "this network knows no classes; leave the class and the guidance out.")
    #expect(
      sentence(classes, .init(count: 1, seed: 0))
        == "this network wants to be told a class for each picture.")
    #expect(
      sentence(classes, .init(count: 1, seed: 0, classes: [5]))
        == "there is no class 5; the classes are 0...4.")
    #expect(
      sentence(classes, .init(count: 1, seed: 0, classes: [1], guidance: Guidance(scale: 2)))?
        .hasPrefix("this network was trained without pictures of no class") == true)
    #expect(
      sentence(plain, .init(count: 1, seed: 0, steps: 1001))
        == "1001 steps are more than the 1000 levels that the network knows.")
    #expect(
      sentence(plain, .init(count: 1, seed: 0, size: Extent(15, 16)))
        == "a height of 15 does not fit a network of 2 levels; it must be a multiple of 2.")
    #expect(
      sentence(plain, .init(count: 1, seed: 0, noise: .zeros([1, 3, 8, 8])))
        == "the starting noise is [1, 3, 8, 8], but [1, 3, 16, 16] is needed.")
    #expect(sentence(plain, .init(count: 1, seed: 0, sampler: .ddimInverse)) != nil)
    #expect(sentence(plain, .init(count: 1, seed: 0, sampler: .ddim, spacing: .karras)) != nil)
  }

  @Test func damagedFoldersAreExplained() throws {
    try withScratchFolder { folder in
      let source = Fixture.folder.appending(path: "pipelines/plain")
      let copy = URL(filePath: folder).appending(path: "copy")
      try FileManager.default.copyItem(at: source, to: copy)
      func error(_ file: String, _ text: String) throws -> (any ExplainedError)? {
        let path = copy.appending(path: file)
        let original = try Data(contentsOf: path)
        defer { try? original.write(to: path) }
        try Data(text.utf8).write(to: path)
        do {
          _ = try DiffusionPipeline(folder: copy.path)
          return nil
        } catch {
          return error as? any ExplainedError
        }
      }
      let other = try error("model_index.json", #"{"unet": ["diffusers", "UNet2DConditionModel"]}"#)
      #expect(other?.path?.hasSuffix("model_index.json") == true)
      #expect(
        other?.sentence
          == "this pipeline's unet is UNet2DConditionModel; a UNet2DModel is needed here.")
      #expect(try error("model_index.json", "{")?.path?.hasSuffix("model_index.json") == true)
      #expect(
        try error("scheduler/scheduler_config.json", #"{"_class_name": "DDPMSchedular"}"#)?.sentence
          .contains("DDPMScheduler") == true)
      #expect(try error("unet/config.json", "[]")?.path?.hasSuffix("unet/config.json") == true)
    }
  }
}
