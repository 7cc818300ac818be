import ArgumentParser
import Diffusion
import Foundation
import Images
import Interchange
import Models
import Training

/// `latent inspect PATH`.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a file or folder holds: weights, a run, a network, a picture's recipe.",
    discussion: """
      JSON keys: path, kind (safetensors, run, text-to-image, pipeline, network, picture), and for \
      each what it holds: tensors and metadata; the record run.json, and the model where it draws from a \
      prompt; class, components (component, \
      class, parameters, dtypes, bytes), parameters, scheduler, prediction_type, latent_channels, \
      latent_scale, width, height, guidance; scheduler, unet, parameters, classes and notes; config and \
      parameters; size and recipe.
      """)

  @Argument(
    help: "A safetensors file, a run, a folder of diffusers, a network's folder, or a picture.")
  var path: String

  @OptionGroup var output: OutputOptions

  func run() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CommandError("\(path): there is no such file or folder")
    }
    let (json, lines) =
      if isFolder.boolValue {
        try folder()
      } else if path.hasSuffix(".safetensors") {
        try safetensors()
      } else {
        try picture()
      }
    try output.report(json, lines: lines)
  }

  private func safetensors() throws -> (JSONObject, [String]) {
    let file = try SafetensorsFile(path: path)
    let infos = file.names.compactMap { file.tensors[$0] }
    let count = infos.reduce(0) { $0 + $1.shape.reduce(1, *) }
    let width = infos.map(\.name.count).max() ?? 0
    return (
      [
        "path": .string(path), "kind": "safetensors",
        "metadata": .object(
          JSONObject(file.metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
        "tensors": .array(
          infos.map {
            [
              "name": .string($0.name), "dtype": .string($0.elementType.rawValue),
              "shape": .array($0.shape.map { .int($0) }),
            ]
          }),
      ],
      infos.map {
        "\($0.name.padding(toLength: width, withPad: " ", startingAt: 0))  "
          + "\($0.elementType.rawValue)  \($0.shape)"
      } + file.metadata.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        + ["\(infos.count) tensors, \(count) numbers"]
    )
  }

  private func folder() throws -> (JSONObject, [String]) {
    let contents =
      TextToImagePipeline.isPipeline(path) ? try TextToImageContents(folder: path) : nil
    if FileManager.default.fileExists(atPath: RunFolder(path: path).recordPath) {
      let record = try RunRecord(of: RunFolder(path: path))
      let json = try JSON(encoding: record)
      var object: JSONObject = ["path": .string(path), "kind": "run", "record": json]
      object["model"] = contents.map { .object($0.json) }
      return (object, [json.pretty] + (contents?.lines ?? []))
    }
    if let contents { return (contents.json, contents.lines) }
    if DiffusionPipeline.isPipeline(path) { return try pipeline() }
    guard
      FileManager.default.fileExists(atPath: "\(path)/\(ModelFolder.config)")
    else {
      throw CommandError(
        "\(path): this folder is no run (no run.json), no pipeline (no model_index.json) and no "
          + "network (no config.json)")
    }
    let (config, parameters) = try network()
    return (
      [
        "path": .string(path), "kind": "network", "config": config,
        "parameters": .int(parameters),
      ],
      [config.pretty, "\(parameters) parameters"]
    )
  }

  private func pipeline() throws -> (JSONObject, [String]) {
    let pipeline = try DiffusionPipeline(folder: path)
    let unet = try JSON(encoding: pipeline.unet.config)
    let (scheduler, parameters) = (pipeline.scheduler.json, pipeline.unet.parameterCount)
    return (
      [
        "path": .string(path), "kind": "pipeline", "scheduler": scheduler, "unet": unet,
        "parameters": .int(parameters), "classes": .array(pipeline.classNames.map { .string($0) }),
        "notes": .array(pipeline.notes.map { .string($0) }),
      ],
      [
        "scheduler \(scheduler.pretty)", "unet \(unet.pretty)", "\(parameters) parameters",
        pipeline.classNames.isEmpty
          ? "no classes" : "classes: \(pipeline.classNames.joined(separator: ", "))",
      ] + pipeline.notes.map { "note: \($0)" }
    )
  }

  /// The configuration of the network in the folder, and how many numbers it has.
  private func network() throws -> (config: JSON, parameters: Int) {
    let path = "\(path)/\(ModelFolder.config)"
    let config: JSON
    do {
      config = try JSON(contentsOfFile: path)
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
    let name = config["_class_name"]?.string
    if name == UNetConfig.className {
      let unet = try UNet2D(folder: self.path)
      return (try JSON(encoding: unet.config), unet.parameterCount)
    }
    if name == UNetConditionConfig.className {
      let unet = try UNet2DCondition(folder: self.path)
      return (try JSON(encoding: unet.config), unet.parameterCount)
    }
    if name == AutoencoderKLConfig.className {
      let autoencoder = try AutoencoderKL(folder: self.path)
      return (try JSON(encoding: autoencoder.config), autoencoder.parameterCount)
    }
    if config["model_type"]?.string == "clip_text_model" {
      let encoder = try CLIPTextModel(folder: self.path)
      return (try JSON(encoding: encoder.config), encoder.parameterCount)
    }
    let autoencoder = try Autoencoder(folder: self.path)
    return (try JSON(encoding: autoencoder.config), autoencoder.parameterCount)
  }

  private func picture() throws -> (JSONObject, [String]) {
    let image = try Image(contentsOfFile: path)
    var json: JSONObject = [
      "path": .string(path), "kind": "picture", "width": .int(image.width),
      "height": .int(image.height), "channels": .int(image.channels),
    ]
    var lines = ["\(image.width)×\(image.height), \(image.channels) channels"]
    if ImageFormat(path: path) == .png {
      for entry in try PNGText(contentsOfFile: path).entries {
        if entry.keyword == recipeKeyword, let recipe = try? JSON(parsing: entry.text) {
          json["recipe"] = recipe
          lines.append(recipe.pretty)
        } else {
          lines.append("\(entry.keyword): \(entry.text)")
        }
      }
    }
    return (json, lines)
  }
}
