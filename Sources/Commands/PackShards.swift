import ArgumentParser
import Datasets
import Foundation
import Images
import Interchange
import Training

/// `latent shards pack SOURCE`.
struct PackShards: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Write a data set as tar shards, shuffled once, with an index.",
    discussion: """
      The folder holds train-000000.tar and so on, test-000000.tar and so on, and shards.json, and \
      appears when all is written. JSON keys: output, shards, train, test (samples), bytes, seed, \
      seconds.
      """)

  @Argument(help: "A data set's name or path; `latent datasets` lists the names.")
  var source: String

  @Option(name: [.customShort("o"), .long], help: "The folder to write.")
  var output: String

  @Option(help: "Samples in a shard at most.")
  var perShard = 10_000

  @Option(help: "Megabytes from which on a shard is full (default: no limit).")
  var sizeMb: Int?

  @Option(help: "The side in pixels to which pictures are brought.")
  var imageSize: Int?

  @Option(help: "1 for grey, 3 for colour (default: as the data has it).")
  var channels: Int?

  @Option(help: "How pictures are stored; jpeg loses detail.")
  var format = ImageFormat.png

  @Flag(help: "Replace shards that are there.")
  var force = false

  @OptionGroup var seed: SeedOption
  @OptionGroup var talk: OutputOptions

  mutating func validate() throws {
    if !(1...100_000_000).contains(perShard) {
      throw ValidationError("--per-shard is \(perShard); it must lie in 1...100000000.")
    }
    if let sizeMb, !(1...1_000_000).contains(sizeMb) {
      throw ValidationError("--size-mb is \(sizeMb); it must lie in 1...1000000.")
    }
  }

  func run() throws {
    let parts = try ShardPacking.parts(of: source, imageSize: imageSize, channels: channels)
    for note in parts[.train]?.notes ?? [] { talk.talk("note: \(note)") }
    var packing = ShardPacking()
    (packing.samplesPerShard, packing.seed, packing.format) = (perShard, seed.value, format)
    if let sizeMb { packing.bytesPerShard = sizeMb << 20 }
    Interruption.listen()
    let line = talk.quiet ? nil : StatusLine()
    let total = parts.values.reduce(0) { $0 + $1.count }
    let start = ContinuousClock.now
    let result = try packing.write(parts, to: output, replacing: force) { done in
      if done.isMultiple(of: 256) {
        line?.show("\(StatusLine.bar(Double(done) / Double(total)))  \(done) samples")
      }
      if let signal = Interruption.signalNumber { throw ExitCode(128 + signal) }
    }
    line?.finish()
    for note in result.notes { talk.talk("note: \(note)") }
    let (train, test) = (result.samples[.train] ?? 0, result.samples[.test] ?? 0)
    try talk.report(
      [
        "output": .string(output), "shards": .int(result.shards), "train": .int(train),
        "test": .int(test), "bytes": .int(result.bytes), "seed": .int(Int(packing.seed)),
        "seconds": .double((.now - start) / .seconds(1)),
      ],
      lines: [
        "shards      \(result.shards) of at most \(perShard) samples, \(result.bytes >> 20) MB",
        "samples     \(train) to train on, \(test) held out",
        "next        latent train vae --data \(output)",
      ])
  }
}

extension ImageFormat: ExpressibleByArgument {}
