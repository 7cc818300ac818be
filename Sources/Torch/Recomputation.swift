import CTorch

// MARK: - Gradient checkpointing

extension Tensor {
  /// Runs a part of a network without keeping what its gradients need, and again in `backward`
  /// (Chen et al. 2016): less memory for about a third more work.
  ///
  /// `body` makes `count` outputs from `inputs`, and has to make the same ones again: `generator`,
  /// from which it draws, is set back for the second run. Gradients reach the inputs and every
  /// parameter that `body` uses. `gradients(withRespectTo:)` and gradients of gradients stop.
  public static func recomputed(
    _ inputs: [Tensor], outputs count: Int, drawingFrom generator: Generator? = nil,
    file: StaticString = #fileID, line: UInt = #line, _ body: @escaping ([Tensor]) -> [Tensor]
  ) -> [Tensor] {
    // Without a graph there is nothing to save; without a graded input nothing would call back.
    guard ct_grad_enabled(), inputs.contains(where: \.requiresGradient) else {
      return body(inputs)
    }
    let segment = Segment(
      inputCount: inputs.count, outputCount: count, generator: generator, body: body)
    var out = [CTTensor?](repeating: nil, count: count)
    let status = withHandles(inputs) { inputs, inputCount in
      ct_recomputed(
        { context, inputs, outputs in
          guard let context, let inputs, let outputs else { return }
          Unmanaged<Segment>.fromOpaque(context).takeUnretainedValue().run(inputs, outputs)
        },
        { context in context.map { Unmanaged<Segment>.fromOpaque($0).release() } },
        Unmanaged.passRetained(segment).toOpaque(), inputs, inputCount, &out, Int64(count))
    }
    check(status, file, line)
    return out.compactMap { $0.map(Tensor.init(owning:)) }
  }
}

/// A part of a network that runs again as it ran first.
private final class Segment {
  private let inputCount: Int
  private let outputCount: Int
  private let generator: Generator?
  private let body: ([Tensor]) -> [Tensor]
  /// The generator's state before the first run.
  private let state: Tensor?
  private var hasRun = false

  init(
    inputCount: Int, outputCount: Int, generator: Generator?, body: @escaping ([Tensor]) -> [Tensor]
  ) {
    self.inputCount = inputCount
    self.outputCount = outputCount
    self.generator = generator
    self.body = body
    state = generator?.state
  }

  /// Takes the inputs over and hands the outputs over.
  func run(_ inputs: UnsafeMutablePointer<CTTensor?>, _ outputs: UnsafeMutablePointer<CTTensor?>) {
    let later = hasRun ? generator?.state : nil
    if hasRun, let state { generator?.state = state }
    let given = (0..<inputCount).compactMap { inputs[$0].map(Tensor.init(owning:)) }
    let made = body(given)
    precondition(made.count == outputCount, "\(made.count) outputs instead of \(outputCount)")
    for (place, tensor) in made.enumerated() { outputs[place] = ct_tensor_share(tensor.raw) }
    if let later { generator?.state = later }
    hasRun = true
  }
}
