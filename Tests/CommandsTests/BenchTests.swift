import Foundation
import Interchange
import Testing

/// `latent bench`.
@Suite struct BenchTests {
  @Test func measuresATrainingStep() throws {
    let outcome = try Tool.run(
      "bench", "vae", "--repeats", "1", "--json", "--quiet", in: Scratch())
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try outcome.json
    #expect(report["precision"]?.string == "fp32")
    let roof = try #require(report["roof_gflops_per_second"]?.double)
    let results = try #require(report["results"]?.array)
    #expect(results.count == 1)
    let step = try #require(results.first)
    #expect(step["what"]?.string == "training step")
    let (gigaflops, seconds, share) = (
      try #require(step["gflop"]?.double), try #require(step["seconds"]?.double),
      try #require(step["share_of_roof"]?.double)
    )
    // 784-400-20-400-784: two operations a weight and picture, and as many twice for the gradients.
    let weights = 784 * 400 + 400 * 40 + 20 * 400 + 400 * 784
    let batch = try #require(step["batch"]?.int)
    #expect(abs(gigaflops - 6e-9 * Double(batch * weights)) < 1e-9)
    #expect(seconds > 0 && abs(share * roof * seconds / gigaflops - 1) < 1e-6)
  }

  @Test func refusesWhatIsNotThere() throws {
    expectRefusal(
      try Tool.run("bench", "unet", "--weights", ".", in: Scratch()), 64, "--weights goes with")
    expectRefusal(
      try Tool.run("bench", "sd-unet", "--weights", "none", "--quiet", "--json", in: Scratch()), 1,
      "none/config.json")
    expectRefusal(
      try Tool.run("bench", "unets", in: Scratch()), 64, "there is no workload \"unets\"")
    expectRefusal(
      try Tool.run("bench", "unet", "--repeats", "0", in: Scratch()), 64, "--repeats is 0")
  }
}
