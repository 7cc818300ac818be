import Interchange

/// A `scheduler_config.json` of diffusers: the class, what the file says about it, and everything
/// else that the file holds.
public struct SchedulerFile: Sendable, Equatable {
  /// The name that diffusers gives the file.
  public static let name = "scheduler_config.json"
  /// The version of diffusers that the classes here are checked against.
  public static let diffusersVersion = "0.42.1"

  /// The class named in the file.
  public let schedulerClass: SchedulerClass
  /// What the file says, and the class's defaults where it says nothing.
  public let config: SchedulerConfig
  /// All that was said, known to the class or not.
  let said: JSONObject

  /// A new file in which every key of the class is said.
  ///
  /// Throws `JSONError` for a configuration that has a problem.
  public init(_ schedulerClass: SchedulerClass, _ config: SchedulerConfig) throws(JSONError) {
    try self.init(schedulerClass, said: schedulerClass.values(of: config))
  }

  /// Reads a file.
  ///
  /// Throws `JSONError` with the path for a file that cannot be read, a class that is not there, a
  /// value of the wrong type and values that no sampler can use.
  public init(contentsOfFile path: String) throws(JSONError) {
    do {
      try self.init(JSON(contentsOfFile: path, dialect: .python))
    } catch {
      throw error.path == nil ? JSONError(path: path, sentence: error.sentence) : error
    }
  }

  /// What a file holds.
  init(_ json: JSON) throws(JSONError) {
    guard var said = json.object else {
      throw JSONError(sentence: "a scheduler's file holds one JSON object, not \(json.kind).")
    }
    guard let name = said["_class_name"]?.string else {
      throw JSONError(sentence: "\"_class_name\" is missing; it names the scheduler's class.")
    }
    guard let schedulerClass = SchedulerClass(rawValue: name) else {
      let near = nearestName(to: name, among: SchedulerClass.allCases.map(\.rawValue))
      throw JSONError(
        sentence: "there is no scheduler class \(JSON.string(name))"
          + (near.map { "; the nearest is \"\($0)\"." } ?? "."))
    }
    // Keys of which diffusers notes that nobody said them.
    for key in said["_use_default_values"]?.array ?? [] { key.string.map { said[$0] = nil } }
    for key in ["_class_name", "_use_default_values"] { said[key] = nil }
    try self.init(schedulerClass, said: said)
  }

  private init(_ schedulerClass: SchedulerClass, said: JSONObject) throws(JSONError) {
    // Settings that only Python can hold: a solver object and a function.
    for key in ["solver_p", "tau_func"] where schedulerClass.keys.contains(key) {
      guard said[key]?.isNull ?? true else {
        throw JSONError(sentence: "\"\(key)\" must be null; nothing else can be used here.")
      }
    }
    do {
      config = try schedulerClass.configuration(.object(said))
    } catch let error as JSONError {
      throw error
    } catch {
      throw JSONError(sentence: "\(error)")
    }
    if let problem = config.problem { throw JSONError(sentence: "\(problem).") }
    self.schedulerClass = schedulerClass
    self.said = said
  }

  /// The keys that no scheduler class knows, which are kept; a misspelling is among them.
  public var unknownKeys: [String] {
    let known = Set(SchedulerClass.allCases.flatMap(\.keys))
    return said.keys.filter { !known.contains($0) && !$0.hasPrefix("_") }
  }

  /// What is said about `unknownKeys`, a sentence each.
  var notes: [String] {
    let known = SchedulerClass.allCases.flatMap(\.keys)
    return unknownKeys.map { key in
      let near = nearestName(to: key, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      return "\(Self.name): the key \"\(key)\" is unknown and does nothing\(near)"
    }
  }

  /// The same settings for another class, as diffusers' `from_config` takes them over: what was said
  /// and the class knows, and its own defaults elsewhere. What it does not know is kept.
  ///
  /// Throws `JSONError` for a value that the class cannot use.
  public func converted(to other: SchedulerClass) throws(JSONError) -> SchedulerFile {
    var said = said
    for (key, value) in schedulerClass.values(of: config) where said[key] != nil {
      said[key] = value
    }
    return try SchedulerFile(other, said: said)
  }

  /// The same with some keys said anew. Throws `JSONError` for values that the class cannot use.
  func saying(_ values: JSONObject) throws(JSONError) -> SchedulerFile {
    var said = said
    for (key, value) in values { said[key] = value }
    return try SchedulerFile(schedulerClass, said: said)
  }

  /// The file's content: every key of the class and what was kept, sorted as diffusers sorts them.
  public var json: JSON {
    var object = said
    for (key, value) in schedulerClass.values(of: config) { object[key] = value }
    object["_class_name"] = .string(schedulerClass.rawValue)
    object["_diffusers_version"] = said["_diffusers_version"] ?? .string(Self.diffusersVersion)
    return .object(JSONObject(object.keys.sorted().map { ($0, object[$0] ?? .null) }))
  }

  /// Writes the file so that diffusers can read it.
  ///
  /// Throws `FileError` when the disk refuses.
  public func write(to path: String) throws(FileError) {
    try json.write(to: path, dialect: .python)
  }
}

extension SchedulerClass {
  /// The values of the class's keys.
  fileprivate func values(of config: SchedulerConfig) -> JSONObject {
    let all = (try? JSON(encoding: config)) ?? .null
    return JSONObject(keys.map { ($0, all[$0] ?? .null) })
  }

  /// A value of a related class's setting, replaced by the class's own where diffusers does that:
  /// the solvers take each other's configurations.
  func adapted(_ value: JSON, of key: String) -> JSON {
    let own: (others: [String], value: JSON)? =
      switch (self, key) {
      case (.dpmMultistep, "algorithm_type"), (.dpmMultistepInverse, "algorithm_type"),
        (.dpmSinglestep, "algorithm_type"), (.edmDPM, "algorithm_type"):
        (["deis"], "dpmsolver++")
      case (.dpmMultistep, "solver_type"), (.dpmMultistepInverse, "solver_type"),
        (.dpmSinglestep, "solver_type"), (.edmDPM, "solver_type"):
        (["logrho", "bh1", "bh2"], "midpoint")
      case (.deis, "algorithm_type"): (["dpmsolver", "dpmsolver++"], "deis")
      case (.deis, "solver_type"): (["midpoint", "heun", "bh1", "bh2"], "logrho")
      case (.uniPC, "solver_type"): (["midpoint", "heun", "logrho"], "bh2")
      default: nil
      }
    guard let own, let name = value.string, own.others.contains(name) else { return value }
    return own.value
  }
}

extension JSON {
  /// What kind of value this is, for a sentence.
  fileprivate var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .int, .double: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
