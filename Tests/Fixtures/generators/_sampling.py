"""Samplings of diffusers' schedulers with a toy network, every step of which has to be reached."""

import inspect
import json

import diffusers
import numpy
import torch
from safetensors.torch import save_file

shape = (2, 3, 4, 4)


def start(count):
    """Unit-scale starting pictures by whole numbers alone; `SamplingCase` makes the same."""
    return torch.tensor([((i * 37) % 97 - 48) / 32 for i in range(count)]).reshape(shape)


def network(x, t, channels):
    """The toy network of diffusers' own tests, doubled in channels where a variance is learned."""
    t = torch.as_tensor(t).float()
    out = x * t / (t + 1)
    return torch.cat([out, torch.tanh(out)], 1) if channels == 2 else out


def case(scheduler, name, steps=10, loop="pipeline", seed=None, eta=None, channels=1, first=0,
         timesteps=None, sigmas=None, mu=None, **config):
    """One sampling: a class, what its configuration says, which levels it visits."""
    return {
        "scheduler": scheduler, "case": name, "config": config, "steps": steps, "loop": loop,
        "seed": seed, "eta": eta, "channels": channels, "first": first, "timesteps": timesteps,
        "sigmas": sigmas, "mu": mu,
    }


def trajectory(c):
    """What the network is told, and the picture after each of its words."""
    scheduler = getattr(diffusers, c["scheduler"])(**c["config"])
    asked = {k: c[k] for k in ("timesteps", "sigmas", "mu") if c[k] is not None}
    if c["timesteps"] is None and c["sigmas"] is None:
        asked["num_inference_steps"] = c["steps"]
    if "sigmas" in asked:
        asked["sigmas"] = numpy.array(asked["sigmas"])
    scheduler.set_timesteps(**asked)
    if hasattr(scheduler, "set_begin_index") and c["first"]:
        scheduler.set_begin_index(c["first"])
    accepted = inspect.signature(scheduler.step).parameters
    more = {}
    if c["seed"] is not None:
        more["generator"] = torch.Generator().manual_seed(c["seed"])
    if c["eta"] is not None:
        more["eta"] = c["eta"]
    more = {k: v for k, v in more.items() if k in accepted}
    x = start(torch.Size(shape).numel())
    told, pictures = scheduler.timesteps[c["first"]:], []
    if c["first"]:
        noise = x.flip(0)
        add = getattr(scheduler, "add_noise", None) or scheduler.scale_noise
        t = told[:1].repeat(shape[0])
        x = add(x, noise, t) if add.__name__ == "add_noise" else add(x, t, noise)
    else:
        x = x * getattr(scheduler, "init_noise_sigma", 1.0)
    for i, t in enumerate(told):
        if "prev_timestep" in accepted:  # UnCLIP's pipeline says it itself
            more["prev_timestep"] = told[i + 1] if i + 1 < len(told) else None
        scale = getattr(scheduler, "scale_model_input", lambda x, t: x)
        output = network(scale(x, t), t, c["channels"])
        x = scheduler.step(output, t, x, return_dict=False, **more)[0]
        pictures.append(x.clone())
    return told.to(torch.float64), torch.stack(pictures).float()


def write(folder, cases):
    """`cases.json` and `trajectories.safetensors`."""
    names = [f"{c['scheduler']}/{c['case']}" for c in cases]
    assert len(set(names)) == len(names), "one name a case"
    tensors = {}
    for name, c in zip(names, cases):
        told, pictures = trajectory(c)
        assert torch.isfinite(pictures).all(), f"{name} is not finite"
        tensors |= {f"{name}/timesteps": told, f"{name}/pictures": pictures}
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(tensors, folder / "trajectories.safetensors")
