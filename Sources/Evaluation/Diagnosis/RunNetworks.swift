import Models
import NeuralNets
import Torch
import Training

/// The weights of a run at three places of its training.
struct RunNetworks<Network: Module> {
  /// The averaged ones that the run's folder keeps.
  let exported: Network
  /// Those that the newest checkpoint has in training; `nil` without a checkpoint of the same step.
  let trained: Network?
  /// Those that the training began with, drawn again from its seed; `nil` without a record.
  let initial: Network?

  /// The weights of a run; `make` builds its network, with weights drawn or left unset. `file`: what
  /// the checkpoint calls its weights.
  ///
  /// Throws an `ExplainedError` for a checkpoint that is damaged or of another network.
  init(
    _ exported: Network, of folder: RunFolder, _ record: RunRecord?, file: String = "network",
    make: (Generator?) -> Network
  ) throws {
    self.exported = exported
    let device = exported.parameters[0].value.device
    func ready(_ network: Network) -> Network {
      network.setTraining(false)
      network.move(to: device)
      return network
    }
    initial = record.map { ready(make(Generator(seed: $0.seed))) }
    guard let record, let checkpoint = Checkpoint.newest(of: folder),
      try checkpoint.position().step == record.steps
    else {
      trained = nil
      return
    }
    let network = make(nil)
    try Weights.load("\(checkpoint.path)/\(file).safetensors", into: network)
    trained = ready(network)
  }
}

extension Module {
  /// ‖w − w₀‖ / ‖w₀‖ over all parameters of this network, w, and of another one of its shape, w₀.
  func relativeDistance(from other: Module) -> Double {
    var (apart, size) = (0.0, 0.0)
    for (mine, its) in zip(parameters, other.parameters) {
      let (w, w0) = (mine.value.detached(), its.value.detached())
      apart += (w - w0).square().sum().item()
      size += w0.square().sum().item()
    }
    return (apart / max(size, 1e-30)).squareRoot()
  }

  /// The number of parameters' numbers that are infinite or none.
  var notFiniteCount: Int {
    parameters.reduce(0) {
      $0 + $1.value.detached().isFinite().logicalNot().sum().intItem()
    }
  }
}
