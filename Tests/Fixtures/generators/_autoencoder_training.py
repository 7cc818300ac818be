"""Ten training steps in PyTorch that `latent train` has to repeat: weights, batches, noise, rates."""

import math

import torch

from . import _autoencoders as ae

steps = 10
mask = (1 << 64) - 1

# The keys of AutoencoderRecipe; what a run does not name stays at the recipe's own default.
recipe = {
    "architecture": "conv", "latent_dim": 32, "hidden_dims": [256],
    "block_out_channels": [32, 64], "layers_per_block": 0, "activation": "silu",
    "likelihood": "bernoulli", "sigma": 0.1, "beta": 1.0, "kl_warmup": 0.0, "free_bits": 0.0,
    "optimizer": "adam", "learning_rate": 2e-3, "weight_decay": 0.0, "lr_schedule": "cosine",
    "lr_warmup_steps": 2, "gradient_clip": 0.0, "ema_decay": 0.999, "batch_size": 64,
    "flip": False,
}
mlp = recipe | {
    "architecture": "mlp", "latent_dim": 20, "hidden_dims": [400], "activation": "relu",
    "learning_rate": 1e-3, "lr_schedule": "constant", "lr_warmup_steps": 0, "batch_size": 128,
}
everything = recipe | {
    "latent_dim": 5, "hidden_dims": [24, 16], "block_out_channels": [6, 10], "layers_per_block": 1,
    "activation": "gelu", "likelihood": "gaussian-learned", "sigma": 0.3, "beta": 4.0,
    "kl_warmup": 0.6, "free_bits": 0.02, "optimizer": "adamw", "weight_decay": 0.1,
    "gradient_clip": 5.0, "ema_decay": 0.5, "batch_size": 16, "flip": True,
}
runs = {
    "ae_conv": {"kind": "ae", "size": 28, "channels": 1, "count": 150, "seed": 7, "recipe": recipe},
    "ae_mlp": {"kind": "ae", "size": 28, "channels": 1, "count": 300, "seed": 5, "recipe": mlp},
    "vae_mlp": {"kind": "vae", "size": 28, "channels": 1, "count": 300, "seed": 8, "recipe": mlp},
    "vae_conv": {
        "kind": "vae", "size": 28, "channels": 1, "count": 150, "seed": 9, "recipe": recipe},
    "vae_everything": {
        "kind": "vae", "size": 17, "channels": 3, "count": 40, "seed": 10, "recipe": everything},
}


def pictures(count, channels, size):
    """Bright discs with noise, by whole numbers alone: `Discs` in Tests/TrainingTests."""
    i, c, y, x = torch.meshgrid(
        *(torch.arange(n) for n in (count, channels, size, size)), indexing="ij")
    dx, dy, radius = x - size * (1 + i % 3) // 4, y - size * (1 + i % 5) // 6, size // 5 + i % 4
    place = torch.arange(i.numel()).reshape(i.shape)
    noise = (((place * 2654435761) % (1 << 32)) >> 20) % 32
    return torch.where(dx * dx + dy * dy < radius * radius, 200 - 40 * c, 10) + noise


class SplitMix64:
    """Steele, Lea and Flood 2014, keyed as in Sources/Datasets."""

    def __init__(self, *keys):
        self.state = 0
        for key in keys:
            self.state = self.mix(((self.state + 0x9E3779B97F4A7C15) & mask) ^ key)

    @staticmethod
    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        return self.mix(self.state)

    def permutation(self, count):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = (self.next() * (last + 1)) >> 64
            order[last], order[other] = order[other], order[last]
        return order


def batches(data, seed, size, flip):
    epoch = 0
    while True:
        order = SplitMix64(seed, epoch).permutation(len(data))
        for start in range(0, len(data), size):
            chosen = order[start:start + size]
            batch = data[chosen].float() / 255
            if flip:
                for place, i in enumerate(chosen):
                    if SplitMix64(seed, epoch, i, 1).next() & 1:
                        batch[place] = batch[place].flip(-1)
            yield batch
        epoch += 1


def rate(r, step):
    warmup = r["lr_warmup_steps"]
    if step < warmup:
        return r["learning_rate"] * step / warmup
    done = (step - warmup) / (steps - warmup)
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    return r["learning_rate"] * (cosine if r["lr_schedule"] == "cosine" else 1)


def objective(network, r, x, step, noise):
    """The loss to descend and what is reported beside it."""
    if r["kind"] == "ae":
        loss = network.loss(x, network.decoder(network.encoder(x))).mean()
        return loss, [loss]
    mean, log_variance = network.posterior(x)
    z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=noise)
    reconstruction = network.loss(x, network.decoder(z)).mean()
    kls = ae.kl(mean, log_variance).mean(0)
    penalty = kls.clamp(min=r["free_bits"]).sum() if r["free_bits"] > 0 else kls.sum()
    beta = r["beta"]
    if r["kl_warmup"] > 0:
        beta *= min(1, step / steps / r["kl_warmup"])
    loss = reconstruction + beta * penalty
    return loss, [loss, reconstruction, kls.sum()]


def some(tensor):
    """At most about 4,096 elements, evenly spread; `strided` in Tests/TrainingTests."""
    flat = tensor.detach().flatten()
    return flat[::max(1, flat.numel() // 4096) | 1]


def train(run):
    r = run["recipe"] | {"kind": run["kind"]}
    names = ("likelihood", "latent_dim", "hidden_dims", "block_out_channels", "layers_per_block",
             "activation")
    config = ae.config(
        run["kind"], r["architecture"], image_size=run["size"], channels=run["channels"],
        **{n: r[n] for n in names})
    torch.manual_seed(run["seed"])
    network = ae.Autoencoder(config, r["sigma"])
    noise = torch.Generator().manual_seed(run["seed"] + 1)
    data = batches(
        pictures(run["count"], run["channels"], run["size"]), run["seed"], r["batch_size"],
        r["flip"])
    rule = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[r["optimizer"]](
        network.parameters(), weight_decay=r["weight_decay"], foreach=False)
    parameters = dict(network.named_parameters())
    result = {f"start/{k}": p.detach().flatten()[:8].clone() for k, p in parameters.items()}
    averages = {k: p.detach().clone() for k, p in parameters.items()}
    losses = []
    for step in range(steps):
        rule.param_groups[0]["lr"] = rate(r, step)
        rule.zero_grad()
        loss, told = objective(network, r, next(data), step, noise)
        loss.backward()
        if r["gradient_clip"] > 0:
            torch.nn.utils.clip_grad_norm_(network.parameters(), r["gradient_clip"])
        rule.step()
        decay = 0 if step == 0 else min(r["ema_decay"], 1 - (1 + step) ** (-2 / 3))
        for k, average in averages.items():
            average.lerp_(parameters[k].detach(), 1 - decay)
        losses.append([value.item() for value in told])
    result["losses"] = torch.tensor(losses, dtype=torch.float64)
    for k, p in parameters.items():
        whole = p.detach().double()
        result |= {f"final/{k}": some(p), f"average/{k}": some(averages[k])[:256]}
        result[f"sums/{k}"] = torch.stack([whole.sum(), whole.norm()])
    return result
