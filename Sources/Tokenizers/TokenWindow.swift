/// What a text encoder takes in at once: beginning, tokens, end, padding.
public struct TokenWindow: Sendable, Equatable {
  /// The ids, as many as the window is long.
  public let ids: [Int]
  /// A weight for every id; 1 for the beginning, the end and the padding.
  public let weights: [Double]
  /// How many ids are no padding.
  public let tokenCount: Int
  /// What did not fit; `nil` when everything did.
  public let cut: CutText?
}

/// The part of a text that a window had no room for.
public struct CutText: Sendable, Equatable {
  /// How many of the text's tokens were cut.
  public let tokenCount: Int
  /// The tokens that were cut as a text, in lower case.
  public let text: String
}

extension CLIPTokenizer {
  /// One window of a text, the rest cut.
  public func window(of text: String) -> TokenWindow {
    window(of: [PromptSegment(text: text, weight: 1)])
  }

  /// One window of weighted segments, the rest cut.
  public func window(of segments: [PromptSegment]) -> TokenWindow {
    let content = weightedIDs(of: segments)
    let kept = content.prefix(room)
    let rest = content.dropFirst(room).map(\.id)
    return window(
      kept, cut: rest.isEmpty ? nil : CutText(tokenCount: rest.count, text: text(of: rest)))
  }

  /// As many windows as the segments need, at least one; nothing is cut.
  public func windows(of segments: [PromptSegment]) -> [TokenWindow] {
    let content = weightedIDs(of: segments)
    return stride(from: 0, to: max(content.count, 1), by: max(room, 1)).map {
      window(content[$0...].prefix(room), cut: nil)
    }
  }

  /// Tokens that fit between the beginning and the end.
  private var room: Int { max(windowLength - 2, 1) }

  private func weightedIDs(of segments: [PromptSegment]) -> [(id: Int, weight: Double)] {
    segments.flatMap { segment in ids(of: segment.text).map { ($0, segment.weight) } }
  }

  private func window(
    _ content: ArraySlice<(id: Int, weight: Double)>, cut: CutText?
  ) -> TokenWindow {
    let padding = max(room - content.count, 0)
    return TokenWindow(
      ids: [beginID] + content.map(\.id) + [endID] + Array(repeating: padID, count: padding),
      weights: [1] + content.map(\.weight) + Array(repeating: 1, count: padding + 1),
      tokenCount: content.count + 2, cut: cut)
  }
}
