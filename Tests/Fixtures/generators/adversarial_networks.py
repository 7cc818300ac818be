"""Generators and discriminators at small sizes: outputs, gradients, statistics after one pass."""

import json

import torch
from safetensors.torch import save_file

from . import _adversarial_networks as nets
from ._golden import weights

told = {"class_count": 3}
colour = {"channels": 3, "image_size": 8, "block_out_channels": [6, 8]}
cases = {
    "mlp_points": ("mlp", {"image_size": 0, "channels": 2}), "mlp": ("mlp", told),
    "mlp_spectral": ("mlp", {"spectral_norm": True}),
    "dcgan": ("dcgan", {}), "dcgan_classes": ("dcgan", told | colour),
    "dcgan_plain": ("dcgan", {"discriminator_norm": False}),
    "dcgan_spectral": ("dcgan", told | {"spectral_norm": True}),
    "sngan": ("sngan", {}), "sngan_classes": ("sngan", told | colour | {"spectral_norm": True}),
    "r3gan": ("r3gan", {"layers_per_block": 2}),
    "r3gan_classes": ("r3gan", told | colour | {
        "group_size": 4, "patch_size": 2, "block_out_channels": [4, 6]}),
    "patch": ("patch", {}), "patch_plain": ("patch", colour | {"image_size": 12} | {"discriminator_norm": False}),
}
count = 4


def write(folder, name, c, network, inputs, call):
    torch.manual_seed(len(name))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
        for key, buffer in network.named_buffers():
            if key.endswith("running_mean"):
                buffer.copy_(0.1 * torch.randn(buffer.shape))
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "config.json").write_text(json.dumps(c, indent=2) + "\n")
    save_file(
        {k: v.clone() for k, v in network.state_dict().items()},
        place / "diffusion_pytorch_model.safetensors")
    x = inputs["x"].requires_grad_(True)
    outputs = call(network, x, inputs.get("labels"))
    sum((o * weights(o)).sum() for o in outputs.values()).backward()
    golden = {k: v.detach() for k, v in inputs.items()} | {"x.grad": x.grad}
    golden |= {f"out.{k}": v.detach() for k, v in outputs.items()}
    golden |= {f"grad.{k}": p.grad for k, p in network.named_parameters()}
    golden |= {f"after.{k}": b for k, b in network.named_buffers()}
    network.eval()
    golden |= {f"use.{k}": v.detach() for k, v in call(network, x, inputs.get("labels")).items()}
    save_file({k: v.clone().contiguous() for k, v in golden.items()}, place / "golden.safetensors")


def generate(folder):
    for name, (architecture, more) in cases.items():
        torch.manual_seed(7)
        c = nets.config("discriminator", architecture, **more)
        inputs = {}
        if c["class_count"]:
            inputs["labels"] = torch.arange(count) % c["class_count"]
        side = c["image_size"]
        shape = (count, c["channels"]) + ((side, side) if side else ())

        def judge(network, x, labels):
            features = network.features(x)
            return {"scores": network.scores(features, labels), "features": features}

        write(folder, f"{name}_discriminator", c, nets.discriminator(c),
              inputs | {"x": torch.randn(shape)}, judge)
        if architecture == "patch":
            continue
        c = c | {"_class_name": "gan-generator", "spectral_norm": False}
        write(folder, f"{name}_generator", c, nets.generator(c),
              inputs | {"x": torch.randn(count, c["latent_dim"])},
              lambda network, z, labels: {"samples": network(z, labels)})
