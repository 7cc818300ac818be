"""Noise schedules, conversions of predictions and thresholding, as diffusers computes them."""

import diffusers
import torch
from diffusers.schedulers.scheduling_ddim import betas_for_alpha_bar, rescale_zero_terminal_snr
from safetensors.torch import save_file


def generate(folder):
    tensors = {}
    for course in ("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"):
        for count, start, end in ((1000, 0.0001, 0.02), (1000, 0.00085, 0.012), (37, 0.001, 0.3)):
            if course in ("squaredcos_cap_v2", "laplace") and start == 0.00085:
                continue
            scheduler = diffusers.DDPMScheduler(count, start, end, course)
            name = f"{course}/{count}/{start}/{end}"
            tensors[f"{name}/betas"] = scheduler.betas
            tensors[f"{name}/alphas_cumprod"] = scheduler.alphas_cumprod
    for count in (1000, 37):
        betas = betas_for_alpha_bar(count, alpha_transform_type="exp")
        tensors[f"exp/{count}/0.0001/0.02/betas"] = betas
        tensors[f"exp/{count}/0.0001/0.02/alphas_cumprod"] = torch.cumprod(1 - betas, 0)
    tensors["zero snr/betas"] = rescale_zero_terminal_snr(diffusers.DDPMScheduler().betas)

    random = torch.Generator().manual_seed(12)
    x, noise = (torch.randn(3, 2, 4, 4, generator=random) for _ in range(2))
    t = torch.tensor([0, 350, 999])
    scheduler = diffusers.DDPMScheduler()
    tensors |= {"x": x, "noise": noise, "t": t,
                "noisy": scheduler.add_noise(x, noise, t),
                "velocity": scheduler.get_velocity(x, noise, t)}

    far = torch.randn(3, 2, 6, 6, generator=random) * torch.tensor([0.3, 1.5, 9.0]).reshape(3, 1, 1, 1)
    tensors["far"] = far
    for ratio in (0.5, 0.9, 0.995):
        for most in (1.0, 2.5):
            scheduler = diffusers.DDPMScheduler(
                thresholding=True, dynamic_thresholding_ratio=ratio, sample_max_value=most)
            tensors[f"dynamic/{ratio}/{most}"] = scheduler._threshold_sample(far)
    tensors["static/0.8"] = far.clamp(-0.8, 0.8)
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "schedules.safetensors")
