import Interchange

/// PLACEHOLDER-UNTIL-MERGE
public struct SchedulerFile: Sendable {
  public static let diffusersVersion = "0.42.1"
  public var schedulerClass: SchedulerClass
  public var config: SchedulerConfig
  public init(_ schedulerClass: SchedulerClass, _ config: SchedulerConfig) {
    self.schedulerClass = schedulerClass
    self.config = config
  }
  public init(path: String) throws {
    let json = try JSON(contentsOfFile: path)
    schedulerClass = SchedulerClass(rawValue: json["_class_name"]?.string ?? "") ?? .ddpm
    config = try schedulerClass.configuration(json)
  }
  public func write(to path: String) throws {
    var object: JSONObject = ["_class_name": .string(schedulerClass.rawValue)]
    let all = try JSON(encoding: config)
    for key in schedulerClass.keys { object[key] = all[key] ?? .null }
    try JSON.object(object).write(to: path)
  }
  public func converted(to other: SchedulerClass) throws -> SchedulerFile {
    let all = try JSON(encoding: config)
    var object: JSONObject = [:]
    for key in schedulerClass.keys { object[key] = all[key] ?? .null }
    return SchedulerFile(other, try other.configuration(.object(object)))
  }
}
