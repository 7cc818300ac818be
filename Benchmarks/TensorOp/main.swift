import Torch

// The price of one `a + b` on four elements through the public API, in microseconds: the median
// over rounds. `Benchmarks/peers/tensor_op.cpp` runs the same loop in C++.
Runtime.setThreads(1)
let a = Tensor([1, 2, 3, 4] as [Float])
let b = Tensor([5, 6, 7, 8] as [Float])
let clock = ContinuousClock()
let calls = 20_000
var rounds: [Double] = []
withoutGradients {
  for _ in 0..<41 {
    let time = clock.measure {
      for _ in 0..<calls { _ = a + b }
    }
    rounds.append(time / .microseconds(1) / Double(calls))
  }
}
rounds.sort()
print(
  "{\"operation\": \"a + b\", \"elements\": 4, \"median_us\": \(rounds[20]), \"min_us\": \(rounds[0])}"
)
