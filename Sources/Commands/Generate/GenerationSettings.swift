import ArgumentParser
import Diffusion
import Foundation
import Interchange
import Torch

/// What `latent generate` is to draw: its flags, over the recipe of a picture that is repeated.
struct GenerationSettings {
  var prompt: String?
  var negativePrompt = ""
  /// `nil`: one, or as many as there are noises to start from.
  var count: Int?
  /// `nil`: drawn anew for each prompt.
  var seed: UInt64?
  /// `nil`: 20, or all levels where that is fewer.
  var steps: Int?
  var sampler: SamplerName?
  var eta: Double?
  var spacing: SigmaSpacing?
  /// `nil`: the model's own.
  var guidance: Double?
  var guidanceRescale: Double
  var guidanceInterval: ClosedRange<Double>
  var width: Int?
  var height: Int?
  var clipSkip: Int
  var precision: Precision
  var start: StartFiles?
  /// The file of the starting noise.
  var latents: String?
  /// What changes the model.
  var loras: [LoRAChoice] = []

  /// The settings of a recipe; without one, those of a command without flags.
  init(_ recipe: GenerationRecipe?) throws {
    prompt = try recipe?.text("prompt")
    negativePrompt = try recipe?.text("negative_prompt") ?? ""
    count = try recipe?.whole("count", 1...Generate.mostPictures)
    seed = try recipe?.whole("seed", 0...Int.max).map { UInt64($0) }
    steps = try recipe?.whole("steps", 1...100_000)
    sampler = try recipe?.name("sampler", SamplerName.init(rawValue:))
    eta = try recipe?.number("eta", 0...1)
    spacing = try recipe?.name("sigmas", SigmaSpacing.init(argument:))
    guidance = try recipe?.number("guidance", -1000...1000)
    guidanceRescale = try recipe?.number("guidance_rescale", 0...1) ?? 0
    guidanceInterval = try recipe?.interval("guidance_interval", 0...1) ?? 0...1
    width = try recipe?.whole("width", 1...4096)
    height = try recipe?.whole("height", 1...4096)
    clipSkip = try recipe?.whole("clip_skip", 0...Generate.mostSkipped) ?? 0
    precision = try recipe?.name("precision") { try? Precision.ofDrawing($0) } ?? .fp32
  }

  /// The settings that a command's flags ask for, over those of a recipe.
  ///
  /// Throws `ValidationError` for flags that do not go together.
  init(_ command: Generate, over recipe: GenerationRecipe?) throws {
    try self.init(recipe)
    prompt = command.prompt ?? (command.start.variations ? nil : prompt)
    negativePrompt = command.negativePrompt ?? negativePrompt
    count = command.count ?? count
    seed = command.seed.seed ?? seed
    clipSkip = command.clipSkip ?? clipSkip
    precision = command.precision ?? precision
    let denoising = command.denoising
    steps = denoising.steps ?? steps
    sampler = denoising.sampler ?? sampler
    eta = denoising.eta ?? eta
    spacing = denoising.sigmas ?? spacing
    guidance = denoising.guidance ?? guidance
    guidanceRescale = denoising.guidanceRescale ?? guidanceRescale
    guidanceInterval = denoising.guidanceInterval?.range ?? guidanceInterval
    width = command.size.width ?? width
    height = command.size.height ?? height
    let flags = command.start
    latents = try command.files.latents ?? recipe?.file("latents", flag: "--latents")
    loras = command.lora.isEmpty ? try recipe?.loras() ?? [] : command.lora
    if let image = try flags.image ?? recipe?.file("image", flag: "--image") {
      // Of another picture the recipe's mask says nothing.
      let mask = try flags.mask ?? (flags.image == nil ? recipe?.file("mask", flag: "--mask") : nil)
      start = StartFiles(
        image: image, mask: mask,
        strength: try flags.strength ?? recipe?.number("strength", 0...1))
    }
    try check(flags, isInteractive: command.interactive)
  }

  /// Throws for flags that do not go together, and makes of variations what they are.
  private mutating func check(_ flags: StartOptions, isInteractive: Bool) throws {
    if start == nil {
      for (flag, isGiven) in [
        ("--strength", flags.strength != nil), ("--mask", flags.mask != nil),
        ("--variations", flags.variations),
      ] where isGiven {
        throw ValidationError("\(flag) is about the picture that --image names; name one.")
      }
    }
    if flags.variations {
      guard prompt == nil, !isInteractive else {
        throw ValidationError("--variations follow the picture alone; leave prompts out.")
      }
      prompt = ""
      guidance = guidance ?? 1
    }
    guard prompt != nil || isInteractive else {
      throw ValidationError("Say what to draw: latent generate \"a cat face with heart eyes\".")
    }
  }

  /// What a picture's recipe says beside its model, its seed and its size.
  func details(steps: Int, sampler used: String, guidance: Double) throws -> JSONObject {
    var details: JSONObject = [
      "prompt": .string(prompt ?? ""), "negative_prompt": .string(negativePrompt),
      "steps": .int(steps), "sampler": .string(used), "guidance": .double(guidance),
    ]
    if let eta { details["eta"] = .double(eta) }
    if let spacing { details["sigmas"] = .string("\(spacing)") }
    if guidanceRescale > 0 { details["guidance_rescale"] = .double(guidanceRescale) }
    if guidanceInterval != 0...1 {
      details["guidance_interval"] = [
        .double(guidanceInterval.lowerBound), .double(guidanceInterval.upperBound),
      ]
    }
    if clipSkip > 0 { details["clip_skip"] = .int(clipSkip) }
    if precision != .fp32 { details["precision"] = .string(precision.rawValue) }
    for (key, path) in [("image", start?.image), ("mask", start?.mask), ("latents", latents)] {
      guard let path else { continue }
      // The name alone: where it lies on this machine is nobody's business.
      details[key] = .string(URL(filePath: path).lastPathComponent)
      details["\(key)_sha256"] = .string(try Fingerprint.ofFile(path))
    }
    if !loras.isEmpty { details["lora"] = .array(try loras.map { try $0.recipe }) }
    if let start { details["strength"] = .double(start.usedStrength) }
    return details
  }
}

extension Precision {
  /// A precision in which pictures are drawn. Throws `ValidationError` for any other name.
  static func ofDrawing(_ name: String) throws -> Precision {
    guard let precision = Precision(rawValue: name), precision != .bf16x3 else {
      throw ValidationError("it is neither fp32 nor bf16.")
    }
    return precision
  }
}
