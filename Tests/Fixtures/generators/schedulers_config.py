"""`scheduler_config.json` of every class as diffusers saves it, and what `from_config` makes of some.

That diffusers reads what is written here is a matter of the same object key by key, which the tests
compare; `json.loads` and `from_config` of such files were run once by hand besides.
"""

import json
import pathlib
import tempfile

import diffusers

classes = [
    "DDPMScheduler", "DDIMScheduler", "DDIMInverseScheduler", "PNDMScheduler",
    "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler",
    "LMSDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler", "DPMSolverMultistepInverseScheduler",
    "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler",
    "SASolverScheduler", "LCMScheduler", "TCDScheduler", "EDMEulerScheduler",
    "EDMDPMSolverMultistepScheduler", "CMStochasticIterativeScheduler", "UnCLIPScheduler",
    "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler",
]

# Files as they are found in the wild: keys of other classes, of none, and not all of their own.
files = [
    {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
     "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
     "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
     "clip_sample": False, "a key of tomorrow": {"deep": [1, 2.5, None]}},
    {"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++",
     "solver_type": "heun", "solver_order": 3, "use_karras_sigmas": True, "variance_type": None,
     "prediction_type": "v_prediction", "final_sigmas_type": "sigma_min", "s_noise": 0.9},
    {"_class_name": "UniPCMultistepScheduler", "solver_type": "bh1", "disable_corrector": [0, 1],
     "beta_start": 0.002, "lower_order_final": False, "solver_p": None,
     "timestep_spacing": "trailing", "_use_default_values": ["beta_start"]},
    {"_class_name": "DEISMultistepScheduler", "solver_order": 1, "algorithm_type": "deis",
     "solver_type": "logrho"},
    {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0, "num_train_timesteps": 500},
    {"_class_name": "EDMEulerScheduler", "sigma_min": 0.01, "sigma_max": 50.0, "rho": 5.0},
]


def saved(scheduler):
    """The file that diffusers writes."""
    with tempfile.TemporaryDirectory() as folder:
        scheduler.save_config(folder)
        return (pathlib.Path(folder) / "scheduler_config.json").read_text()


def convert(held, name):
    """What diffusers makes of a file's content for a class, or nothing where it refuses."""
    source = getattr(diffusers, held["_class_name"])
    try:
        scheduler = source.from_config(dict(held))
        target = getattr(diffusers, name).from_config(scheduler.config)
        return json.loads(saved(target))
    except (NotImplementedError, ValueError) as error:
        print(held["_class_name"], "to", name, "is refused:", error)
        return None


def generate(folder):
    for name in classes:
        (folder / f"{name}.json").write_text(saved(getattr(diffusers, name)()))
    conversions = []
    for held in files:
        for name in classes:
            config = convert(held, name)
            if config is not None:
                defaults = json.loads((folder / f"{name}.json").read_text())
                told = {k: v for k, v in config.items() if k not in defaults or defaults[k] != v}
                conversions.append({"file": held, "to": name, "beyond_defaults": told})
    (folder / "conversions.json").write_text(
        "[\n" + ",\n".join(json.dumps(c) for c in conversions) + "\n]\n")
