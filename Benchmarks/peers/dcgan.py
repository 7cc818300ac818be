"""The DCGAN of `latent train gan --preset dcgan` on Fashion-MNIST in PyTorch, CPU, batch 64.

usage: python dcgan.py STEPS   (needs torch, Debian's dataset-fashion-mnist)
Prints "(N img/s)" every quarter of the steps. Both turns draw their own codes, as here.
"""
import gzip
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(0)
data = gzip.open("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz").read()
pictures = torch.frombuffer(bytearray(data[16:]), dtype=torch.uint8).view(-1, 1, 28, 28)


def start(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0, 0.02)
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


g = nn.Sequential(
    nn.Linear(64, 256 * 49, bias=False), nn.Unflatten(1, (256, 7, 7)), nn.BatchNorm2d(256), nn.ReLU(),
    nn.Conv2d(256, 128, 3, 1, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
    nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
    nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh()).apply(start)
d = nn.Sequential(
    nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2),
    nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
    nn.Conv2d(128, 256, 3, 1, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Linear(256 * 49, 1)).apply(start)
rules = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (g, d)]
average = [p.detach().clone() for p in g.parameters()]

steps, batch = int(sys.argv[1]), 64
quarter = max(1, steps // 4)
order, clock = torch.randperm(len(pictures)), time.time()
for step in range(steps):
    if (step + 1) * batch % len(pictures) < batch:
        order = torch.randperm(len(pictures))
    place = step * batch % (len(pictures) - batch)
    x = 2 * (pictures[order[place:place + batch]].float() / 255) - 1
    rules[1].zero_grad()
    with torch.no_grad():
        fake = g(torch.randn(batch, 64))
    loss = F.softplus(-d(x)).mean() + F.softplus(d(fake)).mean()
    loss.backward()
    rules[1].step()
    rules[0].zero_grad()
    d.requires_grad_(False)
    F.softplus(-d(g(torch.randn(batch, 64)))).mean().backward()
    d.requires_grad_(True)
    rules[0].step()
    with torch.no_grad():
        torch._foreach_lerp_(average, list(g.parameters()), 0.001)
    if (step + 1) % quarter == 0:
        rate = quarter * batch / (time.time() - clock)
        print(f"step {step + 1} D {loss.item():.3f} ({rate:.0f} img/s)", flush=True)
        clock = time.time()
