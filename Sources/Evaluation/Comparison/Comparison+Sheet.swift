import Images
import Torch
import Training

extension Comparison {
  /// The page as one picture: samples, plot and tables.
  ///
  /// Throws `ImageError` when it would be too large.
  public func sheet() throws -> Image {
    let grids =
      try [
        Sheet.Section(
          "Real pictures", note: "held out, of \(data)", picture: try grid(pictures))
      ]
      + runs.map {
        Sheet.Section(
          $0.name, note: "\($0.family.rawValue), \($0.drawing.measures.request)",
          picture: try grid($0.pictures))
      }
    let across = grids.count > 6 ? 3 : 2
    let rows = stride(from: 0, to: grids.count, by: across).map {
      Array(grids[$0..<min($0 + across, grids.count)])
    }
    let figures = try tables.map { table in
      [
        Sheet.Section(
          table.title, note: table.columns.contains { !$0.best.isEmpty } ? Self.bestNote : nil,
          picture: try TablePicture(
            header: ["run"] + table.columns.map(\.title),
            rows: table.rows.map { $0.map { .init($0.text, isStrong: $0.isBest) } }
          ).image())
      ]
    }
    return try Sheet(
      title, note: protocolSentences.joined(separator: "\n"),
      rows: rows + figures + [
        [Sheet.Section("Quality against time", note: plotNote, picture: plot())]
      ]
    ).image()
  }

  static let bestNote = "bold: the best of its column"

  /// The heading of page and picture.
  var title: String {
    runs.count == 1 ? "\(runs[0].name) on \(data)" : "\(runs.count) runs on \(data)"
  }

  /// Pictures in rows, enlarged so that people can see them on a sheet.
  private func grid(_ pictures: Tensor) throws -> Image {
    try ImageGrid(
      pictures.pictures, columns: columns, scale: max(1, 56 / side), padding: 2
    ).image()
  }
}
