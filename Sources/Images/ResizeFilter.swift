import Foundation

/// The weighting of source pixels in a resize, with the names and kernels of Pillow.
public enum ResizeFilter: String, CaseIterable, Sendable {
  /// The one source pixel under the centre of the new pixel.
  case nearest
  /// The mean over the area of the new pixel.
  case box
  /// A triangle.
  case bilinear
  /// A windowed sinc as wide as `bilinear`, sharper.
  case hamming
  /// Keys' cubic convolution with a = -0.5.
  case bicubic
  /// A sinc windowed by a sinc, three lobes.
  case lanczos

  /// The kernel is zero outside ±support, in source pixels at scale 1.
  var support: Double {
    switch self {
    case .nearest: 0
    case .box: 0.5
    case .bilinear, .hamming: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The kernel at a signed distance in source pixels.
  func weight(at distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .nearest:
      return 1
    case .box:
      return distance > -0.5 && distance <= 0.5 ? 1 : 0
    case .bilinear:
      return x < 1 ? 1 - x : 0
    case .hamming:
      // Pillow's window constants are single precision.
      if x == 0 { return 1 }
      let phase = x * .pi
      return x < 1
        ? sin(phase) / phase * (Double(0.54 as Float) + Double(0.46 as Float) * cos(phase)) : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    case .lanczos:
      return distance >= -3 && distance < 3 ? sinc(distance) * sinc(distance / 3) : 0
    }
  }
}

private func sinc(_ x: Double) -> Double {
  x == 0 ? 1 : sin(x * .pi) / (x * .pi)
}
