"""Inception-v3 as pytorch-fid builds it, at weights that the test draws again.

24 million weights are too many for a golden file. Both sides draw them, in the order of their keys,
from mt19937 at one seed; `draw` is the rule, and Tests/TestSupport/InceptionWeights.swift the same.
"""

import torch
from safetensors.torch import save_file

# torchvision's wheel for another device does not bring its operators; it only needs their names.
if not hasattr(torch.ops.torchvision, "nms"):
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor d, Tensor s, float i) -> Tensor")

import pytorch_fid.inception as reference  # noqa: E402
import torchvision  # noqa: E402


def draw(state, seed):
    """Weights that keep the size of activations, and statistics that are far from 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {}
    for key in sorted(state):
        shape = state[key].shape
        if key.endswith("num_batches_tracked"):
            continue
        x = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            x = x * (2 / shape[1:].numel()) ** 0.5
        elif key.endswith("running_var"):
            x = x.abs() * 0.5 + 0.5
        elif key.endswith("bn.weight"):
            x = x * 0.1 + 1
        else:
            x = x * 0.1
        drawn[key] = x
    return drawn


def some(x):
    """256 values, evenly spaced over all of them."""
    x = x.flatten()
    return x[torch.arange(256) * (len(x) // 256)]


def drawn_network(seed):
    """pytorch-fid's network at drawn weights."""
    shapes = torchvision.models.inception_v3(
        weights=None, num_classes=1008, aux_logits=False, init_weights=False).state_dict()
    reference.load_state_dict_from_url = lambda *_, **__: shapes | draw(shapes, seed)
    return reference.InceptionV3().eval()


@torch.no_grad()
def generate(folder):
    network = drawn_network(seed=11)
    classifier = reference.fid_inception_v3().fc

    generator = torch.Generator().manual_seed(1)
    pictures = {
        "colour": torch.rand(1, 3, 32, 40, generator=generator),
        "grey": torch.rand(1, 1, 28, 28, generator=generator),
    }
    tensors = dict(pictures)
    for name, x in pictures.items():
        maps = []
        layers = [layer for block in network.blocks for layer in block]
        hooks = [layer.register_forward_hook(lambda _, __, out: maps.append(some(out)))
                 for layer in layers]
        pool = network(x.expand(-1, 3, -1, -1))[0].flatten(1)
        for hook in hooks:
            hook.remove()
        tensors[f"{name}.maps"] = torch.stack(maps[:-1])  # the last one is the mean
        tensors[f"{name}.pool"] = pool
        tensors[f"{name}.logits"] = classifier(pool)
        tensors[f"{name}.logits_without_bias"] = pool @ classifier.weight.T
    save_file({key: x.contiguous() for key, x in tensors.items()}, folder / "fid.safetensors")
