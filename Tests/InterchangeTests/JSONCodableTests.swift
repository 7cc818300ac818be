import Interchange
import Testing

struct OptimizerConfig: Codable, Equatable {
  enum Kind: String, Codable, CaseIterable { case adam, adamW = "adam-w", sgd }
  var kind = Kind.adam
  var learningRate = 0.1
  var betas: [Float] = [0.9, 0.999]
}

struct SampleConfig: Codable, Equatable {
  var name = "vae"
  var batchSize = 64
  var useEMAWeights = true
  var imageSize: Int?
  var note: String?
  var optimizer = OptimizerConfig()
  var extra: [String: Double] = ["camelCase": 1]
  var free: JSON = ["kept": [1, "two"]]
  var blocks: [OptimizerConfig] = []
  var seed: UInt64 = 7
}

@Suite struct JSONCodableTests {
  static let text =
    #"{"name":"vae","batch_size":64,"use_ema_weights":true,"image_size":null,"note":null,"#
    + #""optimizer":{"kind":"adam","learning_rate":0.1,"betas":[0.9,0.999]},"#
    + #""extra":{"camelCase":1.0},"free":{"kept":[1,"two"]},"blocks":[],"seed":7}"#

  @Test func keepsDeclarationOrderAndNulls() throws {
    #expect(try JSON(encoding: SampleConfig()).compact == Self.text)
    #expect(try JSON(encoding: [1: 2] as [Int: Int], keys: .asWritten).compact == #"{"1":2}"#)
    #expect(
      try JSON(encoding: OptimizerConfig(), keys: .asWritten).object?.keys
        == ["kind", "learningRate", "betas"])
  }

  @Test func decodesWhatItEncodes() throws {
    var config = SampleConfig()
    config.imageSize = 32
    config.seed = .max
    config.blocks = [OptimizerConfig(kind: .sgd, learningRate: 1, betas: [])]
    config.free = [nil, 1.5]
    let json = try JSON(encoding: config)
    // 2^64 − 1 exceeds what JSON numbers keep exactly, so it is not read back as another number.
    #expect(throws: JSONError.self) { try json.decode(SampleConfig.self) }
    config.seed = 1 << 62
    #expect(try JSON(encoding: config).decode(SampleConfig.self) == config)
    #expect(try JSON(parsing: Self.text).decode(SampleConfig.self) == SampleConfig())
  }

  @Test(arguments: [
    (#"{"kind":"adm","learning_rate":1,"betas":[]}"#, #"did you mean "adam"?"#),
    (
      #"{"kind":"adam","learning_rate":"x","betas":[]}"#,
      #""learning_rate": found "x", but a number"#
    ),
    (#"{"kind":"adam","betas":[]}"#, #"the key "learning_rate" is missing"#),
    (
      #"{"kind":"adam","learning_rate":1,"betas":[1,null]}"#,
      #""betas.1": found null, but a number"#
    ),
    (#"{"kind":"adam","learning_rate":1,"betas":{}}"#, #""betas": found an object, but an array"#),
    (#"[]"#, "found an array, but an object is expected"),
  ]) func saysWhatDoesNotFit(text: String, part: String) throws {
    let json = try JSON(parsing: text)
    let error = #expect(throws: JSONError.self) { try json.decode(OptimizerConfig.self) }
    #expect(error?.sentence.contains(part) == true, "\(error?.sentence ?? "")")
  }

  @Test func snakeCase() {
    let names = [
      "x": "x", "learningRate": "learning_rate", "useEMA": "use_ema",
      "useEMAWeights": "use_ema_weights",
      "adamBeta1": "adam_beta1", "beta1Start": "beta1_start", "_class_name": "_class_name",
      "sample_size": "sample_size", "URLPath": "url_path", "a_B": "a_b",
    ]
    for (name, key) in names { #expect(JSON.KeyStyle.snakeCase.key(for: name) == key) }
  }
}

@Suite struct ConfigLayersTests {
  @Test func laterLayersWin() throws {
    try withScratchFolder { folder throws in
      let path = "\(folder)/c.json"
      try AtomicFile.write(
        #"{"batch_size": 32, "optimizer": {"learning_rate": 1}, "name": "file"}"#, to: path)
      var layers = try ConfigLayers(preset: SampleConfig())
      try layers.overlay(file: path)
      for setting in [
        "batch_size=16", "optimizer.kind=sgd", "image_size=28", "note=1024", "name=7",
        "optimizer.betas=[0.5]", "use_ema_weights=false", "extra.camelCase=2",
      ] { try layers.set(setting) }
      var expected = SampleConfig()
      expected.name = "7"
      expected.batchSize = 16
      expected.useEMAWeights = false
      expected.imageSize = 28
      expected.note = "1024"
      expected.optimizer = OptimizerConfig(kind: .sgd, learningRate: 1, betas: [0.5])
      expected.extra = ["camelCase": 2]
      #expect(layers.config == expected)
      #expect(layers.json == (try JSON(encoding: expected)))
      #expect(layers.json.object?.keys.prefix(2) == ["name", "batch_size"])
    }
  }

  @Test(arguments: [
    ("batchsize=3", #"the key "batchsize" is unknown; did you mean "batch_size"?"#),
    ("batch-size=3", #"did you mean "batch_size"?"#),
    ("learning_rate=3", #"did you mean "optimizer.learning_rate"?"#),
    ("optimizer.learning_rat=3", #"did you mean "optimizer.learning_rate"?"#),
    ("zzzzz=3", "known keys here are name, batch_size"),
    ("batch_size=3.5", #""batch_size": found 3.5, but a whole number is expected"#),
    ("batch_size=many", #"found "many", but a whole number"#),
    ("batch_size=99999999999999999999", "but a whole number"),
    ("seed=-1", "not negative"),
    (
      "optimizer.kind=adamw",
      #"but one of "adam", "adam-w", "sgd" is expected; did you mean "adam-w"?"#
    ),
    ("optimizer=3", #""optimizer" is 3, but an object is expected"#),
    ("use_ema_weights=1", "true or false"),
    ("batch_size", "key=value"), ("=3", "key=value"), ("optimizer.=3", "unknown"),
    ("name.x=3", "found an object, but a text"),
    ("image_size=big", "found \"big\", but a whole number"),
  ]) func refuses(setting: String, part: String) throws {
    var layers = try ConfigLayers(preset: SampleConfig())
    let error = #expect(throws: ConfigError.self) { try layers.set(setting) }
    #expect(error?.path == setting)
    #expect(error?.sentence.contains(part) == true, "\(error?.sentence ?? "")")
    #expect(layers.config == SampleConfig())
  }

  @Test func nearestNames() {
    let samplers = ["ddpm", "ddim", "euler", "euler-a", "dpmpp-2m", "dpmpp-2m-sde", "heun"]
    #expect(nearestName(to: "eluer", among: samplers) == "euler")
    #expect(nearestName(to: "EULER_A", among: samplers) == "euler-a")
    #expect(nearestName(to: "dpmpp2m", among: samplers) == "dpmpp-2m")
    #expect(nearestName(to: "heu", among: samplers) == "heun")
    #expect(nearestName(to: "quickstart", among: samplers) == nil)
    #expect(nearestName(to: "", among: samplers) == nil)
    #expect(nearestName(to: "diff", among: ["diffusion", "gan"]) == "diffusion")
    #expect(nearestName(to: String(repeating: "x", count: 1_000_000), among: samplers) == nil)
  }
}
