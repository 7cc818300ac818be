"""Opens a run of `latent train diffusion` in diffusers and draws the picture of seed 0, which has to
equal the one that `latent sample` drew:

    latent sample RUN -n 1 --seed 0 --steps 20 [--class K] -o x.png --save-images x.safetensors
    python open_in_diffusers.py RUN x.safetensors 20 [K]

or a folder of text to image, whose latents have to equal those of `latent generate`:

    latent generate PROMPT --model FOLDER --seed 0 --steps 20 -o x.png --save-latents x.safetensors
    python open_in_diffusers.py FOLDER x.safetensors 20 PROMPT
"""

import sys

import diffusers
import torch
from safetensors.torch import load_file

run, file, steps, label = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
drawn = load_file(file)
if "latents" in drawn:
    pipeline = diffusers.DiffusionPipeline.from_pretrained(run)
    made = pipeline(label[0], generator=torch.Generator().manual_seed(0), num_inference_steps=steps,
                    guidance_scale=7.5, output_type="latent").images
    worst = ((made - drawn["latents"]).abs().max() / made.abs().max()).item()
    print(f"diffusers {diffusers.__version__}, torch {torch.__version__}: worst share {worst:.2e}")
    sys.exit(worst > 1e-3)
pipeline = diffusers.DDPMPipeline.from_pretrained(run)
pipeline.set_progress_bar_config(disable=True)
generator = torch.Generator().manual_seed(0)
if label:
    # The pipeline tells its network no classes, so its loop stands here.
    unet, scheduler = pipeline.unet, pipeline.scheduler
    size = unet.config.sample_size
    x = torch.randn(1, unet.config.in_channels, size, size, generator=generator)
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        with torch.no_grad():
            output = unet(x, t, class_labels=torch.tensor([int(label[0])])).sample
        x = scheduler.step(output, t, x, generator=generator).prev_sample
    picture = (x / 2 + 0.5).clamp(0, 1)
else:
    made = pipeline(generator=generator, num_inference_steps=steps, output_type="np").images
    picture = torch.from_numpy(made).permute(0, 3, 1, 2)
worst = (picture - drawn["images"]).abs().max().item()
print(f"diffusers {diffusers.__version__}, torch {torch.__version__}: worst difference {worst:.2e}")
sys.exit(worst > 1e-4)
