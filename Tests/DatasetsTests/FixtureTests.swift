import TestSupport
import Testing

@Test func fixturesLoadAsTensors() throws {
  let fixture = try Fixture("interchange/model-00001-of-00002")
  #expect(fixture.names == ["a.weight"])
  let weight = try fixture["a.weight"]
  #expect(weight.shape == [2, 3])
  #expect(weight.elements(as: Float.self) == [0, 1, 2, 3, 4, 5])
}
