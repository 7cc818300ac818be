import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// Ranks that share every batch take the step of a single process.
@Suite(.serialized) struct DistributedTests {
  /// What `body` returns on each of `count` ranks, which are threads here and meet over the loopback.
  private func onRanks<R: Sendable>(
    _ count: Int, timeout: Double = 60, _ body: @escaping @Sendable (Ranks) throws -> R
  ) throws -> [R] {
    let port = try freePort()
    let results = Results<R>(count)
    let ended = DispatchSemaphore(value: 0)
    for rank in 0..<count {
      let thread = Thread {
        results[rank] = Result {
          let launch = try Launch(environment: [
            "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": "\(port)",
          ])
          return try body(Ranks(try #require(launch), timeout: timeout))
        }
        ended.signal()
      }
      // The backward pass runs on the thread that calls it.
      thread.stackSize = 16 << 20
      thread.start()
    }
    for _ in 0..<count { ended.wait() }
    return try results.all.map { try #require($0).get() }
  }

  private final class Results<R: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Result<R, any Error>?]
    init(_ count: Int) { values = Array(repeating: nil, count: count) }
    var all: [Result<R, any Error>?] { lock.withLock { values } }
    subscript(index: Int) -> Result<R, any Error>? {
      get { lock.withLock { values[index] } }
      set { lock.withLock { values[index] = newValue } }
    }
  }

  /// A port of the loopback that nobody listens at.
  private func freePort() throws -> Int {
    #if canImport(Darwin)
      let stream = SOCK_STREAM
    #else
      let stream = Int32(SOCK_STREAM.rawValue)
    #endif
    let socket = socket(AF_INET, stream, 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
      }
    }
    try #require(status == 0)
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Beside the trainers whose batches come in parts those with batch normalisation.
  private static let trainers = AccumulationTests.trainers + normalised
  private static let normalised: [(name: String, make: AccumulationTests.Maker)] = [
    (
      "classifier",
      { _, ranks in
        var recipe = ClassifierRecipe()
        (recipe.blockOutChannels, recipe.batchSize, recipe.optimizer) = ([4, 6, 8], 64, .sgd)
        return try ClassifierTrainer(
          recipe, train: AccumulationTests.pictures, test: AccumulationTests.pictures, seed: 3,
          ranks: ranks)
      }
    ),
    (
      "dcgan",
      { parts, ranks in
        try AccumulationTests.game(parts, ranks) {
          ($0.architecture, $0.discriminatorNorm) = (.dcgan, true)
          ($0.r1Gamma, $0.r2Gamma, $0.loss) = (0, 0, .nonSaturating)
        }
      }
    ),
    (
      "dcgan with classes",
      { parts, ranks in
        try AccumulationTests.game(parts, ranks) {
          ($0.architecture, $0.discriminatorNorm, $0.classConditional) = (.dcgan, false, true)
        }
      }
    ),
    (
      "vae-gan of Larsen",
      { _, ranks in
        var recipe = VAEGANRecipe()
        (recipe.latentDim, recipe.hiddenDims, recipe.blockOutChannels) = (3, [8], [4])
        (recipe.discriminatorChannels, recipe.batchSize, recipe.optimizer) = ([4, 6], 64, .sgd)
        (recipe.learningRate, recipe.discriminatorLearningRate) = (1e-6, 1e-6)
        return try VAEGANTrainer(
          recipe, train: AccumulationTests.pictures, test: AccumulationTests.pictures, seed: 3,
          ranks: ranks)
      }
    ),
  ]

  @Test(arguments: trainers.map(\.name), [2, 3])
  func ranksTakeTheWholeBatchsStep(_ family: String, _ count: Int) throws {
    let make = try #require(Self.trainers.first { $0.name == family }).make
    let whole = try AccumulationTests.firstGradients(of: make(1, .alone))
    let found = try onRanks(count) { ranks in
      try AccumulationTests.firstGradients(of: make(1, ranks), ranks: ranks)
        .map { ($0.key, $0.tensor.shape, $0.tensor.elements(as: Float.self)) }
    }
    for rank in found {
      let gradients = rank.map { (key: $0, tensor: Tensor($2).reshaped($1)) }
      #expect(gradients.map(\.key) == whole.map(\.key))
      let distance = AccumulationTests.relativeDistance(gradients, whole)
      #expect(distance < 1e-6, "\(distance)")
      // Every rank holds the same numbers to the last bit.
      #expect(rank.map(\.2) == found[0].map(\.2))
    }
  }

  /// After the first step libtorch's reducer sorts its buckets anew.
  @Test(arguments: trainers.map(\.name)) func ranksStayTogether(_ family: String) throws {
    let make = try #require(Self.trainers.first { $0.name == family }).make
    let whole = try AccumulationTests.firstGradients(of: make(1, .alone), steps: 4)
    let found = try onRanks(2) { ranks in
      try AccumulationTests.firstGradients(of: make(1, ranks), ranks: ranks, steps: 4)
        .map { ($0.key, $0.tensor.shape, $0.tensor.elements(as: Float.self)) }
    }
    #expect(found[0].map(\.2) == found[1].map(\.2))
    let gradients = found[0].map { (key: $0, tensor: Tensor($2).reshaped($1)) }
    let distance = AccumulationTests.relativeDistance(gradients, whole)
    #expect(distance < 1e-5, "\(distance)")
  }

  @Test func partsAndRanksGoTogether() throws {
    let make = try #require(AccumulationTests.trainers.first { $0.name == "diffusion" }).make
    let whole = try AccumulationTests.firstGradients(of: make(1, .alone))
    let found = try onRanks(2) { ranks in
      try AccumulationTests.firstGradients(of: make(3, ranks), ranks: ranks)
        .map { ($0.key, $0.tensor.shape, $0.tensor.elements(as: Float.self)) }
    }
    let gradients = found[1].map { (key: $0, tensor: Tensor($2).reshaped($1)) }
    #expect(AccumulationTests.relativeDistance(gradients, whole) < 1e-6)
  }

  @Test func noiseOfARankIsItsOwn() throws {
    let draws = try onRanks(3) { ranks in
      let network = AccumulationTests.autoencoder(1)
      let training = try AutoencoderTraining(
        .variational, recipe: network, train: AccumulationTests.pictures,
        test: AccumulationTests.pictures, seed: 3, ranks: ranks)
      return (0..<2).map { step in
        Tensor.rand([4], using: training.learning.ownNoise(step: step)).elements(as: Float.self)
      }
    }
    #expect(Set(draws.flatMap { $0 }).count == 6)
  }

  @Test func sumsMeansAndRankZerosNumberReachAll() throws {
    let found = try onRanks(3) { ranks in
      let gradient = Tensor([Float(ranks.rank), 1])
      try ranks.average([gradient])
      let weight = Tensor([Float(ranks.rank) + 7, 0.5])
      weight.requiresGradient = true
      try ranks.share([("network", [("weight", weight), ("steps", Tensor(Double(ranks.rank)))])])
      return (
        try ranks.sum([1, Double(ranks.rank)]), gradient.elements(as: Float.self),
        try ranks.first(of: 1 << 63 | UInt64(ranks.rank)), weight.elements(as: Float.self)
      )
    }
    for (sums, mean, first, weight) in found {
      #expect(weight == [7, 0.5])
      #expect(sums == [3, 3])
      #expect(mean == [1, 1])
      #expect(first == 1 << 63)
    }
  }

  @Test func ranksThatDifferAreToldInWhat() throws {
    #expect {
      _ = try onRanks(2) { ranks in
        try ranks.requireSame([("seed", "1"), ("data", ranks.rank == 0 ? "a" : "b")])
      }
    } throws: {
      "\($0)".contains("the ranks do not agree in data: 1 of 2 differ from rank 0")
    }
  }

  @Test func aRankThatIsGoneEndsTheOthers() throws {
    #expect {
      _ = try onRanks(2, timeout: 20) { ranks in
        if ranks.rank == 1 { return 0.0 }
        return try ranks.sum([1])[0]
      }
    } throws: {
      "\($0)".contains("rank 0 of 2 has lost the others")
    }
  }

  @Test func oneThatStaysAloneSaysWhereItWaited() throws {
    let launch = try #require(
      try Launch(environment: [
        "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(freePort())",
      ]))
    #expect {
      _ = try Ranks(launch, timeout: 1)
    } throws: {
      "\($0)".contains("rank 1 of 2 did not meet the others at 127.0.0.1:")
    }
  }

  @Test(arguments: [
    (["WORLD_SIZE": "two"], "WORLD_SIZE: it is \"two\""),
    (["WORLD_SIZE": "2"], "RANK: this variable is missing"),
    (["WORLD_SIZE": "2", "RANK": "2"], "RANK: it is \"2\"; it must be a whole number in 0...1"),
    (["WORLD_SIZE": "2", "RANK": "0"], "MASTER_ADDR: this variable is missing"),
    (
      ["WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "a", "MASTER_PORT": "70000"],
      "MASTER_PORT: it is \"70000\""
    ),
  ]) func launchesThatMakeNoSense(_ environment: [String: String], _ sentence: String) {
    #expect {
      _ = try Launch(environment: environment)
    } throws: {
      "\($0)".contains(sentence)
    }
  }

  @Test func launchers() throws {
    #expect(try Launch(environment: [:]) == nil)
    #expect(try Launch(environment: ["WORLD_SIZE": "1", "RANK": "0"]) == nil)
    var torchrun = [
      "RANK": "0", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2",
      "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500", "TORCHELASTIC_RUN_ID": "job",
      "TORCHELASTIC_RESTART_COUNT": "1", "TORCHELASTIC_USE_AGENT_STORE": "True",
    ]
    let agent = try #require(try Launch(environment: torchrun))
    #expect(!agent.hostsStore)
    #expect(agent.prefix == "latent/job/1")
    torchrun["TORCHELASTIC_USE_AGENT_STORE"] = nil
    #expect(try Launch(environment: torchrun)?.hostsStore == true)
  }
}
