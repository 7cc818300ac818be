import NeuralNets
import TestSupport
import Testing
import Torch

/// One rule with its settings, as generators/_neural_training.py has it.
struct Rule: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable ([Parameter]) -> any Optimizer
  var testDescription: String { name }

  static let all: [Rule] = [
    Rule(name: "sgd") { SGD($0, learningRate: 0.1) },
    Rule(name: "sgd.decay") { SGD($0, learningRate: 0.1, weightDecay: 0.3) },
    Rule(name: "sgd.momentum") {
      SGD($0, learningRate: 0.05, momentum: 0.9, weightDecay: 0.1)
    },
    Rule(name: "sgd.nesterov") { SGD($0, learningRate: 0.05, momentum: 0.8, nesterov: true) },
    Rule(name: "adam") { Adam($0) },
    Rule(name: "adam.options") {
      Adam($0, learningRate: 0.02, betas: (0.5, 0.9), eps: 1e-3, weightDecay: 0.2)
    },
    Rule(name: "adamw") { Adam($0, learningRate: 0.02, weightDecay: 0.5, decoupled: true) },
    Rule(name: "rmsprop") { RMSprop($0) },
    Rule(name: "rmsprop.options") {
      RMSprop($0, learningRate: 0.02, alpha: 0.9, eps: 1e-3, weightDecay: 0.2, momentum: 0.7)
    },
    Rule(name: "lion") { Lion($0, learningRate: 1e-2) },
    Rule(name: "lion.options") {
      Lion($0, learningRate: 1e-2, betas: (0.8, 0.7), weightDecay: 0.5)
    },
  ]
}

/// Ten steps of every rule against PyTorch, all parameters after each of them.
@Suite struct OptimizerTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture("neural_nets/optimizers") }

  private func parameters() throws -> [Parameter] {
    try (0..<3).map { Parameter(try fixture["start.\($0)"]) }
  }

  /// The second parameter has a gradient in some steps alone, and not in the first.
  private func setGradients(_ parameters: [Parameter], step: Int) throws {
    for (place, parameter) in parameters.enumerated() {
      parameter.value.gradient =
        place != 1 || [2, 3, 6, 9].contains(step) ? try fixture["gradient.\(place)"][step] : nil
    }
  }

  private func run(
    _ optimizer: any Optimizer, _ steps: Range<Int>, rate: Double,
    _ look: (Int) throws -> Void = { _ in }
  ) throws {
    for step in steps {
      optimizer.learningRate = rate * (1 - Double(step) / 20)
      try setGradients(optimizer.parameters, step: step)
      optimizer.step()
      try look(step)
    }
  }

  private func flat(_ parameters: [Parameter]) -> Tensor {
    .concatenated(parameters.map { $0.value.detached().reshaped([-1]) })
  }

  @Test(arguments: Rule.all)
  func tenStepsEqualPyTorch(_ rule: Rule) throws {
    let parameters = try parameters()
    let optimizer = rule.make(parameters)
    let path = try fixture[rule.name]
    try run(optimizer, 0..<10, rate: optimizer.learningRate) { step in
      expectClose(flat(parameters), path[step], rtol: 2e-6, atol: 1e-6, "after step \(step)")
    }
    #expect(parameters.allSatisfy { $0.value.isLeaf && $0.value.requiresGradient })
  }

  @Test func everyGoldenRuleIsTested() {
    let golden = fixture.names.filter { name in
      !["start", "gradient", "clipped", "unclipped"].contains { name.hasPrefix($0) }
    }
    #expect(Rule.all.map(\.name).sorted() == golden.sorted())
  }

  /// The state after five steps, taken over by an optimizer that begins, leads to the same bits.
  @Test(arguments: Rule.all)
  func stateContinuesExactly(_ rule: Rule) throws {
    let whole = try parameters()
    let first = rule.make(whole)
    let rate = first.learningRate
    try run(first, 0..<5, rate: rate)
    let saved = Dictionary(
      uniqueKeysWithValues: first.state.map { ($0.key, $0.tensor.clone()) })
    let copies = whole.map { Parameter($0.value.detached().clone()) }
    let second = rule.make(copies)
    try second.load(saved)
    try run(first, 5..<10, rate: rate)
    try run(second, 5..<10, rate: rate)
    expectEqual(flat(copies), flat(whole))
    for (a, b) in zip(first.state, second.state) {
      #expect(a.key == b.key)
      expectEqual(b.tensor, a.tensor, a.key)
    }
  }

  @Test(arguments: Rule.all)
  func stateThatDoesNotFitChangesNothing(_ rule: Rule) throws {
    let optimizer = rule.make(try parameters())
    try run(optimizer, 0..<3, rate: 0.1)
    let before = optimizer.state.map { ($0.key, $0.tensor.clone()) }
    var wrong = Dictionary(
      uniqueKeysWithValues: before.map { ($0.0, Tensor.zeros(like: $0.1)) })
    wrong["other.0"] = Tensor(1)
    if let key = before.first?.0 { wrong[key] = .zeros([2, 2, 2]) }
    if let key = before.last?.0, before.count > 1 { wrong[key] = nil }
    let mismatch = #expect(throws: StateMismatch.self) { try optimizer.load(wrong) }
    #expect(mismatch?.unused == ["other.0"])
    #expect(mismatch?.shapes.map(\.key) == [before[0].0])
    #expect(mismatch?.missing == [before[before.count - 1].0])
    for (key, tensor) in optimizer.state {
      expectEqual(tensor, try #require(before.first { $0.0 == key }).1, key)
    }
  }

  @Test(arguments: [("clipped", 1.5), ("unclipped", 1000)])
  func clippingEqualsPyTorch(_ name: String, _ limit: Double) throws {
    let parameters = try parameters()
    for place in [0, 2] {
      parameters[place].value.gradient = try fixture["gradient.\(place)"][0].clone()
    }
    let norm = gradientNorm(parameters)
    expectClose(norm, try fixture["\(name).norm"])
    let factor = clippingFactor(norm: norm.item(), limit: limit)
    for place in [0, 2] {
      let gradient = try #require(parameters[place].value.gradient)
      expectClose(factor * gradient, try fixture["\(name).\(place)"])
    }
  }

  @Test func noGradientHasNoNorm() {
    #expect(gradientNorm([Parameter(.ones([2]))]).item() == 0)
  }

  /// A step along scaled gradients that moves an average is those three things one after another.
  @Test(arguments: Rule.all)
  func oneStepDoesAll(_ rule: Rule) throws {
    final class Network: Module {
      let trained: [Weight]
      let frozen = Weight(Parameter(.ones([3])))
      init(_ parameters: [Parameter]) { trained = parameters.map(Weight.init) }
    }
    final class Weight: Module {
      let weight: Parameter
      init(_ weight: Parameter) { self.weight = weight }
    }
    let (one, other) = (try parameters(), try parameters())
    let (oneNetwork, otherNetwork) = (Network(one), Network(other))
    let averages = [oneNetwork, otherNetwork].map { ExponentialMovingAverage(of: $0, decay: 0.5) }
    let (whole, parts) = (rule.make(one), rule.make(other))
    for step in 0..<4 {
      try setGradients(one, step: step)
      try setGradients(other, step: step)
      withoutGradients {
        for network in [oneNetwork, otherNetwork] { network.frozen.weight.value.add(1) }
        for parameter in other { parameter.value.gradient?.multiply(by: 0.3) }
      }
      whole.step(along: 0.3, moving: averages[0])
      parts.step()
      averages[1].update()
    }
    expectClose(flat(one), flat(other), rtol: 1e-6, atol: 1e-7)
    #expect(averages.map(\.updates) == [4, 4])
    for (a, b) in zip(averages[0].state, averages[1].state) {
      expectClose(a.tensor, b.tensor, rtol: 1e-6, atol: 1e-7, a.key)
    }
  }

  @Test func clearingLeavesNoGradient() throws {
    let parameters = try parameters()
    try setGradients(parameters, step: 2)
    SGD(parameters, learningRate: 1).clearGradients()
    #expect(parameters.allSatisfy { $0.value.gradient == nil })
  }
}
