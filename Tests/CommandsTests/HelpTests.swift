import Foundation
import Testing

/// The help pages, word for word. `LATENT_UPDATE_SNAPSHOTS=1 swift test --filter HelpTests` renews
/// the files under `Tests/Fixtures/help`.
@Suite struct HelpTests {
  static let commands = [
    "generate", "quickstart", "train", "sample", "reconstruct", "interpolate", "map", "traverse",
    "encode",
    "decode", "noise", "evaluate", "diagnose", "compare", "atlas", "runs", "inspect", "models",
    "datasets", "shards", "samplers", "doctor", "bench",
  ]
  static let inner = ["shards pack", "shards inspect"]

  @Test(arguments: ["latent"] + commands + inner)
  func page(of command: String) throws {
    let words = command == "latent" ? [] : command.split(separator: " ").map(String.init)
    let outcome = try Tool.run(words + ["--help"], in: Scratch())
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/help/\(command.replacing(" ", with: "-")).txt")
    if ProcessInfo.processInfo.environment["LATENT_UPDATE_SNAPSHOTS"] == "1" {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(outcome.output.utf8).write(to: file)
    }
    #expect(outcome.output == (try? String(contentsOf: file, encoding: .utf8)))
  }

  @Test func frontPageNamesEveryCommand() throws {
    let page = try Tool.run("--help", in: Scratch()).output
    for command in Self.commands { #expect(page.contains("  \(command) "), "\(command)") }
  }

  @Test func version() throws {
    let outcome = try Tool.run("--version", in: Scratch())
    #expect(outcome.status == 0)
    #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(outcome.output)")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completion(for shell: String) throws {
    let outcome = try Tool.run("--generate-completion-script", shell, in: Scratch())
    #expect(outcome.status == 0)
    for word in ["quickstart", "interpolate", "iwae-samples", "negative-prompt"] {
      #expect(outcome.output.contains(word), "\(word)")
    }
  }

  @Test func unknownCommand() throws {
    expectRefusal(try Tool.run("smaple", in: Scratch()), 64, "smaple")
  }

  @Test func readerThatLeaves() throws {
    let outcome = try Tool.shell("\"$latent\" datasets | head -n 1", in: Scratch())
    #expect(outcome.status == 0)
    #expect(outcome.output.count { $0 == "\n" } == 1)
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    // A reader that is gone before the first word: fd 3 is a pipe without one.
    let gone = try Tool.shell(
      "mkfifo p; (exec 4<p) & exec 3>p; wait; \"$latent\" datasets >&3; echo $?", in: Scratch())
    #expect(gone.output == "0\n")
    #expect(gone.errors.isEmpty, "\(gone.errors)")
  }
}
