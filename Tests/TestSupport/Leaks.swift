import Testing
import Torch

/// Expects that `body` frees every tensor handle that it makes.
///
/// The counter is the process's. Call this inside of an exit test, which has a process of its own,
/// or the handles of tests that run at the same time are counted too:
///
///     await #expect(processExitsWith: .success) { try expectNoLeaks { … } }
public func expectNoLeaks(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) rethrows {
  let before = Tensor.liveCount
  try body()
  let after = Tensor.liveCount
  #expect(after == before, "tensor handles left alive", sourceLocation: sourceLocation)
}
