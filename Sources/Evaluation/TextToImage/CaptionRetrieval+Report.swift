import Foundation
import Interchange

extension CaptionRetrieval {
  /// The figures by name, for machines.
  public var json: JSONObject {
    [
      "captions": .int(count),
      "scales": .array(
        rows.map {
          [
            "guidance": .double($0.guidance), "top1": .double($0.top1), "top5": .double($0.top5),
            "distance": .double($0.distance), "diversity": .double($0.diversity),
          ]
        }),
    ]
  }

  /// The same for people.
  public var lines: [String] {
    ["\(count) captions, two pictures of each; chance would find one in \(count)"]
      + rows.map {
        String(
          format:
            "guidance %-4g  found %5.1f %%, among five %5.1f %%, distance %.2f, diversity %.2f",
          $0.guidance, 100 * $0.top1, 100 * $0.top5, $0.distance, $0.diversity)
      }
  }
}
