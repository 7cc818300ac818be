"""Golden files of the KL autoencoder: whole diffusers folders at tiny size, codes, pictures, tiles."""

import torch
from diffusers import AutoencoderKL

from ._networks import built, gradients, moved, save, save_shapes

small = dict(
    in_channels=3, out_channels=3, block_out_channels=(4, 8), layers_per_block=1,
    latent_channels=2, norm_num_groups=2, sample_size=16,
    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2)

# What differs from `small`.
networks = {
    "plain": dict(),
    "bare": dict(
        use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False,
        shift_factor=0.25, scaling_factor=0.5, force_upcast=False, act_fn="mish"),
    "three_levels": dict(
        block_out_channels=(4, 8, 8), layers_per_block=2, latent_channels=3, in_channels=1,
        out_channels=2, down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3, latents_mean=(0.5, -1.0, 0.25),
        latents_std=(2.0, 0.5, 1.5)),
    "one_level": dict(
        block_out_channels=(4,), down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",)),
}
levels = 4
stable_diffusion = {
    "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * levels, "in_channels": 3, "latent_channels": 4,
    "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": 512,
    "up_block_types": ["UpDecoderBlock2D"] * levels}


def tiles(model, random):
    """Tiled coding: sides that tiles fill, that they do not, and a last tile of one latent."""
    tensors = {}
    model.enable_tiling()
    for name, height, width in [("even", 40, 24), ("uneven", 38, 29), ("sliver", 14, 50)]:
        x = torch.randn(2, 3, height, width, generator=random)
        z = torch.randn(2, 2, height // 2, width // 2, generator=random)
        posterior = model.encode(x).latent_dist
        tensors |= {
            f"{name}.x": x, f"{name}.mean": posterior.mean, f"{name}.logvar": posterior.logvar,
            f"{name}.z": z, f"{name}.decoded": model.decode(z).sample}
    model.disable_tiling()
    return tensors


def generate(folder):
    random = torch.Generator().manual_seed(710)
    starts = {}
    for name, settings in networks.items():
        model, starts[name] = built(AutoencoderKL, small | settings)
        moved(model, random).save_pretrained(folder / name)
        x = torch.randn(2, model.config.in_channels, 15, 18, generator=random)
        posterior = model.encode(x).latent_dist
        z = posterior.sample(generator=torch.Generator().manual_seed(5))
        decoded = model.decode(z).sample
        tensors = {
            "x": x, "mean": posterior.mean, "logvar": posterior.logvar, "kl": posterior.kl(),
            "z": z, "decoded": decoded}
        if name == "plain":
            tensors |= gradients(model, decoded)
            with torch.no_grad():
                save(folder / "tiles.safetensors", tiles(model, random))
        save(folder / f"{name}.safetensors", tensors)
    save(folder / "starts.safetensors", starts)
    save_shapes(folder / "stable_diffusion.json", AutoencoderKL, stable_diffusion)
