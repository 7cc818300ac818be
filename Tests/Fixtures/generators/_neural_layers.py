"""Layers: weights, inputs, outputs, gradients of every parameter, buffers afterwards.

`LayerCase` in Tests/NeuralNetsTests reads them back. A tensor is named `<case>/x<i>`, `<case>/out`,
`<case>/grad_x<i>`, `<case>/weights/<key>`, `<case>/grad/<key>` or `<case>/after/<key>`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from ._golden import weights as output_weights


class Layers:
    def __init__(self, seed):
        self.tensors = {}
        self.random = torch.Generator().manual_seed(seed)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.random)

    def case(self, name, module, *inputs, weights=None, prepare=None):
        """`weights`: keys as ours where the module's differ, as a function of its state; `prepare`
        is called with the module once it has its weights."""
        t = self.tensors
        with torch.no_grad():
            for value in module.parameters():
                value.copy_(self.normal(*value.shape) * 0.4)
        if prepare:
            prepare(module)
        rename = weights or (lambda state: state)
        before = {k: v.detach().clone() for k, v in rename(dict(module.state_dict())).items()}
        given = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        out = module(*given)
        (out * output_weights(out)).sum().backward()
        gradients = rename({k: p.grad for k, p in module.named_parameters() if p.grad is not None})
        after = {k: v.detach() for k, v in module.named_buffers()}
        for i, x in enumerate(given):
            t[f"{name}/x{i}"] = x.detach()
            if x.grad is not None:
                t[f"{name}/grad_x{i}"] = x.grad
        t[f"{name}/out"] = out.detach()
        t |= {f"{name}/weights/{k}": v for k, v in before.items()}
        t |= {f"{name}/grad/{k}": v for k, v in gradients.items()}
        t |= {f"{name}/after/{k}": v for k, v in after.items()}


class Upsample(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Downsample(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x)


class Attention(nn.Module):
    """softmax(q kᵀ / √d + mask) v written out (Vaswani et al. 2017, eq. 1)."""

    def __init__(self, width, heads, context=None, bias=False, mask=None):
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=bias)
        self.to_k = nn.Linear(context or width, width, bias=bias)
        self.to_v = nn.Linear(context or width, width, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        self.heads, self.mask = heads, mask

    def forward(self, x, context=None):
        context = x if context is None else context
        q, k, v = (
            y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for y in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        if self.mask is not None and self.mask.dtype == torch.bool:
            scores = scores.masked_fill(~self.mask, float("-inf"))
        elif self.mask is not None:
            scores = scores + self.mask
        return self.to_out[0]((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class SelfAttention(nn.Module):
    """PyTorch's own layer."""

    def __init__(self, width, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]

    @staticmethod
    def keys(state):
        result = {}
        for kind in ("weight", "bias"):
            parts = state[f"inner.in_proj_{kind}"].chunk(3)
            result |= {f"to_{n}.{kind}": p.clone() for n, p in zip("qkv", parts)}
            result[f"to_out.0.{kind}"] = state[f"inner.out_proj.{kind}"]
        return result


def evaluated(module):
    """In use, with running statistics that are not those of the start."""
    with torch.no_grad():
        module.running_mean.copy_(torch.linspace(-1, 1, module.num_features))
        module.running_var.copy_(torch.linspace(0.5, 2, module.num_features))
        module.num_batches_tracked.fill_(3)
    return module.eval()


def layers():
    g = Layers(100)
    g.case("linear", nn.Linear(5, 4), g.normal(2, 3, 5))
    g.case("linear.no_bias", nn.Linear(5, 4, bias=False), g.normal(3, 5))
    g.case("embedding", nn.Embedding(7, 4), torch.tensor([[1, 6, 1], [0, 3, 2]]))

    picture = g.normal(2, 4, 7, 6)
    conv = nn.Conv2d
    g.case("conv", conv(4, 6, 3), picture)
    g.case("conv.stride", conv(4, 3, 4, stride=2, padding=1), picture)
    g.case("conv.rectangle", conv(4, 3, (1, 3), stride=(2, 1), padding=(0, 2)), picture)
    g.case("conv.dilation", conv(4, 3, 3, padding=2, dilation=2), picture)
    g.case("conv.groups", conv(4, 6, 3, padding=1, groups=2, bias=False), picture)

    up = nn.ConvTranspose2d
    g.case("transpose", up(4, 5, 3), picture)
    g.case("transpose.stride", up(4, 3, 4, stride=2, padding=1), picture)
    g.case("transpose.output_padding", up(4, 3, 4, 2, 1, output_padding=1), picture)
    g.case("transpose.one_side", up(4, 3, 3, (2, 1), 1, output_padding=(1, 0)), picture)
    g.case("transpose.groups", up(4, 6, 3, stride=2, groups=2, bias=False), picture)
    g.case("transpose.dilation", up(4, 3, 3, padding=1, dilation=2), picture)

    g.case("group_norm", nn.GroupNorm(2, 4), picture)
    g.case("group_norm.eps", nn.GroupNorm(4, 4, eps=0.1), picture)
    g.case("layer_norm", nn.LayerNorm(6), picture)
    g.case("layer_norm.eps", nn.LayerNorm(6, eps=0.1), picture)
    g.case("batch_norm.training", nn.BatchNorm2d(4), picture)
    g.case("batch_norm.momentum", nn.BatchNorm2d(4, eps=0.1, momentum=0.7), picture)
    g.case("batch_norm.use", evaluated(nn.BatchNorm2d(4)), picture)

    for name, kind in {
        "relu": nn.ReLU(), "leaky-relu": nn.LeakyReLU(0.2), "silu": nn.SiLU(), "gelu": nn.GELU(),
        "elu": nn.ELU(), "mish": nn.Mish(), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(),
        "identity": nn.Identity(),
    }.items():
        g.case(f"activation.{name}", kind, g.normal(3, 5))
    g.case(
        "sequential",
        nn.Sequential(conv(4, 3, 3), nn.SiLU(), nn.Sequential(nn.GroupNorm(1, 3), conv(3, 2, 1))),
        picture)

    words, context = g.normal(2, 5, 8), g.normal(2, 3, 6)
    g.case("attention.self", Attention(8, 2), words)
    g.case("attention.cross", Attention(8, 4, 6, bias=True), words, context)
    g.case("attention.causal", Attention(8, 2, mask=torch.ones(5, 5).tril().bool()), words)
    slope = (torch.arange(5.0)[:, None] - torch.arange(3.0)) / 2
    g.case("attention.added_mask", Attention(8, 1, 6, mask=slope), words, context)
    g.case("attention.pytorch", SelfAttention(8, 2), words, weights=SelfAttention.keys)

    g.case("upsample", Upsample(4, 3), picture)
    g.case("downsample", Downsample(4, 3), picture)
    return g.tensors


def dropout():
    """What PyTorch drops, seed by seed: the draw of `F.dropout` in training."""
    result = {}
    for i, p in enumerate((0.1, 0.5, 0.75)):
        x = torch.randn(4, 9, generator=torch.Generator().manual_seed(i))
        torch.manual_seed(50 + i)
        result |= {f"dropout.{p}/x0": x, f"dropout.{p}/out": F.dropout(x, p)}
        result[f"dropout.{p}/next"] = F.dropout(x, p)
    return result


def starts():
    """First weights: `torch.nn.init` and the layers' own defaults, each from its seed."""
    init = nn.init
    functions = {
        "zeros": lambda t, g: init.zeros_(t),
        "ones": lambda t, g: init.ones_(t),
        "uniform": lambda t, g: init.uniform_(t, -0.3, 2, generator=g),
        "normal": lambda t, g: init.normal_(t, 0.5, 3, generator=g),
        "truncated_normal": lambda t, g: init.trunc_normal_(t, generator=g),
        "truncated_normal.narrow": lambda t, g: init.trunc_normal_(t, 0.5, 2, -1, 1.5, g),
        "truncated_normal.tail": lambda t, g: init.trunc_normal_(t, 0, 1, 1, 2, g),
        "xavier_uniform": lambda t, g: init.xavier_uniform_(t, generator=g),
        "xavier_normal": lambda t, g: init.xavier_normal_(t, 2, generator=g),
        "kaiming_uniform": lambda t, g: init.kaiming_uniform_(t, generator=g),
        "kaiming_normal": lambda t, g: init.kaiming_normal_(t, a=0.2, generator=g),
        "orthogonal": lambda t, g: init.orthogonal_(t, 1.5, generator=g),
    }
    result = {}
    for place, (name, fill) in enumerate(functions.items()):
        for shape in ((6, 5), (3, 4, 2, 3)):
            tensor = torch.empty(*shape)
            fill(tensor, torch.Generator().manual_seed(200 + place))
            result[f"{name}.{len(shape)}"] = tensor
    modules = {
        "linear": lambda: nn.Linear(7, 5),
        "linear.no_bias": lambda: nn.Linear(7, 5, bias=False),
        "embedding": lambda: nn.Embedding(9, 4),
        "conv": lambda: nn.Conv2d(4, 6, (3, 2), groups=2),
        "transpose": lambda: nn.ConvTranspose2d(4, 6, (3, 2), groups=2),
    }
    for place, (name, make) in enumerate(modules.items()):
        torch.manual_seed(300 + place)
        result |= {f"layer.{name}/{k}": v for k, v in make().state_dict().items()}
    return result
