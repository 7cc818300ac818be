import Foundation
import Images
import Interchange
import Testing

/// `latent noise`, and the settings of a diffusion training that make no sense.
@Suite struct NoiseTests {
  @Test func oneLevel() throws {
    let folder = Scratch()
    try folder.put(Trained.picture(20, 12), "grey.png")
    let json = try Tool.run(
      "noise", "grey.png", "--t", "350", "-o", "x.png", "--seed", "1", "--json", in: folder
    ).json
    #expect(json.object?.keys == ["image", "output", "seed", "levels"])
    let level = try #require(json["levels"]?[0])
    #expect(level["t"]?.int == 350)
    // β from 1e-4 to 0.02 over 1000 levels.
    let bar = try #require(level["alpha_bar"]?.double)
    #expect(abs(bar - 0.2852) < 1e-4)
    #expect(abs((level["signal"]?.double ?? 0) - 0.5340) < 1e-4)
    #expect(abs((level["noise"]?.double ?? 0) - 0.8455) < 1e-4)
    #expect(abs((level["snr"]?.double ?? 0) - bar / (1 - bar)) < 1e-9)
    let picture = try folder.image("x.png")
    #expect(picture.width == 20 && picture.height == 12)
    let recipe = try Tool.run("inspect", "x.png", "--json", in: folder).json["recipe"]
    #expect(recipe?["seed"]?.int == 1 && recipe?["levels"]?[0]?.int == 350)

    _ = try Tool.run(
      "noise", "grey.png", "--t", "350", "-o", "same.png", "--seed", "1", in: folder)
    _ = try Tool.run(
      "noise", "grey.png", "--t", "350", "-o", "other.png", "--seed", "2", in: folder)
    #expect(try folder.bytes("same.png") == folder.bytes("x.png"))
    #expect(try folder.image("other.png") != picture)
    let clean = try Tool.run("noise", "grey.png", "--t", "0", "-o", "clean.png", in: folder)
    #expect(clean.output.contains("1.000000"), "\(clean.output)")
    #expect(try folder.image("clean.png") == folder.image("grey.png"))
  }

  @Test(arguments: ["linear", "squaredcos_cap_v2", "sigmoid"])
  func strip(schedule: String) throws {
    let folder = Scratch()
    try folder.put(Trained.picture(20, 20), "grey.png")
    let json = try Tool.run(
      "noise", "grey.png", "--strip", "--frames", "5", "--schedule", schedule, "-o", "x.png",
      "--json", in: folder
    ).json
    let levels = try #require(json["levels"]?.array)
    #expect(levels.compactMap { $0["t"]?.int } == [0, 250, 500, 750, 1000])
    let bars = levels.compactMap { $0["alpha_bar"]?.double }
    #expect(bars[0] == 1 && bars == bars.sorted(by: >) && bars[4] < 0.01)
    #expect(levels[0]["snr"]?.isNull == true)
    let picture = try folder.image("x.png")
    #expect(picture.width > 5 * 20 && picture.height < picture.width)
  }

  @Test func refusals() throws {
    let folder = Scratch()
    try folder.put(Trained.picture(8, 8), "grey.png")
    try folder.put("hello", "note.png")
    let before = folder.names
    for (arguments, status, sentence) in [
      (["none.png", "--t", "3"], 1, "none.png: "), (["note.png", "--t", "3"], 1, "note.png: "),
      (["grey.png", "--t", "3", "-o", "x.gif"], 1, "must end in .png"),
      (["grey.png", "--t", "3", "-o", "no/x.png"], 1, "make it first"),
      (["grey.png", "--t", "3", "-o", "note.png"], 1, "add --force to replace it"),
      (["grey.png"], 64, "Give --t, the level of noise, or --strip"),
      (["grey.png", "--t", "3", "--strip"], 64, "Give --t, the level of noise, or --strip"),
      (["grey.png", "--t", "1001"], 64, "--t is 1001; it must lie in 0...1000"),
      (["grey.png", "--t", "21", "--levels", "20"], 64, "it must lie in 0...20"),
      (["grey.png", "--t", "some"], 64, "'some' is invalid for '--t"),
      (["grey.png", "--strip", "--frames", "1"], 64, "--frames is 1"),
      (["grey.png", "--t", "0", "--levels", "1"], 64, "--levels is 1"),
      (["grey.png", "--t", "3", "--schedule", "cosine"], 64, "'cosine' is invalid"),
    ] as [([String], Int32, String)] {
      let output = arguments.contains("-o") ? [] : ["-o", "x.png"]
      expectRefusal(try Tool.run(["noise"] + arguments + output, in: folder), status, sentence)
    }
    #expect(folder.names == before)
  }

  @Test(
    arguments: [
      (
        ["--image-size", "30", "--set", "block_out_channels=[8,16,16]"], 1,
        "a height of 30 does not fit a network of 3 levels; it must be a multiple of 4"
      ),
      (["--set", "blok_out_channels=[8]"], 64, "did you mean \"block_out_channels\"?"),
      (["--preset", "flwo"], 64, "did you mean flow?"),
      (["--preset", "flow", "--set", "learned_variance=true"], 1, "leave learned_variance out"),
      (["--preset", "flow", "--set", "min_snr_gamma=5"], 1, "min_snr_gamma weighs"),
      (["--preset", "flow", "--set", "rescale_betas_zero_snr=true"], 1, "a flow has no betas"),
      (
        ["--set", "rescale_betas_zero_snr=true"], 1,
        "set prediction_type to v_prediction or sample"
      ),
      (["--set", "prediction_type=eps"], 64, "did you mean \"epsilon\"?"),
      (["--set", "loss=l3"], 64, "one of \"mse\", \"l1\", \"huber\""),
      (["--set", "beta_end=2"], 1, "beta_end is 2.0"),
      (["--set", "num_train_timesteps=1"], 1, "at least 2 levels are needed"),
      (["--set", "attention_levels=[5]"], 1, "attention_levels names the level 5"),
      (
        ["--set", "block_out_channels=[]", "--set", "attention_levels=[]"], 1,
        "block_out_channels is empty"
      ),
      (["--set", "norm_num_groups=3"], 1, "norm_num_groups is 3, which does not divide"),
      (["--set", "attention_head_dim=5"], 1, "attention_head_dim is 5, which does not divide"),
      (["--set", "condition_dropout=2"], 1, "condition_dropout is 2.0"),
      (["--set", "min_snr_gamma=-1"], 1, "min_snr_gamma is -1.0"),
      (["--set", "dropout=1"], 1, "dropout is 1.0; it must lie in 0..<1"),
    ] as [([String], Int32, String)])
  func trainings(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
    let folder = Scratch()
    let outcome = try Tool.run(
      ["train", "diffusion", "--steps", "1", "--out", "run", "--quiet"] + Denoisers.small
        + arguments, in: folder)
    expectRefusal(outcome, status, sentence)
    #expect(folder.names.isEmpty)
  }
}
