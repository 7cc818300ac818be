import Images

extension Comparison {
  /// Whether the plot shows KID, because FID rests on too few pictures.
  private var plotsKernelDistance: Bool {
    real.isIllConditioned || runs.contains { $0.drawing.measures.isIllConditioned }
  }

  /// What the plot says, in a sentence.
  var plotNote: String {
    let measure =
      plotsKernelDistance ? "KID, because FID would need more samples than features" : "FID"
    return "\(measure) by \(extractor.name): lower is better, further left is faster"
  }

  /// The quality of samples over the time that one takes: a point a run and number of steps.
  func plot(width: Int = 900, height: Int = 520) -> Image {
    func quality(_ measures: SampleMeasures) -> Double {
      (plotsKernelDistance ? measures.kid?.mean : measures.fid) ?? .nan
    }
    var series = runs.map { run in
      LinePlot.Series(
        run.name,
        points: run.drawings.map { ($0.measures.secondsPerPicture, quality($0.measures)) },
        labels: run.drawings.map { $0.steps.map { "\($0) steps" } ?? run.name })
    }
    // Far apart, figures share a logarithmic axis; KID may be below 0.
    let heights = series.flatMap(\.points).map(\.y).filter(\.isFinite) + [quality(real)]
    let isFar = (heights.min() ?? 0) > 0 && (heights.max() ?? 0) > 10 * (heights.min() ?? 0)
    let times = series.flatMap(\.points).map(\.x)
    if let first = times.min(), let last = times.max(), first < last {
      let level = quality(real)
      series.append(
        .init(
          "training pictures", points: [(first, level), (last, level)], colour: .silver))
    }
    return LinePlot(
      series, xLabel: "seconds a picture", yLabel: plotsKernelDistance ? "KID" : "FID",
      xScale: .logarithmic, yScale: isFar ? .logarithmic : .linear
    ).image(width: width, height: height)
  }
}
