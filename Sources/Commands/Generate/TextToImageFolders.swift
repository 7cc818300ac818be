import Diffusion
import Foundation

/// Where text-to-image models lie: those that come with the tool, and those of the person.
enum TextToImageFolders {
  /// A model's folder.
  struct Found {
    let name: String
    let path: String
  }

  /// The model that draws where none is named.
  static let standard = "emoji"

  /// The folders in which models that come with the tool are looked for, in order: that of the
  /// variable LATENT_MODELS, `Models` of the repository that the tool was built in, `Models` beside
  /// it, and `share/latent/models` of where it is installed.
  static var shelves: [String] {
    shelves(
      named: ProcessInfo.processInfo.environment["LATENT_MODELS"],
      executable: Bundle.main.executableURL?.resolvingSymlinksInPath().path(percentEncoded: false))
  }

  static func shelves(named: String?, executable: String?) -> [String] {
    var shelves = [named].compactMap(\.self).filter { !$0.isEmpty }
    guard let executable else { return shelves }
    let parts = executable.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    if let build = parts.lastIndex(of: ".build") {
      shelves.append((parts[..<build] + ["Models"]).joined(separator: "/"))
    }
    shelves.append((parts + ["Models"]).joined(separator: "/"))
    shelves.append((parts.dropLast() + ["share", "latent", "models"]).joined(separator: "/"))
    return shelves
  }

  /// The models that come with the tool, the first of each name.
  static var builtIn: [Found] {
    var names: Set<String> = []
    return shelves.flatMap(models(in:)).filter { names.insert($0.name).inserted }
  }

  /// Models in the current folder and among the runs.
  static func here(and runs: String = "runs") -> [Found] { models(in: ".") + models(in: runs) }

  /// The models in a folder, by name.
  static func models(in folder: String) -> [Found] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted().compactMap { name in
      let path = folder == "." ? name : "\(folder)/\(name)"
      return TextToImagePipeline.isPipeline(path) ? Found(name: name, path: path) : nil
    }
  }
}
