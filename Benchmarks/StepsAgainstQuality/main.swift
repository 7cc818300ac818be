import Datasets
import Diffusion
import Evaluation
import Foundation
import Torch
import Training

// Steps against quality: the pictures of a diffusion model by several samplers, and how far they are
// from real test pictures. A row a sampler; the Fréchet distances are between normal distributions
// of features, for an equal number of pictures in every row.
//
// usage: bench-steps RUN VAE-RUN [COUNT [NAME …]]     (names: of rows, such as ddpm; all without)
//   features: the 64 first principal components of training pixels; the mean codes of VAE-RUN.
let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  print("usage: bench-steps RUN VAE-RUN [COUNT [NAME …]]")
  exit(64)
}
Runtime.configureAllocator()
let model = try TrainedDiffusion(path: arguments[1])
let vae = try TrainedAutoencoder(path: arguments[2])
let count = arguments.count > 3 ? Int(arguments[3]) ?? 500 : 500
let names = arguments.dropFirst(4)

let train = try model.open(nil, split: .train)
let test = try model.open(nil, split: .test)
let components = PixelComponents(of: try train.pictures(0..<10_000), count: 64)
@MainActor func features(_ pictures: Tensor) -> (
  pixels: FeatureStatistics, codes: FeatureStatistics
) {
  (FeatureStatistics(components(pictures)), FeatureStatistics(vae.encode(pictures)))
}
let real = features(try test.pictures(0..<test.count))

@MainActor func report(_ name: String, steps: Int, calls: Int, seconds: Double, _ pictures: Tensor)
{
  let made = features(pictures)
  let line =
    "{\"sampler\": \"\(name)\", \"steps\": \(steps), \"network_calls\": \(calls), "
    + "\"pictures\": \(pictures.size(0)), \"seconds\": \(seconds), "
    + "\"frechet_codes\": \(made.codes.frechetDistance(to: real.codes)), "
    + "\"frechet_pixels\": \(made.pixels.frechetDistance(to: real.pixels))}"
  FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

// What as many real pictures that the network learned from reach: the floor of the table.
report("training pictures", steps: 0, calls: 0, seconds: 0, try train.pictures(0..<count))

let rows: [(name: String, sampler: SamplerName, eta: Double, steps: [Int])] = [
  ("dpmpp-2m", .dpmpp2M, 0, [10, 20]), ("unipc", .uniPC, 0, [10, 20]),
  ("ddim eta 0", .ddim, 0, [10, 20, 50, 100]), ("ddim eta 1", .ddim, 1, [10, 20, 50, 100]),
  ("ddpm", .ddpm, 0, [1000]),
]
let classes = model.pipeline.classNames.count
for row in rows where names.isEmpty || names.contains(row.name) {
  for steps in row.steps {
    let request = DiffusionPipeline.Request(
      count: count, seed: 0, steps: steps, sampler: row.sampler,
      eta: row.sampler == .ddim ? row.eta : nil,
      classes: classes > 0 ? (0..<count).map { $0 % classes } : nil)
    let calls = try model.pipeline.sampler(for: request).timesteps.count
    let start = ContinuousClock.now
    let pictures = try model.pipeline.sample(request, batch: 128)
    report(
      row.name, steps: steps, calls: calls, seconds: (ContinuousClock.now - start) / .seconds(1),
      pictures)
  }
}
