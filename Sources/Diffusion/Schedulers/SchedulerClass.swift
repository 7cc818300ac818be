import Interchange

/// The scheduler classes of diffusers that sample here, by the names in `scheduler_config.json`.
public enum SchedulerClass: String, Sendable, CaseIterable {
  /// Ancestral sampling over all levels or some (Ho et al. 2020).
  case ddpm = "DDPMScheduler"
  /// Without noise on the way, or with some (Song et al. 2021).
  case ddim = "DDIMScheduler"
  /// DDIM from a picture to its noise.
  case ddimInverse = "DDIMInverseScheduler"
  /// Pseudo numerical methods (Liu et al. 2022).
  case pndm = "PNDMScheduler"
  /// Euler's method over σ (Karras et al. 2022).
  case euler = "EulerDiscreteScheduler"
  /// Euler's method with fresh noise at every step.
  case eulerAncestral = "EulerAncestralDiscreteScheduler"
  /// Heun's method over σ (Karras et al. 2022).
  case heun = "HeunDiscreteScheduler"
  /// The linear multistep method over σ.
  case lms = "LMSDiscreteScheduler"
  /// DPM-Solver-2 over σ (Lu et al. 2022a).
  case dpm2 = "KDPM2DiscreteScheduler"
  /// DPM-Solver-2 with fresh noise at every step.
  case dpm2Ancestral = "KDPM2AncestralDiscreteScheduler"
  /// DPM-Solver and DPM-Solver++, multistep (Lu et al. 2022a, 2022b).
  case dpmMultistep = "DPMSolverMultistepScheduler"
  /// The multistep DPM-Solver from a picture to its noise.
  case dpmMultistepInverse = "DPMSolverMultistepInverseScheduler"
  /// DPM-Solver and DPM-Solver++, singlestep.
  case dpmSinglestep = "DPMSolverSinglestepScheduler"
  /// The unified predictor-corrector (Zhao et al. 2023).
  case uniPC = "UniPCMultistepScheduler"
  /// The exponential integrator with polynomials (Zhang & Chen 2023).
  case deis = "DEISMultistepScheduler"
  /// The stochastic Adams solver (Xue et al. 2023).
  case saSolver = "SASolverScheduler"
  /// Latent consistency models (Luo et al. 2023).
  case lcm = "LCMScheduler"
  /// Trajectory consistency models (Zheng et al. 2024).
  case tcd = "TCDScheduler"
  /// Euler's method for networks with EDM's preconditioning.
  case edmEuler = "EDMEulerScheduler"
  /// DPM-Solver++ for networks with EDM's preconditioning.
  case edmDPM = "EDMDPMSolverMultistepScheduler"
  /// Consistency models (Song et al. 2023).
  case consistency = "CMStochasticIterativeScheduler"
  /// The ancestral sampler of unCLIP (Ramesh et al. 2022).
  case unCLIP = "UnCLIPScheduler"
  /// Euler's method for rectified flows.
  case flowEuler = "FlowMatchEulerDiscreteScheduler"
  /// Heun's method for rectified flows.
  case flowHeun = "FlowMatchHeunDiscreteScheduler"

  /// The keys of the class's configuration, in diffusers' order.
  public var keys: [String] {
    switch self {
    case .ddpm:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "variance_type", "clip_sample", "prediction_type", "thresholding",
        "dynamic_thresholding_ratio", "clip_sample_range", "sample_max_value", "timestep_spacing",
        "steps_offset", "rescale_betas_zero_snr",
      ]
    case .ddim:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "clip_sample", "set_alpha_to_one", "steps_offset", "prediction_type", "thresholding",
        "dynamic_thresholding_ratio", "clip_sample_range", "sample_max_value", "timestep_spacing",
        "rescale_betas_zero_snr",
      ]
    case .ddimInverse:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "clip_sample", "set_alpha_to_one", "steps_offset", "prediction_type", "clip_sample_range",
        "timestep_spacing", "rescale_betas_zero_snr",
      ]
    case .pndm:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "skip_prk_steps", "set_alpha_to_one", "prediction_type", "timestep_spacing", "steps_offset",
      ]
    case .euler:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "prediction_type", "interpolation_type", "use_karras_sigmas", "use_exponential_sigmas",
        "use_beta_sigmas", "sigma_min", "sigma_max", "timestep_spacing", "timestep_type",
        "steps_offset", "rescale_betas_zero_snr", "final_sigmas_type",
      ]
    case .eulerAncestral:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "prediction_type", "timestep_spacing", "steps_offset", "rescale_betas_zero_snr",
      ]
    case .heun:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "prediction_type", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
        "clip_sample", "clip_sample_range", "timestep_spacing", "steps_offset",
      ]
    case .lms:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "prediction_type",
        "timestep_spacing", "steps_offset",
      ]
    case .dpm2:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "prediction_type",
        "timestep_spacing", "steps_offset",
      ]
    case .dpm2Ancestral:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "prediction_type",
        "timestep_spacing", "steps_offset",
      ]
    case .dpmMultistep:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "solver_order", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "algorithm_type", "solver_type", "lower_order_final", "euler_at_final",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas",
        "use_flow_sigmas", "flow_shift", "final_sigmas_type", "lambda_min_clipped", "variance_type",
        "timestep_spacing", "steps_offset", "rescale_betas_zero_snr", "use_dynamic_shifting",
        "time_shift_type",
      ]
    case .dpmMultistepInverse:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "solver_order", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "algorithm_type", "solver_type", "lower_order_final", "euler_at_final",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas",
        "flow_shift", "lambda_min_clipped", "variance_type", "timestep_spacing", "steps_offset",
      ]
    case .dpmSinglestep:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "solver_order", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "algorithm_type", "solver_type", "lower_order_final",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas",
        "flow_shift", "final_sigmas_type", "lambda_min_clipped", "variance_type",
        "use_dynamic_shifting", "time_shift_type",
      ]
    case .uniPC:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "solver_order", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "predict_x0", "solver_type", "lower_order_final", "disable_corrector",
        "solver_p", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
        "use_flow_sigmas", "flow_shift", "timestep_spacing", "steps_offset", "final_sigmas_type",
        "rescale_betas_zero_snr", "use_dynamic_shifting", "time_shift_type", "sigma_min",
        "sigma_max", "shift_terminal",
      ]
    case .deis:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "solver_order", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "algorithm_type", "solver_type", "lower_order_final",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas",
        "flow_shift", "timestep_spacing", "steps_offset", "use_dynamic_shifting", "time_shift_type",
      ]
    case .saSolver:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "predictor_order", "corrector_order", "prediction_type", "tau_func", "thresholding",
        "dynamic_thresholding_ratio", "sample_max_value", "algorithm_type", "lower_order_final",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas",
        "flow_shift", "lambda_min_clipped", "variance_type", "timestep_spacing", "steps_offset",
      ]
    case .lcm:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "original_inference_steps", "clip_sample", "clip_sample_range", "set_alpha_to_one",
        "steps_offset", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "timestep_spacing", "timestep_scaling", "rescale_betas_zero_snr",
      ]
    case .tcd:
      [
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "original_inference_steps", "clip_sample", "clip_sample_range", "set_alpha_to_one",
        "steps_offset", "prediction_type", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "timestep_spacing", "timestep_scaling", "rescale_betas_zero_snr",
      ]
    case .edmEuler:
      [
        "sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "num_train_timesteps",
        "prediction_type", "rho", "final_sigmas_type",
      ]
    case .edmDPM:
      [
        "sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "num_train_timesteps",
        "prediction_type", "rho", "solver_order", "thresholding", "dynamic_thresholding_ratio",
        "sample_max_value", "algorithm_type", "solver_type", "lower_order_final", "euler_at_final",
        "final_sigmas_type",
      ]
    case .consistency:
      [
        "num_train_timesteps", "sigma_min", "sigma_max", "sigma_data", "s_noise", "rho",
        "clip_denoised",
      ]
    case .unCLIP:
      [
        "num_train_timesteps", "variance_type", "clip_sample", "clip_sample_range",
        "prediction_type", "beta_schedule",
      ]
    case .flowEuler:
      [
        "num_train_timesteps", "shift", "use_dynamic_shifting", "base_shift", "max_shift",
        "base_image_seq_len", "max_image_seq_len", "invert_sigmas", "shift_terminal",
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "time_shift_type",
        "stochastic_sampling",
      ]
    case .flowHeun:
      ["num_train_timesteps", "shift"]
    }
  }

  /// The values of keys that a file leaves out.
  public var defaults: SchedulerConfig {
    var config = SchedulerConfig()
    switch self {
    case .ddpm:
      config.varianceType = .fixedSmall
      config.clipSample = true
      config.timestepSpacing = .leading
    case .ddim:
      config.clipSample = true
      config.timestepSpacing = .leading
    case .ddimInverse:
      config.clipSample = true
      config.timestepSpacing = .leading
    case .pndm:
      config.setAlphaToOne = false
      config.timestepSpacing = .leading
    case .euler:
      break
    case .eulerAncestral:
      break
    case .heun:
      config.betaStart = 0.00085
      config.betaEnd = 0.012
    case .lms:
      break
    case .dpm2:
      config.betaStart = 0.00085
      config.betaEnd = 0.012
    case .dpm2Ancestral:
      config.betaStart = 0.00085
      config.betaEnd = 0.012
    case .dpmMultistep:
      break
    case .dpmMultistepInverse:
      break
    case .dpmSinglestep:
      config.lowerOrderFinal = false
    case .uniPC:
      config.solverType = "bh2"
    case .deis:
      config.algorithmType = "deis"
      config.solverType = "logrho"
    case .saSolver:
      config.algorithmType = "data_prediction"
    case .lcm:
      config.betaStart = 0.00085
      config.betaEnd = 0.012
      config.betaSchedule = .scaledLinear
      config.timestepSpacing = .leading
    case .tcd:
      config.betaStart = 0.00085
      config.betaEnd = 0.012
      config.betaSchedule = .scaledLinear
      config.timestepSpacing = .leading
    case .edmEuler:
      config.sigmaMin = 0.002
      config.sigmaMax = 80.0
    case .edmDPM:
      config.sigmaMin = 0.002
      config.sigmaMax = 80.0
    case .consistency:
      config.numTrainTimesteps = 40
      config.sigmaMin = 0.002
      config.sigmaMax = 80.0
    case .unCLIP:
      config.varianceType = .fixedSmallLog
      config.clipSample = true
      config.betaSchedule = .cosine
    case .flowEuler:
      break
    case .flowHeun:
      break
    }
    return config
  }
}

extension SchedulerClass {
  /// The class's configuration where `object` says something, its defaults elsewhere. Keys that the
  /// class does not know are passed over; `SchedulerFile` keeps them.
  ///
  /// Throws `JSONError` for a value of the wrong type.
  public func configuration(_ object: JSON) throws -> SchedulerConfig {
    var merged = try JSON(encoding: defaults)
    for key in keys {
      if let value = object[key] { merged[key] = adapted(value, of: key) }
    }
    return try merged.decode()
  }
}
