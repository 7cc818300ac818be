import Foundation
import Images
import Interchange
import Torch
import Training

extension Comparison {
  /// The comparison as one HTML file that needs no other file, no network and no script.
  ///
  /// - Parameter command: The command that made the page, as it was typed.
  ///
  /// Throws `ImageError` when a picture would be too large.
  public func page(command: [String]) throws -> String {
    let head = Markup.tag(
      "head", [:],
      .tag("meta", ["charset": "utf-8"]),
      .tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
      .tag("meta", ["name": "color-scheme", "content": "light dark"]),
      .tag("title", [:], .text(title)),
      .style(Self.styleSheet))
    let body = Markup.tag(
      "body", [:],
      [
        .tag("header", [:], [.tag("h1", [:], .text(title))] + protocolSentences.map(paragraph)),
        .tag("main", [:], try [samples(), figures(), timing(), origins()]),
        .tag(
          "footer", [:],
          .tag(
            "p", [:], .text("Made by latent \(latentVersion): "),
            .tag("code", [:], .text(Self.shell(command))))),
      ])
    return "<!DOCTYPE html>\n" + Markup.tag("html", ["lang": "en"], head, body).rendered
  }

  private func paragraph(_ text: String) -> Markup { .tag("p", [:], .text(text)) }

  private func section(_ title: String, _ content: [Markup]) -> Markup {
    .tag("section", [:], [.tag("h2", [:], .text(title))] + content)
  }

  private func samples() throws -> Markup {
    func card(_ name: String, _ note: String, _ pictures: Tensor, alt: String) throws -> Markup {
      let picture = try ImageGrid(
        pictures.pictures, columns: columns, padding: 1, background: Colour(hex: 0x80878f)
      ).image()
      return .tag(
        "figure", [:],
        .tag("figcaption", [:], .tag("strong", [:], .text(name)), .tag("span", [:], .text(note))),
        .picture(
          try picture.pngBytes(compression: 9), alt: alt,
          [
            "class": "pixels", "width": "\(picture.width)", "height": "\(picture.height)",
          ]))
    }
    let real = try card(
      "Real pictures", "held out, of \(data)", pictures,
      alt: "\(pictures.size(0)) held-out pictures of \(data)")
    let drawn = try runs.map { run in
      try card(
        run.name, "\(run.family.rawValue), \(run.drawing.measures.request)", run.pictures,
        alt: "\(run.pictures.size(0)) pictures drawn by the run \(run.name)")
    }
    let words =
      "The same places of all grids are drawn from the same seeds; models that are told a class draw "
      + "all of them in turn."
    return section(
      "Samples", [paragraph(words), .tag("div", ["class": "cards"], [real] + drawn)])
  }

  private func figures() -> Markup {
    let meanings = Markup.tag(
      "details", [:],
      [
        .tag("summary", [:], "What the figures mean"),
        .tag(
          "dl", [:],
          Self.meanings.flatMap {
            [.tag("dt", [:], .text($0.term)), .tag("dd", [:], .text($0.meaning))]
          }),
      ])
    let notes = runs.flatMap { run in run.notes.map { "\(run.name): \($0)" } }
    return section(
      "Measures",
      (runs.count > 1 ? [paragraph("Green and bold: the best of its column.")] : [])
        + tables.map(table)
        + (notes.isEmpty
          ? [] : [.tag("ul", ["class": "notes"], notes.map { .tag("li", [:], .text($0)) })])
        + [meanings])
  }

  /// A table that scrolls by itself where it is wider than the screen; the names stay.
  private func table(_ table: FigureTable) -> Markup {
    let head = Markup.tag(
      "thead", [:],
      .tag(
        "tr", [:],
        (["run"] + table.columns.map(\.title)).map { .tag("th", ["scope": "col"], .text($0)) }))
    let rows = table.rows.enumerated().map { index, cells in
      Markup.tag(
        "tr", index == table.runs.count ? ["class": "real"] : [:],
        cells.enumerated().map { column, cell in
          column == 0
            ? .tag("th", ["scope": "row"], .text(cell.text))
            : cell.isBest
              ? .tag("td", ["class": "best"], .tag("strong", [:], .text(cell.text)))
              : .tag("td", [:], .text(cell.text))
        })
    }
    return .tag(
      "div", ["class": "wide"],
      .tag("table", [:], .tag("caption", [:], .text(table.title)), head, .tag("tbody", [:], rows)))
  }

  private func timing() throws -> Markup {
    let picture = plot()
    let points = runs.flatMap { run in
      run.drawings.map { drawing in
        let steps = drawing.steps.map { ", \($0) steps" } ?? ""
        let time = Figure.seconds(drawing.measures.secondsPerPicture)?.text ?? FigureTable.missing
        let fid = Figure.number(drawing.measures.fid)?.text ?? FigureTable.missing
        return "\(run.name)\(steps): \(time) a picture, FID \(fid)"
      }
    }
    return section(
      "Quality against time",
      [
        paragraph(plotNote + "."),
        .tag(
          "div", ["class": "wide"],
          .picture(
            try picture.pngBytes(compression: 9),
            alt: "A plot of quality over seconds a picture. " + points.joined(separator: "; ")
              + ".",
            ["class": "plot", "width": "\(picture.width)", "height": "\(picture.height)"])),
        paragraph(
          "Seconds were taken while the samples were drawn, in batches of "
            + "\(SampleCache.partSize) on \(Runtime.threads) threads; of samples drawn earlier, they "
            + "are those of then."),
      ])
  }

  private func origins() -> Markup {
    section(
      "How each run was made",
      runs.map { run in
        var rows: [(String, Markup)] = [("family", .text(run.family.rawValue))]
        if let record = run.record {
          rows += [
            ("command", .tag("code", [:], .text(Self.shell(Self.recipe(record.command))))),
            ("seed", .text("\(record.seed)")), ("begun", .text(record.started)),
            (
              "data",
              .text("\(record.data.name), \(Figure.text(record.data.count)) training pictures")
            ),
            (
              "training",
              .text(
                "\(Figure.text(record.steps)) steps in \(clock(record.seconds)) on "
                  + "\(record.surroundings.processors) processors, \(record.status.rawValue)")
            ),
          ]
        } else {
          rows.append(("command", "trained elsewhere"))
        }
        rows += [
          ("drawn", .text(run.drawing.measures.request)),
          ("weights", .tag("code", [:], .text(String(run.weightsHash.prefix(12))))),
        ]
        return .tag(
          "article", [:],
          [
            .tag("h3", [:], .text(run.name)),
            .tag(
              "dl", [:], rows.flatMap { [.tag("dt", [:], .text($0.0)), .tag("dd", [:], $0.1)] }),
          ])
      })
  }

  /// A training's command without where it kept its run, which says nothing on another machine.
  private static func recipe(_ command: [String]) -> [String] {
    var words = command.filter { $0 != "--force" && !$0.hasPrefix("--out=") }
    if let place = words.firstIndex(of: "--out") {
      words.removeSubrange(place..<min(place + 2, words.count))
    }
    return words
  }

  /// A command as it can be pasted into a shell, wherever the program was.
  private static func shell(_ words: [String]) -> String {
    let program = words.prefix(1).map { URL(filePath: $0).lastPathComponent }
    return (program + words.dropFirst()).map { word in
      let isPlain =
        !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) }
      return isPlain ? word : "'\(word.replacing("'", with: "'\\''"))'"
    }.joined(separator: " ")
  }

  private static let styleSheet = """
    :root { --paper: #ffffff; --ink: #1b1f24; --slate: #57606a; --line: #d0d7de; --card: #f6f8fa;
      --good: #116329; --glow: #dafbe1; }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #0d1117; --ink: #e6edf3; --slate: #9198a1; --line: #30363d; --card: #161b22;
        --good: #7ee787; --glow: #12261e; }
      .plot { filter: invert(0.93) hue-rotate(180deg); }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--paper);
      color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
    h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.5rem 0; }
    h2 { font-size: 1.25rem; margin: 2.2rem 0 0.5rem; }
    h3 { font-size: 1rem; margin: 0 0 0.4rem; }
    p { margin: 0.3rem 0; max-width: 60rem; }
    header p, section p, .notes, footer, figcaption span { color: var(--slate); }
    .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
      gap: 1rem; margin-top: 0.8rem; }
    figure { margin: 0; max-width: 34rem; }
    figcaption span { display: block; font-size: 0.85rem; margin-bottom: 0.3rem; }
    img { display: block; width: 100%; height: auto; border-radius: 6px; }
    .pixels { image-rendering: pixelated; }
    .plot { max-width: 900px; min-width: 36rem; }
    .wide { overflow-x: auto; margin: 0.8rem 0 1.4rem; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
    caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
    th, td { padding: 0.35rem 0.8rem; text-align: right; border-bottom: 1px solid var(--line); }
    thead th { color: var(--slate); font-weight: 500; }
    th:first-child { min-width: 7.5rem; text-align: left; position: sticky; left: 0; background: var(--paper);
      max-width: 40vw; white-space: normal; }
    .best { color: var(--good); background: var(--glow); }
    .real th, .real td { color: var(--slate); font-weight: 400; }
    article { background: var(--card); border-radius: 6px; padding: 0.8rem 1rem; margin: 0.6rem 0; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 0; }
    details dl { grid-template-columns: minmax(6rem, max-content) 1fr; margin-top: 0.5rem; }
    dt { color: var(--slate); }
    dd { margin: 0; }
    code { font: 0.85em/1.5 ui-monospace, monospace; }
    footer { margin: 2.5rem 0 1rem; font-size: 0.85rem; }
    """
}
