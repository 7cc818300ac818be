"""Golden files of the autoencoders: distributions, likelihoods, bounds, networks, ten steps."""

import json
import math

import torch
from safetensors.torch import save_file
from torch import distributions as dist

from . import _autoencoder_training, _autoencoders as ae


def save(path, tensors):
    save_file({k: t.detach().clone().contiguous() for k, t in tensors.items()}, path)


def gaussians(random):
    mean = torch.randn(4, 3, generator=random, requires_grad=True)
    log_variance = torch.randn(4, 3, generator=random, requires_grad=True)
    noise = torch.randn(4, 3, generator=random)
    normal = dist.Normal(mean, (log_variance / 2).exp())
    z = torch.randn(2, 4, 3, generator=random)
    result = {"mean": mean, "log_variance": log_variance, "noise": noise, "z": z}
    divergence = dist.kl_divergence(normal, dist.Normal(0.0, 1.0))
    result |= {"kl": divergence, "log_density": normal.log_prob(z).sum(-1)}
    result["standard"] = dist.Normal(0.0, 1.0).log_prob(z).sum(-1)
    # The draw of Normal.rsample, with its noise at hand.
    draw = normal.loc + noise * normal.scale
    weight = torch.arange(12.0).reshape(4, 3) / 4 - 1
    grads = torch.autograd.grad((draw * weight).sum(), [mean, log_variance], retain_graph=True)
    result |= {"draw": draw, "draw.mean": grads[0], "draw.log_variance": grads[1]}
    grads = torch.autograd.grad((divergence * weight).sum(), [mean, log_variance])
    return result | {"kl.mean": grads[0], "kl.log_variance": grads[1]}


def likelihoods(random):
    x = torch.rand(3, 2, 4, 4, generator=random)
    x[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    output = torch.randn(3, 2, 4, 4, generator=random) * 3
    result = {"x": x, "output": output, "log_sigma": torch.tensor(-0.7)}
    for name in ("bernoulli", "gaussian", "gaussian-learned", "l1"):
        given = output.clone().requires_grad_()
        log_sigma = result["log_sigma"].clone().requires_grad_()
        losses = ae.value_losses(name, x, given, log_sigma).flatten(1).sum(1)
        (losses * torch.tensor([1.0, -2.0, 0.5])).sum().backward()
        result |= {f"{name}.losses": losses, f"{name}.gradient": given.grad}
        if log_sigma.grad is not None:
            result[f"{name}.gradient_sigma"] = log_sigma.grad
    return result


def paths(random):
    a, b = torch.randn(6, generator=random), torch.randn(6, generator=random) * 2
    shares = [i / 4 for i in range(5)]
    angle = torch.arccos((a / a.norm()) @ (b / b.norm()))
    arc = [torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b for t in shares]
    return {
        "start": a, "end": b, "linear": torch.stack([a + t * (b - a) for t in shares]),
        "spherical": torch.stack(arc) / torch.sin(angle),
    }


networks = {
    "vae_mlp": ae.config("vae", "mlp", image_size=6, activation="tanh"),
    "vae_conv": ae.config(
        "vae", "conv", image_size=17, channels=3, layers_per_block=2, likelihood="gaussian-learned"),
    "ae_mlp": ae.config("ae", "mlp", image_size=5, hidden_dims=[8, 7], likelihood="l1"),
    "ae_conv": ae.config("ae", "conv", image_size=14, hidden_dims=[], likelihood="gaussian"),
}
objectives = [(1.0, 0.0), (4.0, 0.0), (1.0, 0.5), (0.5, 0.18)]


def network(name, config, random):
    torch.manual_seed(601)
    model = ae.Autoencoder(config)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.7)
    size = config["image_size"]
    x = torch.rand(4, config["channels"], size, size, generator=random)
    result = {f"weights/{k}": v for k, v in model.state_dict().items()} | {"x": x}
    if name.startswith("ae"):
        code = model.encoder(x)
        output = model.decoder(code)
        return result | {"code": code, "output": output, "losses": model.loss(x, output)}
    mean, log_variance = model.posterior(x)
    z = mean + (log_variance / 2).exp() * torch.randn(
        4, 3, generator=torch.Generator().manual_seed(11))
    output = model.decoder(z)
    losses = model.loss(x, output)
    divergence = ae.kl(mean, log_variance).mean(0)
    result |= {"code": mean, "log_variance": log_variance, "output": output, "losses": losses}
    result |= {"kl": divergence}
    for i, (beta, free) in enumerate(objectives):
        loss = losses.mean() + beta * (divergence.clamp(min=free) if free else divergence).sum()
        grads = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
        result[f"objective.{i}"] = loss
        for (k, _), g in zip(model.named_parameters(), grads):
            result[f"objective.{i}/{k}"] = g
    for k in (1, 7):
        noise = torch.randn(k, 4, 3, generator=torch.Generator().manual_seed(12))
        posterior = dist.Normal(mean, (log_variance / 2).exp())
        weights = []
        for draw in posterior.loc + noise * posterior.scale:  # [4, 3] each
            prior = dist.Normal(0.0, 1.0).log_prob(draw).sum(1)
            weights.append(
                prior - model.loss(x, model.decoder(draw)) - posterior.log_prob(draw).sum(1))
        result[f"iwae.{k}"] = torch.stack(weights).logsumexp(0) - math.log(k)
    return result


def generate(folder):
    random = torch.Generator().manual_seed(600)
    save(folder / "gaussians.safetensors", gaussians(random))
    save(folder / "likelihoods.safetensors", likelihoods(random))
    save(folder / "paths.safetensors", paths(random))
    for name, config in networks.items():
        save(folder / f"network_{name}.safetensors", network(name, config, random))
    for name, run in _autoencoder_training.runs.items():
        save(folder / f"ten_steps_{name}.safetensors", _autoencoder_training.train(run))
    described = {"networks": networks, "runs": _autoencoder_training.runs}
    (folder / "cases.json").write_text(json.dumps(described, indent=1) + "\n")
