import Images
import Testing

@Suite("Resizing and cropping")
struct ResizingTests {
  @Test("there are results of every kind")
  func countsFixtures() {
    #expect(Golden.all("resize").count == 114)
    #expect(Golden.all("square").count == 4)
    #expect(Golden.all("convert").count == 2)
  }

  @Test("a resize is Pillow's, byte for byte", arguments: Golden.all("resize"))
  func resizesLikePillow(golden: Golden) throws {
    let filter = try #require(golden.filter.flatMap(ResizeFilter.init(rawValue:)))
    let resized = golden.source.resized(
      width: golden.width, height: golden.height, filter: filter)
    #expect(resized.largestDifference(from: golden.image) == 0)
  }

  @Test("a square crop has torchvision's sizes and offsets", arguments: Golden.all("square"))
  func cropsLikeTorchvision(golden: Golden) {
    let square = golden.source.resizedAndCropped(toSide: golden.width)
    #expect(square.largestDifference(from: golden.image) == 0)
  }

  @Test("an extreme strip becomes a square without a vast picture in between")
  func cropsStrip() {
    let strip = Image.pattern(width: 400_000, height: 1, channels: 1)
    let square = strip.resizedAndCropped(toSide: 512)
    #expect(square.width == 512 && square.height == 512)
  }

  @Test("grey and white-backed colour are Pillow's", arguments: Golden.all("convert"))
  func convertsLikePillow(golden: Golden) {
    let converted = golden.source.converted(toChannels: golden.channels)
    #expect(converted.largestDifference(from: golden.image) == 0)
  }

  @Test("channels are added and dropped")
  func convertsChannels() {
    let grey = Image(width: 2, height: 1, channels: 1, pixels: [10, 200])
    #expect(grey.converted(toChannels: 3).pixels == [10, 10, 10, 200, 200, 200])
    #expect(grey.converted(toChannels: 4).pixels == [10, 10, 10, 255, 200, 200, 200, 255])
    #expect(grey.converted(toChannels: 3).converted(toChannels: 1) == grey)
    let clear = Image(width: 1, height: 1, channels: 4, pixels: [9, 9, 9, 0])
    #expect(clear.converted(toChannels: 1).pixels == [255])
  }

  @Test("crops and mirrors move pixels and change none")
  func crops() {
    let image = Image(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
    #expect(image.cropped(x: 1, y: 0, width: 2, height: 2).pixels == [2, 3, 5, 6])
    #expect(image.flippedHorizontally().pixels == [3, 2, 1, 6, 5, 4])
    #expect(image.centerCropped(width: 1, height: 2).pixels == [2, 5])
  }

  @Test("planar samples are channel after channel, and come back")
  func planar() {
    let image = Image(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    #expect(image.planar() == [1, 4, 2, 5, 3, 6])
    #expect(Image(planar: image.planar(), width: 2, height: 1, channels: 3) == image)
  }

  @Test("numbers are clamped and rounded to nearest, and NaN is black")
  func floats() {
    let values: [Float] = [-1, 0, 0.5 / 255, 0.49 / 255, 0.5, 1, 7, .nan]
    let image = Image(floats: values, width: 8, height: 1, channels: 1)
    #expect(image.pixels == [0, 0, 1, 0, 128, 255, 255, 0])
  }
}
