import Foundation

/// Figures of several runs in rows and columns: what the page, its picture and the terminal show.
struct FigureTable {
  /// Which figure of a column is the best one.
  enum Better {
    case lower
    case higher
    case nearer(to: Double)
    /// Figures that are no merit, or that cannot be compared.
    case none
  }

  /// A figure and how it is written; `nil` where there is none.
  typealias Cell = (value: Double, text: String)?

  /// The same figure of all runs.
  struct Column {
    let title: String
    let better: Better
    /// One a run.
    let cells: [Cell]
    /// The figure of training pictures.
    let real: Cell

    init(_ title: String, _ better: Better, _ cells: [Cell], real: Cell = nil) {
      self.title = title
      self.better = better
      self.cells = cells
      self.real = real
    }

    /// The rows with the best figure, where there are two to choose from.
    var best: Set<Int> {
      func cost(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        switch better {
        case .lower: return value
        case .higher: return -value
        case .nearer(let aim): return abs(value - aim)
        case .none: return nil
        }
      }
      let costs = cells.map { $0.flatMap { cost($0.value) } }
      guard costs.count(where: { $0 != nil }) > 1, let least = costs.compactMap({ $0 }).min() else {
        return []
      }
      return Set(costs.indices.filter { costs[$0] == least })
    }

    /// Whether any run has the figure.
    var isEmpty: Bool { cells.allSatisfy { $0 == nil } }
  }

  /// The heading.
  let title: String
  /// A row each.
  let runs: [String]
  /// Columns that at least one run has a figure for.
  let columns: [Column]
  /// The name of the last row, of training pictures, where a column has a figure for it.
  let realName: String?

  init(_ title: String, runs: [String], columns: [Column], realName: String) {
    self.title = title
    self.runs = runs
    self.columns = columns.filter { !$0.isEmpty }
    self.realName = self.columns.contains { $0.real != nil } ? realName : nil
  }

  /// What stands for a figure that there is none of.
  static let missing = "–"

  /// The rows as texts with the first column of names, the row of training pictures last, and
  /// whether each is the best of its column.
  var rows: [[(text: String, isBest: Bool)]] {
    let best = columns.map(\.best)
    var rows = runs.indices.map { row in
      [(runs[row], false)]
        + columns.indices.map {
          (columns[$0].cells[row]?.text ?? Self.missing, best[$0].contains(row))
        }
    }
    if let realName {
      rows.append([(realName, false)] + columns.map { ($0.real?.text ?? Self.missing, false) })
    }
    return rows
  }
}

/// Numbers as a page writes them.
enum Figure {
  /// About four digits.
  static func number(_ value: Double?) -> FigureTable.Cell {
    value.map { ($0, text($0)) }
  }

  /// A share from 0 to 1, or a ratio, to three decimals.
  static func ratio(_ value: Double?) -> FigureTable.Cell {
    value.map { ($0, $0.isFinite ? String(format: "%.3f", $0) : text($0)) }
  }

  /// A share as a percentage.
  static func share(_ value: Double?) -> FigureTable.Cell {
    value.map { ($0, $0.isFinite ? typeset(String(format: "%.1f %%", 100 * $0)) : text($0)) }
  }

  /// A figure with its standard error, to two digits of the error.
  static func number(_ value: Double?, error: Double?) -> FigureTable.Cell {
    guard let value, let error, value.isFinite, error.isFinite, error > 0 else {
      return number(value)
    }
    let digits = min(max(Int((1 - log10(error)).rounded(.up)), 0), 6)
    let text = String(format: "%.\(digits)f ± %.\(digits)f", value, error)
    return (value, typeset(text))
  }

  /// A short span of time, in the unit that suits it.
  static func seconds(_ value: Double?) -> FigureTable.Cell {
    value.map { value in
      switch value {
      case ..<1e-2: (value, String(format: "%.2f ms", value * 1e3))
      case ..<1: (value, String(format: "%.0f ms", value * 1e3))
      default: (value, String(format: "%.2f s", value))
      }
    }
  }

  /// A count with commas.
  static func count(_ value: Int?) -> FigureTable.Cell {
    value.map { (Double($0), text($0)) }
  }

  /// A whole number with commas.
  static func text(_ value: Int) -> String {
    let digits = Array(String(abs(value)))
    let grouped = digits.indices.map { place in
      (place > 0 && (digits.count - place).isMultiple(of: 3) ? "," : "") + String(digits[place])
    }
    return (value < 0 ? "−" : "") + grouped.joined()
  }

  /// A number with about four digits.
  static func text(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "not a number" : value > 0 ? "∞" : "−∞" }
    if value == 0 { return "0" }
    let size = abs(value)
    let decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.01 ? 3 : 5
    return typeset(String(format: "%.\(decimals)f", value))
  }

  /// A true minus sign in place of the hyphen.
  private static func typeset(_ text: String) -> String { text.replacing("-", with: "−") }
}
