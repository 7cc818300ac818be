"""Whether diffusers draws what Latent drew: the largest difference between the latents of both.

usage: latent generate PROMPT --model FOLDER --seed S --guidance W --steps N \\
           --save-latents latents.safetensors -o picture.png
       python same_picture.py FOLDER latents.safetensors PROMPT S W N
"""

import sys

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

folder, latents, prompt, seed, guidance, steps = sys.argv[1:]
mine = load_file(latents)["latents"]
pipeline = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
pipeline.set_progress_bar_config(disable=True)
theirs = pipeline(
    prompt, num_inference_steps=int(steps), guidance_scale=float(guidance), output_type="latent",
    generator=torch.Generator().manual_seed(int(seed))).images
print(f"diffusers {type(pipeline).__name__}: largest difference {(theirs - mine).abs().max():.1e}, "
      f"relative {(theirs - mine).norm() / theirs.norm():.1e}")
