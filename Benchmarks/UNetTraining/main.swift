import Foundation
import Models
import NeuralNets
import Torch

// One training step and one forward pass of a U-Net of 6.8 million parameters (32×32×1, batch 64),
// float32, medians in seconds: the same network, loss and optimizer as a peer in PyTorch that is run
// beside it.
Runtime.configureAllocator()
Runtime.setThreads(2)
var config = UNetConfig()
config.sampleSize = .square(32)
config.inChannels = 1
config.outChannels = 1
config.layersPerBlock = 2
config.blockOutChannels = [64, 128, 128]
config.downBlockTypes = [.plain, .attention, .attention]
config.upBlockTypes = [.attention, .attention, .plain]
let unet = UNet2D(config, using: Generator(seed: 0))
let adam = Adam(unet.parameters, learningRate: 1e-4, weightDecay: 0.01, decoupled: true)
let draws = Generator(seed: 1)
let x = Tensor.randn([64, 1, 32, 32], using: draws)
let gigaflopsForward = 3.04 * 64  // of a batch

@MainActor func step() {
  let noise = Tensor.randn(x.shape, using: draws)
  let t = Tensor.randint(0..<1000, [64], using: draws)
  let share = t.to(.float32).reshaped([-1, 1, 1, 1]) / 1000
  let noisy = (1 - share).sqrt() * x + share.sqrt() * noise
  let loss = unet(noisy, timesteps: t).meanSquaredError(noise)
  adam.clearGradients()
  loss.backward()
  adam.step()
}

@MainActor func forward() {
  withoutGradients { _ = unet(x[0..<16], timesteps: Tensor(7)) }
}

@MainActor func median(_ count: Int, _ body: @MainActor () -> Void) -> Double {
  body()
  body()
  let clock = ContinuousClock()
  return (0..<count).map { _ in clock.measure { body() } / .seconds(1) }.sorted()[count / 2]
}

let training = median(5, step)
let inference = median(7, forward)
print(
  "{\"parameters\": \(unet.parameterCount), \"train_step_s\": \(training), "
    + "\"train_gflops_per_s\": \(3 * gigaflopsForward / training), "
    + "\"forward_16_s\": \(inference), "
    + "\"forward_gflops_per_s\": \(gigaflopsForward / 4 / inference)}")
