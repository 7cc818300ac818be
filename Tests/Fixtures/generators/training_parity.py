"""Ten training steps of an autoencoder, the MLP VAE and the convolutional VAE in plain PyTorch.

First weights, batches and noise come from seeds that the Swift test draws from too, so the file
holds losses and final parameters alone: of each parameter every n-th element, its sum and its norm.
"""

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

BATCH, STEPS = 16, 10


class MLP(nn.Module):
    def __init__(self, latent, outputs):
        super().__init__()
        self.encoder = nn.ModuleDict({"hidden": nn.ModuleList([nn.Linear(784, 400)]), "head": nn.Linear(400, outputs)})
        self.decoder = nn.ModuleDict({"hidden": nn.ModuleList([nn.Linear(latent, 400)]), "head": nn.Linear(400, 784)})

    def encode(self, x):
        return self.encoder["head"](F.relu(self.encoder["hidden"][0](x.flatten(1))))

    def decode(self, z):
        return self.decoder["head"](F.relu(self.decoder["hidden"][0](z))).view(-1, 1, 28, 28)


class Conv(nn.Module):
    def __init__(self, latent, outputs):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "down": nn.ModuleList([nn.Conv2d(1, 32, 4, 2, 1), nn.Conv2d(32, 64, 4, 2, 1)]),
            "hidden": nn.ModuleList([nn.Linear(64 * 49, 256)]),
            "head": nn.Linear(256, outputs),
        })
        self.decoder = nn.ModuleDict({
            "hidden": nn.ModuleList([nn.Linear(latent, 256), nn.Linear(256, 64 * 49)]),
            "up": nn.ModuleList([nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ConvTranspose2d(32, 1, 4, 2, 1)]),
        })

    def encode(self, x):
        for down in self.encoder["down"]:
            x = F.silu(down(x))
        return self.encoder["head"](F.silu(self.encoder["hidden"][0](x.flatten(1))))

    def decode(self, z):
        h = self.decoder["hidden"][1](F.silu(self.decoder["hidden"][0](z))).view(-1, 64, 7, 7)
        for up in self.decoder["up"]:
            h = up(F.silu(h))
        return h


def train(network, latent, variational):
    batches, noise = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(STEPS):
        x = torch.rand(BATCH, 1, 28, 28, generator=batches)
        code = network.encode(x)
        kl = torch.zeros(())
        if variational:
            mean, log_variance = code.chunk(2, 1)
            code = mean + torch.randn(mean.shape, generator=noise) * (0.5 * log_variance).exp()
            kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum() / BATCH
        reconstruction = F.binary_cross_entropy_with_logits(network.decode(code), x, reduction="sum") / BATCH
        loss = reconstruction + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    tensors = {"losses": torch.stack(losses)}
    for name, parameter in network.named_parameters():
        flat = parameter.detach().flatten()
        tensors[f"{name}.some"] = flat[:: max(1, len(flat) // 1000)].clone()
        tensors[f"{name}.sum"] = flat.double().sum()
        tensors[f"{name}.norm"] = flat.double().norm()
    return tensors


def generate(folder):
    torch.set_num_threads(1)
    for name, network, latent, variational in [
        ("ae", lambda: MLP(20, 20), 20, False),
        ("vae_mlp", lambda: MLP(20, 40), 20, True),
        ("vae_conv", lambda: Conv(32, 64), 32, True),
    ]:
        torch.manual_seed(0)
        save_file(train(network(), latent, variational), folder / f"{name}.safetensors")
