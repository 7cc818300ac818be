"""Golden files of layers, first weights, optimizers, schedules and averages."""

from safetensors.torch import save_file

from . import _neural_layers, _neural_training


def generate(folder):
    groups = {
        "layers": _neural_layers.layers,
        "dropout": _neural_layers.dropout,
        "starts": _neural_layers.starts,
        "optimizers": _neural_training.optimizers,
        "schedules": _neural_training.schedules,
        "averages": _neural_training.averages,
    }
    for name, make in groups.items():
        tensors = {key: tensor.detach().clone().contiguous() for key, tensor in make().items()}
        save_file(tensors, folder / f"{name}.safetensors")
