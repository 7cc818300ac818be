import ArgumentParser
import Diffusion
import Interchange
import Torch

/// `latent generate "PROMPT"`.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw pictures from a sentence.",
    discussion: """
      The built-in model takes English and Korean; --model names another one. Words are weighed in \
      the prompt: (word:1.3). Picture i is drawn with seed + i. A PNG carries its recipe: `latent \
      inspect` shows it, and --like repeats it. Without --image, --width and --height pictures have \
      the model's own size. JSON keys: output, outputs, prompt, negative_prompt, seed, steps, sampler, \
      guidance, width, height, count, model, model_sha256, seconds, load_seconds, notes, and what was \
      given of eta, sigmas, guidance_rescale, guidance_interval, clip_skip, precision, strength, \
      lora, image, mask, latents (the last three with their _sha256).
      """)

  static let mostPictures = 10_000
  static let mostSkipped = 100

  @Argument(help: "What the picture shows.")
  var prompt: String?

  @Option(
    help: ArgumentHelp(
      """
      The folder of a Stable Diffusion model as diffusers lays it out, a single safetensors file of \
      one, a run of latent-diffusion, or the name of a built-in model (default: emoji).
      """, valueName: "dir"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "Where a single file's tokenizer lies: vocab.json and merges.txt (default: beside the file).",
      valueName: "dir"))
  var tokenizer: String?

  @Option(
    help: ArgumentHelp(
      """
      A LoRA file, or a run of lora, that changes the model; may be repeated. FILE:0.7 lets it count \
      for seven tenths.
      """, valueName: "file[:scale]"))
  var lora: [LoRAChoice] = []

  @Option(help: ArgumentHelp("What the picture does not show.", valueName: "prompt"))
  var negativePrompt: String?

  @Option(
    name: [.customShort("n"), .long],
    help: "How many pictures (default: 1, or as many as --latents holds).")
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "Repeat the recipe of a PNG that generate wrote; flags given beside it count more.",
      valueName: "file"))
  var like: String?

  @Flag(
    help: """
      Read prompt after prompt from standard input, with the model loaded once; :help says what \
      else can be said there. With --json an object a prompt.
      """)
  var interactive = false

  @OptionGroup(title: "Denoising") var denoising: DenoisingOptions

  @Option(
    help: ArgumentHelp(
      "How many of the text encoder's last layers the prompt passes by.", valueName: "n"))
  var clipSkip: Int?

  @OptionGroup(title: "Starting from a picture") var start: StartOptions

  @OptionGroup var size: SizeOptions
  @OptionGroup var files: SamplingFiles
  @OptionGroup var file: GeneratedOutput
  @OptionGroup var seed: SeedOption

  @Option(
    help: "fp32, or bf16: weights and arithmetic in half the memory (default: fp32).",
    completion: .list(["fp32", "bf16"]), transform: Precision.ofDrawing)
  var precision: Precision?

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  mutating func validate() throws {
    if let count, !(1...Self.mostPictures).contains(count) {
      throw ValidationError("--count is \(count); it must lie in 1...\(Self.mostPictures).")
    }
    if let clipSkip, !(0...Self.mostSkipped).contains(clipSkip) {
      throw ValidationError("--clip-skip is \(clipSkip); it must lie in 0...\(Self.mostSkipped).")
    }
    if interactive {
      if case .named(let path) = file.place {
        throw ValidationError(
          "--interactive draws many pictures, and --output \(path) is one file; name a folder, or a "
            + "name with %d.")
      }
      if files.saveLatents != nil || files.saveImages != nil {
        throw ValidationError(
          "--interactive draws many pictures; leave --save-latents and --save-images out.")
      }
    }
  }

  func run() throws {
    let device = try compute.start()
    let recipe = try like.map { try GenerationRecipe(picture: $0) }
    var settings = try GenerationSettings(self, over: recipe)
    try file.check(count: interactive ? 1 : settings.count ?? 1, numbersGoOn: interactive)
    try files.check(force: file.force)
    let model = try PromptedModel(
      model ?? recipe?.model(), tokenizer: tokenizer, loras: settings.loras, device: device,
      precision: settings.precision)
    if let recipe, let hash = try recipe.text("model_sha256"), try hash != model.hash.hex {
      output.talk(
        "note: \(like ?? ""): it was drawn by another model than \(model.name) is now, so this "
          + "picture will differ")
    }
    guard interactive else {
      model.pipeline.drawsOnce = true
      let drawing = try draw(settings, with: model)
      return try output.report(drawing.json, lines: drawing.lines)
    }
    let first = settings.prompt
    settings.prompt = nil
    var conversation = Conversation(settings, of: self, with: model)
    try conversation.run(startingWith: first)
  }
}
