"""Generators and discriminators in PyTorch, with the keys of Sources/Models/Adversarial."""

import torch
import torch.nn.functional as F
from torch import nn


def config(kind, architecture, **more):
    return {
        "_class_name": f"gan-{kind}", "architecture": architecture, "image_size": 12,
        "channels": 1, "latent_dim": 5, "hidden_dims": [7, 6], "block_out_channels": [4, 6, 8],
        "layers_per_block": 1, "group_size": 0, "patch_size": 1, "class_count": 0,
        "spectral_norm": False,
        "discriminator_norm": True} | more


class ConditionalNorm(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(classes, channels))
        self.beta = nn.Parameter(torch.zeros(classes, channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x, labels):
        if self.training:
            self.num_batches_tracked += 1
        h = F.batch_norm(x, self.running_mean, self.running_var, training=self.training)
        return h * (1 + self.gamma[labels])[..., None, None] + self.beta[labels][..., None, None]


class Norm(nn.BatchNorm2d):
    def forward(self, x, labels):
        return super().forward(x)


def norm(channels, classes):
    return ConditionalNorm(channels, classes) if classes else Norm(channels)


class Spectral(nn.Module):
    """A layer whose weight is divided by its largest singular value after one power iteration."""

    def __init__(self, layer, function):
        super().__init__()
        self.weight = layer.weight
        if getattr(layer, "bias", None) is not None:
            self.bias = layer.bias
        matrix = layer.weight.detach().flatten(1)
        unit = lambda n: F.normalize(torch.randn(n), dim=0)
        self.register_buffer("u", unit(matrix.shape[0]))
        self.register_buffer("v", unit(matrix.shape[1]))
        self.function = function

    def forward(self, x):
        matrix = self.weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self.u.copy_(F.normalize(matrix @ self.v, dim=0))
                self.v.copy_(F.normalize(matrix.T @ self.u, dim=0))
        sigma = self.u.clone() @ matrix @ self.v.clone()
        return self.function(x, self.weight / sigma, getattr(self, "bias", None))


def conv(inputs, outputs, kernel, stride=1, padding=0, spectral=False, bias=True):
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)
    if not spectral:
        return layer
    return Spectral(layer, lambda x, w, b: F.conv2d(x, w, b, stride, padding))


def linear(inputs, outputs, spectral=False):
    layer = nn.Linear(inputs, outputs)
    return Spectral(layer, F.linear) if spectral else layer


class Head(nn.Module):
    def __init__(self, width, classes, spectral):
        super().__init__()
        self.linear = linear(width, 1, spectral)
        if classes:
            table = nn.Embedding(classes, width)
            self.classes = (
                Spectral(table, lambda x, w, b: F.embedding(x, w)) if spectral else table)

    def forward(self, x, labels):
        score = self.linear(x)[:, 0]
        return score if labels is None else score + (self.classes(labels) * x).sum(1)


class MLPGenerator(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, side = c["latent_dim"], c["image_size"]
        if c["class_count"]:
            self.classes = nn.Embedding(c["class_count"], width)
        self.shape = [c["channels"]] if side == 0 else [c["channels"], side, side]
        ends = [width * (2 if c["class_count"] else 1), *c["hidden_dims"]]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(ends, ends[1:]))
        self.head = nn.Linear(ends[-1], torch.Size(self.shape).numel())

    def forward(self, z, labels):
        h = z if labels is None else torch.cat([z, self.classes(labels)], 1)
        for layer in self.hidden:
            h = F.leaky_relu(layer(h), 0.2)
        h = self.head(h)
        return h if len(self.shape) == 1 else torch.tanh(h).reshape(-1, *self.shape)


class MLPDiscriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        ends = [c["channels"] * max(c["image_size"], 1) ** 2, *c["hidden_dims"]]
        self.hidden = nn.ModuleList(
            linear(a, b, c["spectral_norm"]) for a, b in zip(ends, ends[1:]))
        self.head = Head(ends[-1], c["class_count"], c["spectral_norm"])

    def features(self, x):
        h = x.flatten(1)
        for layer in self.hidden:
            h = F.leaky_relu(layer(h), 0.2)
        return h

    def scores(self, h, labels):
        return self.head(h, labels)


def base(c):
    patch = c["patch_size"] if c["architecture"] == "r3gan" else 1
    return c["image_size"] // patch >> (len(c["block_out_channels"]) - 1)


class DCGANGenerator(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths, classes = c["block_out_channels"][::-1], c["class_count"]
        self.start = (-1, widths[0], base(c), base(c))
        self.stem = nn.Linear(c["latent_dim"], widths[0] * base(c) ** 2, bias=False)
        self.stem_norm = norm(widths[0], classes)
        self.conv = nn.Conv2d(widths[0], widths[1], 3, 1, 1, bias=False)
        self.conv_norm = norm(widths[1], classes)
        ends = [*widths[1:], c["channels"]]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, 2, 1, bias=i == len(ends) - 2)
            for i, (a, b) in enumerate(zip(ends, ends[1:])))
        self.norms = nn.ModuleList(norm(b, classes) for b in widths[2:])

    def forward(self, z, labels):
        h = F.relu(self.stem_norm(self.stem(z).reshape(self.start), labels))
        h = F.relu(self.conv_norm(self.conv(h), labels))
        for up, after in zip(self.up, self.norms):
            h = F.relu(after(up(h), labels))
        return torch.tanh(self.up[-1](h))


class Levels(nn.Module):
    """What DCGAN's and the patch discriminator have in common."""

    def __init__(self, c, last):
        super().__init__()
        widths, s = c["block_out_channels"], c["spectral_norm"]
        self.stem = conv(c["channels"], widths[0], 4, 2, 1, s)
        normalised = c["discriminator_norm"] and not s
        self.down = nn.ModuleList(
            conv(a, b, *((4, 2) if i < len(widths) - 2 else (last, 1)), 1, s, not normalised)
            for i, (a, b) in enumerate(zip(widths, widths[1:])))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in widths[1:] if normalised)

    def forward(self, x):
        h = F.leaky_relu(self.stem(x), 0.2)
        for i, down in enumerate(self.down):
            h = down(h)
            h = F.leaky_relu(self.norms[i](h) if len(self.norms) else h, 0.2)
        return h


class DCGANDiscriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.levels = Levels(c, 3)
        width = c["block_out_channels"][-1] * base(c) ** 2
        self.head = Head(width, c["class_count"], c["spectral_norm"])

    def features(self, x):
        return self.levels(x)

    def scores(self, h, labels):
        return self.head(h.flatten(1), labels)


class PatchDiscriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.levels = Levels(c, 4)
        self.head = nn.Conv2d(c["block_out_channels"][-1], 1, 4, 1, 1)

    def features(self, x):
        return self.levels(x)

    def scores(self, h, labels):
        return self.head(h).flatten(1)


class UpBlock(nn.Module):
    def __init__(self, inputs, outputs, classes):
        super().__init__()
        self.norm1, self.norm2 = norm(inputs, classes), norm(outputs, classes)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, labels):
        twice = lambda h: F.interpolate(h, scale_factor=2)
        h = self.conv1(twice(F.relu(self.norm1(x, labels))))
        h = self.conv2(F.relu(self.norm2(h, labels)))
        return h + self.shortcut(twice(x))  # in the paper's order


class SNGANGenerator(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = c["block_out_channels"][::-1]
        self.start = (-1, widths[0], base(c), base(c))
        self.stem = nn.Linear(c["latent_dim"], widths[0] * base(c) ** 2)
        self.blocks = nn.ModuleList(
            UpBlock(a, b, c["class_count"]) for a, b in zip(widths, widths[1:]))
        self.norm = nn.BatchNorm2d(widths[-1])
        self.head = nn.Conv2d(widths[-1], c["channels"], 3, 1, 1)

    def forward(self, z, labels):
        h = self.stem(z).reshape(self.start)
        for block in self.blocks:
            h = block(h, labels)
        return torch.tanh(self.head(F.relu(self.norm(h))))


class DownBlock(nn.Module):
    def __init__(self, inputs, outputs, halves, first, s):
        super().__init__()
        self.conv1 = conv(inputs, outputs, 3, 1, 1, s)
        self.conv2 = conv(outputs, outputs, 3, 1, 1, s)
        self.shortcut = conv(inputs, outputs, 1, spectral=s)
        self.halves, self.first = halves, first

    def forward(self, x):
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        s = self.shortcut(x)
        return F.avg_pool2d(h, 2) + F.avg_pool2d(s, 2) if self.halves else h + s


class SNGANDiscriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["channels"], *c["block_out_channels"]]
        last = len(widths) - 2
        self.blocks = nn.ModuleList(
            DownBlock(a, b, i < last, i == 0, c["spectral_norm"])
            for i, (a, b) in enumerate(zip(widths, widths[1:])))
        self.head = Head(widths[-1], c["class_count"], c["spectral_norm"])

    def features(self, x):
        for block in self.blocks:
            x = block(x)
        return F.relu(x)

    def scores(self, h, labels):
        return self.head(h.sum((2, 3)), labels)


class R3Block(nn.Module):
    def __init__(self, width, group):
        super().__init__()
        inner = 2 * width
        self.conv1 = nn.Conv2d(width, inner, 1)
        self.conv2 = nn.Conv2d(
            inner, inner, 3, padding=1, groups=inner // group if group else 1)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)

    def forward(self, x):
        h = F.leaky_relu(self.conv2(F.leaky_relu(self.conv1(x), 0.2)), 0.2)
        return x + self.conv3(h)


def levels(widths, c):
    return nn.ModuleList(
        nn.ModuleList(R3Block(w, c["group_size"]) for _ in range(c["layers_per_block"]))
        for w in widths)


class R3GANGenerator(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = c["block_out_channels"][::-1]
        if c["class_count"]:
            self.classes = nn.Embedding(c["class_count"], c["latent_dim"])
        self.basis = nn.Parameter(torch.randn(widths[0], base(c), base(c)))
        inputs = c["latent_dim"] * (2 if c["class_count"] else 1)
        self.weighing = nn.Linear(inputs, widths[0], bias=False)
        self.levels = levels(widths, c)
        self.transitions = nn.ModuleList(
            nn.Conv2d(a, b, 1, bias=False) for a, b in zip(widths, widths[1:]))
        self.patch = c["patch_size"]
        self.head = nn.Conv2d(widths[-1], c["channels"] * self.patch ** 2, 1, bias=False)

    def forward(self, z, labels):
        h = z if labels is None else torch.cat([z, self.classes(labels)], 1)
        h = self.weighing(h)[..., None, None] * self.basis
        for i, blocks in enumerate(self.levels):
            if i > 0:
                h = F.interpolate(
                    self.transitions[i - 1](h), scale_factor=2, mode="bilinear",
                    align_corners=False)
            for block in blocks:
                h = block(h)
        return F.pixel_shuffle(self.head(h), self.patch)


class R3GANDiscriminator(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = c["block_out_channels"]
        self.patch = c["patch_size"]
        self.stem = nn.Conv2d(c["channels"] * self.patch ** 2, widths[0], 1, bias=False)
        self.levels = levels(widths, c)
        self.transitions = nn.ModuleList(
            nn.Conv2d(a, b, 1, bias=False) for a, b in zip(widths, widths[1:]))
        self.basis = nn.Conv2d(
            widths[-1], widths[-1], base(c), groups=widths[-1], bias=False)
        self.head = Head(widths[-1], c["class_count"], False)

    def features(self, x):
        h = self.stem(F.pixel_unshuffle(x, self.patch))
        for i, blocks in enumerate(self.levels):
            if i > 0:
                h = self.transitions[i - 1](F.interpolate(
                    h, scale_factor=0.5, mode="bilinear", align_corners=False))
            for block in blocks:
                h = block(h)
        return h

    def scores(self, h, labels):
        return self.head(self.basis(h).flatten(1), labels)


kinds = {
    "mlp": (MLPGenerator, MLPDiscriminator), "dcgan": (DCGANGenerator, DCGANDiscriminator),
    "sngan": (SNGANGenerator, SNGANDiscriminator), "r3gan": (R3GANGenerator, R3GANDiscriminator),
    "patch": (None, PatchDiscriminator),
}


def generator(c):
    return kinds[c["architecture"]][0](c)


def discriminator(c):
    return kinds[c["architecture"]][1](c)
