/// How many weights the shared blocks have, told without building them.
enum WeightCount {
  static func conv(_ inputs: Int, _ outputs: Int, kernel: Int = 3) -> Int {
    (kernel * kernel * inputs + 1) * outputs
  }

  static func linear(_ inputs: Int, _ outputs: Int, bias: Bool = true) -> Int {
    (inputs + (bias ? 1 : 0)) * outputs
  }

  /// Any normalisation with a factor and an offset a channel.
  static func norm(_ channels: Int) -> Int { 2 * channels }

  static func timeLayers(_ inputs: Int, _ outputs: Int, conditionWidth: Int? = nil) -> Int {
    linear(inputs, outputs) + linear(outputs, outputs) + (conditionWidth ?? 0) * inputs
  }

  static func resnet(
    _ inputs: Int, _ outputs: Int, timeWidth: Int?,
    _ conditioning: UNetConfig.TimeConditioning = .shift
  ) -> Int {
    let time = timeWidth.map { linear($0, outputs) * (conditioning == .scaleShift ? 2 : 1) } ?? 0
    let shortcut = inputs == outputs ? 0 : linear(inputs, outputs)
    return norm(inputs) + conv(inputs, outputs) + time + norm(outputs) + conv(outputs, outputs)
      + shortcut
  }

  static func attentionBlock(_ channels: Int, hasNorm: Bool = true) -> Int {
    4 * linear(channels, channels) + (hasNorm ? norm(channels) : 0)
  }

  /// Projections, and `layers` blocks of two attentions and a feed-forward network.
  static func transformer(
    _ channels: Int, layers: Int, contextWidth: Int, onlyCross: Bool
  ) -> Int {
    func attention(_ context: Int) -> Int {
      linear(channels, channels, bias: false) + 2 * linear(context, channels, bias: false)
        + linear(channels, channels)
    }
    let block =
      3 * norm(channels) + attention(onlyCross ? contextWidth : channels)
      + attention(contextWidth) + linear(channels, 8 * channels) + linear(4 * channels, channels)
    return norm(channels) + 2 * linear(channels, channels) + layers * block
  }
}
