import CTorch

/// Where tensors live and are computed.
public enum Device: Sendable, Hashable, CustomStringConvertible {
  /// The processor.
  case cpu
  /// An NVIDIA card, by index.
  case cuda(Int)
  /// An Apple GPU.
  case mps

  init(kind: Int32, index: Int) {
    switch kind {
    case Int32(CT_CUDA.rawValue): self = .cuda(index)
    case Int32(CT_MPS.rawValue): self = .mps
    default: self = .cpu
    }
  }

  /// The device that a name such as `cpu`, `cuda`, `cuda:1` or `mps` stands for.
  public init?(_ name: String) {
    switch name {
    case "cpu": self = .cpu
    case "mps": self = .mps
    case "cuda": self = .cuda(0)
    default:
      // Int reads "+1" and "01" too, which libtorch does not.
      guard name.hasPrefix("cuda:"), let index = Int(name.dropFirst(5)), (0..<128).contains(index),
        name == "cuda:\(index)"
      else { return nil }
      self = .cuda(index)
    }
  }

  var kind: Int32 {
    switch self {
    case .cpu: Int32(CT_CPU.rawValue)
    case .cuda: Int32(CT_CUDA.rawValue)
    case .mps: Int32(CT_MPS.rawValue)
    }
  }

  var index: Int32 {
    if case .cuda(let index) = self { Int32(index) } else { -1 }
  }

  /// Whether the libtorch that is loaded can compute there on this machine.
  public var isAvailable: Bool { ct_device_available(kind, index) }

  /// Waits until everything started on the device is done.
  public func synchronize(file: StaticString = #fileID, line: UInt = #line) {
    check(ct_device_synchronize(kind), file, line)
  }

  /// The name that `init(_:)` reads back.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    case .mps: "mps"
    }
  }
}
