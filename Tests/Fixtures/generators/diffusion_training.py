"""Ten training steps of diffusion models in PyTorch, with diffusers' networks and noise schedules:
weights, batches, levels, noise, hidden classes, rates."""

import json
import math

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.training_utils import compute_snr
from safetensors.torch import save_file

from ._autoencoder_training import batches, pictures, rate, some

steps = 10

# The keys of DiffusionRecipe; what a run does not name stays at the recipe's own default.
recipe = {
    "block_out_channels": [8, 16], "layers_per_block": 1, "attention_levels": [1],
    "attention_head_dim": 8, "norm_num_groups": 4, "dropout": 0.0,
    "num_train_timesteps": 1000, "beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02,
    "rescale_betas_zero_snr": False, "prediction_type": "epsilon", "loss": "mse",
    "min_snr_gamma": 0.0, "offset_noise": 0.0, "learned_variance": False, "bound_weight": 0.001,
    "class_conditional": False, "condition_dropout": 0.1, "optimizer": "adamw",
    "learning_rate": 1e-3, "weight_decay": 0.0, "lr_schedule": "cosine", "lr_warmup_steps": 2,
    "gradient_clip": 1.0, "ema_decay": 0.999, "batch_size": 16, "flip": False,
}
run = {"size": 8, "channels": 1, "count": 40, "seed": 3}
runs = {
    "epsilon": run | {"recipe": recipe},
    "velocity": run | {"recipe": recipe | {
        "prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2",
        "rescale_betas_zero_snr": True, "min_snr_gamma": 5.0}},
    "classes": run | {"classes": 3, "recipe": recipe | {
        "class_conditional": True, "condition_dropout": 0.3, "min_snr_gamma": 3.0}},
    "sample": run | {"channels": 3, "recipe": recipe | {
        "prediction_type": "sample", "loss": "huber", "offset_noise": 0.1, "flip": True,
        "min_snr_gamma": 5.0}},
    "flow": run | {"recipe": recipe | {"prediction_type": "flow_prediction", "loss": "l1"}},
    "learned": run | {"recipe": recipe | {
        "learned_variance": True, "num_train_timesteps": 20, "beta_schedule": "squaredcos_cap_v2"}},
}


def network(r):
    levels = range(len(r["recipe"]["block_out_channels"]))
    attends = [i in r["recipe"]["attention_levels"] for i in levels]
    names = {n: r["recipe"][n] for n in ("block_out_channels", "layers_per_block",
                                         "attention_head_dim", "norm_num_groups", "dropout")}
    return UNet2DModel(
        sample_size=r["size"], in_channels=r["channels"],
        out_channels=r["channels"] * (2 if r["recipe"]["learned_variance"] else 1),
        down_block_types=["AttnDownBlock2D" if a else "DownBlock2D" for a in attends],
        up_block_types=["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends)],
        num_class_embeds=r["classes"] + 1 if "classes" in r else None, **names)


def bound(process, x, noisy, t, output):
    """The terms of the variational bound in bits a dimension, by torch's own distributions."""
    terms = []
    for i, level in enumerate(t.tolist()):
        a = process.alphas_cumprod.double()
        before = a[level - 1] if level > 0 else torch.tensor(1.0).double()
        beta = process.betas[level].double()
        variance = beta * (1 - before) / (1 - a[level])
        small = variance if level > 0 else process.betas[1].double() * (1 - a[0]) / (1 - a[1])
        mean, share = output[i].double().chunk(2)
        start = ((noisy[i] - (1 - a[level]).sqrt() * mean) / a[level].sqrt()).clamp(-1, 1)
        first, current = before.sqrt() * beta / (1 - a[level]), (1 - beta).sqrt() * (
            1 - before) / (1 - a[level])
        share = (share + 1) / 2
        scale = torch.exp(0.5 * (share * beta.log() + (1 - share) * small.log()))
        step = torch.distributions.Normal(first * start + current * noisy[i], scale)
        if level > 0:
            truth = torch.distributions.Normal(
                first * x[i] + current * noisy[i], variance.sqrt().expand_as(scale))
            nats = torch.distributions.kl_divergence(truth, step)
        else:
            upper, lower = step.cdf(x[i] + 1 / 255), step.cdf(x[i] - 1 / 255)
            mass = torch.where(x[i] < -0.999, upper, torch.where(
                x[i] > 0.999, 1 - lower, upper - lower))
            nats = -mass.clamp(min=1e-12).log()
        terms.append(nats.mean() / math.log(2))
    return torch.stack(terms)


def objective(model, r, x, labels, generator):
    p, n = r["recipe"], len(x)
    x = 2 * x - 1
    t = torch.randint(0, p["num_train_timesteps"], (n,), generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    if p["offset_noise"]:
        noise = noise + p["offset_noise"] * torch.randn(n, x.shape[1], 1, 1, generator=generator)
    told, weights = t, torch.ones(n)
    if p["prediction_type"] == "flow_prediction":
        sigma = ((t + 1) / p["num_train_timesteps"]).reshape(-1, 1, 1, 1)
        noisy, target, told = (1 - sigma) * x + sigma * noise, noise - x, t + 1
    else:
        process = DDPMScheduler(**{k: p[k] for k in (
            "num_train_timesteps", "beta_schedule", "beta_start", "beta_end",
            "rescale_betas_zero_snr", "prediction_type")})
        noisy = process.add_noise(x, noise, t)
        target = {"epsilon": noise, "sample": x,
                  "v_prediction": process.get_velocity(x, noise, t)}[p["prediction_type"]]
        if p["min_snr_gamma"]:
            snr = compute_snr(process, t)
            least = torch.minimum(snr, torch.full_like(snr, p["min_snr_gamma"]))
            weights = {"epsilon": least / snr, "sample": least,
                       "v_prediction": least / (snr + 1)}[p["prediction_type"]]
    if labels is not None:
        hidden = torch.rand(n, generator=generator) < p["condition_dropout"]
        labels = torch.where(hidden, r["classes"], labels)
    output = model(noisy, told, class_labels=labels).sample
    said = output[:, :x.shape[1]]
    measure = {"mse": F.mse_loss, "l1": F.l1_loss, "huber": F.huber_loss}[p["loss"]]
    losses = measure(said, target, reduction="none").mean((1, 2, 3)) * weights
    if p["learned_variance"]:
        frozen = torch.cat([said.detach(), output[:, x.shape[1]:]], 1)
        losses = losses + p["bound_weight"] * p["num_train_timesteps"] * bound(
            process, x, noisy, t, frozen).float()
    return losses.mean()


def train(r):
    p = r["recipe"]
    torch.manual_seed(r["seed"])
    model = network(r)
    generator = torch.Generator().manual_seed(r["seed"] + 1)
    data = pictures(r["count"], r["channels"], r["size"])
    data_batches = batches(data, r["seed"], p["batch_size"], p["flip"])
    # The class of picture i is i mod classes; a batch of the same order tells which it is.
    numbers = torch.arange(r["count"]).reshape(-1, 1, 1, 1) * 255
    label_batches = batches(numbers, r["seed"], p["batch_size"], False)
    rule = torch.optim.AdamW(model.parameters(), weight_decay=p["weight_decay"], foreach=False)
    parameters = dict(model.named_parameters())
    averages = {k: v.detach().clone() for k, v in parameters.items()}
    losses = []
    for step in range(steps):
        rule.param_groups[0]["lr"] = rate(p, step)
        rule.zero_grad()
        labels = next(label_batches).flatten().long()
        labels = labels % r["classes"] if "classes" in r else None
        loss = objective(model, r, next(data_batches), labels, generator)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), p["gradient_clip"])
        rule.step()
        decay = 0 if step == 0 else min(p["ema_decay"], 1 - (1 + step) ** (-2 / 3))
        for k, average in averages.items():
            average.lerp_(parameters[k].detach(), 1 - decay)
        losses.append(loss.item())
    result = {"losses": torch.tensor(losses, dtype=torch.float64)}
    for k, v in parameters.items():
        result |= {f"final/{k}": some(v)[:256], f"average/{k}": some(averages[k])[:64]}
        result[f"sums/{k}"] = torch.stack([v.detach().double().sum(), v.detach().double().norm()])
    return {k: v.clone().contiguous() for k, v in result.items()}


def generate(folder):
    (folder / "cases.json").write_text(json.dumps(runs, indent=1) + "\n")
    for name, r in runs.items():
        save_file(train(r), folder / f"ten_steps_{name}.safetensors")
