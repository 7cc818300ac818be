import CTorch

// MARK: - Autograd

/// Runs `body` without recording a graph: nothing made inside has a gradient.
public func withoutGradients<R, Failure: Error>(
  _ body: () throws(Failure) -> R
) throws(Failure) -> R {
  try withGradientRecording(false, body)
}

/// Runs `body` with recording switched on, inside of `withoutGradients` too.
public func withGradients<R, Failure: Error>(
  _ body: () throws(Failure) -> R
) throws(Failure) -> R {
  try withGradientRecording(true, body)
}

/// Whether what is computed now is recorded, where a tensor asks for it.
public var isRecordingGradients: Bool { ct_grad_enabled() }

private func withGradientRecording<R, Failure: Error>(
  _ enabled: Bool, _ body: () throws(Failure) -> R
) throws(Failure) -> R {
  let before = ct_grad_enabled()
  ct_set_grad_enabled(enabled)
  defer { ct_set_grad_enabled(before) }
  return try body()
}

extension Tensor {
  /// Whether operations on this tensor are recorded.
  public var requiresGradient: Bool {
    get { ct_requires_grad(raw) }
    nonmutating set { check(ct_set_requires_grad(raw, newValue), #fileID, #line) }
  }

  /// Whether this tensor starts a graph: parameters do, results do not.
  public var isLeaf: Bool { ct_is_leaf(raw) }

  /// What `backward` has added up for this leaf, if anything; `nil` clears it.
  public var gradient: Tensor? {
    get {
      var out: CTTensor?
      check(ct_grad(raw, &out), #fileID, #line)
      return out.map(Tensor.init(owning:))
    }
    nonmutating set { check(ct_set_grad(raw, newValue?.raw), #fileID, #line) }
  }

  /// The same values outside of any graph, in the same memory.
  public func detached(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    made(file, line) { ct_detach(raw, $0) }
  }

  /// Adds the gradients of this one number to `gradient` of every leaf it came from.
  ///
  /// A tensor of several elements needs `seed`, the gradient that flows into it.
  public func backward(
    seed: Tensor? = nil, retainingGraph: Bool = false, creatingGraph: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    check(ct_backward(raw, seed?.raw, retainingGraph || creatingGraph, creatingGraph), file, line)
  }

  /// The gradients of this one number with respect to `inputs`; `nil` where it does not depend.
  ///
  /// With `creatingGraph` the gradients are part of the graph themselves, as penalties on them need.
  public func gradients(
    withRespectTo inputs: [Tensor], seed: Tensor? = nil, retainingGraph: Bool = false,
    creatingGraph: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor?] {
    var found = [CTTensor?](repeating: nil, count: inputs.count)
    let seeds = seed.map { [$0] }
    let status = withHandles([self]) { outputs, outputCount in
      withHandles(inputs) { inputs, inputCount in
        if let seeds {
          withHandles(seeds) { seeds, _ in
            ct_gradients(
              outputs, outputCount, inputs, inputCount, seeds, retainingGraph || creatingGraph,
              creatingGraph, &found)
          }
        } else {
          ct_gradients(
            outputs, outputCount, inputs, inputCount, nil, retainingGraph || creatingGraph,
            creatingGraph, &found)
        }
      }
    }
    check(status, file, line)
    return found.map { $0.map(Tensor.init(owning:)) }
  }
}
