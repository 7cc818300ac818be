import ArgumentParser
import Foundation
import Interchange
import Torch

/// `latent bench`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure training steps and forward passes against this machine's roof.",
    discussion: """
      Every figure is the median of several calls after two that are not counted. GFLOP are those of \
      the layers' definitions, a training step's three times the forward pass's; the roof is the best \
      matrix product of 2048×2048 in the same run and precision. With an algorithm that multiplies \
      less (Winograd) the share can exceed 100 %. Forward passes are those of a network in use: its \
      weights are laid out once, and in bf16 they are bfloat16.
      Workloads: \(Workload.all.map { "\($0.name) (\($0.summary))" }.joined(separator: "; ")).
      JSON keys: threads, device, precision, roof_gflops_per_second, results (workload, what, batch, \
      seconds, fastest_seconds, gflop, gflops_per_second, share_of_roof, items_per_second, \
      peak_memory_bytes: of the process so far).
      """)

  @Argument(help: "Workloads (default: all but those of Stable Diffusion's size, and scaling).")
  var workloads: [String] = []

  @Option(
    help: ArgumentHelp(
      "A network's folder, whose weights are measured instead of drawn ones (one workload of sd-unet, "
        + "kl-autoencoder).", valueName: "dir"))
  var weights: String?

  @Option(help: "fp32, bf16x3 or bf16.")
  var precision: Precision = .fp32

  @Option(help: "Calls that are timed.")
  var repeats = 5

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...1000).contains(repeats) else {
      throw ValidationError("--repeats is \(repeats); it must lie in 1...1000.")
    }
    let taking = Workload.all.filter(\.takesWeights).map(\.name)
    if weights != nil, workloads.count != 1 || !taking.contains(workloads[0]) {
      throw ValidationError("--weights goes with one workload of sd-unet or kl-autoencoder.")
    }
    if precision == .bf16x3, workloads.contains(where: taking.contains) {
      throw ValidationError(
        "--precision bf16x3 is for training, which \(taking.joined(separator: " and ")) do not "
          + "measure.")
    }
    for name in workloads where Workload.all.allSatisfy({ $0.name != name }) {
      throw ValidationError(
        "there is no workload \"\(name)\"; there are "
          + Workload.all.map(\.name).joined(separator: ", ") + ".")
    }
  }

  func run() throws {
    let device = try compute.start()
    let chosen =
      workloads.isEmpty
      ? Workload.all.filter { !$0.isLarge }
      : workloads.compactMap { name in Workload.all.first { $0.name == name } }
    let roof = Self.roof(precision, device, repeats: repeats)
    if !output.json {
      let text = "roof \(Int(roof)) GFLOP/s in \(precision.rawValue), \(Runtime.threads) threads"
      try output.report([:], lines: [text])
    }
    var results: [JSON] = []
    for workload in chosen {
      output.talk("\(workload.name): \(workload.summary)")
      for job in try workload.jobs(precision, device, weights) {
        let measure = try Measure(job, device: device, repeats: repeats)
        results.append(.object(measure.json(workload.name, roof: roof)))
        if !output.json {
          try output.report([:], lines: [measure.line(workload.name, roof: roof)])
        }
      }
    }
    guard output.json else { return }
    try output.report(
      [
        "threads": .int(Runtime.threads), "device": .string(device.description),
        "precision": .string(precision.rawValue), "roof_gflops_per_second": .double(roof),
        "results": .array(results),
      ], lines: [])
  }

  /// The best rate of a large matrix product, GFLOP/s.
  private static func roof(_ precision: Precision, _ device: Device, repeats: Int) -> Double {
    let random = Generator(seed: 0)
    let dtype: DType = precision == .bf16 ? .bfloat16 : .float32
    let (a, b) = (
      Tensor.randn([2048, 2048], using: random).to(device).to(dtype),
      Tensor.randn([2048, 2048], using: random).to(device).to(dtype)
    )
    let job = Job("product", items: 1) {
      withoutGradients { precision { _ = a.linear(weight: b) } }
    }
    guard let measure = try? Measure(job, device: device, repeats: max(repeats, 5)) else {
      return 0
    }
    return measure.gigaflops / measure.fastest
  }
}

/// A job's seconds and its work.
struct Measure {
  let job: Job
  let median: Double
  let fastest: Double
  /// 10⁹ operations of a call.
  let gigaflops: Double
  let memory: Int

  init(_ job: Job, device: Device, repeats: Int) throws {
    func call() throws {
      try job.body()
      device.synchronize()
    }
    let before = Work.operations
    try call()
    let operations = Double(Work.operations - before) * (job.isTraining ? 3 : 1)
    try call()
    let clock = ContinuousClock()
    let seconds = try (0..<repeats).map { _ in
      try clock.measure { try call() } / .seconds(1) / Double(job.calls)
    }.sorted()
    self.job = job
    median = seconds[repeats / 2]
    fastest = seconds[0]
    gigaflops = operations / 1e9 / Double(job.calls)
    memory = peakMemory()
  }

  func json(_ workload: String, roof: Double) -> JSONObject {
    let rate = gigaflops / median
    return [
      "workload": .string(workload), "what": .string(job.what), "batch": .int(job.items),
      "seconds": .double(median), "fastest_seconds": .double(fastest),
      "gflop": .double(gigaflops), "gflops_per_second": .double(rate),
      "share_of_roof": .double(rate / roof),
      "items_per_second": .double(Double(job.items) / median), "peak_memory_bytes": .int(memory),
    ]
  }

  func line(_ workload: String, roof: Double) -> String {
    let rate = gigaflops / median
    let name = "\(workload) \(job.what)".padding(toLength: 36, withPad: " ", startingAt: 0)
    return name
      + String(
        format: " %8.4f s  %8.1f GFLOP  %6.0f GFLOP/s  %4.0f %% of the roof  %8.1f/s  %5d MB",
        median, gigaflops, rate, 100 * rate / roof, Double(job.items) / median, memory >> 20)
  }
}
