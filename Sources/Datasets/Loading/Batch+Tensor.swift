import Torch

extension Batch {
  /// The elements as float32: pictures `[N, C, H, W]` in [0, 1], points `[N, 2]` as they are.
  public func tensor(device: Device = .cpu) -> Tensor {
    let shape = [count] + elementShape
    switch values {
    case .bytes(let bytes) where device == .cpu:
      return Tensor(channelBytes: bytes, shape: shape)
    // Bytes travel to the device, a quarter of what floats would be.
    case .bytes(let bytes): return Tensor(bytes, shape: shape).to(device).to(.float32) / 255
    case .floats(let floats): return Tensor(floats, shape: shape).to(device)
    }
  }

  /// The classes as int64 `[N]`, or nil when the set has none.
  public func labelTensor(device: Device = .cpu) -> Tensor? {
    labels.map { Tensor($0).to(device) }
  }
}

extension Batch.Share {
  /// This rank's elements of a tensor `[N, …]` that was drawn for the whole batch.
  public func callAsFunction(_ whole: Tensor) -> Tensor {
    range.count == wholeCount ? whole : whole[range]
  }
}
