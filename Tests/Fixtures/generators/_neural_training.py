"""Optimizers, clipping, learning rates and averages, step by step."""

import math

import torch
from torch import nn, optim

steps = 10
shapes = [(3, 4), (5,), ()]


class Lion(optim.Optimizer):
    """Chen et al. 2023, Algorithm 2, one parameter at a time."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            eta, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
            for theta in group["params"]:
                if theta.grad is None:
                    continue
                m = self.state[theta].setdefault("m", torch.zeros_like(theta))
                c = beta1 * m + (1 - beta1) * theta.grad
                theta.sub_(eta * (c.sign() + decay * theta))
                m.copy_(beta2 * m + (1 - beta2) * theta.grad)


plain = {"foreach": False}
rules = {
    "sgd": lambda p: optim.SGD(p, 0.1, **plain),
    "sgd.decay": lambda p: optim.SGD(p, 0.1, weight_decay=0.3, **plain),
    "sgd.momentum": lambda p: optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.1, **plain),
    "sgd.nesterov": lambda p: optim.SGD(p, 0.05, momentum=0.8, nesterov=True, **plain),
    "adam": lambda p: optim.Adam(p, **plain),
    "adam.options": lambda p: optim.Adam(p, 0.02, (0.5, 0.9), 1e-3, 0.2, **plain),
    "adamw": lambda p: optim.AdamW(p, 0.02, weight_decay=0.5, **plain),
    "rmsprop": lambda p: optim.RMSprop(p, **plain),
    "rmsprop.options": lambda p: optim.RMSprop(
        p, 0.02, alpha=0.9, eps=1e-3, weight_decay=0.2, momentum=0.7, **plain),
    "lion": lambda p: Lion(p, 1e-2),
    "lion.options": lambda p: Lion(p, 1e-2, (0.8, 0.7), 0.5),
}


def present(parameter, step):
    """The second parameter has a gradient in some steps alone, and not in the first."""
    return parameter != 1 or step in (2, 3, 6, 9)


def optimizers():
    random = torch.Generator().manual_seed(400)
    result = {f"start.{i}": torch.randn(s, generator=random) for i, s in enumerate(shapes)}
    for i, shape in enumerate(shapes):
        result[f"gradient.{i}"] = torch.randn(steps, *shape, generator=random)
    for name, make in rules.items():
        parameters = [nn.Parameter(result[f"start.{i}"].clone()) for i in range(len(shapes))]
        rule = make(parameters)
        rate = rule.param_groups[0]["lr"]
        path = []
        for step in range(steps):
            # A rate that moves, as schedules move it.
            rule.param_groups[0]["lr"] = rate * (1 - step / 20)
            for i, p in enumerate(parameters):
                p.grad = result[f"gradient.{i}"][step].clone() if present(i, step) else None
            rule.step()
            path.append(torch.cat([p.detach().flatten() for p in parameters]))
        result[f"{name}"] = torch.stack(path)
    for name, limit in (("clipped", 1.5), ("unclipped", 1e3)):
        parameters = [nn.Parameter(torch.zeros(s)) for s in shapes]
        for i in (0, 2):  # the parameter between them has none
            parameters[i].grad = result[f"gradient.{i}"][0].clone()
        result[f"{name}.norm"] = nn.utils.clip_grad_norm_(parameters, limit, foreach=False)
        for i in (0, 2):
            result[f"{name}.{i}"] = parameters[i].grad
    return result


def schedules():
    """diffusers' `get_*_schedule_with_warmup` as factors for LambdaLR, and PyTorch's own."""

    def course(make, count):
        parameter = nn.Parameter(torch.zeros(1))
        rule = optim.SGD([parameter], 1.0)
        schedule, rates = make(rule), []
        for _ in range(count):
            rates.append(schedule.get_last_lr()[0])
            rule.step()
            schedule.step()
        return torch.tensor(rates, dtype=torch.float64)

    def factor(after, warmup, total):
        def at(step):
            if step < warmup:
                return step / max(1, warmup)
            return after((step - warmup) / max(1, total - warmup))
        return at

    def cosine(progress):
        return max(0.0, 0.5 * (1 + math.cos(math.pi * 0.5 * 2 * progress)))

    lr, total, warmup = optim.lr_scheduler, 40, 7
    afters = {"constant": lambda _: 1.0, "cosine": cosine, "linear": lambda p: max(0.0, 1 - p)}
    result = {
        f"{name}.warmup": course(lambda o, a=after: lr.LambdaLR(o, factor(a, warmup, total)), total)
        for name, after in afters.items()
    }
    result["cosine"] = course(lambda o: lr.CosineAnnealingLR(o, total), total + 1)
    result["linear"] = course(lambda o: lr.LinearLR(o, 1.0, 0.0, total), total + 1)
    result["step"] = course(lambda o: lr.StepLR(o, 9, 0.3), total)
    result["constant"] = course(lambda o: lr.ConstantLR(o, 1.0, 1), total)
    return result


def averages():
    """average ← d average + (1 − d) weights with d = min(limit, 1 − (1 + n)^(−2/3)), 0 at first:
    `EMAModel(use_ema_warmup=True, power=2/3)` of diffusers."""
    random = torch.Generator().manual_seed(500)
    weights = torch.randn(13, 2, 3, generator=random)
    result = {"weights": weights}
    for name, limit in (("slow", 0.999), ("fast", 0.6)):
        average, path, decays = weights[0].double(), [], []
        for update, now in enumerate(weights[1:]):
            decay = 0.0 if update == 0 else min(limit, 1 - (1 + update) ** (-2 / 3))
            average = decay * average + (1 - decay) * now.double()
            decays.append(decay)
            path.append(average.float())
        result[name] = torch.stack(path)
        result[f"{name}.decays"] = torch.tensor(decays, dtype=torch.float64)
    return result
