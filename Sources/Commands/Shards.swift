import ArgumentParser

/// `latent shards`.
struct Shards: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write and look through tar shards: data that no memory holds.",
    discussion: """
      --data takes a folder of shards, one of them, a pattern such as train-{000000..000099}.tar, or \
      an index. A sample is the members of one name up to the first dot: a picture (png, jpg, webp) \
      with cls (the number of its class), txt (a caption), json (label, text). An index is JSON in \
      the format of wids: {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": \
      [{"url": "train-000000.tar", "nsamples": 10000}]}, with classes, image_size and channels \
      beside where they are known; the url pipe:COMMAND is what a command of the shell prints. \
      Without an index the headers of all files are read first. Shards with test or val in their \
      names are held out, otherwise a tenth.
      """,
    subcommands: [PackShards.self, InspectShards.self])
}
