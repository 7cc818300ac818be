"""Ten training steps of diffusers' AutoencoderKL in PyTorch, alone and against a discriminator of
patches (Rombach et al. 2022, §3.1; Esser et al. 2021, eq. 7)."""

import json

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

# Before diffusers: it names the operators that torchvision's wheel may lack.
from .inception import drawn_network  # isort: skip
from diffusers import AutoencoderKL

from . import _adversarial_networks as nets
from ._autoencoder_training import batches, pictures, rate, some, steps

# The keys of AutoencoderKLRecipe.
recipe = {
    "latent_channels": 4, "block_out_channels": [8, 16], "layers_per_block": 1,
    "norm_num_groups": 4, "mid_block_add_attention": True, "reconstruction_loss": "l1",
    "kl_weight": 1e-4, "adversarial_weight": 0.0, "adaptive_weight": True,
    "adversarial_start": 0.0, "discriminator_channels": [6, 8], "optimizer": "adam",
    "learning_rate": 1e-3, "discriminator_learning_rate": 4e-4, "beta1": 0.5, "beta2": 0.9,
    "weight_decay": 0.0, "lr_schedule": "cosine", "lr_warmup_steps": 2, "gradient_clip": 0.0,
    "ema_decay": 0.9, "batch_size": 8, "flip": False,
}
run = {"size": 16, "channels": 3, "count": 20, "seed": 4}
runs = {
    "alone": run | {"recipe": recipe},
    "squared": run | {"channels": 1, "seed": 5, "recipe": recipe | {
        "reconstruction_loss": "l2", "kl_weight": 0.5, "mid_block_add_attention": False,
        "gradient_clip": 0.5, "flip": True, "latent_channels": 2}},
    "game": run | {"seed": 6, "recipe": recipe | {
        "adversarial_weight": 0.5, "adversarial_start": 0.25, "gradient_clip": 1.0}},
    "perceptual": run | {"size": 48, "count": 5, "seed": 8, "inception_seed": 11, "recipe": recipe | {
        "perceptual_weight": 0.2, "learning_rate": 1e-4, "batch_size": 3, "adversarial_weight": 0.5,
        "adversarial_start": 0.5}},
    "steady_game": run | {"seed": 7, "recipe": recipe | {
        "adversarial_weight": 0.3, "adaptive_weight": False}},
}


def network(r):
    p = r["recipe"]
    levels = len(p["block_out_channels"])
    names = ("latent_channels", "block_out_channels", "layers_per_block", "norm_num_groups",
             "mid_block_add_attention")
    return AutoencoderKL(
        in_channels=r["channels"], out_channels=r["channels"], sample_size=r["size"],
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels, **{n: p[n] for n in names})


def perceptual(seed):
    """LPIPS with every channel counting alike, in the maps before each halving but the last."""
    layers = [layer for block in drawn_network(seed).requires_grad_(False).blocks for layer in block]

    def maps(x):
        taken = []
        for i, layer in enumerate(layers[:15]):
            x = layer(x)
            if i in (2, 5, 9, 14):
                taken.append(x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt())
        return taken

    return lambda x, y: sum(
        (a - b).square().sum(1).mean((1, 2)) for a, b in zip(maps(x), maps(y)))


def train(r):
    p = r["recipe"]
    torch.manual_seed(r["seed"])
    vae = network(r)
    judge = None
    result = {}
    players = {"autoencoder": vae}
    if p["adversarial_weight"]:
        judge = nets.discriminator(nets.config(
            "discriminator", "patch", image_size=r["size"], channels=r["channels"], latent_dim=1,
            block_out_channels=p["discriminator_channels"]))
        players["discriminator"] = judge
        result |= {f"start/discriminator/{k}": v.clone() for k, v in judge.state_dict().items()}
    score = lambda x: judge.scores(judge.features(x), None)
    rules = {n: torch.optim.Adam(m.parameters(), betas=(p["beta1"], p["beta2"]), foreach=False)
             for n, m in players.items()}

    def descend(name, loss, key):
        rules[name].param_groups[0]["lr"] = rate(p | {"learning_rate": p[key]}, step)
        rules[name].zero_grad()
        loss.backward()
        if p["gradient_clip"]:
            torch.nn.utils.clip_grad_norm_(players[name].parameters(), p["gradient_clip"])
        rules[name].step()

    distance = perceptual(r["inception_seed"]) if "inception_seed" in r else None
    noise = torch.Generator().manual_seed(r["seed"] + 1)
    data = batches(
        pictures(r["count"], r["channels"], r["size"]), r["seed"], p["batch_size"], p["flip"])
    averages = {k: v.detach().clone() for k, v in vae.named_parameters()}
    reports = []
    for step in range(steps):
        x = 2 * next(data) - 1
        posterior = vae.encode(x).latent_dist
        back = vae.decode(posterior.sample(generator=noise)).sample
        plays = judge is not None and step / steps >= p["adversarial_start"]
        judged, game, weight = torch.zeros(()), torch.zeros(()), 0.0
        if plays:
            judged = F.relu(1 - score(x)).mean() + F.relu(1 + score(back.detach())).mean()
            descend("discriminator", judged, "discriminator_learning_rate")
        compare = {"l1": F.l1_loss, "l2": F.mse_loss}[p["reconstruction_loss"]]
        reconstruction, kl = compare(back, x), posterior.kl().mean()
        told = [reconstruction, kl]
        if distance:
            seen = distance(back, x).mean()
            told.append(seen)
            reconstruction = reconstruction + p["perceptual_weight"] * seen
        loss = reconstruction + p["kl_weight"] * kl / x[0].numel()
        if plays:
            game, weight = -score(back).mean(), p["adversarial_weight"]
            if p["adaptive_weight"]:
                last = vae.decoder.conv_out.weight
                pull = lambda part: torch.autograd.grad(part, last, retain_graph=True)[0].norm()
                weight *= (pull(reconstruction) / (pull(game) + 1e-4)).item()
            loss = loss + weight * game
        descend("autoencoder", loss, "learning_rate")
        decay = 0 if step == 0 else min(p["ema_decay"], 1 - (1 + step) ** (-2 / 3))
        for k, parameter in vae.named_parameters():
            averages[k].lerp_(parameter.detach(), 1 - decay)
        told = [loss] + told
        if judge:
            told += [judged, game, torch.tensor(weight)]
        reports.append([value.item() for value in told])
    result["reports"] = torch.tensor(reports, dtype=torch.float64)
    for name, player in players.items():
        result |= {f"final/{name}/{k}": some(v)[:128].clone()
                   for k, v in player.state_dict().items()}
    result |= {f"average/{k}": some(v)[:64].clone() for k, v in averages.items()}
    return result


def generate(folder):
    for name, r in runs.items():
        save_file(train(r), folder / f"{name}.safetensors")
    (folder / "cases.json").write_text(json.dumps(runs, indent=1) + "\n")
