import Foundation
import Images
import Interchange
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Pages that set runs side by side, through the built tool.
@Suite struct CompareTests {
  /// `ae`, `vae`, and `classes` after three steps of diffusion at the same size.
  private static let runs = Result {
    let folder = try Trained.copies()
    let outcome = try Tool.run(
      ["train", "diffusion", "--out", "classes", "--steps", "3", "--seed", "3", "--quiet"]
        + Denoisers.small + ["--image-size", "16"], in: folder)
    guard outcome.status == 0 else { throw Tool.Unexpected(outcome.errors) }
    return folder
  }

  private static func copies(_ names: String...) throws -> Scratch {
    let source = try runs.get()
    let folder = Scratch()
    for name in names {
      try FileManager.default.copyItem(atPath: source[name], toPath: folder[name])
    }
    return folder
  }

  private static func compare(
    _ arguments: [String], in folder: Scratch
  ) throws -> Tool.Outcome {
    try Tool.run(
      ["compare", "--samples", "80", "--seed", "5", "--threads", "1"] + arguments, in: folder)
  }

  @Test func threeFamilies() throws {
    let folder = try Self.copies("ae", "vae", "classes")
    let outcome = try Self.compare(
      ["ae", "vae", "classes", "--steps", "4,2", "--bound", "2", "-o", "out", "--json", "--quiet"],
      in: folder)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let json = try outcome.json
    #expect(json["html"]?.string == "out/compare.html" && json["png"]?.string == "out/compare.png")
    #expect(json["data"]?.string == "shapes" && json["samples"]?.int == 80)
    #expect(json["features"]?["hash"]?.string?.count == 64)
    let runs = try #require(json["runs"]?.array)
    #expect(runs.compactMap { $0["family"]?.string } == ["ae", "vae", "diffusion"])
    for run in runs {
      #expect(run.object?.keys == runs[0].object?.keys)
      for key in [
        "fid", "fid_floor", "kid", "kid_error", "precision", "recall", "density", "coverage",
        "sharpness", "sharpness_real", "seconds_per_picture", "parameters", "training_seconds",
      ] { #expect(run[key]?.double != nil, "\(key) of \(run)") }
      #expect(run["fid_floor"] == runs[0]["fid_floor"])
      #expect(try #require(run["fid"]?.double) > #require(run["fid_floor"]?.double))
    }
    #expect(runs[0]["mse"]?.double != nil && runs[2]["mse"]?.isNull == true)
    #expect(runs[0]["negative_elbo"]?.isNull == true && runs[1]["negative_elbo"]?.double != nil)
    #expect(runs[2]["bits_per_dim"]?.double != nil)
    #expect(runs[2]["points"]?.array?.compactMap { $0["steps"]?.int } == [2, 4])
    #expect(runs[2]["steps"]?.int == 4)
    #expect(runs[2]["drawn"]?.string?.contains("4 steps") == true)
    #expect(runs[0]["points"]?.array?.count == 1)

    let page = try Page(folder.text("out/compare.html"))
    #expect(page.attributes["html"]?.first?["lang"] == "en")
    let pictures = try #require(page.attributes["img"])
    #expect(pictures.count == 5)  // real, three runs, the plot
    for picture in pictures {
      #expect(picture["alt"]?.isEmpty == false)
      let bytes = try #require(picture["src"]?.split(separator: ",").last)
      #expect(picture["src"]?.hasPrefix("data:image/png;base64,") == true)
      let image = try Image(
        decoding: Array(#require(Data(base64Encoded: String(bytes)))), name: "inlined")
      #expect(picture["width"] == "\(image.width)" && picture["height"] == "\(image.height)")
    }
    #expect(page.attributes["script"] == nil && page.attributes["link"] == nil)
    #expect(!page.source.contains("http:") && !page.source.contains("https:"))
    #expect(page.attributes["table"]?.count == 3)
    #expect(page.text.contains("latent train vae"))
    let fid = try #require(runs[1]["fid"]?.double)
    #expect(page.text.contains(String(format: "%.2f", fid).dropLast(1)), "\(fid)")
    #expect(page.text.contains(try #require(json["features"]?["hash"]?.string?.prefix(12))))

    let picture = try folder.image("out/compare.png")
    #expect(picture.width > 600 && picture.height > 1000)
    let recipe = try Tool.run("inspect", "out/compare.png", "--json", in: folder).json["recipe"]
    #expect(recipe?["command"]?.string == "compare")
    #expect(!folder.names.contains { $0.contains("partial") })

    // What was drawn is not drawn again, and the same comparison gives the same figures.
    let again = try Self.compare(
      [
        "ae", "vae", "classes", "--steps", "4,2", "--bound", "2", "-o", "out", "--force", "--json",
        "--quiet",
      ],
      in: folder)
    #expect(try again.json == json)
  }

  @Test func oneRunAndHostileNames() throws {
    let folder = try Self.copies("vae")
    let name = "<b> & 'x' \"y\""
    try FileManager.default.moveItem(atPath: folder["vae"], toPath: folder[name])
    let outcome = try Self.compare([name, "-o", "page.html", "--no-cache"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains(name))
    #expect(folder.exists("page.png"))
    #expect(!folder.exists("\(name)/evaluation"))
    let page = try Page(folder.text("page.html"))
    #expect(page.attributes["b"] == nil)
    #expect(page.text.contains(name))
    #expect(page.attributes["img"]?.contains { $0["alt"]?.contains(name) == true } == true)
  }

  @Test func sizesAreBroughtTogether() throws {
    let folder = try Self.copies("vae")
    try FileManager.default.copyItem(
      atPath: Denoisers.runs.get()["flow"], toPath: folder["flow"])
    let outcome = try Self.compare(
      ["vae", "flow", "--steps", "2", "-o", "out", "--json", "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let json = try outcome.json
    #expect(json["image_size"]?.int == 16)
    let notes = json["runs"]?[1]?["notes"]?.array?.compactMap(\.string) ?? []
    #expect(notes.contains { $0.contains("brought to 16×16, bilinear") }, "\(notes)")
    #expect(json["runs"]?[1]?["bits_per_dim"]?.isNull == true)
    #expect(try Page(folder.text("out/compare.html")).text.contains("brought to 16×16, bilinear"))
  }

  @Test func refusals() throws {
    let folder = try Self.copies("ae", "vae", "classes")
    func refuse(_ status: Int32, _ sentence: String, _ arguments: String...) throws {
      expectRefusal(
        try Tool.run(["compare", "--quiet"] + arguments, in: folder), status, sentence)
    }
    try refuse(64, "Missing expected argument '<run> ...'", "-o", "out")
    try refuse(64, "Missing expected argument", "vae")
    try refuse(64, "--samples is 2", "vae", "-o", "out", "--samples", "2")
    try refuse(64, "'10,x'", "vae", "-o", "out", "--steps", "10,x")
    try refuse(64, "vae is named twice", "vae", "vae/", "-o", "out")
    try refuse(1, "none: there is no such folder", "none", "-o", "out")
    try refuse(1, "it belongs to diffusion models", "ae", "-o", "out", "--guidance", "2")
    try refuse(1, "--bound means nothing to these runs", "vae", "-o", "out", "--bound", "5")
    try refuse(1, "nowhere/ is not there; make it first", "vae", "-o", "nowhere/page.html")
    try folder.put("x", "grey.txt")
    try refuse(1, "this is a file", "vae", "-o", "grey.txt", "--samples", "10")
    try folder.put("x", "page.png")
    try refuse(1, "page.png: this file is there already", "vae", "-o", "page.html")
    #expect(try folder.text("page.png") == "x")

    try folder.edit("ae/run.json", "\"shapes\"", "\"other\"")
    try folder.edit("ae/run.json", "\"fingerprint\": \"", "\"fingerprint\": \"0")
    try refuse(
      1, "this run was trained on other, and vae on shapes; name the data to measure", "vae", "ae",
      "-o", "out")
    let named = try Self.compare(
      ["vae", "ae", "--data", "shapes", "-o", "named", "--quiet"], in: folder)
    #expect(named.status == 0, "\(named.errors)")

    try FileManager.default.removeItem(atPath: folder["vae/evaluation"])
    try folder.put("a file where the folder should be", "vae/evaluation")
    try refuse(1, "pass --no-cache", "vae", "-o", "out", "--samples", "20")
    #expect(!folder.exists("out"))
  }

  /// A page read as XML: what elements there are, and the words.
  private final class Page: NSObject, XMLParserDelegate {
    let source: String
    private(set) var attributes: [String: [[String: String]]] = [:]
    private(set) var text = ""

    init(_ source: String) throws {
      self.source = source
      super.init()
      let parser = XMLParser(data: Data(source.utf8))
      parser.delegate = self
      guard parser.parse() else {
        throw Tool.Unexpected("line \(parser.lineNumber): \(parser.parserError as Any)")
      }
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes found: [String: String]
    ) { attributes[name, default: []].append(found) }

    func parser(_ parser: XMLParser, foundCharacters words: String) { text += words }
  }
}
