"""Golden files of adversarial losses, penalties, normalised layers and augmentation.

Losses are binary cross-entropies where they are such; penalties, conditional batch normalisation
and augmentation are written out from the papers' equations on PyTorch's operations.
"""

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ._golden import Golden
from ._neural_layers import Layers


def generate(folder):
    groups = {"losses": losses, "penalties": penalties, "layers": layers, "augment": augment}
    for name, make in groups.items():
        tensors = {key: tensor.detach().clone().contiguous() for key, tensor in make().items()}
        save_file(tensors, folder / f"{name}.safetensors")


# Losses --------------------------------------------------------------------------------------


def entropy(scores, target):
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


def game(real, fake):
    return entropy(real, 1.0) + entropy(fake, 0.0)


# name: (discriminator, generator), both of real and generated scores.
LOSSES = {
    "minimax": (game, lambda r, f: -entropy(f, 0.0)),
    "non-saturating": (game, lambda r, f: entropy(f, 1.0)),
    "lsgan": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + ((f - 0) ** 2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
    ),
    "wgan": (lambda r, f: -(r.mean() - f.mean()), lambda r, f: -f.mean()),
    "hinge": (
        lambda r, f: -(torch.clamp(r - 1, max=0).mean() + torch.clamp(-f - 1, max=0).mean()),
        lambda r, f: -f.mean(),
    ),
    "relativistic": (
        lambda r, f: -F.logsigmoid(r - f).mean(),
        lambda r, f: -F.logsigmoid(f - r).mean(),
    ),
}


def balance(name, real, fake):
    """Value, both scores, accuracy, in float64."""
    r, f = real.double(), fake.double()
    middle = (r.mean() + f.mean()) / 2
    p, q = r.sigmoid(), f.sigmoid()
    if name == "lsgan":
        p, q = r.clamp(1e-6, 1 - 1e-6), f.clamp(1e-6, 1 - 1e-6)
    if name == "relativistic":
        p, q = (r - middle).sigmoid(), (f - middle).sigmoid()
    value = p.log().mean() + (1 - q).log().mean()
    if name == "wgan":
        value = r.mean() - f.mean()
    logits = name in ("minimax", "non-saturating")
    shown = (r.sigmoid(), f.sigmoid()) if logits else (r, f)
    zero = {"lsgan": 0.5, "wgan": middle, "relativistic": middle}.get(name, 0.0)
    accuracy = ((r >= zero).double().mean() + (f < zero).double().mean()) / 2
    return torch.stack([value, shown[0].mean(), shown[1].mean(), accuracy])


def losses():
    g = Golden(700)
    g.normal("real", 12, scale=2.0, shift=1.0)
    g.normal("fake", 12, scale=2.0, shift=-0.5)
    g.normal("real_patches", 3, 7, scale=1.5)
    g.normal("fake_patches", 3, 7, scale=1.5)
    # Where a sigmoid is 0 or 1 to the last bit.
    g.input("real_far", torch.tensor([60.0, -60.0, 25.0, -25.0, 0.25]))
    g.input("fake_far", torch.tensor([-70.0, 80.0, 22.0, -21.0, -0.5]))
    for name, (discriminator, generator) in LOSSES.items():
        for kind in ("", "_patches", "_far"):
            given = f"real{kind} fake{kind}"
            g.case(f"{name}{kind}.discriminator", given, discriminator)
            g.case(f"{name}{kind}.generator", given, lambda r, f, loss=generator: loss(r, f))
        for kind in ("", "_patches"):
            real, fake = g.tensors[f"real{kind}"], g.tensors[f"fake{kind}"]
            g.tensors[f"balance.{name}{kind}"] = balance(name, real, fake)
    return g.tensors


# Penalties -----------------------------------------------------------------------------------


def critics():
    """Scores of every shape, weights of every kind; all keys are places in a sequence."""
    conv = nn.Conv2d
    return {
        "points": nn.Sequential(
            nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.SiLU(), nn.Linear(8, 1)
        ),
        "plain": nn.Sequential(
            conv(3, 4, 3, padding=1), nn.LeakyReLU(0.2), conv(4, 6, 4, 2, 1), nn.LeakyReLU(0.2),
            conv(6, 1, 3),
        ),
        "smooth": nn.Sequential(
            conv(3, 4, 3, padding=1), nn.GELU(), conv(4, 4, 3, padding=1, groups=2),
            nn.GroupNorm(2, 4), nn.SiLU(), conv(4, 1, 4, 2, 1),
        ),
        "batch_norm": nn.Sequential(
            conv(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), conv(4, 1, 3)
        ),
        "spectral": nn.Sequential(
            spectral_norm(conv(3, 4, 4, 2, 1)), nn.LeakyReLU(0.2), spectral_norm(conv(4, 1, 3))
        ),
    }  # fmt: skip


def slopes(critic, x):
    x = x.detach().clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return slope.flatten(1)


def r1(critic, real, fake, random):
    return (slopes(critic, real) ** 2).sum(1).mean()


def wgan_gp(critic, real, fake, random):
    u = torch.rand(real.shape[0], *[1] * (real.dim() - 1), generator=random)
    return ((slopes(critic, u * real + (1 - u) * fake).norm(2, dim=1) - 1) ** 2).mean()


def dragan(critic, real, fake, random):
    u = torch.rand(real.shape, generator=random)
    return ((slopes(critic, real + 0.5 * real.std() * u).norm(2, dim=1) - 1) ** 2).mean()


def penalties():
    random = torch.Generator().manual_seed(701)
    t = {}
    for kind, shape in (("points", (5, 2)), ("pictures", (4, 3, 6, 6))):
        for side in ("real", "fake"):
            t[f"{side}.{kind}"] = torch.randn(*shape, generator=random)
    for name, critic in critics().items():
        with torch.no_grad():
            for weight in critic.parameters():
                weight.copy_(torch.randn(*weight.shape, generator=random) * 0.4)
            for key, buffer in critic.named_buffers():
                if key.endswith(("_u", "_v")):
                    start = torch.randn(*buffer.shape, generator=random)
                    buffer.copy_(F.normalize(start, dim=0))
        start = {key: value.clone() for key, value in critic.state_dict().items()}
        t |= {f"{name}/weights/{own(key)}": value for key, value in start.items()}
        kind = "points" if name == "points" else "pictures"
        for penalty in (r1, wgan_gp, dragan):
            critic.load_state_dict(start)
            critic.zero_grad()
            draws = torch.Generator().manual_seed(702)
            loss = penalty(critic, t[f"real.{kind}"], t[f"fake.{kind}"], draws)
            loss.backward()
            case = f"{name}/{penalty.__name__}"
            t[f"{case}/out"] = loss
            for key, weight in critic.named_parameters():
                if weight.grad is not None:
                    t[f"{case}/grad/{own(key)}"] = weight.grad.clone()
    return t


# Layers --------------------------------------------------------------------------------------


def own(key):
    """PyTorch's keys of a normalised weight as ours: `u` and `v` beside `weight`."""
    key = key.replace("parametrizations.weight.original", "weight")
    return key.replace("parametrizations.weight.0._", "").replace("inner.", "")


class Twice(nn.Module):
    """Two calls before one backward pass, as with real and generated samples."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x) * 2 + self.inner(x * x)


class ConditionalBatchNorm(nn.Module):
    def __init__(self, channels, classes, eps=1e-5, momentum=0.1):
        super().__init__()
        self.inner = nn.BatchNorm2d(channels, eps, momentum, affine=False)
        self.gamma = nn.Parameter(torch.zeros(classes, channels))
        self.beta = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, x, labels):
        classes = F.one_hot(labels, self.gamma.shape[0]).to(x.dtype)
        gamma, beta = classes @ self.gamma, classes @ self.beta
        return (1 + gamma[:, :, None, None]) * self.inner(x) + beta[:, :, None, None]


def evaluated(module):
    """In use, with running statistics that are not those of the start."""
    norm = module.inner
    norm.running_mean.copy_(torch.linspace(-1, 1, norm.num_features))
    norm.running_var.copy_(torch.linspace(0.5, 2, norm.num_features))
    norm.num_batches_tracked.fill_(3)
    return module.eval()


def settle(module):
    """u and v near the largest singular pair: uᵀ W v of any others is a small difference of large
    numbers, whose last bits are each processor's own."""
    module.train()
    with torch.no_grad():
        for _ in range(3):
            module.weight
    module.eval()


def layers():
    torch.manual_seed(703)  # for the starts of u and v
    g = Layers(704)
    rows, picture = g.normal(3, 5), g.normal(2, 4, 7, 6)
    conv = nn.Conv2d
    g.case("linear", spectral_norm(nn.Linear(5, 4)), rows)
    g.case("linear.no_bias", spectral_norm(nn.Linear(5, 4, bias=False)), rows)
    g.case("linear.use", spectral_norm(nn.Linear(5, 4)).eval(), rows, prepare=settle)
    g.case("linear.twice", Twice(spectral_norm(nn.Linear(5, 4))), rows)
    g.case("conv", spectral_norm(conv(4, 6, 3)), picture)
    g.case("conv.stride", spectral_norm(conv(4, 3, 4, stride=2, padding=1)), picture)
    g.case("conv.groups", spectral_norm(conv(4, 6, 3, 1, 1, groups=2, bias=False)), picture)
    g.case("conv.use", spectral_norm(conv(4, 6, 3)).eval(), picture, prepare=settle)
    g.case("conv.twice", Twice(spectral_norm(conv(4, 6, 3))), picture)
    places = torch.tensor([[1, 6, 1], [0, 3, 2]])
    g.case("embedding", spectral_norm(nn.Embedding(7, 4)), places)

    batch, labels = g.normal(5, 4, 3, 2), torch.tensor([2, 0, 2, 1, 0])
    g.case("conditional", ConditionalBatchNorm(4, 4), batch, labels)
    g.case("conditional.momentum", ConditionalBatchNorm(4, 3, 0.1, 0.7), batch, labels)
    g.case("conditional.use", evaluated(ConditionalBatchNorm(4, 3)), batch, labels)
    return {own(key): tensor for key, tensor in g.tensors.items()}


# Augmentation --------------------------------------------------------------------------------


def color(x, random):
    def uniform():
        return torch.rand(x.shape[0], 1, 1, 1, generator=random)

    x = x + uniform() - 0.5
    if x.shape[1] == 3:
        grey = x.mean(1, keepdim=True)
        x = torch.lerp(grey.expand_as(x), x, 2 * uniform())
    mean = x.mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean.expand_as(x), x, uniform() + 0.5)


def translation(x, random):
    """Every picture cut out of one with wide margins of zeros."""
    n, _, height, width = x.shape
    reach = [int(extent / 8 + 0.5) for extent in (height, width)]
    rows, columns = (torch.randint(-r, r + 1, (n,), generator=random).tolist() for r in reach)
    wide = F.pad(x, (reach[1], reach[1], reach[0], reach[0]))
    moved = []
    for i, (row, column) in enumerate(zip(rows, columns)):
        top, left = reach[0] + row, reach[1] + column
        moved.append(wide[i, :, top : top + height, left : left + width])
    return torch.stack(moved)


def cutout(x, random):
    sides = x.shape[2:]
    size = [int(extent / 2 + 0.5) for extent in sides]
    centers = [
        torch.randint(0, extent + (1 - s % 2), (x.shape[0],), generator=random).tolist()
        for extent, s in zip(sides, size)
    ]
    mask = torch.ones(x.shape[0], 1, *sides)
    for i, (row, column) in enumerate(zip(*centers)):
        top, left = row - size[0] // 2, column - size[1] // 2
        mask[i, :, max(top, 0) : top + size[0], max(left, 0) : left + size[1]] = 0
    return x * mask


AUGMENT = {"color": color, "translation": translation, "cutout": cutout}


def augment():
    g = Golden(705)
    g.normal("colors", 5, 3, 12, 8)
    g.normal("greys", 5, 1, 7, 9)
    policies = [[name] for name in AUGMENT] + [list(AUGMENT), ["cutout", "color"]]
    for pictures in ("colors", "greys"):
        for policy in policies:

            def changed(x, policy=policy):
                random = torch.Generator().manual_seed(706)
                for name in policy:
                    x = AUGMENT[name](x, random)
                return x

            g.case(f"{pictures}.{'+'.join(policy)}", pictures, changed)
    return g.tensors
