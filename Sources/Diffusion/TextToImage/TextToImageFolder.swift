import Foundation
import Interchange
import Models
import Tokenizers

extension TextToImagePipeline.Kind {
  /// The kind of a pipeline by its class in `model_index.json`; `nil` for those of other kinds.
  init?(className: String) {
    switch className {
    case "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline",
      "StableDiffusionInpaintPipeline":
      self = .stableDiffusion
    case "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline",
      "StableDiffusionXLInpaintPipeline":
      self = .stableDiffusionXL
    default: return nil
    }
  }

  /// The folders of text encoder and tokenizer.
  var encoderNames: [(encoder: String, tokenizer: String)] {
    let first = ("text_encoder", "tokenizer")
    return self == .stableDiffusion ? [first] : [first, ("text_encoder_2", "tokenizer_2")]
  }
}

extension TextToImagePipeline {
  /// Whether a folder holds a pipeline of a class that can be opened here.
  public static func isPipeline(_ folder: String) -> Bool {
    let index = try? JSON(contentsOfFile: "\(folder)/\(PipelineIndex.name)")
    return index?["_class_name"]?.string.flatMap(Kind.init) != nil
  }

  /// Opens a folder with `model_index.json`, `unet`, `vae`, `text_encoder`, `tokenizer` and
  /// `scheduler`, and for XL `text_encoder_2` and `tokenizer_2`.
  ///
  /// Throws an `ExplainedError` that names the file for one that is missing, damaged or a pickle, and
  /// for a pipeline of another class.
  public convenience init(folder: String) throws {
    let index = try PipelineIndex(folder: folder)
    let kind = index.kind
    let unet = try UNet2DCondition(folder: "\(folder)/unet")
    let autoencoder = try AutoencoderKL(folder: "\(folder)/vae")
    let encoders = try kind.encoderNames.enumerated().map { place, names in
      PromptEncoder(
        tokenizer: try CLIPTokenizer(folder: "\(folder)/\(names.tokenizer)"),
        model: try CLIPTextModel(
          folder: "\(folder)/\(names.encoder)", architecture: place == 1 ? .projecting : .plain))
    }
    let scheduler = try SchedulerFile(
      contentsOfFile: "\(folder)/scheduler/\(SchedulerFile.name)")
    if let problem = Self.problem(
      kind, unet: unet.config, autoencoder: autoencoder.config, encoders: encoders)
    {
      throw JSONError(path: folder, sentence: "\(problem).")
    }
    self.init(
      kind, unet: unet, autoencoder: autoencoder, encoders: encoders, scheduler: scheduler,
      forcesZerosForEmptyPrompt: index.json["force_zeros_for_empty_prompt"]?.bool ?? true,
      notes: index.notes + scheduler.notes)
  }

  /// Writes the folder as diffusers lays it out and opens it.
  ///
  /// Throws `FileError` when the disk refuses.
  public func save(to folder: String) throws {
    func part(_ name: String) throws -> String {
      let path = "\(folder)/\(name)"
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
      return path
    }
    var index: JSONObject = [
      "_class_name": .string(kind.className),
      "_diffusers_version": .string(SchedulerFile.diffusersVersion),
      "feature_extractor": [nil, nil], "image_encoder": [nil, nil],
      "scheduler": ["diffusers", .string(scheduler.schedulerClass.rawValue)],
      "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    ]
    try unet.save(to: part("unet"))
    try autoencoder.save(to: part("vae"))
    try scheduler.write(to: "\(part("scheduler"))/\(SchedulerFile.name)")
    for (encoder, names) in zip(encoders, kind.encoderNames) {
      try encoder.model.save(to: part(names.encoder))
      try encoder.tokenizer.save(to: part(names.tokenizer))
      let architecture = encoder.model.config.architecture.rawValue
      index[names.encoder] = ["transformers", .string(architecture)]
      index[names.tokenizer] = ["transformers", "CLIPTokenizer"]
    }
    switch kind {
    case .stableDiffusion:
      index["safety_checker"] = [nil, nil]
      index["requires_safety_checker"] = false
    case .stableDiffusionXL:
      index["force_zeros_for_empty_prompt"] = .bool(forcesZerosForEmptyPrompt)
    }
    try JSON.object(index).write(to: "\(folder)/\(PipelineIndex.name)")
  }
}
