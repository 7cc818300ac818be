import TestSupport
import Testing
import Torch

@testable import Training

/// Training with products in bfloat16.
@Suite(.serialized) struct PrecisionTests {
  @Test(arguments: AccumulationTests.trainers.map(\.name))
  func everyFamilyTrainsInHalf(_ family: String) throws {
    let make = try #require(AccumulationTests.trainers.first { $0.name == family }).make
    /// The measures of two steps, and the state after them.
    func train(_ precision: Precision) throws -> (reports: [[Double]], state: [Tensor]) {
      let (trainer, recorder) = (try make(1, .alone), Recorder())
      try withScratchFolder { folder in
        let run = RunFolder(path: "\(folder)/run")
        try run.create(replacing: false)
        let session = TrainingSession(
          run: run, budget: .steps(2), stepsPerEpoch: trainer.stepsPerEpoch, observers: [recorder])
        try precision { try trainer.train(session) }
      }
      return (
        recorder.reports.map { $0.metrics.map(\.value) },
        trainer.checkpointState.flatMap { $0.state.map(\.tensor) }
      )
    }
    let (full, half) = (try train(.fp32), try train(.bf16))
    #expect(half.state.allSatisfy { $0.dtype != .bfloat16 })
    let (first, exact) = (try #require(half.reports.first), try #require(full.reports.first))
    #expect(first != exact && first.count == exact.count)
    for (mine, its) in zip(first, exact) {
      // Eight bits of mantissa; a share of right answers moves by whole pictures.
      #expect(abs(mine - its) <= 0.05 * max(abs(its), 1), "\(first), \(exact)")
    }
  }

  /// The precision holds inside of the call alone.
  @Test func endsWithTheCall() {
    let x = Tensor.randn([4, 4], using: Generator(seed: 0))
    #expect(Precision.bf16 { x.matmul(x).dtype } == .bfloat16)
    #expect(Precision.bf16 { Precision.fp32 { x.matmul(x).dtype } } == .float32)
    #expect(x.matmul(x).dtype == .float32)
  }
}
