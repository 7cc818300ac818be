import ArgumentParser
import Foundation
import Interchange
import Training

/// `latent models`.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the families, their presets, and the models and runs that are here.",
    discussion: """
      JSON keys: families (family, summary, presets; gan: losses), models (model, path, built_in: those \
      that draw from a prompt), runs (run, family, status, data).
      """)

  @Option(help: "The folder to look for runs and models in, beside the current one.")
  var runs = "runs"

  @OptionGroup var output: OutputOptions

  func run() throws {
    var lines: [String] = []
    var families: [JSON] = []
    for family in Family.allCases {
      lines.append("\(family.rawValue)  \(family.summary)")
      let presets = family.presets
      for preset in presets { lines.append("    --preset \(preset.name)  \(preset.summary)") }
      var record: JSONObject = [
        "family": .string(family.rawValue), "summary": .string(family.summary),
        "presets": .array(
          presets.map { ["preset": .string($0.name), "summary": .string($0.summary)] }),
      ]
      if family == .gan {
        let games = GANRecipe.Game.allCases
        lines += games.map { "    --loss \($0.rawValue)  \($0.summary)" }
        record["losses"] = .array(
          games.map { ["loss": .string($0.rawValue), "summary": .string($0.summary)] })
      }
      families.append(.object(record))
    }
    var models: [JSON] = []
    for (found, isBuiltIn) in TextToImageFolders.builtIn.map({ ($0, true) })
      + TextToImageFolders.here(and: runs).map({ ($0, false) })
    {
      lines.append(
        isBuiltIn
          ? "\(found.name)  built in, draws from a prompt: \(found.path)"
          : "\(found.path)  draws from a prompt")
      models.append([
        "model": .string(found.name), "path": .string(found.path), "built_in": .bool(isBuiltIn),
      ])
    }
    var found: [JSON] = []
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []).sorted()
    for name in names {
      let path = "\(runs)/\(name)"
      guard let record = try? RunRecord(of: RunFolder(path: path)) else { continue }
      lines.append("\(path)  \(record.family) on \(record.data.name), \(record.status.rawValue)")
      found.append([
        "run": .string(path), "family": .string(record.family),
        "status": .string(record.status.rawValue), "data": .string(record.data.name),
      ])
    }
    try output.report(
      ["families": .array(families), "models": .array(models), "runs": .array(found)],
      lines: lines)
  }
}
