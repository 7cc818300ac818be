import ArgumentParser
import Datasets
import Foundation
import Interchange

/// `latent datasets`.
struct Datasets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the data sets that are known by name, and where they are looked for.",
    discussion: """
      A path works as well: a folder of pictures, a folder a class, metadata.jsonl with file_name \
      and text, .txt captions beside pictures, IDX files, tar shards (`latent help shards`). \
      JSON keys: datasets (name, summary, present, places, remedy).
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let listings = DatasetCatalog.listings()
    let width = listings.map(\.name.count).max() ?? 0
    try output.report(
      [
        "datasets": .array(
          listings.map {
            [
              "name": .string($0.name), "summary": .string($0.summary),
              "present": .bool($0.isPresent), "places": .array($0.places.map { .string($0) }),
              "remedy": .string($0.remedy),
            ]
          })
      ],
      lines: listings.flatMap { set in
        let name = set.name.padding(toLength: width, withPad: " ", startingAt: 0)
        let line = "\(name)  \(set.isPresent ? "there  " : "missing")  \(set.summary)"
        return set.isPresent
          ? [line]
          : [
            line,
            "\(String(repeating: " ", count: width))  looked in "
              + "\(set.places.joined(separator: ", ")); \(set.remedy)",
          ]
      })
  }
}
