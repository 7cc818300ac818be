import TestSupport
import Testing

@Test func fixturesLoadAsTensors() throws {
  let tensors = try Fixture("interchange/model-00001-of-00002").tensors
  #expect(tensors.keys.sorted() == ["a.weight"])
  #expect(tensors["a.weight"]?.shape == [2, 3])
  #expect(tensors["a.weight"]?.elements(as: Float.self) == [0, 1, 2, 3, 4, 5])
}
