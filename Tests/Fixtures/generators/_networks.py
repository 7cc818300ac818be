"""What the generators of whole diffusers networks share."""

import json

import torch
from safetensors.torch import save_file

from ._golden import weights


def built(network, settings):
    """A network with the first weights of seed 7, and the sums of them.

    Sums tell one order of draws from another; whole files would be large."""
    torch.manual_seed(7)
    model = network(**settings).eval()
    return model, torch.stack([v.double().sum() for _, v in sorted(model.state_dict().items())])


def moved(model, random):
    """The network with all weights moved: normalisations do something, attention is not even."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=random) * 0.1)
    return model


def drawn(model, seed, name=lambda key: key):
    """Weights that no file needs to hold (Tests/TestSupport/DrawnWeights.swift has the same rule): in
    the order of their keys, matrices and kernels by their fan. Returns them; `name` renames keys."""
    random = torch.Generator().manual_seed(seed)
    own = {name(key): key for key in model.state_dict()}
    state = {}
    for key, old in sorted((k, model.state_dict()[own[k]]) for k in own):
        x = torch.randn(old.shape, generator=random)
        if old.dim() > 1:
            state[key] = x * (1 / old[0].numel()) ** 0.5
        else:
            state[key] = x * 0.1 + 1 if key.endswith("weight") else x * 0.1
    model.load_state_dict({own[key]: tensor for key, tensor in state.items()})
    return state


def gradients(model, out):
    """Those of the weighted sum of the output, by the keys of the parameters."""
    found = torch.autograd.grad((out * weights(out)).sum(), list(model.parameters()))
    return {f"gradients/{key}": g for (key, _), g in zip(model.named_parameters(), found)}


def save(path, tensors):
    save_file({k: t.detach().clone().contiguous() for k, t in tensors.items()}, path)


def save_shapes(path, network, config):
    """A configuration and the shapes of its weights by key, without their memory."""
    with torch.device("meta"):
        model = network.from_config(config)
    shapes = {key: list(t.shape) for key, t in model.state_dict().items()}
    path.write_text(json.dumps({"config": config, "shapes": shapes}, separators=(",", ":")) + "\n")
