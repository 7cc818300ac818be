import Testing

@testable import Interchange

@Suite struct FreeMemoryTests {
  @Test func isReadFromTheKernelsFiles() {
    let text = "MemTotal:  8000 kB\nMemFree:  1000 kB\nMemAvailable:    4000 kB\n"
    #expect(FreeMemory.ofMachine(meminfo: text) == 4_096_000)
    #expect(FreeMemory.ofMachine(meminfo: "nothing") == nil)
    let statistics = "anon 300\nactive_file 200\ninactive_file 100\nslab_reclaimable 50\n"
    #expect(FreeMemory.ofGroup(most: 1000, used: 900, statistics: statistics) == 450)
    #expect(FreeMemory.ofGroup(most: 1000, used: 1200, statistics: "") == 0)
    #expect(FreeMemory.gigabytes(2_840_000_000) == "2.8 GB")
  }
}
