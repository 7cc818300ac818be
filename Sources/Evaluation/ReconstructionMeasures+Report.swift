import Foundation
import Interchange

extension ReconstructionMeasures {
  /// The figures by name, for machines.
  public var json: JSONObject {
    var json: JSONObject = [
      "mse": .double(meanSquaredError), "sharpness": .double(sharpness.reconstructions),
      "sharpness_real": .double(sharpness.real), "count": .int(count),
    ]
    json["psnr"] = peakSignalToNoise.map { .double($0) }
    json["ssim"] = similarity.map { .double($0) }
    json["ms_ssim"] = multiscale.map { .double($0.value) }
    json["ms_ssim_scales"] = multiscale.map { .int($0.scales) }
    return json
  }

  /// The same for people.
  public var lines: [String] {
    var lines = [
      "reconstructions   of \(count) held-out pictures",
      String(format: "  squared error   %.5f", meanSquaredError),
    ]
    if let peakSignalToNoise {
      lines.append(String(format: "  PSNR            %.2f dB", peakSignalToNoise))
    }
    if let similarity { lines.append(String(format: "  SSIM            %.4f", similarity)) }
    if let multiscale {
      lines.append(
        String(format: "  MS-SSIM         %.4f  over ", multiscale.value)
          + "\(multiscale.scales) scale\(multiscale.scales == 1 ? "" : "s")")
    }
    lines.append(
      String(
        format: "  fine detail     %.2f %%  of the energy; in the pictures %.2f %%",
        100 * sharpness.reconstructions, 100 * sharpness.real))
    return lines
  }
}
