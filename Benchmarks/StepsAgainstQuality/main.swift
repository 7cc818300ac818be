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
Runtime.prepare()
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

// DDIM comes twice: as its paper has it, and with x_0 held in range as the folder's scheduler says,
// where the noise no longer fits the picture (as in diffusers).
let rows: [(name: String, sampler: SamplerName, eta: Double, clips: Bool, steps: [Int])] = [
  ("dpmpp-2m", .dpmpp2M, 0, true, [10, 20]), ("unipc", .uniPC, 0, true, [10, 20]),
  ("ddim eta 0", .ddim, 0, false, [10, 20, 50, 100]),
  ("ddim eta 1", .ddim, 1, false, [10, 20, 50, 100]),
  ("ddim eta 0 clipped", .ddim, 0, true, [10, 20, 50, 100]),
  ("ddim eta 1 clipped", .ddim, 1, true, [10, 20, 50, 100]),
  ("ddpm", .ddpm, 0, true, [1000]),
]
var free = model.pipeline.scheduler.config
free.clipSample = false
let unclipped = DiffusionPipeline(
  model.pipeline.unet, try SchedulerFile(model.pipeline.scheduler.schedulerClass, free),
  classNames: model.pipeline.classNames)
let classes = model.pipeline.classNames.count
for row in rows where names.isEmpty || names.contains(row.name) {
  let pipeline = row.clips ? model.pipeline : unclipped
  for steps in row.steps {
    let request = DiffusionPipeline.Request(
      count: count, seed: 0, steps: steps, sampler: row.sampler,
      eta: row.sampler == .ddim ? row.eta : nil,
      classes: classes > 0 ? (0..<count).map { $0 % classes } : nil)
    let calls = try pipeline.sampler(for: request).timesteps.count
    let start = ContinuousClock.now
    let pictures = try pipeline.sample(request, batch: 128)
    report(
      row.name, steps: steps, calls: calls, seconds: (ContinuousClock.now - start) / .seconds(1),
      pictures)
  }
}
