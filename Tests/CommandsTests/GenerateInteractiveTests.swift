import Foundation
import Interchange
import Testing

/// `latent generate --interactive`: prompt after prompt with one model.
@Suite struct GenerateInteractiveTests {
  private func talk(_ lines: [String], _ flags: String = "", in folder: Scratch) throws
    -> Tool.Outcome
  {
    try folder.put(lines.joined(separator: "\n"), "lines.txt")
    defer { try? FileManager.default.removeItem(atPath: folder["lines.txt"]) }
    return try Tool.shell(
      "\"$latent\" generate --interactive --model '\(Prompted.model)' --threads 1 --steps 2 --quiet "
        + "\(flags) <lines.txt", in: folder)
  }

  @Test func prompts() throws {
    let folder = Scratch()
    let outcome = try talk(
      [
        "a cat", "", ":seed 7", "웃는 고양이", ":steps 3", ":guidance 2", ":negative a dog",
        ":size 72x64", "a cat", ":negative", ":size", ":guidance", "a bird", ":quit", "never",
      ],
      "--seed 5", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let names = ["a-cat-5.png", "웃는-고양이-7.png", "a-cat-7.png", "a-bird-7.png"]
    #expect(folder.names.sorted() == names.sorted())
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4)
    for (line, name) in zip(lines, names) {
      #expect(line.hasPrefix("\(name)  ") && line.hasSuffix(" s"), "\(line)")
    }
    let third = try folder.recipe("a-cat-7.png")
    #expect(third["steps"]?.int == 3 && third["guidance"]?.double == 2)
    #expect(third["negative_prompt"]?.string == "a dog" && third["width"]?.int == 72)
    let last = try folder.recipe("a-bird-7.png")
    #expect(last["steps"]?.int == 3 && last["guidance"]?.double == 7.5)
    #expect(last["negative_prompt"]?.string == "" && last["width"]?.int == 64)
    // As a command of its own draws it.
    let alone = try Tool.run(
      "generate", "a cat", "--seed", "5", "--steps", "2", "--threads", "1", "--model",
      Prompted.model, "-o", "x.png", in: folder)
    #expect(alone.status == 0)
    #expect(try folder.bytes("x.png") == folder.bytes("a-cat-5.png"))
  }

  @Test func jsonAndNumbers() throws {
    let folder = Scratch()
    try folder.put("mine", "p-2.png")
    let outcome = try talk(["a cat", "a dog"], "--json -o p-%d.png 'a bird'", in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let objects = try outcome.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    #expect(objects.compactMap { $0["prompt"]?.string } == ["a bird", "a cat", "a dog"])
    #expect(
      objects.compactMap { $0["output"]?.string } == ["p-1.png", "p-3.png", "p-4.png"])
    #expect(Set(objects.compactMap { $0["seed"]?.int }).count == 3)
    #expect(try folder.text("p-2.png") == "mine")
  }

  @Test func linesThatCannotBeDone() throws {
    let folder = Scratch()
    let outcome = try talk(
      [
        ":sede 3", ":seed x", ":steps 0", ":size 5", ":guidance much", ":size 65x64",
        "a dog",
      ], "--seed 5", in: folder)
    #expect(outcome.status == 1)
    let errors = outcome.errors.split(separator: "\n")
    #expect(errors.count == 6 && errors.allSatisfy { $0.hasPrefix("error: ") }, "\(errors)")
    for part in [":sede is not known", ":seed takes", ":size takes multiples of 8"] {
      #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }
    #expect(folder.names == ["a-dog-5.png"])
  }

  @Test func interruptionWhileWaiting() throws {
    let folder = Scratch()
    let waiting = try Tool.Started(
      "/bin/sh",
      [
        "-c",
        "mkfifo p; exec 3<>p; exec \"$latent\" generate 'a cat' --interactive --steps 2 --model "
          + "'\(Prompted.model)' --seed 5 --quiet <&3",
      ], in: folder)
    for _ in 0..<600 where !folder.exists("a-cat-5.png") { usleep(100_000) }
    usleep(300_000)
    waiting.send(SIGINT)
    #expect(try waiting.wait().status == 130)
  }

  @Test func outputsThatOnePictureFills() throws {
    for (flags, sentence) in [
      ("-o x.png", "--output x.png is one file"),
      ("--save-latents l.safetensors", "leave --save-latents and --save-images out"),
    ] {
      let outcome = try talk(["a cat"], flags, in: Scratch())
      expectRefusal(outcome, 64, sentence)
    }
  }
}
