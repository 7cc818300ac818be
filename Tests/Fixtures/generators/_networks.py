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
