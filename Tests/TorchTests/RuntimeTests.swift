import Testing
import Torch

@Suite struct RuntimeTests {
  /// One thread inside of the call, and as many as before behind it.
  @Test func onOneThreadEndsWithTheCall() {
    let before = Runtime.threads
    let inside = Runtime.onOneThread {
      Runtime.onOneThread { #expect(Runtime.threads == 1) }
      return Runtime.threads
    }
    #expect(inside == 1 && Runtime.threads == before)
  }

  @Test func tellsWhatIsLoaded() {
    #expect(Runtime.version.hasPrefix("2.13."))
    #expect(Runtime.buildConfiguration.contains("PyTorch built with"))
    let known = ["DEFAULT", "AVX2", "AVX512", "NEON", "SVE256", "VSX", "ZVECTOR", "NO AVX"]
    #expect(known.contains(Runtime.cpuCapability))
  }

  @Test(arguments: [
    ("cpu", Device.cpu), ("mps", .mps), ("cuda", .cuda(0)), ("cuda:0", .cuda(0)),
    ("cuda:1", .cuda(1)), ("cuda:127", .cuda(127)),
  ])
  func readsDeviceNames(_ name: String, _ device: Device) {
    #expect(Device(name) == device)
    #expect(Device(device.description) == device)
  }

  @Test(arguments: [
    "", "CPU", "gpu", "cpu:0", "cuda:", "cuda:-1", "cuda:128", "cuda:+1", "cuda:01", "cuda: 1",
  ])
  func refusesOtherDeviceNames(_ name: String) {
    #expect(Device(name) == nil)
  }

  @Test func theProcessorIsThere() {
    #expect(Device.cpu.isAvailable)
    Device.cpu.synchronize()
    #expect(Tensor.zeros([1]).device == .cpu)
    #if os(Linux)
      #expect(!Device.mps.isAvailable)
    #endif
  }
}
