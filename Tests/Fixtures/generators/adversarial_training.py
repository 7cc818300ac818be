"""Ten alternating steps of adversarial games in PyTorch: weights, batches, noise, rates, penalties."""

import json

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from . import _adversarial_networks as nets
from . import _autoencoders as ae
from ._autoencoder_training import SplitMix64, batches, pictures, rate, some, steps

# The keys of GANRecipe.
recipe = {
    "architecture": "dcgan", "latent_dim": 6, "hidden_dims": [12, 10],
    "block_out_channels": [6, 8, 10], "layers_per_block": 1, "group_size": 0, "patch_size": 1,
    "spectral_norm": False, "discriminator_norm": True, "discriminator_head": "score",
    "class_conditional": False, "loss": "non-saturating", "discriminator_steps": 1, "r1_gamma": 0.0,
    "r2_gamma": 0.0, "gradient_penalty": 0.0, "dragan_penalty": 0.0, "penalty_interval": 1, "clip": 0.0,
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
        "architecture": "r3gan", "block_out_channels": [6, 8], "patch_size": 2,
        "loss": "relativistic", "r1_gamma": 1.0, "r2_gamma": 0.5, "penalty_interval": 2,
        "beta1": 0.0, "beta2": 0.99, "lr_schedule": "cosine", "flip": True}},
}

# The keys of VAEGANRecipe.
larsen = {
    "latent_dim": 5, "hidden_dims": [24], "block_out_channels": [6, 8], "layers_per_block": 0,
    "activation": "silu", "discriminator": "dcgan", "discriminator_channels": [6, 8, 10],
    "reconstruction": "features", "beta": 0.7, "kl_warmup": 0.5, "reconstruction_weight": 0.02,
    "loss": "non-saturating", "adversarial_weight": 1.0, "adaptive_weight": False,
    "adversarial_start": 0.0, "r1_gamma": 0.0, "optimizer": "adam", "learning_rate": 1e-3,
    "discriminator_learning_rate": 4e-4, "beta1": 0.5, "beta2": 0.999, "weight_decay": 0.0,
    "lr_schedule": "cosine", "lr_warmup_steps": 2, "gradient_clip": 0.0, "ema_decay": 0.99,
    "batch_size": 16, "flip": False,
}
mixed_runs = {
    "vae_gan": run | {"recipe": larsen},
    "vae_gan_perceptual": run | {"channels": 3, "size": 16, "seed": 9, "recipe": larsen | {
        "discriminator": "patch", "reconstruction": "pixels", "beta": 0.01, "kl_warmup": 0.0,
        "reconstruction_weight": 1.0, "loss": "hinge", "adversarial_weight": 0.5,
        "adaptive_weight": True, "adversarial_start": 0.25}},
}


def discriminator_loss(loss, real, fake):
    if loss == "non-saturating":
        return F.softplus(-real).mean() + F.softplus(fake).mean()
    if loss == "lsgan":
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())
    if loss == "wgan":
        return fake.mean() - real.mean()
    if loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(fake - real).mean()


def generator_loss(loss, real, fake):
    if loss == "non-saturating":
        return F.softplus(-fake).mean()
    if loss == "lsgan":
        return 0.5 * (fake - 1).square().mean()
    if loss in ("wgan", "hinge"):
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
             "patch_size", "discriminator_norm")
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
            punished = step % p["penalty_interval"] == 0
            if punished and p["r1_gamma"]:
                penalty = penalty + p["r1_gamma"] / 2 * slope(real_scores, x).square().sum(1).mean()
            if punished and p["r2_gamma"]:
                penalty = penalty + p["r2_gamma"] / 2 * slope(
                    fake_scores, fake).square().sum(1).mean()
            if p["gradient_penalty"]:
                u = torch.rand(len(x), 1, 1, 1, generator=between)
                middle = (u * x + (1 - u) * fake).detach().requires_grad_()
                penalty = penalty + p["gradient_penalty"] * (
                    slope(judge(middle, y), middle).norm(dim=1) - 1).square().mean()
            penalty = penalty * p["penalty_interval"]
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


def train_mixed(r):
    """Larsen et al. 2016, Algorithm 1, with Esser et al. 2021's weight of the game."""
    p = r["recipe"]
    shape = {"image_size": r["size"], "channels": r["channels"], "latent_dim": p["latent_dim"]}
    torch.manual_seed(r["seed"])
    vae = ae.Autoencoder(ae.config("vae", "conv", **shape, **{
        n: p[n] for n in ("hidden_dims", "block_out_channels", "layers_per_block", "activation")}))
    d = nets.discriminator(nets.config(
        "discriminator", p["discriminator"], block_out_channels=p["discriminator_channels"],
        **shape))
    result = {f"start/autoencoder/{k}": v.clone() for k, v in vae.state_dict().items()}
    result |= {f"start/discriminator/{k}": v.clone() for k, v in d.state_dict().items()}
    rules = [torch.optim.Adam(n.parameters(), betas=(p["beta1"], p["beta2"]), foreach=False)
             for n in (vae, d)]
    noise = torch.Generator().manual_seed(r["seed"] + 1)
    data = batches(
        pictures(r["count"], r["channels"], r["size"]), r["seed"], p["batch_size"], p["flip"])
    judge = lambda x: (lambda h: (d.scores(h, None), h))(d.features(2 * x - 1))
    encoder, decoder = list(vae.encoder.parameters()), list(vae.decoder.parameters())
    last = vae.decoder.up[-1].weight
    reports = []
    for step in range(steps):
        for optimizer, key in zip(rules, ("learning_rate", "discriminator_learning_rate")):
            optimizer.param_groups[0]["lr"] = rate(p | {"learning_rate": p[key]}, step)
        x = next(data)
        mean, log_variance = vae.posterior(x)
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=noise)
        back = vae.decoder(z).sigmoid()
        drawn = vae.decoder(torch.randn(mean.shape, generator=noise)).sigmoid()
        plays = step / steps >= p["adversarial_start"]
        judged = torch.zeros(())
        if plays or p["reconstruction"] == "features":
            real = judge(x)[0]
            judged = sum(
                discriminator_loss(p["loss"], real, judge(fake.detach())[0])
                for fake in (back, drawn)) / 2
            rules[1].zero_grad()
            judged.backward()
            rules[1].step()
        kl = ae.kl(mean, log_variance).sum(1).mean()
        scores, features = judge(back)
        if p["reconstruction"] == "features":
            with torch.no_grad():
                target = judge(x)[1]
            likeness = 0.5 * (features - target).square().sum() / len(x)
        else:
            likeness = (back - x).abs().sum() / len(x)
        game = (generator_loss(p["loss"], None, scores)
                + generator_loss(p["loss"], None, judge(drawn)[0])) / 2
        weight = p["adversarial_weight"] if plays else 0
        if plays and p["adaptive_weight"]:
            pull = lambda loss: torch.autograd.grad(loss, last, retain_graph=True)[0].norm()
            weight *= (p["reconstruction_weight"] * pull(likeness) / (pull(game) + 1e-4)).item()
        warmth = min(1, step / steps / p["kl_warmup"]) if p["kl_warmup"] else 1
        ours = torch.autograd.grad(p["beta"] * warmth * kl + likeness, encoder, retain_graph=True)
        its = torch.autograd.grad(p["reconstruction_weight"] * likeness + weight * game, decoder)
        for parameter, gradient in zip(encoder + decoder, ours + its):
            parameter.grad = gradient
        rules[0].step()
        reports.append([judged.item(), likeness.item(), kl.item(), game.item(), weight])
    result["reports"] = torch.tensor(reports, dtype=torch.float64)
    for name, network in (("autoencoder", vae), ("discriminator", d)):
        result |= {f"final/{name}/{k}": some(v).clone() for k, v in network.state_dict().items()}
    return result


def generate(folder):
    for name, r in runs.items():
        save_file(train(r), folder / f"{name}.safetensors")
    for name, r in mixed_runs.items():
        save_file(train_mixed(r), folder / f"{name}.safetensors")
    (folder / "cases.json").write_text(json.dumps(runs | mixed_runs, indent=1) + "\n")
