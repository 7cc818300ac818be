import Foundation

/// What a launcher (torchrun, Slurm, a PyTorchJob) tells each process of a training of many.
public struct Launch: Equatable, Sendable {
  /// Which process this is, from 0.
  public let rank: Int
  /// How many there are.
  public let count: Int
  /// Which process of this machine, from 0.
  public let localRank: Int
  /// How many processes this machine runs.
  public let localCount: Int
  /// The machine of rank 0.
  public let host: String
  /// The port where the ranks meet.
  public let port: Int
  /// Whether rank 0 keeps the store that ranks meet by; torchrun's agent keeps its own.
  let hostsStore: Bool
  /// Where in the store this start's keys begin, so that a restart meets none of its forerunner's.
  let prefix: String
  /// Whether some ranks are known to run on other machines.
  let spansMachines: Bool
  /// Whether the number of threads in the environment is torchrun's own, which is 1 whatever the
  /// machine has.
  public let hasLaunchersThreads: Bool

  /// Reads `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`, `LOCAL_RANK` and `LOCAL_WORLD_SIZE`;
  /// `nil` where `WORLD_SIZE` is missing or 1, so that the process is alone.
  ///
  /// Throws `TrainingError` that names the variable which is missing or makes no sense.
  public init?(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(TrainingError) {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    func number(_ name: String, in range: ClosedRange<Int>, _ text: String) throws(TrainingError)
      -> Int
    {
      guard let number = Int(text), range.contains(number) else {
        throw TrainingError(
          path: name,
          "it is \"\(text)\"; it must be a whole number in \(range.lowerBound)..."
            + "\(range.upperBound).")
      }
      return number
    }
    func required(_ name: String) throws(TrainingError) -> String {
      guard let text = value(name) else {
        throw TrainingError(
          path: name,
          "this variable is missing, though WORLD_SIZE asks for several processes; start them with "
            + "torchrun --no-python, or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.")
      }
      return text
    }
    guard let size = value("WORLD_SIZE") else { return nil }
    count = try number("WORLD_SIZE", in: 1...65_536, size)
    guard count > 1 else { return nil }
    rank = try number("RANK", in: 0...count - 1, required("RANK"))
    host = try required("MASTER_ADDR")
    port = try number("MASTER_PORT", in: 1...65_535, required("MASTER_PORT"))
    localCount = try number("LOCAL_WORLD_SIZE", in: 1...count, value("LOCAL_WORLD_SIZE") ?? "1")
    localRank = try number("LOCAL_RANK", in: 0...count - 1, value("LOCAL_RANK") ?? "0")
    spansMachines = value("LOCAL_WORLD_SIZE") != nil && count > localCount
    hasLaunchersThreads =
      value("TORCHELASTIC_RUN_ID") != nil && value("OMP_NUM_THREADS") == "1"
    let agentKeepsStore = value("TORCHELASTIC_USE_AGENT_STORE") == "True"
    hostsStore = rank == 0 && !agentKeepsStore
    let start = ["TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT"].map { value($0) ?? "0" }
    prefix = (["latent"] + start).joined(separator: "/")
  }
}
