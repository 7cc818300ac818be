import Diffusion
import Foundation
import Interchange
import Models

/// What the folder of a text-to-image model holds, by its configurations and the headers of its
/// weights: nothing is loaded.
struct TextToImageContents {
  /// One part of the pipeline.
  private struct Component {
    let name: String
    let className: String
    /// The header of its weights; `nil` for parts that have none.
    let weights: SafetensorsIndex?

    var parameters: Int {
      weights?.tensors.values.reduce(0) { $0 + $1.shape.reduce(1, *) } ?? 0
    }
    var dtypes: [String] {
      Set(weights?.tensors.values.map(\.elementType.rawValue) ?? []).sorted()
    }
    var bytes: Int { weights?.tensors.values.reduce(0) { $0 + $1.byteCount } ?? 0 }
  }

  private let path: String
  private let className: String
  private let components: [Component]
  private let scheduler: SchedulerFile
  private let unet: UNetConditionConfig
  private let autoencoder: AutoencoderKLConfig
  private let guidance: Double?

  /// Looks into a folder of which `TextToImagePipeline.isPipeline` is true.
  ///
  /// Throws an `ExplainedError` that names the file for one that is missing or damaged.
  init(folder path: String) throws {
    self.path = path
    let index = try JSON(contentsOfFile: "\(path)/model_index.json")
    className = index["_class_name"]?.string ?? ""
    components = try (index.object ?? [:]).compactMap { name, said in
      guard let className = said[1]?.string else { return nil }
      let folder = "\(path)/\(name)"
      let weights = ["diffusion_pytorch_model", "model"]
        .map { ModelFolder.weightsPath(in: folder, named: $0) }
        .first { FileManager.default.fileExists(atPath: $0) }
      return Component(
        name: name, className: className,
        weights: try weights.map { try SafetensorsIndex(path: $0) })
    }
    scheduler = try SchedulerFile(contentsOfFile: "\(path)/scheduler/\(SchedulerFile.name)")
    unet = try Self.config("\(path)/unet/\(ModelFolder.config)")
    autoencoder = try Self.config("\(path)/vae/\(ModelFolder.config)")
    guidance = try PromptedModel.advice(in: path).guidance
  }

  private static func config<Config: Decodable>(_ path: String) throws -> Config {
    do {
      return try JSON(contentsOfFile: path).decode()
    } catch {
      throw JSONError(path: path, sentence: error.sentence)
    }
  }

  private var parameters: Int { components.reduce(0) { $0 + $1.parameters } }

  /// Width and height of pictures that the model was made for.
  private var size: (width: Int, height: Int)? {
    unet.sampleSize?.extents.map {
      ($0.width * autoencoder.scale, $0.height * autoencoder.scale)
    }
  }

  /// What `--json` prints.
  var json: JSONObject {
    var json: JSONObject = [
      "path": .string(path), "kind": "text-to-image", "class": .string(className),
      "components": .array(
        components.map { part in
          var record: JSONObject = [
            "component": .string(part.name), "class": .string(part.className),
          ]
          if part.weights != nil {
            record["parameters"] = .int(part.parameters)
            record["dtypes"] = .array(part.dtypes.map { .string($0) })
            record["bytes"] = .int(part.bytes)
          }
          return .object(record)
        }),
      "parameters": .int(parameters), "scheduler": scheduler.json,
      "prediction_type": .string(scheduler.config.predictionType.rawValue),
      "latent_channels": .int(autoencoder.latentChannels), "latent_scale": .int(autoencoder.scale),
    ]
    if let size { (json["width"], json["height"]) = (.int(size.width), .int(size.height)) }
    if let guidance { json["guidance"] = .double(guidance) }
    return json
  }

  /// What a person reads.
  var lines: [String] {
    let (names, classes) = (
      components.map(\.name.count).max() ?? 0, components.map(\.className.count).max() ?? 0
    )
    func padded(_ text: String, _ width: Int) -> String {
      text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
    var lines = [className]
    lines += components.map { part in
      let start = "\(padded(part.name, names))  \(padded(part.className, classes))"
      guard part.weights != nil else { return start }
      return start + "  \(part.parameters) parameters, \(part.dtypes.joined(separator: "+")), "
        + String(format: "%.1f MB", Double(part.bytes) / 1e6)
    }
    lines.append("\(parameters) parameters")
    lines.append(
      "scheduler: \(scheduler.schedulerClass.rawValue), prediction_type "
        + "\(scheduler.config.predictionType.rawValue), \(scheduler.config.numTrainTimesteps) levels"
    )
    lines.append(
      (size.map { "pictures \($0.width)×\($0.height), " } ?? "")
        + "latents of \(autoencoder.latentChannels) channels, one for \(autoencoder.scale)×"
        + "\(autoencoder.scale) pixels")
    if let guidance { lines.append("guidance: \(guidance)") }
    return lines
  }
}
