"""Noise levels σ, and the samplers that step over them, as diffusers runs them."""

import diffusers
import numpy as np
import scipy.stats
import torch
from safetensors.torch import save_file

from ._sampling import case, write


def spacing():
    """Arrays of σ by the methods of diffusers' schedulers."""
    tensors = {}
    p = np.concatenate([[0, 1e-12, 1e-6, 1 - 1e-6, 1], np.linspace(0.001, 0.999, 40)])
    for name, a, b in [("0.6", 0.6, 0.6), ("2, 0.5", 2, 0.5), ("1, 3", 1, 3)]:
        tensors[f"beta/{name}/p"], tensors[f"beta/{name}/x"] = p, scipy.stats.beta.ppf(p, a, b)
    solver = diffusers.DPMSolverMultistepScheduler()
    ends = np.array([14.6146, 0.0292])
    for n in [1, 2, 10, 25]:
        tensors[f"karras/{n}"] = solver._convert_to_karras(ends, n)
        tensors[f"exponential/{n}"] = solver._convert_to_exponential(ends, n)
        tensors[f"beta/{n}"] = solver._convert_to_beta(ends, n)
        tensors[f"lu/{n}"] = np.exp(solver._convert_to_lu(np.log(ends), n))
    bars = solver.alphas_cumprod.numpy()
    levels = ((1 - bars) / bars) ** 0.5
    tensors["sigmas"] = np.array([200, 157.4, 80, 14.6, 3, 1, 0.3, 0.05, 0.0101, 0.01, 0.001, 0])
    tensors["sigmas/timesteps"] = np.array(
        [solver._sigma_to_t(s, np.log(levels)) for s in tensors["sigmas"]])
    tensors["timesteps"] = np.array([0, 0.25, 1, 17.9, 499.5, 998.75, 999, 1200])
    tensors["timesteps/sigmas"] = np.interp(tensors["timesteps"], np.arange(1000), levels)
    flow = diffusers.FlowMatchEulerDiscreteScheduler(shift_terminal=0.1)
    sigmas = np.linspace(1, 0.001, 12)
    tensors["flow"] = sigmas
    tensors["flow/constant"] = 3 * sigmas / (1 + 2 * sigmas)
    tensors["flow/exponential"] = flow._time_shift_exponential(1.15, 1.0, sigmas)
    tensors["flow/linear"] = flow._time_shift_linear(0.8, 1.0, sigmas)
    tensors["flow/stretched"] = flow.stretch_shift_to_terminal(sigmas)
    return {k: torch.tensor(v, dtype=torch.float64) for k, v in tensors.items()}


def spaced(name, **more):
    """What every class over σ can do."""
    # There float32 finds a negative σ_down² in diffusers' ancestral steps of second order.
    course = "linear" if name.startswith("KDPM2Ancestral") else "squaredcos_cap_v2"
    yield case(name, "default", **more)
    yield case(name, "v", prediction_type="v_prediction", beta_schedule="scaled_linear", **more)
    yield case(name, "one step", steps=1, timestep_spacing="trailing", **more)
    yield case(name, "25 steps", steps=25, timestep_spacing="leading", steps_offset=1, **more)
    yield case(name, "trailing", steps=5, timestep_spacing="trailing",
               beta_schedule=course, **more)
    yield case(name, "from the middle", first=4, timestep_spacing="leading", **more)
    yield case(name, "trained betas", steps=3, num_train_timesteps=8,
               trained_betas=[0.01, 0.02, 0.05, 0.1, 0.1, 0.2, 0.3, 0.5], **more)


def respaced(name, **more):
    """The spacings of σ, of classes that have them."""
    for way in ["karras", "exponential", "beta"]:
        yield case(name, way, **{f"use_{way}_sigmas": True}, **more)
        yield case(name, f"{way}, one step", steps=1, timestep_spacing="trailing",
                   **{f"use_{way}_sigmas": True}, **more)
    yield case(name, "karras, v, from the middle", first=6, use_karras_sigmas=True,
               prediction_type="v_prediction", timestep_spacing="leading", **more)


def euler():
    name = "EulerDiscreteScheduler"
    yield from spaced(name)
    yield from respaced(name)
    yield case(name, "sample", prediction_type="sample")
    yield case(name, "sigmas", sigmas=[14.6, 7.5, 2.0, 0.6, 0.1, 0.0])
    yield case(name, "timesteps", timesteps=[901, 700, 301, 17, 3])
    yield case(name, "zero signal", rescale_betas_zero_snr=True, timestep_spacing="trailing",
               prediction_type="v_prediction")
    yield case(name, "to the smallest", final_sigmas_type="sigma_min",
               timestep_spacing="trailing")
    yield case(name, "log_linear", interpolation_type="log_linear")
    yield case(name, "log_linear, beta", interpolation_type="log_linear", use_beta_sigmas=True)
    video = {"timestep_type": "continuous", "prediction_type": "v_prediction",
             "timestep_spacing": "leading", "sigma_max": 700.0, "steps_offset": 1}
    yield case(name, "continuous", use_karras_sigmas=True, sigma_min=0.1, **video)
    yield case(name, "continuous, log_linear", steps=5, interpolation_type="log_linear", **video)
    yield case(name, "continuous sigmas", sigmas=[200.0, 14.6, 2.0, 0.6, 0.0], **video)


def flow():
    name = "FlowMatchEulerDiscreteScheduler"
    dynamic = {"use_dynamic_shifting": True, "mu": 0.9}
    yield case(name, "default")
    yield case(name, "one step", steps=1)
    yield case(name, "shift", steps=25, shift=3.0)
    yield case(name, "from the middle", first=4, shift=3.0)
    yield case(name, "dynamic", **dynamic)
    yield case(name, "dynamic, linear", time_shift_type="linear", **dynamic)
    yield case(name, "terminal", shift_terminal=0.1, **dynamic)
    yield case(name, "inverted", invert_sigmas=True)
    for way in ["karras", "exponential", "beta"]:
        yield case(name, way, shift=2.0, **{f"use_{way}_sigmas": True})
    yield case(name, "stochastic", seed=7, stochastic_sampling=True)
    yield case(name, "sigmas", sigmas=[1.0, 0.7, 0.4, 0.1], **dynamic)
    yield case(name, "sigmas, karras", sigmas=[1.0, 0.7, 0.4, 0.1], use_karras_sigmas=True)
    yield case(name, "timesteps", timesteps=[1000, 600, 200, 50], shift=2.0)
    name = "FlowMatchHeunDiscreteScheduler"
    yield case(name, "default")
    yield case(name, "one step", steps=1)
    yield case(name, "shift", steps=5, shift=3.0)
    yield case(name, "from the middle", first=4)


def edm():
    name = "EDMEulerScheduler"
    yield case(name, "default")
    yield case(name, "v", prediction_type="v_prediction", steps=25)
    yield case(name, "exponential", sigma_schedule="exponential", sigma_min=0.05, sigma_data=1.0)
    yield case(name, "to the smallest", final_sigmas_type="sigma_min", rho=5.0)
    yield case(name, "one step", steps=1)
    yield case(name, "from the middle", first=4)


def cases():
    yield from euler()
    yield from spaced("EulerAncestralDiscreteScheduler", seed=2)
    yield case("EulerAncestralDiscreteScheduler", "zero signal", seed=3, timestep_spacing="trailing",
               prediction_type="v_prediction", rescale_betas_zero_snr=True)
    for name in ["HeunDiscreteScheduler", "KDPM2DiscreteScheduler"]:
        yield from spaced(name)
        yield from respaced(name)
    yield from spaced("KDPM2AncestralDiscreteScheduler", seed=4)
    yield from respaced("KDPM2AncestralDiscreteScheduler", seed=4)
    yield case("HeunDiscreteScheduler", "clipped", clip_sample=True, clip_sample_range=1.5)
    yield case("HeunDiscreteScheduler", "sample", prediction_type="sample")
    yield case("HeunDiscreteScheduler", "timesteps", timesteps=[901, 700, 301, 17])
    yield from spaced("LMSDiscreteScheduler")
    yield from respaced("LMSDiscreteScheduler")
    yield case("LMSDiscreteScheduler", "sample", prediction_type="sample")
    yield from edm()
    yield from flow()


def generate(folder):
    save_file(spacing(), folder / "spacing.safetensors")
    write(folder, list(cases()))
