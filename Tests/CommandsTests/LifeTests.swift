import Foundation
import Interchange
import Testing

/// What a person does with trained runs, and what comes back.
@Suite struct LifeTests {
  @Test func runFolder() throws {
    let folder = try Trained.runs.get()
    for (family, network) in [("ae", "autoencoder"), ("vae", "vae")] {
      let names = folder.names.filter { $0.hasPrefix("\(family)/") }
        .map { String($0.dropFirst(family.count + 1)) }
      let expected = [
        "run.json", "metrics.jsonl", "samples/step-00000020.png", "\(network)/config.json",
        "\(network)/diffusion_pytorch_model.safetensors",
      ]
      for name in expected { #expect(names.contains(name), "\(family): \(name)") }
      let inside = names.filter { $0.hasPrefix("checkpoints/step-00000020/") }
        .map { String($0.dropFirst(26)) }
      #expect(
        inside == [
          "ema.safetensors", "generators.safetensors", "manifest.json", "network.safetensors",
          "optimizer.safetensors", "position.json",
        ])
      #expect(names.count { $0.hasPrefix("events.out.tfevents") } == 1)
      #expect(!names.contains { $0.contains("partial") })
      let record = try JSON(parsing: folder.text("\(family)/run.json"))
      #expect(record["status"]?.string == "finished")
      #expect(record["steps"]?.int == 20)
      #expect(record["seed"]?.int == 3)
    }
  }

  @Test func sample() throws {
    let folder = try Trained.copies()
    let first = try Tool.run(
      "sample", "vae", "-n", "4", "--seed", "7", "-o", "a.png", "--json", "--quiet", in: folder)
    #expect(first.status == 0)
    #expect(first.errors.isEmpty)
    #expect(try first.json["seed"]?.int == 7)
    _ = try Tool.run("sample", "vae", "-n", "4", "--seed", "7", "-o", "b.png", in: folder)
    _ = try Tool.run("sample", "vae", "-n", "4", "--seed", "8", "-o", "c.png", in: folder)
    #expect(try folder.bytes("a.png") == folder.bytes("b.png"))
    #expect(try folder.bytes("a.png") != folder.bytes("c.png"))
    let half = try Tool.run(
      "sample", "vae", "-n", "4", "--seed", "7", "--precision", "bf16", "-o", "d.png", "--json",
      in: folder)
    #expect(try half.json["precision"]?.string == "bf16")
    let (full, shorter) = (try folder.image("a.png"), try folder.image("d.png"))
    let differences = zip(full.pixels, shorter.pixels).map { abs(Int($0) - Int($1)) }
    #expect(differences.max()! < 16 && full.pixels != shorter.pixels)
  }

  @Test func pictureDoesNotDependOnItsBatch() throws {
    let folder = try Trained.copies()
    for (seed, count, name) in [(21, 4, "four"), (23, 1, "one")] {
      let outcome = try Tool.run(
        "sample", "vae", "-n", "\(count)", "--seed", "\(seed)", "-o", "\(name).png", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let (grid, one) = (try folder.image("four.png"), try folder.image("one.png"))
    #expect(one.width == 16 && one.height == 16)
    // Somewhere in the grid, every pixel is drawn as 3×3.
    let found = (0..<grid.height - 45).contains { y in
      (0..<grid.width - 45).contains { x in
        (0..<256).allSatisfy { grid[x + 3 * ($0 % 16), y + 3 * ($0 / 16)] == one[$0 % 16, $0 / 16] }
      }
    }
    #expect(found, "picture 2 of 4 is not the picture of its own seed")
  }

  @Test(arguments: ["ae", "vae"])
  func reconstruct(family: String) throws {
    let folder = try Trained.copies()
    let data = try Tool.run(
      "reconstruct", family, "-n", "12", "-o", "data.png", "--json", in: folder)
    #expect(try data.json["count"]?.int == 12)
    #expect(try data.json["mse"]?.double ?? -1 > 0)
    let file = try Tool.run(
      "reconstruct", family, "grey.png", "-o", "file.jpg", "--json", in: folder)
    #expect(try file.json["count"]?.int == 1)
    #expect(folder.exists("data.png") && folder.exists("file.jpg"))
  }

  @Test(arguments: ["linear", "spherical"])
  func interpolate(path: String) throws {
    let folder = try Trained.copies()
    let outcome = try Tool.run(
      "interpolate", "vae", "-n", "2", "--steps", "5", "--path", path, "-o", "walk.png", "--json",
      "--quiet", in: folder)
    #expect(try outcome.json["rows"]?.int == 2)
    #expect(try outcome.json["steps"]?.int == 5)
    #expect(outcome.errors.isEmpty)
    let seen = try Tool.run("inspect", "walk.png", "--json", in: folder).json
    #expect(seen["recipe"]?["path"]?.string == path)
  }

  @Test func encodeAndDecode() throws {
    let folder = try Trained.copies()
    let encoded = try Tool.run(
      "encode", "vae", "grey.png", "-o", "codes.safetensors", "--json", in: folder)
    #expect(try encoded.json["latent_dim"]?.int == 4)
    let decoded = try Tool.run(
      "decode", "vae", "codes.safetensors", "-o", "decoded.png", "--json", in: folder)
    #expect(try decoded.json["count"]?.int == 1)
    // What comes back is what `reconstruct` shows under the original.
    _ = try Tool.run("reconstruct", "vae", "grey.png", "-o", "pair.png", in: folder)
    let (pair, decodedImage) = (try folder.image("pair.png"), try folder.image("decoded.png"))
    let centre = (pair.width / 2, pair.height - 4 - 24)
    #expect(pair[centre.0, centre.1] == decodedImage[8, 8])

    let seen = try Tool.run("inspect", "codes.safetensors", "--json", in: folder).json
    #expect(seen["tensors"]?.array?.compactMap { $0["name"]?.string } == ["codes", "log_variance"])
  }

  @Test func evaluate() throws {
    let folder = try Trained.copies()
    let vae = try Tool.run(
      "evaluate", "vae", "-n", "32", "--iwae-samples", "8", "--samples", "20", "--json", "--quiet",
      in: folder)
    #expect(vae.errors.isEmpty)
    let json = try vae.json
    let elbo = try #require(json["elbo"]?.double)
    let kl = try #require(json["kl"]?.double)
    let reconstruction = try #require(json["reconstruction"]?.double)
    #expect(abs(elbo + reconstruction + kl) < 1e-6 * abs(elbo))
    #expect(kl > 0)
    #expect(try #require(json["iwae"]?.double) >= elbo - 1)
    let ae = try Tool.run(
      "evaluate", "ae", "-n", "32", "--measures", "reconstruction", "--json", in: folder
    ).json
    #expect(ae["mse"]?.double ?? -1 > 0)
    #expect(ae["elbo"] == nil)
  }

  @Test func inspect() throws {
    let folder = try Trained.copies()
    _ = try Tool.run("sample", "vae", "-n", "1", "--seed", "5", "-o", "x.png", in: folder)
    let picture = try Tool.run("inspect", "x.png", "--json", in: folder).json
    #expect(picture["width"]?.int == 16)
    #expect(picture["recipe"]?["seed"]?.int == 5)
    #expect(picture["recipe"]?["model_sha256"]?.string?.count == 64)
    let run = try Tool.run("inspect", "vae", "--json", in: folder).json
    #expect(run["record"]?["family"]?.string == "vae")
    let network = try Tool.run("inspect", "vae/vae", "--json", in: folder).json
    #expect(network["config"]?["latent_dim"]?.int == 4)
    #expect(network["parameters"]?.int ?? 0 > 1000)
  }

  @Test func whatThereIs() throws {
    let folder = try Trained.copies()
    let models = try Tool.run("models", "--runs", ".", "--json", in: folder).json
    #expect(models["runs"]?.array?.compactMap { $0["run"]?.string } == ["./ae", "./vae"])
    #expect(
      models["families"]?.array?.compactMap { $0["family"]?.string } == [
        "ae", "vae", "vae-gan", "autoencoder-kl", "gan", "diffusion", "latent-diffusion",
        "lora", "classifier",
      ])
    let sets = try Tool.run("datasets", "--json", in: folder).json
    let shapes = sets["datasets"]?.array?.first { $0["name"]?.string == "shapes" }
    #expect(shapes?["present"]?.bool == true)
    let doctor = try Tool.run("doctor", "--json", in: folder).json
    #expect(doctor["devices"]?.array?.first?.string == "cpu")
    #expect(doctor["torch"]?.string?.isEmpty == false)
  }
}
