import Training

extension Comparison {
  /// Samples, reconstructions with likelihoods, and cost: a table each that has a figure.
  var tables: [FigureTable] {
    [sampleTable, pictureTable, costTable].filter { !$0.columns.isEmpty }
  }

  /// What the figures are of, above the tables.
  var protocolSentences: [String] {
    let kind = channels == 1 ? "grey" : "colour"
    let width = Figure.text(self.width)
    return [
      "\(Figure.text(settings.count)) samples a run, picture i drawn with seed \(settings.seed) + i, "
        + "against \(Figure.text(referenceCount)) held-out pictures of \(data) "
        + "(\(side)×\(side), \(kind)).",
      "Features: \(extractor.name), hash \(extractor.hash.prefix(12)), \(width) numbers a picture.",
      "For the features, pictures of another size are resized: \(extractor.resizing).",
    ]
  }

  private var names: [String] { runs.map(\.name) }

  private func table(_ title: String, _ columns: [FigureTable.Column]) -> FigureTable {
    FigureTable(
      title, runs: names, columns: columns,
      realName: "training pictures (\(Figure.text(real.sampleCount)))")
  }

  private var sampleTable: FigureTable {
    func column(
      _ title: String, _ better: FigureTable.Better, _ cell: (SampleMeasures) -> FigureTable.Cell
    ) -> FigureTable.Column {
      .init(title, better, runs.map { cell($0.drawing.measures) }, real: cell(real))
    }
    let detail = real.sharpness?.real ?? 0
    return table(
      "New pictures",
      [
        column("FID", .lower) { Figure.number($0.fid) },
        column("FID∞", .lower) { Figure.number($0.fidInfinity?.distance) },
        column("KID", .lower) { Figure.number($0.kid?.mean, error: $0.kid?.standardError) },
        column("precision", .higher) { Figure.ratio($0.precisionRecall?.precision) },
        column("recall", .higher) { Figure.ratio($0.precisionRecall?.recall) },
        column("density", .nearer(to: 1)) { Figure.ratio($0.precisionRecall?.density) },
        column("coverage", .higher) { Figure.ratio($0.precisionRecall?.coverage) },
        column("class accuracy", .higher) { Figure.share($0.classification?.accuracy) },
        column("fine detail", .nearer(to: detail)) { Figure.share($0.sharpness?.samples) },
      ])
  }

  private var pictureTable: FigureTable {
    let restored = runs.map(\.reconstruction)
    // Bounds of different likelihoods are different quantities.
    var likelihoods: [String] = []
    for case .nats(_, let likelihood) in runs.map(\.bound) where !likelihoods.contains(likelihood) {
      likelihoods.append(likelihood)
    }
    let bounds = likelihoods.map { wanted in
      FigureTable.Column(
        "−ELBO, \(wanted), nats", .lower,
        runs.map {
          guard case .nats(let value, wanted) = $0.bound else { return nil }
          return Figure.number(value)
        })
    }
    let bits = FigureTable.Column(
      "bits/dim of \(Figure.text(min(settings.boundCount, referenceCount)))", .lower,
      runs.map {
        guard case .bitsPerDimension(let value) = $0.bound else { return nil }
        return Figure.number(value)
      })
    return table(
      "Held-out pictures: reconstruction and likelihood",
      [
        .init("MSE", .lower, restored.map { Figure.number($0?.meanSquaredError) }),
        .init("PSNR, dB", .higher, restored.map { Figure.number($0?.peakSignalToNoise) }),
        .init("SSIM", .higher, restored.map { Figure.ratio($0?.similarity) }),
      ] + bounds + [bits])
  }

  private var costTable: FigureTable {
    let records = runs.map(\.record)
    return table(
      "Cost",
      [
        .init(
          "a picture", .lower,
          runs.map { Figure.seconds($0.drawing.measures.secondsPerPicture) }),
        .init("steps a picture", .none, runs.map { Figure.count($0.drawing.steps) }),
        .init("parameters", .none, runs.map { Figure.count($0.parameters) }),
        .init("training", .none, records.map { $0.map { ($0.seconds, clock($0.seconds)) } }),
        .init("training steps", .none, records.map { Figure.count($0?.steps) }),
      ])
  }

  /// What the figures mean, for those who do not know them.
  static let meanings: [(term: String, meaning: String)] = [
    (
      "FID",
      "the Fréchet distance between the features of samples and of held-out pictures; few samples "
        + "make it larger, so only equal numbers compare. Lower is better."
    ),
    ("FID∞", "what FID would be with infinitely many samples, read off a line through subsets."),
    (
      "KID",
      "the kernel distance with its standard error; it does not depend on the number of samples."
    ),
    (
      "precision, recall",
      "the share of samples that lie among real pictures, and of real pictures among samples."
    ),
    (
      "density, coverage",
      "how densely samples lie among real pictures (1 for real ones), and the share of real pictures "
        + "with a sample beside them, which grows with the number of samples."
    ),
    ("class accuracy", "how often the extractor sees the class that was asked for."),
    (
      "fine detail",
      "the share of a picture’s energy in its finer half of frequencies; less than real pictures have "
        + "is blur, more is noise. The best is the nearest to held-out pictures."
    ),
    ("MSE, PSNR, SSIM", "how held-out pictures come back from their codes."),
    (
      "−ELBO, bits/dim",
      "bounds on −log p of held-out pictures, each only comparable within its column; in bits a "
        + "dimension they are of the first few pictures, at 100 noise levels each. Lower is better."
    ),
    (
      "training pictures",
      "real pictures measured as if they were samples: what no model can be better than."
    ),
  ]
}
