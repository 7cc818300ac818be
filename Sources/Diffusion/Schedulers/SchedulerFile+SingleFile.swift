import Interchange
import Models

extension SchedulerFile {
  /// The scheduler for a single file of the original release, which holds none: that of the release's
  /// folder, which diffusers' `from_single_file` takes too.
  public init(for file: SingleFileCheckpoint) throws(JSONError) {
    var json: JSONObject = [
      "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
      "num_train_timesteps": 1000, "steps_offset": 1,
      "prediction_type": file.predictsVelocity ? "v_prediction" : "epsilon",
    ]
    switch file.family {
    case .stableDiffusion1:
      json["_class_name"] = "PNDMScheduler"
      json["skip_prk_steps"] = true
      json["set_alpha_to_one"] = false
    case .stableDiffusion2:
      json["_class_name"] = "DDIMScheduler"
      json["clip_sample"] = false
      json["set_alpha_to_one"] = false
    case .stableDiffusionXL, .stableDiffusionXLRefiner:
      json["_class_name"] = "EulerDiscreteScheduler"
      json["timestep_spacing"] = "leading"
    }
    try self.init(.object(json))
  }
}
