"""The convolutions of bench-convolution in PyTorch, channels-last, two threads.

usage: python convolution.py   (needs torch). A JSON line a shape, with the same
keys but for precision and error.
"""
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(2)
SHAPES = [  # pictures, channels in and out, side, kernel, stride
    (64, 256, 128, 7, 3, 1), (64, 32, 32, 28, 3, 1), (64, 64, 64, 14, 3, 1), (64, 128, 128, 7, 3, 1),
    (64, 64, 64, 32, 3, 1), (64, 128, 128, 16, 3, 1), (2, 320, 320, 64, 3, 1),
    (64, 64, 128, 14, 4, 2), (64, 128, 128, 16, 1, 1),
]


def best(body):
    times = []
    for _ in range(12):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


for n, c, k, s, side, stride in SHAPES:
    move = dict(padding=(side - 1) // 2, stride=stride)
    x = torch.randn(n, c, s, s).to(memory_format=torch.channels_last)
    w = (torch.randn(k, c, side, side) / 10).to(memory_format=torch.channels_last)
    b = torch.randn(k)
    with torch.no_grad():
        forward = best(lambda: F.conv2d(x, w, b, **move))
    ends = [e.requires_grad_() for e in (x, w, b)]
    y = F.conv2d(x, w, b, **move)
    seed = torch.randn(y.shape).to(memory_format=torch.channels_last)
    backward = best(lambda: torch.autograd.grad([y], ends, [seed], retain_graph=True))
    work = 2 * side * side * c * y.numel() / 1e6
    print(
        f'{{"shape": "{n}x{c}->{k} {s}x{s} kernel {side} stride {stride}", "forward_ms": {forward:.2f}, "backward_ms": {backward:.2f}, '
        f'"forward_gflops_per_s": {work / forward:.0f}, "backward_gflops_per_s": {2 * work / backward:.0f}}}',
        flush=True)
