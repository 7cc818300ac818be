import Foundation
import Interchange
import TestSupport
import Testing

@testable import Diffusion

@Suite struct SchedulerFileTests {
  private func saved(_ schedulerClass: SchedulerClass) -> String {
    Fixture.folder.appending(path: "schedulers_config/\(schedulerClass.rawValue).json").path
  }

  /// The keys of the class that a file says; the others have their defaults.
  private func saidKeys(_ file: SchedulerFile) -> [String] {
    file.schedulerClass.keys.filter { file.said[$0] != nil }
  }

  @Test(arguments: SchedulerClass.allCases)
  func defaultsKeyByKeyAsDiffusersSavesThem(_ schedulerClass: SchedulerClass) throws {
    let golden = try JSON(contentsOfFile: saved(schedulerClass), dialect: .python)
    let ours = try SchedulerFile(schedulerClass, schedulerClass.defaults).json
    #expect(ours.object?.keys == golden.object?.keys, "keys and their order")
    for (key, value) in try #require(golden.object) { #expect(ours[key] == value, "\(key)") }
  }

  @Test(arguments: SchedulerClass.allCases)
  func aFileOfDiffusersReadsAndIsWrittenAsItWas(_ schedulerClass: SchedulerClass) throws {
    let file = try SchedulerFile(contentsOfFile: saved(schedulerClass))
    #expect(file.schedulerClass == schedulerClass)
    #expect(saidKeys(file) == schedulerClass.keys)
    #expect(file.unknownKeys.isEmpty)
    try withScratchFolder { folder in
      let path = "\(folder)/\(SchedulerFile.name)"
      try file.write(to: path)
      #expect(
        try JSON(contentsOfFile: path, dialect: .python)
          == JSON(contentsOfFile: saved(schedulerClass), dialect: .python))
      #expect(try SchedulerFile(contentsOfFile: path) == file)
    }
  }

  /// One `from_config` of diffusers.
  struct Conversion: Decodable, Sendable, CustomTestStringConvertible {
    let file: JSON
    let to: String
    let beyondDefaults: JSON

    var testDescription: String { "\(file["_class_name"]?.string ?? "") to \(to)" }

    static let all: [Conversion] = {
      let path = Fixture.folder.appending(path: "schedulers_config/conversions.json").path
      do {
        return try JSON(contentsOfFile: path, dialect: .python).decode()
      } catch {
        fatalError("\(error)")
      }
    }()
  }

  @Test(arguments: Conversion.all)
  func convertedAsByFromConfig(_ conversion: Conversion) throws {
    let target = try #require(SchedulerClass(rawValue: conversion.to))
    var expected = try JSON(contentsOfFile: saved(target), dialect: .python)
    for (key, value) in try #require(conversion.beyondDefaults.object) { expected[key] = value }
    var ours = try SchedulerFile(conversion.file).converted(to: target).json
    // Diffusers stamps its own version; here the file's stays.
    ours["_diffusers_version"] = expected["_diffusers_version"]
    #expect(Set(ours.object?.keys ?? []) == Set(expected.object?.keys ?? []))
    for (key, value) in try #require(expected.object) { #expect(ours[key] == value, "\(key)") }
  }

  @Test func unknownKeysAreReportedAndKept() throws {
    let held: JSON = [
      "_class_name": "DDIMScheduler", "bata_start": 0.1, "skip_prk_steps": true, "beta_end": 0.03,
    ]
    let file = try SchedulerFile(held)
    #expect(file.unknownKeys == ["bata_start"])
    #expect(saidKeys(file) == ["beta_end"])
    #expect(file.config.betaEnd == 0.03)
    #expect(file.json["bata_start"] == 0.1)
    #expect(file.json["skip_prk_steps"] == true)
    #expect(try file.converted(to: SchedulerClass.pndm).config.skipPrkSteps)
    #expect(try !SchedulerFile(.pndm, SchedulerClass.pndm.defaults).config.skipPrkSteps)
  }

  @Test(arguments: [
    ("[1]", "a scheduler's file holds one JSON object, not a list."),
    ("{}", "\"_class_name\" is missing; it names the scheduler's class."),
    (
      #"{"_class_name": "DDIMSheduler"}"#,
      "there is no scheduler class \"DDIMSheduler\"; the nearest is \"DDIMScheduler\"."
    ),
    (
      #"{"_class_name": "DDIMScheduler", "beta_start": "small"}"#,
      "\"beta_start\": found \"small\", but a number is expected."
    ),
    (
      #"{"_class_name": "DDIMScheduler", "prediction_type": "epsilom"}"#,
      "\"prediction_type\": found \"epsilom\", but one of \"epsilon\", \"sample\", "
        + "\"v_prediction\", \"flow_prediction\" is expected; did you mean \"epsilon\"?"
    ),
    (
      #"{"_class_name": "UniPCMultistepScheduler", "solver_p": {}}"#,
      "\"solver_p\" must be null; nothing else can be used here."
    ),
    (
      #"{"_class_name": "DDPMScheduler", "num_train_timesteps": 0}"#,
      "num_train_timesteps is 0; it must lie in 1...100000."
    ),
    (
      #"{"_class_name": "DDPMScheduler", "beta_end": NaN}"#,
      "beta_end is nan; it must lie in 1e-06...0.999999."
    ),
    (
      #"{"_class_name": "DDPMScheduler", "trained_betas": [0.1, 0.2]}"#,
      "trained_betas lists 2 numbers, but num_train_timesteps is 1000."
    ),
    (
      #"{"_class_name": "EulerDiscreteScheduler", "timestep_type": "discreet"}"#,
      "\"timestep_type\": found \"discreet\", but one of \"discrete\", \"continuous\" is "
        + "expected; did you mean \"discrete\"?"
    ),
    (
      #"{"_class_name": "EulerDiscreteScheduler", "interpolation_type": "cubic"}"#,
      "\"interpolation_type\": found \"cubic\", but one of \"linear\", \"log_linear\" is expected."
    ),
    (
      #"{"_class_name": "DPMSolverMultistepScheduler", "final_sigmas_type": "sigma_mine"}"#,
      "\"final_sigmas_type\": found \"sigma_mine\", but one of \"zero\", \"sigma_min\" is expected; "
        + "did you mean \"sigma_min\"?"
    ),
    (
      #"{"_class_name": "EDMEulerScheduler", "sigma_schedule": "linear"}"#,
      "\"sigma_schedule\": found \"linear\", but one of \"karras\", \"exponential\" is expected."
    ),
    (
      #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "time_shift_type": "liner"}"#,
      "\"time_shift_type\": found \"liner\", but one of \"exponential\", \"linear\" is expected; "
        + "did you mean \"linear\"?"
    ),
    (
      #"{"_class_name": "DPMSolverMultistepScheduler", "solver_type": "midpiont"}"#,
      "solver_type is \"midpiont\", but one of midpoint, heun, bh1, bh2, logrho is expected; "
        + "the nearest is midpoint."
    ),
  ])
  func aFaultyFileGivesOneSentenceWithThePath(_ text: String, _ sentence: String) throws {
    try withScratchFolder { folder in
      let path = "\(folder)/\(SchedulerFile.name)"
      try AtomicFile.write(text, to: path)
      #expect(throws: JSONError(path: path, sentence: sentence)) {
        try SchedulerFile(contentsOfFile: path)
      }
    }
  }

  @Test func aMissingFileIsNamed() {
    #expect(throws: JSONError.self) { try SchedulerFile(contentsOfFile: "/nowhere/at/all.json") }
  }
}
