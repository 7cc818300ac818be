"""Ten alternating steps of adversarial games in PyTorch: weights, batches, noise, rates, penalties."""

import json

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from . import _adversarial_networks as nets
from ._autoencoder_training import SplitMix64, pictures, rate, some, steps

# The keys of GANRecipe.
recipe = {
    "architecture": "dcgan", "latent_dim": 6, "hidden_dims": [12, 10],
    "block_out_channels": [6, 8, 10], "layers_per_block": 1, "group_size": 0,
    "spectral_norm": False, "discriminator_norm": True, "discriminator_head": "score",
    "class_conditional": False, "loss": "non-saturating", "discriminator_steps": 1, "r1_gamma": 0.0,
    "r2_gamma": 0.0, "gradient_penalty": 0.0, "dragan_penalty": 0.0, "clip": 0.0,
    "diff_augment": False, "optimizer": "adam", "learning_rate": 2e-4,
    "discriminator_learning_rate": 4e-4, "beta1": 0.5, "beta2": 0.999, "weight_decay": 0.0,
    "lr_schedule": "constant", "lr_warmup_steps": 0, "gradient_clip": 0.0, "ema_decay": 0.99,
    "batch_size": 16, "flip": False,
}
run = {"size": 12, "channels": 1, "count": 40, "classes": 3, "seed": 4}
runs = {
    "dcgan": run | {"recipe": recipe},
    "dcgan_classes": run | {"channels": 3, "recipe": recipe | {
        "class_conditional": True, "loss": "lsgan", "lr_warmup_steps": 2}},
    "wgan_gp": run | {"seed": 5, "recipe": recipe | {
        "loss": "wgan", "discriminator_steps": 2, "gradient_penalty": 10.0,
        "discriminator_norm": False, "beta1": 0.0, "beta2": 0.9}},
    "wgan": run | {"seed": 6, "recipe": recipe | {
        "architecture": "mlp", "loss": "wgan", "discriminator_steps": 3, "clip": 0.05}},
    "r3gan": run | {"seed": 7, "recipe": recipe | {
        "architecture": "r3gan", "loss": "relativistic", "r1_gamma": 1.0, "r2_gamma": 0.5,
        "beta1": 0.0, "beta2": 0.99, "lr_schedule": "cosine", "flip": True}},
}


def discriminator_loss(loss, real, fake):
    if loss == "non-saturating":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    if loss == "lsgan":
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())
    if loss == "wgan":
        return fake.mean() - real.mean()
    return F.softplus(fake - real).mean()


def generator_loss(loss, real, fake):
    if loss == "non-saturating":
        return F.softplus(-fake).mean()
    if loss == "lsgan":
        return 0.5 * (fake - 1).square().mean()
    if loss == "wgan":
        return -fake.mean()
    return F.softplus(real - fake).mean()


def slope(scores, x):
    return torch.autograd.grad(scores.sum(), x, create_graph=True)[0].flatten(1)


def full_batches(r, data):
    """Pictures and their classes; a last batch that is not full is left out."""
    size, epoch = r["recipe"]["batch_size"], 0
    while True:
        order = SplitMix64(r["seed"], epoch).permutation(len(data))
        for start in range(0, len(data) - size + 1, size):
            chosen = order[start:start + size]
            batch = 2 * (data[chosen].float() / 255) - 1
            if r["recipe"]["flip"]:
                for place, i in enumerate(chosen):
                    if SplitMix64(r["seed"], epoch, i, 1).next() & 1:
                        batch[place] = batch[place].flip(-1)
            yield batch, torch.tensor(chosen) % r["classes"]
        epoch += 1


def train(r):
    p = r["recipe"]
    told = p["class_conditional"]
    names = ("latent_dim", "hidden_dims", "block_out_channels", "layers_per_block", "group_size",
             "discriminator_norm")
    c = nets.config(
        "generator", p["architecture"], image_size=r["size"], channels=r["channels"],
        class_count=r["classes"] if told else 0, **{n: p[n] for n in names})
    torch.manual_seed(r["seed"])
    g, d = nets.generator(c), nets.discriminator(c)
    result = {f"start/generator/{k}": v.clone() for k, v in g.state_dict().items()}
    result |= {f"start/discriminator/{k}": v.clone() for k, v in d.state_dict().items()}
    betas = (p["beta1"], p["beta2"])
    rule = lambda n: torch.optim.Adam(n.parameters(), betas=betas, foreach=False)
    rules = [rule(g), rule(d)]
    noise = torch.Generator().manual_seed(r["seed"] + 1)
    between = torch.Generator().manual_seed(r["seed"] + 2)
    data = full_batches(r, pictures(r["count"], r["channels"], r["size"]))
    judge = lambda x, y: d.scores(d.features(x), y)
    averages = {k: v.detach().clone() for k, v in g.named_parameters()}
    reports = []
    for step in range(steps):
        for optimizer, key in zip(rules, ("learning_rate", "discriminator_learning_rate")):
            optimizer.param_groups[0]["lr"] = rate(p | {"learning_rate": p[key]}, step)
        for _ in range(p["discriminator_steps"]):
            x, y = next(data)
            y = y if told else None
            z = torch.randn(len(x), p["latent_dim"], generator=noise)
            with torch.no_grad():
                fake = g(z, y)
            x.requires_grad_(), fake.requires_grad_()
            real_scores, fake_scores = judge(x, y), judge(fake, y)
            loss = discriminator_loss(p["loss"], real_scores, fake_scores)
            penalty = torch.zeros(())
            if p["r1_gamma"]:
                penalty = penalty + p["r1_gamma"] / 2 * slope(real_scores, x).square().sum(1).mean()
            if p["r2_gamma"]:
                penalty = penalty + p["r2_gamma"] / 2 * slope(
                    fake_scores, fake).square().sum(1).mean()
            if p["gradient_penalty"]:
                u = torch.rand(len(x), 1, 1, 1, generator=between)
                middle = (u * x + (1 - u) * fake).detach().requires_grad_()
                penalty = penalty + p["gradient_penalty"] * (
                    slope(judge(middle, y), middle).norm(dim=1) - 1).square().mean()
            rules[1].zero_grad()
            (loss + penalty).backward()
            rules[1].step()
            if p["clip"]:
                with torch.no_grad():
                    for parameter in d.parameters():
                        parameter.clamp_(-p["clip"], p["clip"])
        z = torch.randn(len(x), p["latent_dim"], generator=noise)
        rules[0].zero_grad()
        made = g(z, y)
        real = judge(x.detach(), y).detach() if p["loss"] == "relativistic" else None
        answer = generator_loss(p["loss"], real, judge(made, y))
        answer.backward()
        rules[0].step()
        decay = 0 if step == 0 else min(p["ema_decay"], 1 - (1 + step) ** (-2 / 3))
        for k, parameter in g.named_parameters():
            averages[k].lerp_(parameter.detach(), 1 - decay)
        reports.append([loss.item(), answer.item(), penalty.item()])
    result["reports"] = torch.tensor(reports, dtype=torch.float64)
    result |= {f"final/generator/{k}": some(v).clone() for k, v in g.state_dict().items()}
    result |= {f"final/discriminator/{k}": some(v).clone() for k, v in d.state_dict().items()}
    result |= {f"average/{k}": some(v)[:256].clone() for k, v in averages.items()}
    return result


def generate(folder):
    for name, r in runs.items():
        save_file(train(r), folder / f"{name}.safetensors")
    (folder / "cases.json").write_text(json.dumps(runs, indent=1) + "\n")
