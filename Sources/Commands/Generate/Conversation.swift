import ArgumentParser
import Foundation
import Training

/// Prompt after prompt with one model: a line is a prompt, and one that begins with a colon changes
/// what the following ones are drawn with.
struct Conversation {
  private var settings: GenerationSettings
  private let command: Generate
  private let model: PromptedModel
  private let isTerminal = isatty(STDIN_FILENO) == 1
  private var hasFailed = false

  /// A conversation that begins with some settings.
  init(_ settings: GenerationSettings, of command: Generate, with model: PromptedModel) {
    self.settings = settings
    self.command = command
    self.model = model
  }

  /// Draws a prompt, if there is one, then those of standard input until it ends.
  ///
  /// A line that cannot be drawn is explained and passed over; where no person is there to read
  /// that, it throws the exit code 1 at the end.
  mutating func run(startingWith first: String?) throws {
    Interruption.listen()
    for note in model.pipeline.notes { command.output.talk("note: \(note)") }
    command.output.talk(
      String(
        format: "%@ is ready after %.1f s; a prompt a line, :help for more", model.name,
        model.loadSeconds))
    var lines = LineReader()
    var next = first
    while true {
      if let line = next?.trimmingCharacters(in: .whitespacesAndNewlines), !line.isEmpty {
        guard try goOn(after: line) else { break }
      }
      if isTerminal, !command.output.quiet {
        try? FileHandle.standardError.write(contentsOf: Data("> ".utf8))
      }
      next = try lines.next()
      if next == nil { break }
    }
    if hasFailed, !isTerminal { throw ExitCode(1) }
  }

  /// Does what a line says; false after `:quit`.
  private mutating func goOn(after line: String) throws -> Bool {
    do {
      if line.hasPrefix(":") { return try obey(line) }
      var settings = settings
      settings.prompt = line
      let drawing = try command.draw(settings, with: model)
      try command.output.report(drawing.json, lines: drawing.lines)
    } catch let code as ExitCode {
      throw code
    } catch {
      hasFailed = true
      try? FileHandle.standardError.write(contentsOf: Data("error: \(error)\n".utf8))
    }
    return true
  }

  private static let help = """
    :seed N         the seed of every prompt from now on; alone: a new one each
    :steps N        steps of the sampler
    :guidance W     how strongly prompts are followed; alone: the model's own
    :negative TEXT  what pictures do not show; alone: nothing
    :size WxH       pixels across and down; alone: the model's own
    :quit           ends, as the end of the input does
    """

  /// Changes the settings; false for `:quit`.
  private mutating func obey(_ line: String) throws -> Bool {
    let words = line.dropFirst().split(separator: " ", maxSplits: 1).map(String.init)
    let (name, value) = (words.first ?? "", words.count > 1 ? words[1] : "")
    func wrong(_ wanted: String) -> CommandError {
      CommandError(":\(name) takes \(wanted), not \"\(value)\"")
    }
    switch name {
    case "quit": return false
    case "help": command.output.talk(Self.help)
    case "negative": settings.negativePrompt = value
    case "seed":
      let seed = value.isEmpty ? nil : Int(value)
      guard value.isEmpty || seed.map({ $0 >= 0 }) == true else {
        throw wrong("a whole number from 0 on")
      }
      settings.seed = seed.map(UInt64.init)
    case "steps":
      guard let steps = Int(value), (1...100_000).contains(steps) else {
        throw wrong("a number of 1...100000")
      }
      settings.steps = steps
    case "guidance":
      let scale = value.isEmpty ? nil : Double(value)
      guard value.isEmpty || scale.map({ abs($0) <= 1000 }) == true else {
        throw wrong("a number in -1000...1000")
      }
      settings.guidance = scale
    case "size":
      let sides = value.split { "xX×".contains($0) }.compactMap { Int($0) }
      guard value.isEmpty || sides.count == 2 && sides.allSatisfy((1...4096).contains) else {
        throw wrong("a width and a height of 1...4096, such as 512x512")
      }
      guard sides.allSatisfy({ $0.isMultiple(of: model.scale) }) else {
        throw wrong("multiples of \(model.scale)")
      }
      (settings.width, settings.height) = (sides.first, sides.last)
    default:
      throw CommandError(
        ":\(name) is not known here; :seed, :steps, :guidance, :negative, :size, :help and :quit are"
      )
    }
    return true
  }
}
