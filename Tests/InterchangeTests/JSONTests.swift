import Foundation
import Interchange
import Testing

@Suite struct JSONTests {
  @Test func keepsOrderAndExactIntegers() throws {
    let text =
      #"{"z":1,"a":[9223372036854775807,-9223372036854775808,1.0],"m":{"é":null,"b":true}}"#
    let json = try JSON(parsing: text)
    #expect(json.compact == text)
    #expect(json.object?.keys == ["z", "a", "m"])
    #expect(json["a"]?[0] == .int(.max))
    #expect(json["a"]?[2] == .double(1))
    #expect(json["a"]?[3] == nil)
    #expect(try JSON(parsing: json.pretty) == json)
    #expect(
      json.pretty == """
        {
          "z": 1,
          "a": [9223372036854775807, -9223372036854775808, 1.0],
          "m": {
            "é": null,
            "b": true
          }
        }
        """)
  }

  /// Doubles as Python writes them, beside their bits.
  @Test func doublesAreExactBothWays() throws {
    let json = try JSON(contentsOfFile: fixture("doubles.json"))
    let values = try #require(json["values"]?.array?.compactMap { $0.double })
    let bits = try #require(
      json["bits"]?.array?.compactMap { $0.string.flatMap { UInt64($0, radix: 16) } })
    #expect(values.count == 213)
    #expect(values.map(\.bitPattern) == bits)
    let again = try JSON(parsing: JSON.array(values.map(JSON.double)).compact)
    #expect(again.array?.compactMap(\.double) == values)
  }

  @Test func readsAndWritesEscapes() throws {
    let json = try JSON(parsing: #""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDC08\u0000""#)
    #expect(json.string == "\"\\/\u{8}\u{C}\n\r\tAé🐈\u{0}")
    #expect(json.compact == #""\"\\/\b\f\n\r\tAé🐈\u0000""#)
    #expect(JSON.string("\u{1F}\u{7F}/한").compact == "\"\\u001f\u{7F}/한\"")
  }

  @Test func writesNumbersThatAreNoneAsNull() {
    #expect(
      ([.double(.nan), .double(.infinity), 1e-5, 0.1] as JSON).compact == "[null,null,1e-05,0.1]")
  }

  @Test func readsAndWritesPythonsNumbersWhenAsked() throws {
    let json = try JSON(parsing: "[-Infinity, Infinity, NaN, -1, null]", dialect: .python)
    let numbers = try #require(json.array)
    #expect(numbers[0] == .double(-.infinity) && numbers[1] == .double(.infinity))
    #expect(numbers[2].double?.isNaN == true)
    #expect(numbers[3] == -1 && numbers[4].isNull)
    for text in ["-Infinite", "-I", "Inf", "nan", "-NaN", "+Infinity", "I", "N"] {
      #expect(throws: JSONError.self) { try JSON(parsing: text, dialect: .python) }
    }
    let path = FileManager.default.temporaryDirectory
      .appending(path: "latent-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try json.write(to: path, dialect: .python)
    #expect(
      try String(contentsOfFile: path, encoding: .utf8) == "[-Infinity, Infinity, NaN, -1, null]\n")
    #expect(throws: JSONError.self) { try JSON(contentsOfFile: path) }
    try json.write(to: path)
    #expect(try JSON(contentsOfFile: path) == [nil, nil, nil, -1, nil])
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "1.", ".5", "+1", "-", "1e",
    "1e+",
    "0x10", "NaN", "Infinity", "-Infinity", "nul", "truee", "[1 2]", "{\"a\" 1}", "1 2", "\"a",
    "\"\\x\"", "\"\\u12\"", "\"\\uD800\"", "\"\\uD800\\n\"", "\"\\uDC00\"", "\"\\uD800\\uD800\"",
    "\"\n\"", "// a\n1", "{\"a\":1,\"a\":2}", "1e999", "-1e999", "\u{FEFF}1", "[", "\"\\",
    "\u{A0}1",
  ]) func refuses(text: String) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
    #expect(error.flatMap { sentence($0.sentence) } != nil)
  }

  @Test func saysWhere() {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: "{\n  \"한\": tru\n}") }
    #expect(error?.sentence == "JSON line 2, column 8: a value is expected here.")
    let twice = #expect(throws: JSONError.self) { try JSON(parsing: "{\"a\":1,\n\"a\":2}") }
    #expect(twice?.sentence.hasPrefix("JSON line 2, column 1: the key \"a\" stands twice") == true)
  }

  @Test func limitsDepthAndRefusesBadUTF8() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try JSON(parsing: nested(128)).array != nil)
    #expect(throws: JSONError.self) { try JSON(parsing: nested(129)) }
    #expect(throws: JSONError.self) {
      try JSON(parsing: String(repeating: "{\"a\":", count: 1_000_000))
    }
    for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]]
      as [[UInt8]]
    {
      #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    }
  }

  @Test func surroundsMutationsWithoutHarm() throws {
    let original =
      Array(
        try (JSON(contentsOfFile: fixture("all_types.json"))).pretty.utf8.prefix(700))
      + Array(#"…","x\u00e9\n":[1.5e-3,true,null,-0,{"a":{}}]}}"#.utf8)
    var generator = SeededGenerator(state: 11)
    var refused = 0
    for round in 0..<1200 {
      let source =
        round % 2 == 0 ? original : Array(#"{"a":[1,-2.5e3,"é\n",{"b":null}],"c":false}"#.utf8)
      let bytes = mutated(source, reach: source.count, using: &generator)
      do {
        // What is accepted must survive being written and read again.
        let json = try JSON(parsing: bytes)
        #expect(try JSON(parsing: json.compact) == json)
      } catch {
        refused += 1
        #expect(sentence(error.sentence) != nil, "\(error.sentence)")
      }
    }
    #expect(refused > 700)
    #expect(refused < 1200)
  }

  @Test func changesInPlace() {
    var json: JSON = nil
    json["a"] = 1
    json["b"] = [2]
    json["a"] = 3
    #expect(json.compact == #"{"a":3,"b":[2]}"#)
    json["a"] = Optional.none
    #expect(json.object?.keys == ["b"])
    #expect((["x": 1, "y": 2] as JSON) == ["y": 2, "x": 1])
  }
}
