"""Every operation of module Torch as PyTorch computes it, one file a kind of operation."""

from generators import _torch_networks as networks
from generators import _torch_tensors as tensors
from generators._golden import Golden

FILES = [
    tensors.creation, tensors.draws, tensors.elementwise, tensors.arithmetic, tensors.functions,
    tensors.reductions, tensors.shapes, networks.linear_algebra, networks.layers,
    networks.resampling, networks.losses, networks.many_tensors, networks.autograd,
]


def generate(folder):
    for seed, fill in enumerate(FILES):
        golden = Golden(seed)
        fill(golden)
        golden.save(folder / f"{fill.__name__}.safetensors")
