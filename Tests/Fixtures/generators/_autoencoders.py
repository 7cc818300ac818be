"""The autoencoders of Sources/Models/Autoencoders in PyTorch: same layers, keys and order of draws."""

import torch
import torch.nn.functional as F
from torch import distributions as dist
from torch import nn

activations = {"relu": F.relu, "silu": F.silu, "tanh": torch.tanh, "gelu": F.gelu}


def config(kind, architecture, **changes):
    names = {"ae": "autoencoder", "vae": "variational-autoencoder"}
    return {
        "_class_name": names[kind], "architecture": architecture, "image_size": 28, "channels": 1,
        "latent_dim": 3, "hidden_dims": [8], "block_out_channels": [4, 6], "layers_per_block": 0,
        "activation": "silu", "likelihood": "bernoulli", **changes,
    }


def linears(widths):
    return nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))


class ResidualBlock(nn.Module):
    def __init__(self, channels, activation):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = activation

    def forward(self, x):
        return x + self.conv2(self.activation(self.conv1(self.activation(x))))


def residual(channels, count, activation):
    return nn.ModuleList(
        nn.ModuleList(ResidualBlock(c, activation) for _ in range(count)) for c in channels)


class MLP(nn.Module):
    """An encoder (pixels to a vector) or, with a picture's shape, a decoder."""

    def __init__(self, widths, activation, shape=None):
        super().__init__()
        self.hidden = linears(widths[:-1])
        self.head = nn.Linear(widths[-2], widths[-1])
        self.activation, self.shape = activation, shape

    def forward(self, x):
        h = x.flatten(1)
        for layer in self.hidden:
            h = self.activation(layer(h))
        h = self.head(h)
        return h.unflatten(1, self.shape) if self.shape else h


class ConvEncoder(nn.Module):
    def __init__(self, c, outputs, sides, activation):
        super().__init__()
        channels = [c["channels"], *c["block_out_channels"]]
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(channels, channels[1:]))
        self.blocks = residual(channels[1:], c["layers_per_block"], activation)
        widths = [channels[-1] * sides[-1] ** 2, *c["hidden_dims"]]
        self.hidden = linears(widths)
        self.head = nn.Linear(widths[-1], outputs)
        self.activation = activation

    def forward(self, h):
        for down, blocks in zip(self.down, self.blocks):
            h = down(h)
            for block in blocks:
                h = block(h)
            h = self.activation(h)
        h = h.flatten(1)
        for layer in self.hidden:
            h = self.activation(layer(h))
        return self.head(h)


class ConvDecoder(nn.Module):
    def __init__(self, c, sides, activation):
        super().__init__()
        channels, sides = [*c["block_out_channels"][::-1], c["channels"]], sides[::-1]
        self.start = (channels[0], sides[0], sides[0])
        self.hidden = linears(
            [c["latent_dim"], *c["hidden_dims"][::-1], channels[0] * sides[0] ** 2])
        self.blocks = residual(channels[:-1], c["layers_per_block"], activation)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(
                channels[i], channels[i + 1], 4, stride=2, padding=1,
                output_padding=sides[i + 1] - 2 * sides[i])
            for i in range(len(sides) - 1))
        self.activation = activation

    def forward(self, h):
        h = self.hidden[0](h)
        for layer in self.hidden[1:]:
            h = layer(self.activation(h))
        h = h.unflatten(1, self.start)
        for blocks, up in zip(self.blocks, self.up):
            for block in blocks:
                h = block(h)
            h = up(self.activation(h))
        return h


class Autoencoder(nn.Module):
    def __init__(self, c, sigma=1.0):
        super().__init__()
        self.config = c
        activation = activations[c["activation"]]
        variational = c["_class_name"] == "variational-autoencoder"
        outputs = c["latent_dim"] * (2 if variational else 1)
        shape = (c["channels"], c["image_size"], c["image_size"])
        if c["architecture"] == "mlp":
            pixels = shape[0] * shape[1] * shape[2]
            self.encoder = MLP([pixels, *c["hidden_dims"], outputs], activation)
            self.decoder = MLP(
                [c["latent_dim"], *c["hidden_dims"][::-1], pixels], activation, shape)
        else:
            sides = [c["image_size"]]
            for _ in c["block_out_channels"]:
                sides.append(sides[-1] // 2)
            self.encoder = ConvEncoder(c, outputs, sides, activation)
            self.decoder = ConvDecoder(c, sides, activation)
        if c["likelihood"].startswith("gaussian"):
            self.log_sigma = nn.Parameter(
                torch.tensor(sigma).log(), requires_grad=c["likelihood"] == "gaussian-learned")
        else:
            self.log_sigma = None

    def posterior(self, x):
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return mean, log_variance

    def loss(self, x, output):
        """−log p(x | output), nats a picture."""
        return value_losses(self.config["likelihood"], x, output, self.log_sigma).flatten(1).sum(1)


def value_losses(likelihood, x, output, log_sigma):
    if likelihood == "bernoulli":
        return F.binary_cross_entropy_with_logits(output, x, reduction="none")
    if likelihood == "l1":
        return -dist.Laplace(output, 1.0).log_prob(x)
    return -dist.Normal(output, log_sigma.exp()).log_prob(x)


def kl(mean, log_variance):
    """KL(N(μ, σ²) ‖ N(0, 1)) of every dimension."""
    return dist.kl_divergence(dist.Normal(mean, (log_variance / 2).exp()), dist.Normal(0.0, 1.0))
