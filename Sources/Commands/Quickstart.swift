import ArgumentParser

struct Quickstart: ParsableCommand {
  func run() throws {}
}
