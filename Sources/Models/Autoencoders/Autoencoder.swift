import NeuralNets
import Torch

/// An autoencoder, x ≈ x′: an encoder to a code and a decoder back.
///
/// Deterministic, the code is a point (Hinton & Salakhutdinov 2006). Variational, the encoder gives
/// a distribution q(z | x) that training keeps near N(0, 1), so that decoding a draw from N(0, 1)
/// makes a new picture (Kingma & Welling 2014).
public final class Autoencoder: Module {
  private let encoder: any Layer
  private let decoder: any Layer
  /// log σ of a Gaussian likelihood, `[]`; trained when the likelihood says so.
  private let logSigma: Parameter?
  /// The network's shape.
  public let config: AutoencoderConfig

  /// A network of a configuration whose `problem` is `nil`. Without a generator its weights stay
  /// unset, to be loaded.
  public init(_ config: AutoencoderConfig, using generator: Generator?) {
    let outputs = config.kind == .variational ? 2 * config.latentDim : config.latentDim
    switch config.architecture {
    case .mlp:
      encoder = MLPEncoder(config, outputs: outputs, using: generator)
      decoder = MLPDecoder(config, using: generator)
    case .conv:
      encoder = ConvEncoder(config, outputs: outputs, using: generator)
      decoder = ConvDecoder(config, using: generator)
    }
    logSigma = config.likelihood.hasDeviation ? Parameter(Tensor(0)) : nil
    logSigma?.value.requiresGradient = config.likelihood == .gaussianLearned
    self.config = config
  }

  /// The standard deviation of a Gaussian likelihood at the start of training.
  public func setDeviation(_ sigma: Double) {
    withoutGradients { logSigma?.value.copy(from: Tensor(sigma).log()) }
  }

  /// The code of a deterministic autoencoder, the posterior's mean of a variational one:
  /// `[N, C, H, W]` to `[N, D]`.
  public func encode(_ x: Tensor) -> Tensor {
    config.kind == .variational ? posterior(x).mean : encoder(x).inFullPrecision
  }

  /// q(z | x) of a variational autoencoder.
  public func posterior(_ x: Tensor) -> DiagonalGaussian {
    precondition(config.kind == .variational, "a deterministic autoencoder has no posterior")
    return DiagonalGaussian(moments: encoder(x).inFullPrecision)
  }

  /// The decoder's raw output, whose meaning the likelihood gives: `[N, D]` to `[N, C, H, W]`.
  public func decodeOutput(_ z: Tensor) -> Tensor { decoder(z).inFullPrecision }

  /// The expected picture of a code, in [0, 1]: `[N, D]` to `[N, C, H, W]`.
  public func decode(_ z: Tensor) -> Tensor { config.likelihood.mean(decodeOutput(z)) }

  /// −log p(x | output) of each picture, `[N]` nats.
  public func reconstructionLoss(_ x: Tensor, output: Tensor) -> Tensor {
    config.likelihood.negativeLogLikelihood(of: x, output: output, logSigma: logSigma?.value)
  }

  /// −log p(x | output) averaged over the batch, `[]` nats.
  public func meanReconstructionLoss(_ x: Tensor, output: Tensor) -> Tensor {
    config.likelihood.totalNegativeLogLikelihood(
      of: x, output: output, logSigma: logSigma?.value) * (1 / Double(x.size(0)))
  }
}
