import Foundation
import Images
import Interchange
import Testing

/// The life of a diffusion run apart from drawing: its folder, going on, measuring, looking.
@Suite struct DiffusionLifeTests {
  @Test(arguments: Denoisers.names)
  func runFolder(name: String) throws {
    let folder = try Denoisers.runs.get()
    let names = folder.names.filter { $0.hasPrefix("\(name)/") }
      .map { String($0.dropFirst(name.count + 1)) }
    for file in [
      "run.json", "metrics.jsonl", "samples/step-00000003.png", "model_index.json",
      "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
      "scheduler/scheduler_config.json",
    ] { #expect(names.contains(file), "\(name): \(file)") }
    #expect(
      names.filter { $0.hasPrefix("checkpoints/step-00000003/") }.map { String($0.dropFirst(26)) }
        == [
          "ema.safetensors", "generators.safetensors", "manifest.json", "network.safetensors",
          "optimizer.safetensors", "position.json",
        ])
    #expect(!names.contains { $0.contains("partial") })

    let record = try JSON(parsing: folder.text("\(name)/run.json"))
    #expect(record["family"]?.string == "diffusion" && record["status"]?.string == "finished")
    #expect(record["steps"]?.int == 3 && record["seed"]?.int == 3)
    let index = try JSON(parsing: folder.text("\(name)/model_index.json"))
    #expect(index["_class_name"]?.string == "DDPMPipeline")
    #expect(index["unet"]?[1]?.string == "UNet2DModel")
    #expect(index["id2label"]?["3"]?.string == (name == "plain" ? nil : "star"))
    let unet = try JSON(parsing: folder.text("\(name)/unet/config.json"))
    #expect(unet["num_class_embeds"]?.int == (name == "plain" ? nil : 9))
    #expect(unet["out_channels"]?.int == (name == "learned" ? 6 : 3))
    let scheduler = try JSON(parsing: folder.text("\(name)/scheduler/scheduler_config.json"))
    let kind = name == "flow" ? "FlowMatchEulerDiscreteScheduler" : "DDPMScheduler"
    #expect(scheduler["_class_name"]?.string == kind && index["scheduler"]?[1]?.string == kind)
    #expect(scheduler["num_train_timesteps"]?.int == (name == "plain" ? 20 : 1000))
  }

  @Test func trainAndResume() throws {
    let folder = Scratch()
    let first = try Tool.run(
      ["train", "diffusion", "--out", "run", "--steps", "2", "--seed", "9", "--json", "--quiet"]
        + Denoisers.small, in: folder)
    #expect(first.errors.isEmpty, "\(first.errors)")
    let json = try first.json
    #expect(
      json.object?.keys == [
        "run", "family", "seed", "steps", "seconds", "images_per_second", "parameters",
        "interrupted", "ranks", "checkpoint_pause_seconds", "data_wait", "loss",
      ])
    #expect(json["loss"]?.double ?? -1 > 0)
    let more = try Tool.run(
      "train", "diffusion", "--out", "run", "--resume", "--steps", "5", "--json", "--threads", "1",
      in: folder)
    #expect(more.status == 0, "\(more.errors)")
    #expect(try more.json["steps"]?.int == 5)
    #expect(folder.exists("run/checkpoints/step-00000005/position.json"))
    expectRefusal(
      try Tool.run("train", "vae", "--out", "run", "--resume", "--steps", "6", in: folder), 1,
      "a run of the family diffusion, not of vae")
    expectRefusal(
      try Tool.run(
        "train", "diffusion", "--out", "run", "--resume", "--set", "flip=true", in: folder), 1,
      "goes on with its own settings")
  }

  @Test func evaluate() throws {
    let folder = try Denoisers.runs.get()
    for (run, levels) in [("classes", 1000), ("learned", 1000), ("plain", 20)] {
      for split in ["train", "test"] {
        let outcome = try Tool.run(
          "evaluate", run, "-n", "4", "--levels", "5", "--split", split, "--seed", "1",
          "--measures", "likelihood", "--json",
          "--quiet", "--threads", "1", in: folder)
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        let json = try outcome.json
        #expect(json["bits_per_dim"]?.double ?? -1 > 0)
        #expect(json["count"]?.int == 4 && json["levels"]?.int == 5)
        let terms = try #require(json["terms"]?.array)
        #expect(terms.count == levels)
        let visited = terms.count { !$0.isNull }
        #expect((5...20).contains(visited), "\(visited)")
      }
    }
  }

  @Test func boundIsTheSumOfItsTerms() throws {
    let json = try Tool.run(
      "evaluate", "plain", "-n", "2", "--levels", "20", "--measures", "likelihood", "--json",
      "--quiet", "--threads", "1",
      in: Denoisers.runs.get()
    ).json
    let terms = try #require(json["terms"]?.array).compactMap(\.double)
    #expect(terms.count == 20)
    let bits = try #require(json["bits_per_dim"]?.double)
    let prior = try #require(json["prior"]?.double)
    #expect(abs(terms.reduce(prior, +) - bits) < 1e-5 * bits)
    #expect(json["decoder"]?.double == terms[0])
  }

  @Test func inspect() throws {
    let folder = try Denoisers.copies("classes")
    _ = try Denoisers.sample(
      "classes", "--class", "heart", "--guidance", "3", "--guidance-rescale", "0.5",
      "--guidance-interval", "0.1-0.9", "--negative-class", "1", "--sampler", "ddim", "--eta",
      "0.5", seed: 8, in: folder)
    let recipe = try #require(
      try Tool.run("inspect", "x.png", "--json", in: folder).json["recipe"])
    #expect(recipe["seed"]?.int == 8 && recipe["steps"]?.int == 4)
    #expect(recipe["sampler"]?.string == "ddim" && recipe["eta"]?.double == 0.5)
    #expect(recipe["guidance"]?.double == 3 && recipe["guidance_rescale"]?.double == 0.5)
    #expect(recipe["guidance_interval"]?.array?.compactMap(\.double) == [0.1, 0.9])
    #expect(recipe["negative_class"]?.int == 1)
    #expect(recipe["classes"]?.array?.compactMap(\.int) == [6])
    #expect(recipe["model_sha256"]?.string?.count == 64)

    let run = try Tool.run("inspect", "classes", "--json", in: folder).json
    #expect(run["kind"]?.string == "run")
    #expect(run["record"]?["family"]?.string == "diffusion")
    let network = try Tool.run("inspect", "classes/unet", "--json", in: folder).json
    #expect(network["kind"]?.string == "network" && network["parameters"]?.int == 45547)
    try FileManager.default.removeItem(atPath: folder["classes/run.json"])
    let pipeline = try Tool.run("inspect", "classes", "--json", in: folder).json
    #expect(pipeline["kind"]?.string == "pipeline" && pipeline["parameters"]?.int == 45547)
    #expect(pipeline["scheduler"]?["_class_name"]?.string == "DDPMScheduler")
    #expect(pipeline["unet"]?["sample_size"]?.int == 8)
    #expect(pipeline["classes"]?.array?.count == 8 && pipeline["notes"]?.array?.isEmpty == true)
  }

  @Test func pipelineFromElsewhere() throws {
    let folder = try Denoisers.copies("classes")
    let own = try Denoisers.pictures("classes", in: folder)
    try FileManager.default.removeItem(atPath: folder["classes/run.json"])
    #expect(try Denoisers.pictures("classes", in: folder) == own)
    expectRefusal(
      try Tool.run("evaluate", "classes", in: folder), 1, "name the data with --data")
    let measured = try Tool.run(
      "evaluate", "classes", "--data", "shapes", "-n", "2", "--levels", "2", "--measures",
      "likelihood", "--json", in: folder)
    #expect(try measured.json["bits_per_dim"]?.double ?? -1 > 0)
  }

  @Test func samplers() throws {
    let listed = try Tool.run("samplers", "--json", in: Scratch()).json["samplers"]?.array ?? []
    let names = listed.compactMap { $0["sampler"]?.string }
    for name in DenoisingTests.contract { #expect(names.contains(name), "\(name)") }
    #expect(listed.allSatisfy { $0["class"]?.string?.hasSuffix("Scheduler") == true })
  }
}
