import Foundation
import Images
import Interchange
import Testing

/// Maps of latent spaces and walks along their dimensions, through the built tool.
@Suite struct LatentSpaceTests {
  @Test(arguments: ["ae", "vae"])
  func map(family: String) throws {
    let folder = try Trained.copies()
    let outcome = try Tool.run(
      "map", family, "-n", "60", "-o", "map.png", "--json", "--quiet", in: folder)
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try outcome.json
    #expect(json.object?.keys == ["run", "output", "count", "dimensions", "explained_variance"])
    #expect(json["count"]?.int == 60)
    #expect(json["dimensions"]?.int == 4)
    let shares = json["explained_variance"]?.array?.compactMap(\.double) ?? []
    try #require(shares.count == 2)
    #expect(shares[0] >= shares[1] && shares[1] >= 0)
    #expect(shares.reduce(0, +) <= 1 + 1e-6)
    // A page with a picture beside the other.
    let image = try folder.image("map.png")
    #expect(image.width > 2 * image.height * 3 / 4)
    let recipe = try Tool.run("inspect", "map.png", "--json", in: folder).json["recipe"]
    #expect(recipe?["command"]?.string == "map")
    #expect(recipe?["split"]?.string == "test")
  }

  @Test func partsOfTheDataHaveMapsOfTheirOwn() throws {
    let folder = try Trained.copies()
    for (name, flags) in [
      ("test", []), ("again", []), ("train", ["--split", "train"]),
      ("more", ["--data", "shapes", "-n", "50"]),
    ] {
      let outcome = try Tool.run(
        ["map", "vae", "-n", "40", "-o", "\(name).png"] + flags, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try folder.bytes("test.png") == folder.bytes("again.png"))
    #expect(try folder.image("test.png").pixels != folder.image("train.png").pixels)
    #expect(try folder.image("test.png").pixels != folder.image("more.png").pixels)
  }

  @Test func codesOfTwoNumbersAndOfOne() throws {
    let folder = try Trained.copies()
    for width in [1, 2] {
      _ = try Tool.run(
        ["train", "vae", "--out", "narrow\(width)", "--steps", "1", "--quiet"] + Trained.small
          + ["--set", "latent_dim=\(width)"], in: folder)
    }
    let two = try Tool.run("map", "narrow2", "-n", "20", "-o", "two.png", "--json", in: folder)
    let shares = try two.json["explained_variance"]?.array?.compactMap(\.double) ?? []
    #expect(abs(shares.reduce(0, +) - 1) < 1e-6)
    expectRefusal(
      try Tool.run("map", "narrow1", "-o", "one.png", in: folder), 1,
      "the codes of this network have one number, and a map needs two")
    #expect(!folder.exists("one.png"))
    let walk = try Tool.run(
      "traverse", "narrow1", "-n", "20", "-o", "one.png", "--json", in: folder)
    #expect(try walk.json["dimensions"]?.array?.count == 1)
  }

  @Test func traverseAVAE() throws {
    let folder = try Trained.copies()
    let outcome = try Tool.run(
      "traverse", "vae", "-n", "40", "--steps", "5", "-o", "t.png", "--json", "--quiet", in: folder)
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try outcome.json
    #expect(json.object?.keys == ["run", "output", "dimensions", "steps", "kl"])
    // Fewer dimensions than ten: all of them.
    #expect(Set(json["dimensions"]?.array?.compactMap(\.int) ?? []) == [0, 1, 2, 3])
    #expect(json["steps"]?.int == 5)
    let kl = json["kl"]?.array?.compactMap(\.double) ?? []
    #expect(kl.count == 4 && kl.allSatisfy { $0 >= 0 })
    let recipe = try Tool.run("inspect", "t.png", "--json", in: folder).json["recipe"]
    #expect(recipe?["command"]?.string == "traverse")
    #expect(recipe?["range"]?.double == 3)
  }

  @Test func chosenDimensionsKeepTheirOrder() throws {
    let folder = try Trained.copies()
    let all = try Tool.run("traverse", "vae", "-n", "40", "-o", "all.png", "--json", in: folder)
    let order = try all.json["dimensions"]?.array?.compactMap(\.int) ?? []
    let some = try Tool.run(
      "traverse", "vae", "-n", "40", "--dimension", "3", "--dimension", "0", "-o", "some.png",
      "--json", in: folder)
    #expect(try some.json["dimensions"]?.array?.compactMap(\.int) == [3, 0])
    // A dimension's KL does not depend on what else is shown.
    let place = try #require(order.firstIndex(of: 3))
    #expect(try some.json["kl"]?[0]?.double == all.json["kl"]?[place]?.double)
    expectRefusal(
      try Tool.run("traverse", "vae", "--dimension", "4", "-o", "x.png", in: folder), 1,
      "there is no dimension 4; the codes of this network have 4, from 0 to 3")
    #expect(!folder.exists("x.png"))
  }

  @Test func theMiddleOfAWalkIsThePictureThatComesBack() throws {
    let folder = try Trained.copies()
    let outcome = try Tool.run(
      "traverse", "ae", "grey.png", "-n", "40", "--steps", "3", "--range", "2", "-o", "t.png",
      "--json", in: folder)
    let json = try outcome.json
    #expect(json.object?.keys == ["run", "output", "dimensions", "steps"])
    _ = try Tool.run("encode", "ae", "grey.png", "-o", "c.safetensors", in: folder)
    _ = try Tool.run("decode", "ae", "c.safetensors", "-o", "back.png", in: folder)
    let (walks, back) = (try folder.image("t.png"), try folder.image("back.png"))
    // From the right: a margin of 4, then three pictures of 16 × 3 with 2 between them.
    let left = walks.width - 4 - 2 * 48 - 2
    let bottom = walks.height - 4 - 48
    #expect(
      (0..<256).allSatisfy {
        walks[left + 3 * ($0 % 16), bottom + 3 * ($0 / 16)] == back[$0 % 16, $0 / 16]
      })
    #expect(
      !(0..<256).allSatisfy {
        walks[left + 50 + 3 * ($0 % 16), bottom + 3 * ($0 / 16)] == back[$0 % 16, $0 / 16]
      })
  }
}
