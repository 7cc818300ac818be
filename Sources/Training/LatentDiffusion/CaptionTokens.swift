import Datasets
import Tokenizers
import Torch

/// The captions of a set as windows of token ids, made once.
struct CaptionTokens {
  /// The windows of every picture's captions.
  private let windows: [[[Int32]]]
  /// The window of a hidden caption.
  private let empty: [Int32]
  /// Captions of which the end was cut.
  let cutCount: Int
  private let length: Int

  init(of set: any Dataset, by tokenizer: CLIPTokenizer) {
    var cut = 0
    func window(_ text: String) -> [Int32] {
      let window = tokenizer.window(of: text)
      if window.cut != nil { cut += 1 }
      return window.ids.map(Int32.init)
    }
    // Pictures of one kind share their captions.
    var known: [String: [Int32]] = [:]
    windows = (0..<set.count).map { index in
      let captions = set.captions(at: index)
      return (captions.isEmpty ? [""] : captions).map { text in
        if let window = known[text] { return window }
        let made = window(text)
        known[text] = made
        return made
      }
    }
    empty = window("")
    length = empty.count
    cutCount = cut
  }

  /// The ids `[N, T]` of some pictures: of the captions of each the one that its number in 0..<1
  /// (`choices`) points at, or none where `hidden`.
  func ids(of indices: [Int], choices: [Double], hidden: [Bool]) -> Tensor {
    var ids: [Int] = []
    ids.reserveCapacity(indices.count * length)
    for (place, index) in indices.enumerated() {
      let own = windows[index]
      let window =
        hidden[place] ? empty : own[min(Int(choices[place] * Double(own.count)), own.count - 1)]
      ids += window.map(Int.init)
    }
    return Tensor(ids).reshaped([indices.count, length])
  }
}
