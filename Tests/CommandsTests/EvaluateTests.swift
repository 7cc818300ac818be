import Foundation
import Interchange
import Testing

/// `latent evaluate` on samples and classifiers.
@Suite struct EvaluateTests {
  private static let features = ["--features", "pixels"]

  @Test func samplesOfAnAutoencoder() throws {
    let folder = try Trained.copies()
    let json = try Tool.run(
      ["evaluate", "vae", "-n", "100", "--samples", "80", "--seed", "1", "--iwae-samples", "0"]
        + ["--json", "--quiet"] + Self.features, in: folder
    ).json
    let errors = try #require(json["reconstructions"])
    #expect(errors["mse"]?.double ?? -1 > 0 && errors["psnr"]?.double ?? -1 > 0)
    #expect((-1...1).contains(errors["ssim"]?.double ?? 2))
    #expect(errors["ms_ssim_scales"]?.int == 1)
    let samples = try #require(json["samples"])
    #expect(samples["count"]?.int == 80 && samples["reference_count"]?.int == 100)
    #expect(samples["extractor"]?.string?.hasPrefix("pixels (shapes") == true)
    #expect(samples["extractor_hash"]?.string?.count == 64)
    let fid = try #require(samples["fid"]?.double)
    let floor = try #require(samples["fid_floor"]?.double)
    #expect(fid > 3 * floor, "20 steps teach nothing: \(fid), \(floor)")
    for name in ["precision", "recall", "coverage", "nearer_to_training", "sharpness"] {
      #expect((0...1).contains(samples[name]?.double ?? -1), "\(name)")
    }
    for name in ["fid_infinity", "kid", "kid_error", "density", "seconds_per_picture"] {
      #expect(samples[name]?.double?.isFinite == true, "\(name)")
    }
    #expect(samples["exact_copies"]?.int == 0)
    #expect(samples["inception_score"] == nil)  // pixels tell no classes
  }

  @Test func drawingGoesOnWhereItWas() throws {
    let folder = try Denoisers.copies("classes")
    func fid(_ flags: String...) throws -> Double {
      let json = try Tool.run(
        [
          "evaluate", "classes", "-n", "80", "--samples", "270", "--steps", "2", "--seed", "1",
          "--measures", "fid", "--json", "--quiet", "--threads", "1",
        ] + Self.features + flags, in: folder
      ).json
      return try #require(json["samples"]?["fid"]?.double)
    }
    let first = try fid()
    let parts = folder.names.filter {
      $0.hasPrefix("classes/evaluation/") && $0.hasSuffix(".safetensors")
    }.sorted()
    #expect(parts.count == 2, "\(parts)")
    try FileManager.default.removeItem(atPath: folder[parts[0]])
    #expect(try fid() == first)
    try folder.put(Array("damaged".utf8), parts[1])
    #expect(try fid() == first)
    #expect(try fid("--no-cache") == first)
    #expect(try fid("--sampler", "ddim") != first)
  }

  @Test func fewerSamplesThanFeatures() throws {
    let outcome = try Tool.run(
      ["evaluate", "vae", "-n", "40", "--samples", "20", "--measures", "fid,kid", "--seed", "1"]
        + Self.features + ["--no-cache"], in: Trained.runs.get())
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.contains("trust KID; more than 64 held-out pictures would mend it"),
      "\(outcome.output)")
  }

  @Test func classifier() throws {
    let folder = Scratch()
    let trained = try Tool.run(
      "train", "classifier", "--data", "shapes", "--image-size", "16", "--batch-size", "32",
      "--set", "block_out_channels=[16,32]", "--set", "shift=0", "--set", "lr_warmup_steps=5",
      "--steps", "200",
      "--seed", "1", "--threads", "1", "--out", "judge", "--json", "--quiet", in: folder)
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(try trained.json["accuracy"]?.double ?? 0 > 0.3)  // an eighth is chance
    let json = try Tool.run(
      "evaluate", "judge", "-n", "200", "--json", "--quiet", in: folder
    ).json
    #expect(json["accuracy"]?.double ?? 0 > 0.3)
    let confusion = try #require(json["confusion"]?.array).compactMap { row in
      row.array?.compactMap(\.int)
    }
    #expect(confusion.count == 8 && confusion.joined().reduce(0, +) == 200)
    #expect(json["by_class"]?.array?.count == 8)
    let text = try Tool.run("evaluate", "judge", "-n", "200", "--quiet", in: folder).output
    #expect(text.contains("precision  recall") && text.contains("found →"))

    // Its features measure another run, and tell classes.
    try FileManager.default.copyItem(
      atPath: Denoisers.runs.get()["classes"], toPath: folder["classes"])
    let measured = try Tool.run(
      "evaluate", "classes", "-n", "100", "--samples", "40", "--steps", "2", "--seed", "1",
      "--features", "judge", "--measures", "fid,class-accuracy,class-balance,inception-score",
      "--json", "--quiet", in: folder
    ).json
    let samples = try #require(measured["samples"])
    #expect(samples["extractor"]?.string == "classifier (shapes)")
    #expect((0...1).contains(samples["class_accuracy"]?.double ?? -1))
    #expect((0...1).contains(samples["class_entropy"]?.double ?? -1))
    #expect(samples["inception_score"]?.double ?? 0 >= 1)
    expectRefusal(
      try Tool.run("sample", "judge", "-o", "x.png", in: folder), 1, "cannot be drawn")
    expectRefusal(
      try Tool.run("evaluate", "judge", "--measures", "fid", in: folder), 1,
      "the measure fid means nothing to a run of the family classifier")
  }

  @Test func refusals() throws {
    let folder = try Trained.runs.get()
    let cases: [(arguments: [String], status: Int32, sentence: String)] = [
      (["--measures", "fidd"], 64, "'fidd' is invalid"),
      (["--samples", "1"], 64, "--samples is 1"),
      (["--measures", "reconstruction", "--steps", "4"], 1, "--steps means nothing"),
      (["--features", "nowhere"], 1, "there is no such folder"),
      (["--features", "ae"], 1, "not a classifier"),
      (["--features", "nowhere.safetensors"], 1, "nowhere.safetensors"),
    ]
    for (arguments, status, sentence) in cases {
      expectRefusal(
        try Tool.run(["evaluate", "vae", "--no-cache", "--quiet"] + arguments, in: folder), status,
        sentence)
    }
    let scratch = Scratch()
    for index in 0..<20 { try scratch.put(Trained.picture(16, 16, UInt8(index)), "a/\(index).png") }
    expectRefusal(
      try Tool.run("train", "classifier", "--data", "a", "--steps", "1", in: scratch), 1,
      "a classifier learns to tell classes apart, and this data has none")
  }
}
