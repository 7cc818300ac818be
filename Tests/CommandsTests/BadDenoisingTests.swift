import Foundation
import Testing

/// What a diffusion run, or a run of another kind, cannot be asked.
@Suite struct BadDenoisingTests {
  /// Samples with some arguments and expects a refusal that leaves no picture.
  private func refuses(
    _ run: String, _ arguments: [String], in folder: Scratch, status: Int32 = 1,
    _ sentence: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try Tool.run(
      ["sample", run, "-n", "2", "-o", "x.png", "--threads", "1", "--quiet"] + arguments, in: folder
    )
    expectRefusal(outcome, status, sentence, location)
    #expect(!folder.exists("x.png"), sourceLocation: location)
  }

  @Test(
    arguments: [
      (["--sampler", "dimm"], "'dimm' is invalid for '--sampler"),
      (["--steps", "0"], "--steps is 0; it must be positive"),
      (["--steps", "many"], "'many' is invalid for '--steps"),
      (["--sigmas", "kar"], "'karras', 'exponential', 'beta' or 'lu'"),
      (["--eta", "2"], "--eta is 2.0; it must lie in 0...1"),
      (["--guidance", "nan"], "--guidance is nan"),
      (["--guidance-rescale", "1.5"], "--guidance-rescale is 1.5"),
      (["--guidance-interval", "0.8-0.2"], "'0.8-0.2' is invalid"),
      (["--guidance-interval", "0.5"], "'0.5' is invalid"),
      (["--width", "0"], "--width is 0"), (["--height", "5000"], "--height is 5000"),
    ] as [([String], String)])
  func usage(_ arguments: [String], _ sentence: String) throws {
    try refuses("run", arguments, in: Scratch(), status: 64, sentence)
  }

  @Test func steps() throws {
    let folder = try Denoisers.copies("classes", "plain")
    for sampler in ["ddpm", "ddim", "unipc", "heun"] {
      try refuses(
        "classes", ["--steps", "2000", "--sampler", sampler], in: folder,
        "2000 steps are more than the 1000 levels that the network knows")
    }
    try refuses("plain", ["--steps", "21"], in: folder, "21 steps are more than the 20 levels")
    try refuses(
      "classes", ["--steps", "3", "--sampler", "pndm"], in: folder, "pndm needs at least 4 steps")
    try refuses(
      "classes", ["--steps", "51", "--sampler", "lcm"], in: folder, "at most the 50 steps")
  }

  @Test func classes() throws {
    let folder = try Denoisers.copies("classes", "plain")
    for flag in ["--class", "--negative-class"] {
      try refuses(
        "classes", [flag, "8"], in: folder, "there is no class \"8\"; the classes are 0 circle, 1")
      try refuses("classes", [flag, "-1"], in: folder, status: 64, "Missing value for '\(flag)")
      try refuses(
        "classes", [flag, "sqare"], in: folder, "no class \"sqare\"; did you mean square?")
      try refuses("plain", [flag, "1"], in: folder, "this model knows no classes")
    }
    for flags in [
      ["--guidance", "2"], ["--guidance-rescale", "0.5"], ["--guidance-interval", "0.2-0.4"],
    ] {
      try refuses("plain", flags, in: folder, "leave the class and the guidance out")
    }
  }

  @Test func guidanceWithoutAClassOfNone() throws {
    let folder = try Denoisers.copies("classes")
    // Nine names for nine rows: none is left for pictures without a class.
    try folder.edit(
      "classes/model_index.json", "\"7\": \"diamond\"", "\"7\": \"diamond\", \"8\": \"moon\"")
    try refuses("classes", ["--guidance", "3"], in: folder, "trained without pictures of no class")
    let json = try Denoisers.sample(
      "classes", "--class", "moon", "--guidance", "3", "--negative-class", "ring", in: folder)
    #expect(json["classes"]?.array?.compactMap(\.int) == [8])
  }

  @Test func samplers() throws {
    let folder = try Denoisers.copies("classes", "flow")
    for sampler in ["flow-euler", "flow-heun"] {
      try refuses(
        "classes", ["--sampler", sampler], in: folder,
        "\(sampler) follows rectified flows, but this network's prediction_type is epsilon")
    }
    for sampler in ["ddpm", "ddim", "euler", "edm-euler"] {
      try refuses(
        "flow", ["--sampler", sampler], in: folder,
        "trained as a rectified flow, which \(sampler) cannot follow")
    }
    try refuses(
      "classes", ["--sampler", "ddim", "--sigmas", "karras"], in: folder,
      "DDIMScheduler has no karras spacing")
    try refuses(
      "classes", ["--sampler", "euler", "--sigmas", "lu"], in: folder,
      "EulerDiscreteScheduler has no lu spacing")
  }

  @Test func sizes() throws {
    let folder = try Denoisers.copies("classes")
    for side in ["width", "height"] {
      try refuses(
        "classes", ["--\(side)", "31"], in: folder,
        "a \(side) of 31 does not fit a network of 2 levels; it must be a multiple of 2")
    }
  }

  @Test func flagsForAnotherFamily() throws {
    let folder = try Trained.copies()
    for flags in [
      ["--steps", "3"], ["--sampler", "ddim"], ["--guidance", "2"], ["--guidance-rescale", "0.1"],
      ["--guidance-interval", "0-1"], ["--eta", "0"], ["--sigmas", "karras"], ["--class", "1"],
      ["--negative-class", "1"], ["--latents", "n.safetensors"], ["--preview", "p.png"],
      ["--width", "8"], ["--height", "8"],
    ] {
      try refuses("ae", flags, in: folder, "\(flags[0]) means nothing to a run of the family ae")
    }
  }

  @Test func codesOfADiffusionRun() throws {
    let folder = try Denoisers.copies("plain")
    try folder.put(Trained.picture(8, 8), "grey.png")
    for arguments in [
      ["decode", "plain", "x.safetensors", "-o", "x.png"],
      ["reconstruct", "plain", "grey.png", "-o", "x.png"],
      ["reconstruct", "plain", "-o", "x.png"],
      ["interpolate", "plain", "grey.png", "grey.png", "-o", "x.png"],
      ["map", "plain", "-o", "x.png"],
      ["traverse", "plain", "grey.png", "-o", "x.png"],
    ] {
      expectRefusal(
        try Tool.run(arguments, in: folder), 1, "the family diffusion, which has no codes")
    }
    #expect(!folder.exists("x.png"))
    expectRefusal(
      try Tool.run(
        "encode", "plain", "grey.png", "--steps", "21", "-o", "x.safetensors", in: folder),
      1, "21 steps are more than the 20 levels")
    expectRefusal(
      try Tool.run(
        "encode", "plain", "grey.png", "--class", "1", "-o", "x.safetensors", in: folder),
      1, "this model knows no classes")
    #expect(!folder.exists("x.safetensors"))
  }

  @Test func boundOfAFlow() throws {
    expectRefusal(
      try Tool.run(
        "evaluate", "flow", "-n", "2", "--measures", "likelihood", "--quiet",
        in: Denoisers.runs.get()), 1, "no Markov chain, so it has no variational bound")
    for (flags, sentence) in [
      (["--levels", "0"], "--levels is 0"), (["--split", "tset"], "'tset' is invalid"),
    ] {
      expectRefusal(
        try Tool.run(["evaluate", "flow"] + flags, in: Denoisers.runs.get()), 64, sentence)
    }
  }
}
