extension Range<Int> {
  /// Part `index` of `parts` consecutive ones of nearly equal length; where the length does not
  /// divide, the first ones are longer by one.
  public func part(_ index: Int, of parts: Int) -> Range<Int> {
    let (size, rest) = count.quotientAndRemainder(dividingBy: parts)
    let start = lowerBound + index * size + Swift.min(index, rest)
    return start..<start + size + (index < rest ? 1 : 0)
  }
}
