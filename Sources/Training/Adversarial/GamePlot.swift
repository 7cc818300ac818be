import Images
import Interchange

/// How a game went: D(x), D(G(z)) and the discriminator's accuracy over the steps, beside the ½ at
/// which neither player can win.
public struct GamePlot {
  private let series: [LinePlot.Series]

  /// The plot of a run's `metrics.jsonl`; `nil` before two reports are there.
  ///
  /// Throws `JSONError` for a damaged file.
  public init?(of run: RunFolder) throws {
    let records = try MetricsLog.read(run.metricsPath)
    func curve(_ name: String, _ title: String) -> LinePlot.Series {
      LinePlot.Series(
        title,
        points: records.compactMap { record in
          guard let step = record["step"]?.int, let value = record[name]?.double else {
            return nil
          }
          return (Double(step), value)
        })
    }
    let curves = [
      curve("accuracy", "accuracy of D"), curve("real_score", "D(x)"),
      curve("fake_score", "D(G(z))"),
    ]
    guard let first = curves[0].points.first, let last = curves[0].points.last, first.x < last.x
    else { return nil }
    series = curves + [LinePlot.Series("1/2", points: [(first.x, 0.5), (last.x, 0.5)])]
  }

  /// The plot.
  public func image() -> Image {
    LinePlot(series, title: "The game", xLabel: "step").image()
  }
}
