import Foundation
import Testing
import Training

/// Budgets, and the folder that a run may and may not take.
@Suite struct BudgetTests {
  @Test func progressOfEveryKindOfBudget() {
    #expect(TrainingBudget.steps(200).progress(step: 50, seconds: 9, stepsPerEpoch: 7) == 0.25)
    #expect(TrainingBudget.epochs(2).progress(step: 7, seconds: 9, stepsPerEpoch: 7) == 0.5)
    #expect(TrainingBudget.minutes(2).progress(step: 1, seconds: 30, stepsPerEpoch: 7) == 0.25)
    #expect(TrainingBudget.steps(4).progress(step: 9, seconds: 0, stepsPerEpoch: 1) == 1)
  }

  @Test func onlyARunIsEverReplaced() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "latent-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = RunFolder(path: folder.path)
    try run.create(replacing: false)
    try Data("mine".utf8).write(to: folder.appending(path: "notes.txt"))
    #expect(throws: TrainingError.self) { try run.create(replacing: true) }
    try Data("{}".utf8).write(to: URL(filePath: run.recordPath))
    #expect(throws: TrainingError.self) { try run.create(replacing: false) }
    try run.create(replacing: true)
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "notes.txt").path))
  }
}
