import Foundation
import Images
import Interchange
import Testing

/// The life of a KL autoencoder, as a person leads it.
@Suite(.serialized) struct AutoencoderKLLifeTests {
  /// `kl` after three steps, two of them against a discriminator.
  static let run = Result {
    let folder = Scratch()
    let outcome = try Tool.run(
      [
        "train", "autoencoder-kl", "--data", "shapes", "--image-size", "16", "--channels", "3",
        "--out", "kl", "--batch-size", "8", "--steps", "3", "--seed", "3", "--threads", "1",
        "--json", "--quiet", "--set", "block_out_channels=[8,16]", "--set",
        "discriminator_channels=[8,8]", "--set", "adversarial_start=0.3",
      ], in: folder)
    guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    return (folder, try outcome.json)
  }

  @Test func trains() throws {
    let (folder, told) = try Self.run.get()
    #expect(told["psnr"]?.double ?? 0 > 0 && told["mse"]?.double ?? 0 > 0)
    for file in [
      "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "discriminator/config.json",
      "checkpoints/step-00000003/autoencoder-optimizer.safetensors",
      "checkpoints/step-00000003/discriminator-network.safetensors",
    ] { #expect(folder.exists("kl/\(file)"), "\(file)") }
    let config = try JSON(parsing: folder.text("kl/vae/config.json"))
    #expect(config["_class_name"]?.string == "AutoencoderKL")
    #expect(config["scaling_factor"]?.double ?? 0 > 0)
    #expect(config["sample_size"]?.int == 16)
  }

  @Test func restoresPictures() throws {
    let (folder, _) = try Self.run.get()
    let outcome = try Tool.run(
      "reconstruct", "kl", "-n", "4", "-o", "back.png", "--json", "--quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let told = try outcome.json
    #expect(told["count"]?.int == 4)
    #expect(try Image(contentsOfFile: folder["back.png"]).width > 64)
    let measured = try Tool.run(
      "evaluate", "kl", "-n", "4", "--json", "--quiet", "--threads", "1", in: folder)
    #expect(measured.status == 0, "\(measured.errors)")
    // Of the same four pictures.
    let mse = try measured.json["reconstructions"]?["mse"]?.double
    #expect(abs(try #require(mse) - (told["mse"]?.double ?? 0)) < 1e-6)
    #expect(try measured.json["reconstructions"]?["psnr"]?.double ?? 0 > 0)
    let found = try Tool.run(
      "diagnose", "kl", "--json", "--quiet", "--threads", "1", in: folder)
    #expect(found.status == 0, "\(found.errors)")
    // The weights of the checkpoint and the first ones are found, too.
    #expect(try found.json["checks"]?.int ?? 0 > 4)
  }

  @Test(
    arguments: [
      (["sample", "kl", "-o", "x.png"], 1, "its latents are for a diffusion model to draw"),
      (["interpolate", "kl", "-o", "x.png"], 1, "autoencoder-kl"),
      (["encode", "kl", "-o", "x.safetensors"], 1, "autoencoder-kl"),
      (["diagnose", "kl", "-n", "25"], 1, "a KL autoencoder draws no pictures"),
      (["compare", "kl", "-o", "x"], 1, "draws no pictures"),
      (["evaluate", "kl", "--measures", "fid"], 1, "it has reconstruction"),
      (["evaluate", "kl", "--samples", "10"], 1, "leave --samples out"),
      (
        ["train", "autoencoder-kl", "--data", "shapes", "--image-size", "18"], 1,
        "is not divisible by the 4 pixels"
      ),
      (["train", "autoencoder-kl", "--data", "ring8"], 1, "this family learns pictures"),
    ] as [([String], Int32, String)])
  func refusals(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
    let (folder, _) = try Self.run.get()
    expectRefusal(try Tool.run(arguments, in: folder), status, sentence)
  }
}
