import Foundation
import Images
import Interchange
import Testing

/// Drawing from diffusion runs: what each flag does to the pictures.
@Suite struct DenoisingTests {
  /// The samplers that the command-line contract names.
  static let contract = [
    "ddpm", "ddim", "pndm", "euler", "euler-a", "heun", "lms", "dpm2", "dpm2-a", "dpmpp-2m",
    "dpmpp-2m-sde", "dpmpp-2s", "unipc", "deis", "lcm", "tcd", "edm-euler", "flow-euler",
    "flow-heun",
  ]

  @Test(arguments: contract)
  func sampler(name: String) throws {
    let folder = try Denoisers.copies("classes", "flow", "learned")
    // Solvers that can also follow the lines of a flow.
    let solvers = ["dpmpp-2m", "dpmpp-2m-sde", "dpmpp-2s", "unipc", "deis"]
    let chains = ["classes", "learned"]
    for run in name.hasPrefix("flow")
      ? ["flow"] : solvers.contains(name) ? chains + ["flow"] : chains
    {
      let json = try Denoisers.sample(run, "--sampler", name, count: 2, in: folder)
      #expect(json["sampler"]?.string == name && json["steps"]?.int == 4)
    }
  }

  @Test func result() throws {
    let folder = try Denoisers.copies("classes", "plain", "flow")
    let json = try Denoisers.sample("classes", count: 3, in: folder)
    #expect(
      json.object?.keys == [
        "run", "output", "seed", "count", "sampler", "steps", "guidance", "classes", "seconds",
      ])
    #expect(json["sampler"]?.string == "DDPMScheduler")
    #expect(json["classes"]?.array?.compactMap(\.int) == [0, 1, 2])
    let named = try Denoisers.sample(
      "classes", "--class", "Heart", "--class", "3", count: 3, in: folder)
    #expect(named["classes"]?.array?.compactMap(\.int) == [6, 3, 6])
    // All of 20 levels, for want of 50.
    let plain = try Tool.run("sample", "plain", "-n", "1", "-o", "p.png", "--json", in: folder).json
    #expect(plain["steps"]?.int == 20 && plain["classes"] == nil)
    #expect(try folder.image("p.png").width == 8)
    let flow = try Denoisers.sample("flow", in: folder)
    #expect(flow["sampler"]?.string == "FlowMatchEulerDiscreteScheduler")
  }

  /// Half the digits: nearly the same pictures, and the recipe says it.
  @Test(arguments: ["classes", "plain", "flow"])
  func halfPrecision(run: String) throws {
    let folder = try Denoisers.copies(run)
    let full = try Denoisers.pictures(run, in: folder)
    let half = try Denoisers.pictures(run, ["--precision", "bf16"], in: folder)
    #expect(full != half)
    let difference = zip(full.joined(), half.joined()).map { abs($0 - $1) }
    #expect(difference.max()! < 0.1, "\(run): \(difference.max()!)")
    let json = try Denoisers.sample(run, "--precision", "bf16", in: folder)
    #expect(json["precision"]?.string == "bf16")
  }

  @Test(arguments: ["ddpm", "ddim", "dpmpp-2m"])
  func sameSeedSameFile(sampler: String) throws {
    let folder = try Denoisers.copies("classes")
    var files: [[UInt8]] = []
    for seed in [7, 7, 8] {
      _ = try Denoisers.sample("classes", "--sampler", sampler, count: 2, seed: seed, in: folder)
      files.append(try folder.bytes("x.png"))
    }
    #expect(files[0] == files[1])
    #expect(files[0] != files[2])
  }

  @Test(arguments: ["ddpm", "euler-a", "dpmpp-2m-sde"])
  func pictureDoesNotDependOnItsBatch(sampler: String) throws {
    let folder = try Denoisers.copies("classes")
    let flags = ["--class", "star", "--sampler", sampler]
    let four = try Denoisers.pictures("classes", flags, count: 4, seed: 21, in: folder)
    let two = try Denoisers.pictures("classes", flags, count: 2, seed: 22, in: folder)
    let one = try Denoisers.pictures("classes", flags, seed: 23, in: folder)[0]
    // Kernels sum in another order for another batch, hence no equality of bits.
    #expect(Denoisers.distance(four[1], two[0]) < 1e-4)
    #expect(Denoisers.distance(four[2], two[1]) < 1e-4)
    #expect(Denoisers.distance(four[2], one) < 1e-4)
    #expect(Denoisers.distance(four[3], one) > 1e-2)
  }

  @Test func guidance() throws {
    let folder = try Denoisers.copies("classes")
    func drawn(_ flags: String...) throws -> [Float] {
      try Denoisers.pictures(
        "classes", ["--class", "heart", "--sampler", "ddim"] + flags, in: folder)[0]
    }
    let plain = try drawn()
    #expect(try drawn("--guidance", "1") == plain)
    let guided = try drawn("--guidance", "50")
    #expect(guided != plain)
    // Away from the class itself is nowhere: c + w (c − c).
    let nowhere = try drawn("--guidance", "50", "--negative-class", "heart")
    #expect(Denoisers.distance(nowhere, plain) < 1e-4)
    #expect(try drawn("--guidance", "50", "--negative-class", "0") != guided)
    #expect(try drawn("--guidance", "50", "--guidance-rescale", "0.7") != guided)
    // Four steps visit 750, 500, 250 and 0 of 1000.
    #expect(try drawn("--guidance", "50", "--guidance-interval", "0.8-1") == plain)
    #expect(try drawn("--guidance", "50", "--guidance-interval", "0-1") == guided)
    let early = try drawn("--guidance", "50", "--guidance-interval", "0.6-1")
    #expect(early != plain && early != guided)
  }

  @Test func etaAndSigmas() throws {
    let folder = try Denoisers.copies("classes")
    func drawn(_ flags: String...) throws -> [Float] {
      try Denoisers.pictures("classes", flags, in: folder)[0]
    }
    let ddim = try drawn("--sampler", "ddim")
    #expect(try drawn("--sampler", "ddim", "--eta", "0") == ddim)
    #expect(try drawn("--sampler", "ddim", "--eta", "1") != ddim)
    for (sampler, spacings) in [
      ("euler", ["karras", "exponential", "beta"]),
      ("dpmpp-2m", ["karras", "exponential", "beta", "lu"]),
    ] {
      var seen = [try drawn("--sampler", sampler)]
      for spacing in spacings {
        seen.append(try drawn("--sampler", sampler, "--sigmas", spacing))
      }
      #expect(Set(seen).count == spacings.count + 1, "\(sampler)")
    }
    let json = try Denoisers.sample(
      "classes", "--sampler", "euler", "--sigmas", "karras", in: folder)
    #expect(json["sigmas"]?.string == "karras")
    // Nothing that --eta could do here, and a word about it.
    let outcome = try Tool.run(
      "sample", "classes", "-n", "1", "-o", "y.png", "--sampler", "euler", "--steps", "2", "--eta",
      "1", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("--eta does nothing to EulerDiscreteScheduler"))
  }

  @Test func latents() throws {
    let folder = try Denoisers.copies("plain")
    func write(_ shape: [Int], _ name: String, key: String = "latents") throws {
      let numbers = (0..<shape.reduce(1, *)).map { Float($0 % 17) / 8 - 1 }
      try Safetensors.write(
        [
          .init(
            name: key, elementType: .float32, shape: shape,
            bytes: numbers.withUnsafeBytes { Array($0) })
        ], to: folder[name])
    }
    try write([2, 3, 8, 8], "noise.safetensors")
    let flags = ["--sampler", "ddim", "--latents", "noise.safetensors"]
    let drawn = try Denoisers.pictures("plain", flags, count: 2, seed: 1, in: folder)
    #expect(try Denoisers.pictures("plain", flags, count: 2, seed: 2, in: folder) == drawn)
    #expect(try Denoisers.pictures("plain", count: 2, seed: 1, in: folder) != drawn)

    _ = try Denoisers.pictures(
      "plain", flags + ["--save-latents", "end.safetensors"], count: 2, in: folder)
    let end = try SafetensorsFile(path: folder["end.safetensors"])
    #expect(end.tensors["latents"]?.shape == [2, 3, 8, 8])
    expectRefusal(
      try Tool.run(
        "sample", "plain", "-o", "y.png", "--save-latents", "end.safetensors", "--quiet",
        in: folder), 1, "end.safetensors: this file is there already")

    try write([2, 3, 8, 9], "wide.safetensors")
    try write([2, 3, 8, 8], "key.safetensors", key: "noise")
    try write([3, 8, 8], "flat.safetensors")
    for (file, sentence) in [
      ("wide", "the starting noise is [2, 3, 8, 9], but [2, 3, 8, 8] is needed"),
      ("key", "key.safetensors: it holds no tensor \"latents\""),
      ("flat", "flat.safetensors: it holds no tensor \"latents\" [N, C, H, W]"),
      ("none", "none.safetensors: "),
    ] {
      expectRefusal(
        try Tool.run(
          "sample", "plain", "-n", "2", "-o", "y.png", "--latents", "\(file).safetensors",
          "--quiet", in: folder), 1, sentence)
    }
    expectRefusal(
      try Tool.run(
        "sample", "plain", "-n", "3", "-o", "y.png", "--latents", "noise.safetensors", "--quiet",
        in: folder), 1, "it holds the noise of 2 pictures, not of 3")
    #expect(!folder.exists("y.png"))
  }

  /// `encode` finds the noise that draws a picture, and `sample` takes it.
  @Test func codesOfPictures() throws {
    let folder = try Denoisers.copies("classes")
    let json = try Tool.run(
      "encode", "classes", "-n", "3", "--steps", "4", "-o", "n.safetensors", "--threads", "1",
      "--json", "--quiet", in: folder
    ).json
    #expect(json["count"]?.int == 3 && json["latent_dim"]?.int == 3 * 8 * 8)
    let file = try SafetensorsFile(path: folder["n.safetensors"])
    #expect(file.tensors["latents"]?.shape == [3, 3, 8, 8])
    _ = try Denoisers.sample(
      "classes", "--sampler", "ddim", "--latents", "n.safetensors", count: 3, in: folder)
    try folder.put(Trained.picture(20, 30), "photo.png")
    let one = try Tool.run(
      "encode", "classes", "photo.png", "--class", "star", "--steps", "2", "-o", "one.safetensors",
      "--quiet", in: folder)
    #expect(one.status == 0)
  }

  @Test func sizeAndPreview() throws {
    let folder = try Denoisers.copies("plain")
    _ = try Denoisers.sample(
      "plain", "--width", "16", "--height", "12", "--preview", "p.png", in: folder)
    let picture = try folder.image("x.png")
    #expect(picture.width == 16 && picture.height == 12)
    #expect(try folder.image("p.png").width >= 16)
    for (preview, sentence) in [
      ("p.png", "add --force to replace it"), ("p.gif", "must end in .png"),
      ("no/p.png", "make it first"),
    ] {
      expectRefusal(
        try Tool.run("sample", "plain", "-o", "y.png", "--preview", preview, in: folder), 1,
        sentence)
    }
    #expect(!folder.exists("y.png"))
  }

  @Test func interruption() throws {
    let folder = try Denoisers.copies("classes")
    let sampling = try Tool.Started(
      Tool.path,
      [
        "sample", "classes", "-n", "64", "--steps", "1000", "--preview", "p.png", "-o", "x.png",
        "--threads", "1", "--quiet",
      ], in: folder)
    for _ in 0..<600 where !folder.exists("p.png") { usleep(100_000) }
    sampling.send(SIGINT)
    let outcome = try sampling.wait()
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(!folder.exists("x.png"))
    #expect(try folder.image("p.png").width > 8)
  }
}
