import Interchange
import Torch

/// Where a network's weight stands in a file of another layout, and what makes it the network's.
struct StoredWeight {
  /// What has to be done to the stored tensor.
  enum Change {
    case none
    /// Rows and columns change places.
    case transposed
    /// Of three blocks of rows, one.
    case third(Int)
    /// A 1×1 kernel becomes a matrix.
    case matrix
  }

  /// The tensor's name in the file.
  var name: String
  var change: Change

  init(_ name: String, _ change: Change = .none) {
    self.name = name
    self.change = change
  }

  /// The weight, in the file's own memory where its layout allows; `nil` where the tensor is not
  /// there. Throws for an element type that no network here uses.
  func tensor(in file: SafetensorsFile) throws(SafetensorsError) -> Tensor? {
    guard file.tensors[name] != nil else { return nil }
    let stored = try file.tensor(named: name)
    switch change {
    case .none: return stored
    case .transposed: return stored.rank == 2 ? stored.transposed().contiguous() : stored
    case .third(let place):
      guard stored.rank > 0, stored.size(0).isMultiple(of: 3) else { return stored }
      // A copy: what is mapped must have one owner.
      return stored.narrowed(0, place * stored.size(0) / 3, stored.size(0) / 3).clone()
    case .matrix: return stored.rank > 2 ? stored.flattened(from: 1) : stored
    }
  }
}
