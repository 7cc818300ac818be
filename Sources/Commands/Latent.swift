import ArgumentParser
import Foundation
import Training

/// The tool: one subcommand a file.
public struct Latent: ParsableCommand {
  /// The subcommands and the front page of the help.
  public static let configuration = CommandConfiguration(
    commandName: "latent",
    abstract: "Train, sample, evaluate and explain generative image models.",
    discussion: """
      Data goes to standard output, talk and progress to standard error. Exit codes: 0 done, \
      1 bad input or a failed run, 64 wrong usage, 130 interrupted, 143 terminated.
      """,
    version: latentVersion,
    groupedSubcommands: [
      CommandGroup(name: "Start here", subcommands: [Generate.self, Quickstart.self]),
      CommandGroup(
        name: "Models",
        subcommands: [
          Train.self, Sample.self, Reconstruct.self, Interpolate.self, Map.self, Traverse.self,
          Encode.self, Decode.self, Noise.self, Evaluate.self, Diagnose.self,
          Compare.self, AtlasCommand.self, Export.self,
        ]),
      CommandGroup(
        name: "What there is",
        subcommands: [
          Runs.self, Inspect.self, Models.self, Datasets.self, Shards.self, Samplers.self,
          Doctor.self, Bench.self,
        ]),
    ])

  /// For the argument parser.
  public init() {}

  /// Runs the command line and ends the process with the contract's exit code.
  public static func start() -> Never {
    // A file that outgrows its limit and a reader that went away are errors of the write then,
    // instead of the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    // Weights are read from their file while they are used.
    signal(SIGBUS) { _ in
      let sentence: StaticString = """
        error: a file that was in use was cut short, or its disk cannot be read; make it whole again \
        and start anew\n
        """
      _ = write(STDERR_FILENO, sentence.utf8Start, sentence.utf8CodeUnitCount)
      _exit(1)
    }
    let command: any ParsableCommand
    do {
      command = try parseAsRoot()
    } catch {
      exit(withError: error)
    }
    do {
      var command = command
      try command.run()
    } catch let code as ExitCode {
      exit(withError: code)
    } catch  where isUsage(error) {
      exit(withError: error)
    } catch {
      let sentence = "error: \(error)\n"
      try? FileHandle.standardError.write(contentsOf: Data(sentence.utf8))
      Foundation.exit(1)
    }
    Foundation.exit(0)
  }

  /// Whether the argument parser should print the error: a wrong usage, or a request for help.
  private static func isUsage(_ error: any Error) -> Bool {
    error is ValidationError || exitCode(for: error) == .success
  }
}
