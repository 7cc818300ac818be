"""Noise levels σ, and the samplers that step over them, as diffusers runs them."""

import diffusers
import numpy as np
import scipy.stats
import torch
from safetensors.torch import save_file


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


def generate(folder):
    save_file(spacing(), folder / "spacing.safetensors")
