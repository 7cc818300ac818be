"""What the generators share: a file of inputs and, case by case, outputs and gradients.

`GoldenCase` in Tests/TestSupport reads it back. A tensor is named `<input>`, `<case>.out<i>` or
`<case>.grad<i>`; a gradient is that of the weighted sum of the outputs with respect to input i.
"""

import torch
from safetensors.torch import save_file


def weights(like):
    """Fixed weights, exact in every floating type, so that no file needs to hold them."""
    return ((torch.arange(like.numel()) * 7 % 11 - 5) / 4).reshape(like.shape).to(like.dtype)


class Golden:
    def __init__(self, seed=0):
        self.tensors = {}
        self.random = torch.Generator().manual_seed(seed)

    def input(self, name, tensor):
        assert name not in self.tensors, name
        self.tensors[name] = tensor.contiguous()

    def normal(self, name, *shape, scale=1.0, shift=0.0):
        self.input(name, torch.randn(*shape, generator=self.random) * scale + shift)

    def uniform(self, name, *shape, low=0.0, high=1.0):
        self.input(name, torch.rand(*shape, generator=self.random) * (high - low) + low)

    def integers(self, name, low, high, *shape):
        self.input(name, torch.randint(low, high, shape, generator=self.random))

    def case(self, name, inputs, function):
        """Runs `function` on the inputs named in one string; every floating one gets a gradient."""
        given = [self.tensors[i].clone() for i in inputs.split()]
        for tensor in given:
            tensor.requires_grad_(tensor.is_floating_point())
        outputs = function(*given)
        if isinstance(outputs, torch.Tensor):
            outputs = [outputs]
        for i, out in enumerate(outputs):
            key = f"{name}.out{i}"
            assert key not in self.tensors, key
            self.tensors[key] = out.detach().clone().contiguous()
        graded = [out for out in outputs if out.requires_grad]
        floating = [(i, tensor) for i, tensor in enumerate(given) if tensor.requires_grad]
        if not graded or not floating:
            return
        total = sum((out * weights(out)).sum() for out in graded)
        found = torch.autograd.grad(total, [t for _, t in floating], allow_unused=True)
        for (i, _), gradient in zip(floating, found):
            if gradient is not None:
                self.tensors[f"{name}.grad{i}"] = gradient.detach().clone().contiguous()

    def save(self, path):
        save_file(self.tensors, path)
