"""Folders that diffusers' pipelines wrote, and the pictures that they draw for seed 0."""

import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import save_file

seeds = {"plain": 11, "classes": 12}


def unet(classes=None):
    torch.manual_seed(seeds["classes" if classes else "plain"])
    return UNet2DModel(
        sample_size=16, in_channels=3, out_channels=3, layers_per_block=1,
        block_out_channels=(8, 16), down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"), norm_num_groups=4, attention_head_dim=8,
        num_class_embeds=classes).eval()


def loop(model, scheduler, steps, label, scale, eta, seed=0):
    """A class-conditional sampling under guidance, which no pipeline of pixels in diffusers has."""
    generator = torch.Generator().manual_seed(seed)
    more = {"eta": eta} if isinstance(scheduler, DDIMScheduler) else {}
    x = torch.randn(1, 3, 16, 16, generator=generator)
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        with torch.no_grad():
            if scale == 1:
                output = model(x, t, class_labels=torch.tensor([label])).sample
            else:
                nothing, something = model(
                    torch.cat([x, x]), t, class_labels=torch.tensor([4, label])).sample.chunk(2)
                output = nothing + scale * (something - nothing)
        x = scheduler.step(output, t, x, generator=generator, **more).prev_sample
    return (x / 2 + 0.5).clamp(0, 1)


def generate(folder):
    process = {"num_train_timesteps": 1000, "beta_schedule": "linear"}
    plain, classes = unet(), unet(5)
    DDPMPipeline(plain, DDPMScheduler(**process)).save_pretrained(folder / "plain")
    DDIMPipeline(classes, DDIMScheduler(**process)).save_pretrained(folder / "classes")
    pictures = {}

    def keep(name, pipeline, **arguments):
        pipeline.set_progress_bar_config(disable=True)
        made = pipeline(generator=torch.Generator().manual_seed(0), output_type="np", **arguments)
        pictures[name] = torch.from_numpy(made.images).permute(0, 3, 1, 2).contiguous()

    keep("plain/ddpm 20", DDPMPipeline(plain, DDPMScheduler(**process)), num_inference_steps=20)
    keep("plain/ddim 10", DDIMPipeline(plain, DDIMScheduler(**process)), num_inference_steps=10)
    keep("plain/ddim 10 eta 1", DDIMPipeline(plain, DDIMScheduler(**process)),
         num_inference_steps=10, eta=1.0)
    for scale in (1, 3):
        pictures[f"classes/ddpm 20 scale {scale}"] = loop(
            classes, DDPMScheduler(**process), 20, 2, scale, 0.0)
        pictures[f"classes/ddim 10 scale {scale}"] = loop(
            classes, DDIMScheduler(**process), 10, 2, scale, 0.0)
    # A batch whose pictures have generators of their own: picture i is drawn with seed + i.
    pipeline = DDPMPipeline(plain, DDPMScheduler(**process))
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline(batch_size=3, generator=[torch.Generator().manual_seed(i) for i in range(3)],
                    num_inference_steps=20, output_type="np")
    pictures["plain/three"] = torch.from_numpy(made.images).permute(0, 3, 1, 2).contiguous()
    save_file(pictures, folder / "pictures.safetensors")
