import Foundation
import Images
import Interchange

/// A sample as a shard has it: nothing is decoded, nothing was checked.
struct EncodedSample: Sendable, Equatable {
  /// The members' name up to the first dot.
  let key: String
  /// The name of the picture's member.
  var pictureName: String?
  var picture: [UInt8] = []
  /// The content of `cls`.
  var label: String?
  /// The content of `txt`.
  var caption: String?
  /// The content of `json`.
  var json: [UInt8]?
  /// Why a member could not be taken, as a clause.
  var problem: String?

  /// The key and the suffix of a member's name, after WebDataset; nil for names without, and for
  /// hidden files.
  static func parts(of name: String) -> (key: String, suffix: String)? {
    let bytes = name.utf8
    let start = bytes.lastIndex(of: UInt8(ascii: "/")).map(bytes.index(after:)) ?? bytes.startIndex
    guard let dot = bytes[start...].firstIndex(of: UInt8(ascii: ".")), dot > start else {
      return nil
    }
    return (String(name[..<dot]), name[bytes.index(after: dot)...].lowercased())
  }

  /// What a member of this suffix is to a sample.
  enum Field: Equatable {
    case picture, label, caption, json

    init?(suffix: String) {
      switch suffix {
      case "cls": self = .label
      case "txt": self = .caption
      case "json": self = .json
      case _ where ImageFormat(path: "x.\(suffix)") != nil && !suffix.contains("."):
        self = .picture
      default: return nil
      }
    }
  }

  /// The class by `cls` or by the keys label and class of `json`, a number or a name among `names`;
  /// nil where there is none.
  func classNumber(among names: [String]) -> Int? {
    let text = label?.trimmed ?? described("label", "class")
    return text.flatMap { Int($0) ?? names.firstIndex(of: $0) }
  }

  /// The text by `txt` or by the keys text and caption of `json`.
  var text: String? { caption?.trimmed ?? described("text", "caption") }

  private func described(_ keys: String...) -> String? {
    guard let json, let object = try? JSON(parsing: json, dialect: .python) else { return nil }
    let found = keys.lazy.compactMap { object[$0] }.first
    return found?.string?.trimmed ?? found?.int.map(String.init)
  }
}

extension String {
  /// Without white space at both ends, on one line.
  fileprivate var trimmed: String {
    split(whereSeparator: \.isNewline).joined(separator: " ").trimmingCharacters(in: .whitespaces)
  }
}
