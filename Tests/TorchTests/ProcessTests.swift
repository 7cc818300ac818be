import TestSupport
import Testing
import Torch

/// What ends the process, or counts and sets what is the whole process's: each in one of its own.
@Suite(.serialized) struct ProcessTests {
  @Test func aWrongShapeNamesOperationShapesAndCaller() async throws {
    let result = try #require(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Tensor.zeros([2, 3]).matmul(.zeros([4, 5]), line: 4242)
      })
    let said = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(said.contains("TorchTests/ProcessTests.swift:4242: "))
    #expect(said.contains("matmul([2, 3], [4, 5]): "))
    #expect(said.contains("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"))
  }

  @Test func theCallerIsNamedByDefault() async throws {
    let result = try #require(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Tensor.zeros([2, 3]).reshaped([4, 2])
      })
    let said = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(said.contains("TorchTests/ProcessTests.swift:\(#line - 5): "))
    #expect(said.contains("reshape([2, 3]): shape '[4, 2]' is invalid for input of size 6"))
  }

  @Test func anOperatorNamesItsShapes() async throws {
    let result = try #require(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = Tensor.zeros([2, 3]) + .zeros([4])
      })
    let said = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(said.contains("add([2, 3], [4]): The size of tensor a (3) must match"))
  }

  @Test func aThousandOperationsLeaveNoHandle() async {
    await #expect(processExitsWith: .success) {
      let x = Tensor.ones([4, 4])
      expectNoLeaks {
        for _ in 0..<100 {
          let parts = (x.exp() + x * 2).chunked(2)
          let (values, _) = Tensor.concatenated(parts).sorted()
          _ = values.matmul(x).symmetricEigen().values
          _ = [values, x].totalNorm().item()
          _ = x[0].elements(as: Float.self)
        }
      }
    }
  }

  @Test func aTrainingStepLeavesNoHandle() async {
    await #expect(processExitsWith: .success) {
      let random = Generator(seed: 1)
      let weight = Tensor.randn([4, 3], using: random)
      weight.requiresGradient = true
      let mean = Tensor.zeros(like: weight.detached())
      let square = Tensor.zeros(like: weight.detached())
      let count = Tensor(0)
      try expectNoLeaks {
        for _ in 0..<10 {
          let x = Tensor.randn([8, 3], using: random)
          let slope = x.linear(weight: weight).silu().sum()
            .gradients(withRespectTo: [weight], creatingGraph: true).compactMap { $0 }
          (slope[0].square().mean() + x.linear(weight: weight).square().mean()).backward()
          count.add(1)
          let gradient = try #require(weight.gradient)
          withoutGradients {
            FusedStep.adam(
              parameters: [weight], gradients: [gradient], means: [mean], squares: [square],
              steps: [count], rate: 0.1, betas: (0.9, 0.99), weightDecay: 0, eps: 1e-8,
              decoupled: true)
          }
          weight.gradient = nil
        }
      }
    }
  }

  @Test func leaksAreFound() async {
    await #expect(processExitsWith: .success) {
      var kept: [Tensor] = []
      withKnownIssue { expectNoLeaks { kept.append(Tensor(1)) } }
      #expect(kept.count == 1)
    }
  }

  @Test func threadsCanBeSet() async {
    await #expect(processExitsWith: .success) {
      #expect(Runtime.threads >= 1)
      Runtime.prepare()
      for count in [1, 3] {
        Runtime.setThreads(count)
        #expect(Runtime.threads == count)
        expectEqual(Tensor.ones([64, 64]).matmul(.ones([64, 64])), .full([64, 64], 64))
      }
    }
  }

  /// Memory that is given out again belongs to one tensor at a time, on any thread, whatever sizes come
  /// and go: pages and their edges, the largest that is kept and one more, more than is kept at once.
  @Test func memoryIsGivenOutAgain() async {
    await #expect(processExitsWith: .success) {
      Runtime.prepare()
      let sizes = [
        1, 900, 1007, 1008, 1025, 70_000, (1 << 21) - 16, (1 << 21) - 15, 3_000_000,
      ]
      var many: [Tensor] = (0..<20).map { .full([1_000_000 + 10_000 * $0], 1) }
      many.removeAll()
      await withTaskGroup(of: Bool.self) { tasks in
        for task in 0..<4 {
          tasks.addTask {
            var kept: [(Tensor, Float)] = []
            for step in 0..<300 {
              let value = Float(task * 1000 + step)
              kept.append((.full([sizes[(step * 7 + task) % sizes.count]], Double(value)), value))
              if kept.count > 5 { kept.remove(at: step % 5) }
              if step % 100 == 99 { Runtime.trimAllocator() }
              for (tensor, value) in kept {
                let (least, most): (Double, Double) = (tensor.min().item(), tensor.max().item())
                if least != Double(value) || most != Double(value) { return false }
              }
            }
            return true
          }
        }
        for await isWhole in tasks { #expect(isWhole) }
      }
    }
  }

  @Test func noThreadsIsAMistake() async {
    await #expect(processExitsWith: .failure) { Runtime.setThreads(0) }
  }
}
