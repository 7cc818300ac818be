import CTorch

/// A function of tensors on a GPU that is recorded and then started as one piece, as a CUDA graph:
/// a small network's kernels take less time than to launch them one by one.
///
/// The first call is an ordinary one, in which libraries choose their kernels; the second records;
/// further ones replay what was recorded with new inputs. Elsewhere than on a GPU, while gradients
/// are recorded, for inputs of other shapes than the first ones, and with `LATENT_GRAPHS=0` in the
/// environment, every call is an ordinary one.
///
/// The function must do the same for all inputs of these shapes, must not wait for the GPU (reading
/// a number of a tensor, copying from the processor's memory), and what else it looks at, weights
/// and conditions, must stay where it is. A graph holds what the function takes on the way, beside what
/// the first call took; a GPU without room for it ends the process, as it does for any operation.
public final class GraphedFunction {
  private let function: ([Tensor]) -> Tensor
  private var kinds: [Kind]?
  private var recorded: Recorded?

  /// What must be equal from call to call.
  private struct Kind: Equatable {
    let shape: [Int]
    let dtype: DType
    let device: Device
    let precision = Precision.current

    init(_ tensor: Tensor) {
      (shape, dtype, device) = (tensor.shape, tensor.dtype, tensor.device)
    }
  }

  /// A function that is recorded at its second call.
  public init(_ function: @escaping ([Tensor]) -> Tensor) {
    self.function = function
  }

  /// The function of `inputs`.
  public func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    guard Self.isUseful(for: inputs) else { return function(inputs) }
    let now = inputs.map(Kind.init)
    guard let kinds else {
      kinds = now
      return function(inputs)
    }
    guard kinds == now else { return function(inputs) }
    let recorded = recorded ?? Recorded(inputs, function)
    self.recorded = recorded
    return recorded(inputs)
  }

  private static func isUseful(for inputs: [Tensor]) -> Bool {
    guard let device = inputs.first?.device, inputs.allSatisfy({ $0.device == device }) else {
      return false
    }
    return ct_graph_available(device.kind) && !isRecordingGradients
  }

  /// A graph with the places that it reads its inputs from and writes its output to.
  private final class Recorded {
    private let graph: CTGraph
    private let inputs: [Tensor]
    private let output: Tensor

    init(_ examples: [Tensor], _ function: ([Tensor]) -> Tensor) {
      let inputs = examples.map { $0.clone() }
      let device = inputs[0].device
      var out: CTGraph?
      check(ct_graph_begin(device.kind, device.index, &out), #fileID, #line)
      guard let out else { fail(#fileID, #line) }
      output = function(inputs)
      check(ct_graph_end(out), #fileID, #line)
      self.inputs = inputs
      graph = out
    }

    deinit {
      ct_graph_free(graph)
    }

    func callAsFunction(_ new: [Tensor]) -> Tensor {
      for (place, tensor) in zip(inputs, new) { place.copy(from: tensor) }
      check(ct_graph_replay(graph), #fileID, #line)
      return output.clone()
    }
  }
}
