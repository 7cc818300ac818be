import Interchange
import Torch

extension Trainer {
  /// How the weights of every network are spread, by key; of tensors with more than 65,536 numbers
  /// so many of them, evenly spaced.
  var weightHistograms: [(name: String, histogram: Histogram)] {
    let most = 65_536
    return checkpointState.filter { $0.file.hasSuffix("network") }.flatMap { file, state in
      // "generator-network" holds "generator/…".
      let network = file.split(separator: "-").dropLast().map { "\($0)/" }.joined()
      return state.filter { $0.tensor.dtype == .float32 && $0.tensor.count > 1 }
        .map { key, tensor in
          var values = withoutGradients { tensor.detached().to(.cpu).flattened(from: 0) }
          if values.count > most {
            let stride = values.count / most
            values = values.narrowed(0, 0, most * stride).reshaped([most, stride]).narrowed(1, 0, 1)
          }
          return (network + key, Histogram(values.elements(as: Float.self)))
        }
    }
  }
}
