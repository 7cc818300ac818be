// swift-tools-version: 6.2
import Foundation
import PackageDescription

// libtorch: LATENT_LIBTORCH names a folder with `include` and `lib` (a torch wheel's `torch`
// folder is one); otherwise the copy that `./latent` and `./test` put into the cache.
let environment = Context.environment
let cache =
  environment["LATENT_CACHE"]
  ?? "\(environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache")/latent"
let libtorch = environment["LATENT_LIBTORCH"] ?? "\(cache)/libtorch-2.13.0/torch"
let hasCUDA = FileManager.default.fileExists(atPath: "\(libtorch)/lib/libtorch_cuda.so")

let torchLinks: [LinkerSetting] =
  [
    .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
    .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
    // A program without Foundation would link none, and the kernels call logf.
    .linkedLibrary("m"),
  ]
  // Nothing refers to a symbol of the CUDA library, so the linker has to be told to keep it.
  + (hasCUDA
    ? [.unsafeFlags(["-Xlinker", "--no-as-needed", "-ltorch_cuda", "-Xlinker", "--as-needed"])]
    : [])

/// CUDA's own headers beside libtorch's in a wheel: those before 2.13 need them for graphs.
let cudaHeaders: [CXXSetting] =
  hasCUDA
  ? [
    .define("LATENT_CUDA"),
    .unsafeFlags(["-isystem", "\(libtorch)/../nvidia/cu13/include"]),
  ] : []

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

/// Tests of bytes, pixels and text leave `TestSupport` out, and with it libtorch.
func tests(_ module: String, with more: Target.Dependency...) -> Target {
  .testTarget(
    name: "\(module)Tests", dependencies: [.init(stringLiteral: module)] + more,
    path: "Tests/\(module)Tests")
}

let package = Package(
  name: "Latent",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "latent", targets: ["latent"]),
    .library(
      name: "Latent",
      targets: [
        "Torch", "NeuralNets", "Interchange", "Images", "Tokenizers", "Datasets", "Models",
        "Diffusion", "Training", "Evaluation",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    .target(
      name: "CTorch",
      exclude: ["declarations/gloo/README.md"],
      cxxSettings: [
        .headerSearchPath("declarations"),
        .unsafeFlags([
          "-isystem", "\(libtorch)/include",
          "-isystem", "\(libtorch)/include/torch/csrc/api/include",
          // Of debug builds too: their kernels would else be fifty times as slow.
          "-O3",
        ]),
      ] + cudaHeaders,
      linkerSettings: torchLinks),
    .target(name: "Torch", dependencies: ["CTorch"]),
    .target(name: "NeuralNets", dependencies: ["Torch"]),
    .target(
      name: "Interchange", dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "CCodecs", dependencies: ["CPNG", "CJPEG", "CWebP"]),
    .target(name: "Images", dependencies: ["CCodecs", "CZlib"]),
    .target(name: "Tokenizers", dependencies: ["Interchange"]),
    .target(name: "Datasets", dependencies: ["CZlib", "Images", "Torch", "Interchange"]),
    .target(name: "Models", dependencies: ["NeuralNets", "Interchange"]),
    .target(name: "Diffusion", dependencies: ["Models", "Tokenizers"]),
    .target(name: "Training", dependencies: ["Diffusion", "Datasets"]),
    .target(
      name: "Evaluation", dependencies: ["Training"],
      resources: [.copy("Resources/fashion-mnist-classifier")]),
    .target(name: "Commands", dependencies: ["Training", "Evaluation", argumentParser]),
    .executableTarget(name: "latent", dependencies: ["Commands"]),

    .executableTarget(
      name: "bench-tensor-op", dependencies: ["Torch"], path: "Benchmarks/TensorOp"),
    .executableTarget(
      name: "bench-convolution", dependencies: ["Torch"], path: "Benchmarks/Convolution"),
    .executableTarget(
      name: "bench-steps", dependencies: ["Evaluation"], path: "Benchmarks/StepsAgainstQuality"),

    .target(
      name: "TestSupport", dependencies: ["Torch", "NeuralNets", "Interchange", "Models"],
      path: "Tests/TestSupport"),
    tests("Interchange"), tests("Images"), tests("Tokenizers", with: "Interchange"),
    tests("Torch", with: "TestSupport"), tests("NeuralNets", with: "TestSupport"),
    tests("Datasets", with: "TestSupport"), tests("Models", with: "TestSupport"),
    tests("Diffusion", with: "TestSupport", "Interchange"),
    tests("Training", with: "TestSupport"), tests("Evaluation", with: "TestSupport"),
    tests("Commands", with: "Interchange", "Images"),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
