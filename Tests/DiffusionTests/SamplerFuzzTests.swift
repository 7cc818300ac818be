import Interchange
import Testing
import Torch

@testable import Diffusion

/// Whatever a file says: it is refused, the sampler is refused, or the sampler works.
@Suite struct SamplerFuzzTests {
  @Test(arguments: SchedulerClass.allCases)
  func noConfigurationTraps(_ schedulerClass: SchedulerClass) throws {
    var dice = Dice(generator: Generator(seed: 1))
    let defaults = try JSON(encoding: schedulerClass.defaults)
    let requests: [SamplingLevels] = [
      .steps(-1), .steps(0), .steps(1), .steps(2), .steps(3), .steps(4), .steps(5), .steps(10),
      .steps(13), .steps(50), .steps(1000), .timesteps([]), .timesteps([0]), .timesteps([3, 1]),
      .timesteps([999, 500, 20]), .timesteps([1, 3]), .sigmas([]), .sigmas([14, 2, 0.1]),
      .sigmas([0.5, 0]), .sigmas([.nan]),
    ]
    var made = 0
    for _ in 0..<250 {
      var held: JSON = ["_class_name": .string(schedulerClass.rawValue)]
      for _ in 0..<Int.random(in: 0...3, using: &dice) {
        guard let key = schedulerClass.keys.randomElement(using: &dice) else { continue }
        held[key] = dice.value(like: defaults[key] ?? .null, key: key)
      }
      guard let file = try? SchedulerFile(held) else { continue }
      for request in requests {
        let eta = [nil, 0, 0.3, 1, -1, .nan].randomElement(using: &dice) ?? nil
        guard let sampler = try? schedulerClass.sampler(file.config, request, eta: eta)
        else { continue }
        made += 1
        if sampler.timesteps.count <= 12 { run(sampler) }
      }
    }
    // A class that this branch lacks makes none; every other one makes hundreds.
    let isThere = (try? schedulerClass.sampler(schedulerClass.defaults, .steps(5))) != nil
    #expect(made > 200 || !isThere)
  }

  private func run(_ sampler: any Sampler) {
    var x = Tensor.linspace(-1, 1, steps: 4).reshaped([1, 1, 2, 2]) * sampler.initialScale
    var memory = SamplerMemory()
    let noise = NoiseSource([Generator(seed: 1)])
    for index in sampler.timesteps.indices {
      let output = sampler.modelInput(x, at: index) * 0.5
      x = sampler.step(output, at: index, from: x, memory: &memory, noise: noise).sample
      #expect(x.shape == [1, 1, 2, 2])
    }
    let picture = Tensor.zeros([1, 1, 2, 2])
    #expect(sampler.noised(picture, noise: picture, at: 0).shape == [1, 1, 2, 2])
  }
}

/// Seeded values that files might hold.
private struct Dice: RandomNumberGenerator {
  let generator: Generator

  mutating func next() -> UInt64 {
    let halves = Tensor.randint(0..<(1 << 32), [2], using: generator).elements(as: Int.self)
    return UInt64(halves[0]) << 32 | UInt64(halves[1])
  }

  /// A value of the kind of `old`, three times out of four; any value otherwise.
  mutating func value(like old: JSON, key: String) -> JSON {
    let numbers: [JSON] = [
      0, 1, 2, 0.5, 1e-5, 0.02, 0.9999, 3.5, 80, -1, 1e-12, 1e300, -1e300, .double(.nan),
      .double(.infinity), .double(-.infinity),
    ]
    let wholes: [JSON] = [
      1, 2, 3, 4, 5, 10, 12, 50, 1000, 1001, 0, -1, -7, 4_611_686_018_427_387_904,
    ]
    let texts: [JSON] =
      (["nonsense"] + BetaSchedule.allCases.map(\.rawValue) + Prediction.allCases.map(\.rawValue)
      + TimestepSpacing.allCases.map(\.rawValue) + VarianceType.allCases.map(\.rawValue)
      + ["dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis", "midpoint"]
      + ["heun", "bh1", "bh2", "logrho", "data_prediction", "noise_prediction", "zero"]
      + ["sigma_min", "karras", "exponential", "log_linear", "continuous", "discrete"])
      .map { .string($0) }
    let lists: [JSON] = [[], [0.1], [0.1, 0.2, 0.3], [0, 1], [.null], [2, "a"]]
    let kinds = [numbers, wholes, texts, lists, [true, false], [nil]]
    var pool = kinds.randomElement(using: &self) ?? []
    if Int.random(in: 0..<4, using: &self) > 0 {
      switch old {
      case .bool: pool = [true, false]
      case .int: pool = wholes
      case .double: pool = numbers
      case .string: pool = texts
      case .array: pool = lists
      case .null, .object: break
      }
    }
    return pool.randomElement(using: &self) ?? nil
  }
}
