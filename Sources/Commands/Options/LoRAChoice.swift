import ArgumentParser
import Diffusion
import Foundation
import Interchange
import Models
import NeuralNets

/// A LoRA file and how strongly it counts: `FILE` or `FILE:SCALE`, as `--lora` takes it.
struct LoRAChoice: ExpressibleByArgument {
  let path: String
  var scale = 1.0

  init(path: String, scale: Double) { (self.path, self.scale) = (path, scale) }

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let scale = Double(argument[argument.index(after: colon)...])
    else {
      path = argument
      return
    }
    guard scale.isFinite, abs(scale) <= 100, colon > argument.startIndex else { return nil }
    (path, self.scale) = (String(argument[..<colon]), scale)
  }

  /// The file itself, where `path` is a folder that holds one.
  var file: String {
    let inside = "\(path)/\(LoRA.fileName)"
    return FileManager.default.fileExists(atPath: inside) ? inside : path
  }

  /// What a picture's recipe says of it.
  var recipe: JSON {
    get throws {
      // Runs are told apart by their folders alone.
      let parts = URL(filePath: file).standardizedFileURL.pathComponents
      let name = parts.suffix(parts.last == LoRA.fileName ? 2 : 1).joined(separator: "/")
      return [
        "file": .string(name),
        "sha256": .string(try Fingerprint.ofFile(file)), "scale": .double(scale),
      ]
    }
  }
}

extension TextToImagePipeline {
  /// Makes LoRA files part of the weights. Throws `SafetensorsError` for one that cannot be read or
  /// was made for another model.
  func merge(_ choices: [LoRAChoice]) throws {
    guard !choices.isEmpty else { return }
    for choice in choices {
      try LoRA(path: choice.path).add(
        to: unet, textEncoders: encoders.map(\.model), scale: choice.scale)
    }
    for network in [unet] + encoders.map(\.model) as [Module] { network.mergeLowRankChanges() }
  }
}
