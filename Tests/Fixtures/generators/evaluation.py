"""The Fréchet distance between features, by scipy's matrix root."""

import numpy
import scipy.linalg
import torch
from safetensors.torch import save_file


def distance(a, b):
    (m1, c1), (m2, c2) = ((x.mean(0), numpy.cov(x, rowvar=False)) for x in (a, b))
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return ((m1 - m2) ** 2).sum() + numpy.trace(c1 + c2 - 2 * root)


def generate(folder):
    draws = numpy.random.default_rng(0)
    mix = draws.standard_normal((12, 12))
    a = draws.standard_normal((60, 12)) @ mix
    b = 0.5 + draws.standard_normal((40, 12)) @ (mix + 0.3 * draws.standard_normal((12, 12)))
    few = draws.standard_normal((5, 12)) @ mix  # fewer vectors than dimensions: a singular covariance
    tensors = {name: torch.from_numpy(x) for name, x in (("a", a), ("b", b), ("few", few))}
    tensors["distances"] = torch.tensor([distance(a, b), distance(a, a), distance(few, b)])
    save_file(tensors, folder / "frechet.safetensors")
