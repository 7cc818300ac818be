"""Ten training steps of the classifier in PyTorch: weights, batches, moves, rates, statistics."""

import json

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from ._autoencoder_training import batches, pictures, rate, some, steps

# The keys of ClassifierRecipe.
recipe = {
    "block_out_channels": [6, 10, 12], "label_smoothing": 0.1, "optimizer": "adamw",
    "learning_rate": 4e-3, "weight_decay": 0.02, "lr_schedule": "cosine", "lr_warmup_steps": 2,
    "gradient_clip": 0.0, "ema_decay": 0.99, "batch_size": 16, "flip": True, "shift": 2,
}
run = {"size": 13, "channels": 1, "count": 40, "classes": 3, "seed": 4, "recipe": recipe}
runs = {
    "grey": run,
    "colour": run | {"channels": 3, "size": 16, "seed": 5, "recipe": recipe | {
        "block_out_channels": [8], "label_smoothing": 0.0, "flip": False, "shift": 0}},
}


class Level(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        h = F.relu(self.norm(self.conv(x)))
        return F.relu(h + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(h))))))


class Classifier(nn.Module):
    def __init__(self, channels, widths, classes):
        super().__init__()
        ends = [channels, *widths]
        self.levels = nn.ModuleList(
            Level(a, b, 1 if i == 0 else 2) for i, (a, b) in enumerate(zip(ends, ends[1:])))
        self.head = nn.Linear(widths[-1], classes)

    def features(self, x):
        h = 2 * x - 1
        for level in self.levels:
            h = level(h)
        return h.mean((2, 3))

    def forward(self, x):
        return self.head(self.features(x))


def moved(x, most, noise):
    if most == 0:
        return x
    (n, _, height, width), padded = x.shape, F.pad(x, [most] * 4)
    offsets = torch.randint(0, 2 * most + 1, (n, 2), generator=noise).tolist()
    return torch.stack([
        picture[:, dy:dy + height, dx:dx + width] for picture, (dy, dx) in zip(padded, offsets)])


def train(r):
    p = r["recipe"]
    torch.manual_seed(r["seed"])
    network = Classifier(r["channels"], p["block_out_channels"], r["classes"])
    noise = torch.Generator().manual_seed(r["seed"] + 1)
    data = pictures(r["count"], r["channels"], r["size"])
    data_batches = batches(data, r["seed"], p["batch_size"], p["flip"])
    # The class of picture i is i mod classes; a batch of the same order tells which it is.
    numbers = torch.arange(r["count"]).reshape(-1, 1, 1, 1) * 255
    label_batches = batches(numbers, r["seed"], p["batch_size"], False)
    rule = torch.optim.AdamW(network.parameters(), weight_decay=p["weight_decay"], foreach=False)
    parameters = dict(network.named_parameters())
    averages = {k: v.detach().clone() for k, v in parameters.items()}
    reports = []
    for step in range(steps):
        rule.param_groups[0]["lr"] = rate(p, step)
        rule.zero_grad()
        labels = next(label_batches).flatten().long() % r["classes"]
        logits = network(moved(next(data_batches), p["shift"], noise))
        loss = F.cross_entropy(logits, labels, label_smoothing=p["label_smoothing"])
        loss.backward()
        rule.step()
        decay = 0 if step == 0 else min(p["ema_decay"], 1 - (1 + step) ** (-2 / 3))
        for k, average in averages.items():
            average.lerp_(parameters[k].detach(), 1 - decay)
        reports.append([loss.item(), (logits.argmax(1) == labels).double().mean().item()])
    result = {"reports": torch.tensor(reports, dtype=torch.float64)}
    for k, v in network.state_dict().items():
        result[f"final/{k}"] = some(v).clone()
    result |= {f"average/{k}": some(v)[:256].clone() for k, v in averages.items()}
    # What the averaged network says, in use.
    network.load_state_dict(averages, strict=False)
    network.eval()
    with torch.no_grad():
        x = data[:8].float() / 255
        result |= {"features": network.features(x), "logits": network(x)}
    return result


def generate(folder):
    for name, r in runs.items():
        save_file(train(r), folder / f"ten_steps_{name}.safetensors")
    (folder / "cases.json").write_text(json.dumps(runs, indent=1) + "\n")
