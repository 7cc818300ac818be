import ArgumentParser
import Diffusion
import Interchange

/// `latent samplers`.
struct Samplers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the samplers of diffusion models.",
    discussion: "JSON keys: samplers (sampler, class, summary).")

  @OptionGroup var output: OutputOptions

  func run() throws {
    let width = SamplerName.allCases.map(\.rawValue.count).max() ?? 0
    try output.report(
      [
        "samplers": .array(
          SamplerName.allCases.map {
            [
              "sampler": .string($0.rawValue), "class": .string($0.schedulerClass.rawValue),
              "summary": .string($0.summary),
            ]
          })
      ],
      lines: SamplerName.allCases.map {
        $0.rawValue.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.summary
      })
  }
}
