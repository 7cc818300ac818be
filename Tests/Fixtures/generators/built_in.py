"""What diffusers draws with the model that comes with the tool: latents for sentences and seeds.

The folder is opened as it lies in the repository, in float32; nothing is converted.
"""

import json
import pathlib

import torch
from diffusers import StableDiffusionPipeline

from ._networks import save

MODEL = pathlib.Path(__file__).resolve().parents[3] / "Models/emoji"
CASES = [
    dict(prompt="a cat face with heart eyes", negative="", seed=0, guidance=2.0, steps=20),
    dict(prompt="웃는 고양이", negative="", seed=1, guidance=1.0, steps=20),
    dict(prompt="눈사람 ☃", negative="snow", seed=2, guidance=3.0, steps=10),
]


def generate(folder):
    pipeline = StableDiffusionPipeline.from_pretrained(
        MODEL, torch_dtype=torch.float32, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    drawn = {}
    for index, case in enumerate(CASES):
        latents = pipeline(
            case["prompt"], negative_prompt=case["negative"], guidance_scale=case["guidance"],
            num_inference_steps=case["steps"], output_type="latent",
            generator=torch.Generator().manual_seed(case["seed"])).images
        drawn[f"latents.{index}"] = latents
        with torch.no_grad():
            picture = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
        drawn[f"images.{index}"] = (picture / 2 + 0.5).clamp(0, 1)
    save(folder / "drawn.safetensors", drawn)
    (folder / "cases.json").write_text(json.dumps(CASES, ensure_ascii=False, indent=1) + "\n")
