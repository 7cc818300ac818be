"""The 3×3 convolutions of bench-convolution in PyTorch, channels-last, two threads.

usage: python convolution.py   (needs torch). A JSON line a shape, with the same keys but for precision and error.
"""
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(2)
SHAPES = [
    (64, 256, 128, 7), (64, 32, 32, 28), (64, 64, 64, 14), (64, 128, 128, 7), (64, 64, 64, 32),
    (64, 128, 128, 16), (2, 320, 320, 64),
]


def best(body):
    times = []
    for _ in range(12):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


for n, c, k, s in SHAPES:
    x = torch.randn(n, c, s, s).to(memory_format=torch.channels_last)
    w = (torch.randn(k, c, 3, 3) / 10).to(memory_format=torch.channels_last)
    b = torch.randn(k)
    seed = torch.randn(n, k, s, s).to(memory_format=torch.channels_last)
    with torch.no_grad():
        forward = best(lambda: F.conv2d(x, w, b, padding=1))
    ends = [e.requires_grad_() for e in (x, w, b)]
    y = F.conv2d(x, w, b, padding=1)
    backward = best(lambda: torch.autograd.grad([y], ends, [seed], retain_graph=True))
    work = 2 * 9 * n * c * k * s * s / 1e6
    print(
        f'{{"shape": "{n}x{c}->{k} {s}x{s}", "forward_ms": {forward:.2f}, "backward_ms": {backward:.2f}, '
        f'"forward_gflops_per_s": {work / forward:.0f}, "backward_gflops_per_s": {2 * work / backward:.0f}}}',
        flush=True)
