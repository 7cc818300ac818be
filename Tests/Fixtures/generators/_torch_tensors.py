"""Tensor operations as PyTorch computes them: a function a file, a line a case."""

import torch
import torch.nn.functional as F



def creation(g):
    kinds = {"uint8": torch.uint8, "int64": torch.int64, "float16": torch.float16,
             "float32": torch.float32, "float64": torch.float64, "bool": torch.bool,
             "bfloat16": torch.bfloat16}
    g.input("values", torch.tensor([[0.0, 1.0, 2.7], [100.3, 0.1, 255.0]]))
    g.input("whole", torch.tensor([0, 1, 7, 255]))
    g.normal("picture", 2, 3, 4, 5)
    for name, dtype in kinds.items():
        g.case(f"full.{name}", "", lambda: torch.full((2, 3), 1, dtype=dtype))
        g.case(f"to.{name}", "values", lambda x: x.to(dtype))
        g.case(f"to.{name}.whole", "whole", lambda x: x.to(dtype))
    g.case("full.fraction", "", lambda: torch.full((2,), 0.3, dtype=torch.float64))
    g.case("zeros", "", lambda: torch.zeros(2, 0, 3))
    g.case("ones", "", lambda: torch.ones(3, dtype=torch.int64))
    g.case("arange", "", lambda: torch.arange(5))
    g.case("arange.float", "", lambda: torch.arange(3, dtype=torch.float32))
    g.case("arange.step", "", lambda: torch.arange(7, -3, -2))
    g.case("arange.fraction", "", lambda: torch.arange(0.5, 2.0, 0.25))
    g.case("linspace", "", lambda: torch.linspace(-1, 2, 7))
    g.case("linspace.double", "", lambda: torch.linspace(0, 1, 4, dtype=torch.float64))
    g.case("eye", "", lambda: torch.eye(3))
    g.case("eye.int64", "", lambda: torch.eye(2, dtype=torch.int64))
    g.case("scalar", "", lambda: torch.tensor(0.1))
    g.case("scalar.double", "", lambda: torch.tensor(0.1, dtype=torch.float64))
    g.case("clone", "picture", lambda x: x.clone())
    g.case("contiguous", "picture", lambda x: x.permute(0, 2, 3, 1).contiguous())
    g.case("channels_last", "picture",
           lambda x: x.contiguous(memory_format=torch.channels_last))


def draws(g):
    def seeded(seed):
        return torch.Generator().manual_seed(seed)

    g.uniform("chances", 4, 5)
    for name, dtype in {"float32": torch.float32, "float64": torch.float64,
                        "float16": torch.float16, "bfloat16": torch.bfloat16}.items():
        # Below 16 elements, and off multiples of 16, libtorch draws normals in other ways.
        for count in (5, 16, 35):
            g.case(f"randn.{name}.{count}", "",
                   lambda: torch.randn(count, dtype=dtype, generator=seeded(count)))
        g.case(f"rand.{name}", "", lambda: torch.rand(3, 7, dtype=dtype, generator=seeded(2)))
    g.case("randn.shape", "", lambda: torch.randn(2, 4, 8, generator=seeded(2**63 + 5)))
    g.case("randint", "", lambda: torch.randint(-3, 9, (4, 6), generator=seeded(3)))
    g.case("randint.float32", "",
           lambda: torch.randint(0, 5, (7,), dtype=torch.float32, generator=seeded(4)))
    g.case("randperm", "", lambda: torch.randperm(33, generator=seeded(5)))
    g.case("bernoulli", "chances", lambda p: torch.bernoulli(p.detach(), generator=seeded(6)))
    g.case("multinomial.replacement", "chances",
           lambda p: torch.multinomial(p.detach(), 9, replacement=True, generator=seeded(8)))
    g.case("fill_uniform", "", lambda: torch.empty(3, 6).uniform_(-2, 3, generator=seeded(9)))
    g.case("fill_normal", "", lambda: torch.empty(4, 5).normal_(1.5, 0.2, generator=seeded(10)))
    g.case("fill_normal.default", "", lambda: torch.empty(7).normal_(generator=seeded(11)))
    # These two draw from MKL where libtorch has it: no cases that hold on every machine.
    g.input("mkl.multinomial", torch.multinomial(g.tensors["chances"], 3, generator=seeded(7)))
    g.input("mkl.fill_bernoulli", torch.empty(6, 7).bernoulli_(0.3, generator=seeded(13)))
    # Draws in a row from one generator, then its state, then what follows from there.
    one = seeded(12)
    torch.randn(7, generator=one)  # an odd count leaves a normal in the cache, part of the state
    torch.randint(0, 100, (3,), generator=one)
    g.case("state", "", lambda: one.get_state())
    g.case("continued", "", lambda: torch.randn(9, generator=one))


def elementwise(g):
    g.normal("x", 3, 4, scale=1.5)
    g.uniform("positive", 3, 4, low=0.1, high=3)
    g.uniform("unit", 3, 4, low=-0.9, high=0.9)
    g.input("special", torch.tensor(
        [float("nan"), float("inf"), -float("inf"), 0, -0.0, 1.5, 2.5, -0.5, -3.7]))
    for name in "exp expm1 square abs sin cos atan sinh cosh tanh erf sigmoid relu".split():
        g.case(name, "x", getattr(torch, name))
    for name in "log log1p log2 log10 sqrt rsqrt reciprocal lgamma".split():
        g.case(name, "positive", getattr(torch, name))
    for name in "tan asin acos erfinv".split():
        g.case(name, "unit", getattr(torch, name))
    for name in "exp sign floor ceil round trunc isnan isfinite logical_not".split():
        g.case(f"{name}.special", "special", getattr(torch, name))
    for name in "silu mish hardswish logsigmoid leaky_relu elu gelu softplus".split():
        g.case(name, "x", getattr(F, name))
    g.case("leaky_relu.slope", "x", lambda x: F.leaky_relu(x, 0.2))
    g.case("elu.alpha", "x", lambda x: F.elu(x, 0.7))
    g.case("gelu.tanh", "x", lambda x: F.gelu(x, approximate="tanh"))
    g.case("softplus.beta", "x", lambda x: F.softplus(x, 2, 1))
    g.case("softmax", "x", lambda x: x.softmax(0))
    g.case("softmax.last", "x", lambda x: x.softmax(-1))
    g.case("log_softmax", "x", lambda x: x.log_softmax(1))


def arithmetic(g):
    pool(g)
    for name, f in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        g.case(name, "x y", f)
        g.case(f"{name}.row", "x row", f)
        g.case(f"{name}.outer", "row column", f)
        g.case(f"{name}.int", "i j", f)
        g.case(f"{name}.mixed", "i x", f)
        g.case(f"{name}.half", "h h", f)
        for key, value in {"int": 3, "fraction": 0.7}.items():
            g.case(f"{name}.by_{key}", "x", lambda x: f(x, value))
            g.case(f"{name}.int_by_{key}", "i", lambda i: f(i, value))
            g.case(f"{name}.half_by_{key}", "h", lambda h: f(h, value))
    g.case("int_minus", "i", lambda i: 3 - i)
    g.case("minus", "x", lambda x: 0.5 - x)
    g.case("over", "positive", lambda x: 3 / x)
    g.case("over.int", "j", lambda j: 2 / j)
    g.case("neg", "x", torch.neg)
    g.case("neg.int", "i", torch.neg)
    for name in "eq ne lt le gt ge".split():
        f = getattr(torch, name)
        g.case(name, "i j", f)
        g.case(f"{name}.row", "x row", f)
        g.case(f"{name}.by_int", "i", lambda i: f(i, 2))
        g.case(f"{name}.by_fraction", "x", lambda x: f(x, 0.25))
    g.case("logical_and", "a b", torch.logical_and)
    g.case("logical_or", "a b", torch.logical_or)


def pool(g):
    g.normal("x", 3, 4)
    g.normal("y", 3, 4, shift=2)
    g.uniform("positive", 3, 4, low=0.2, high=2)
    g.normal("row", 4)
    g.normal("column", 3, 1)
    g.integers("i", -4, 5, 3, 4)
    g.input("j", torch.tensor([[1, 2, 3, -1], [-2, 4, 2, 1], [3, -3, 2, 2]]))
    g.input("h", torch.tensor([0.5, -1.25, 3.0, 7.5], dtype=torch.float16))
    g.integers("a01", 0, 2, 3, 4)
    g.input("a", g.tensors["a01"].bool())
    g.input("b", g.tensors["i"] > 0)


def functions(g):
    pool(g)
    g.normal("batch", 2, 3, 4)
    g.normal("batch2", 2, 4, 2)
    g.normal("matrix", 4, 5)
    g.case("pow", "positive x", torch.pow)
    g.case("pow.by_int", "x", lambda x: x.pow(3))
    g.case("pow.by_fraction", "positive", lambda x: x.pow(0.3))
    g.case("pow.int", "i", lambda i: i.pow(2))
    for name in "maximum minimum remainder atan2".split():
        g.case(name, "x y", getattr(torch, name))
    g.case("maximum.row", "x row", torch.maximum)
    g.case("remainder.int", "i j", torch.remainder)
    g.case("remainder.by_int", "i", lambda i: torch.remainder(i, -3))
    g.case("remainder.by_fraction", "x", lambda x: torch.remainder(x, 0.4))
    g.case("floor_divide", "x y", lambda x, y: torch.floor_divide(x.detach(), y.detach()))
    g.case("floor_divide.int", "i j", torch.floor_divide)
    g.case("floor_divide.by_int", "i", lambda i: i // 3)
    g.case("floor_divide.by_fraction", "x", lambda x: x.detach() // 0.4)
    g.case("matmul", "x matrix", torch.matmul)
    g.case("matmul.batch", "batch matrix", torch.matmul)
    g.case("matmul.vector", "x row", torch.matmul)
    g.case("bmm", "batch batch2", torch.bmm)
    g.case("clamped", "x", lambda x: x.clamp(-0.5, 0.8))
    g.case("clamped.min", "x", lambda x: x.clamp(min=0.1))
    g.case("clamped.max", "x", lambda x: x.clamp(max=0))
    g.case("clamped.int", "i", lambda i: i.clamp(-2, 3))
    g.case("clamped.int_by_fraction", "i", lambda i: i.clamp(-1.5, 3))
    g.case("select", "a x y", torch.where)
    g.case("select.row", "a x row", torch.where)
    g.case("lerp", "x y", lambda x, y: x.lerp(y, 0.3))
    g.case("addcmul", "x y row", lambda x, y, z: torch.addcmul(x, y, z, value=0.5))
    g.case("addcmul.default", "x y row", torch.addcmul)
    g.case("addcdiv", "x y positive", lambda x, y, z: torch.addcdiv(x, y, z, value=-2))
    g.case("addcdiv.default", "x y positive", torch.addcdiv)
    # In place, on a copy: what autograd records of it counts too.
    g.case("in_place.add", "x y", lambda x, y: x.clone().add_(y, alpha=-0.3))
    g.case("in_place.add.row", "x row", lambda x, y: x.clone().add_(y))
    g.case("in_place.add.number", "x", lambda x: x.clone().add_(0.3))
    g.case("in_place.add.int", "i", lambda i: i.clone().add_(2))
    g.case("in_place.multiply", "x y", lambda x, y: x.clone().mul_(y))
    g.case("in_place.multiply.number", "x", lambda x: x.clone().mul_(0.3))
    g.case("in_place.multiply.int", "i", lambda i: i.clone().mul_(3))
    g.case("in_place.divide", "x positive", lambda x, y: x.clone().div_(y))
    g.case("in_place.copy", "x i", lambda x, i: x.clone().copy_(i))
    g.case("in_place.copy.graph", "x y", lambda x, y: x.clone().copy_(y))
    g.case("in_place.fill", "x", lambda x: x.clone().fill_(0.3))
    g.case("in_place.fill.int", "i", lambda i: i.clone().fill_(-7))
    g.case("in_place.clamp", "x", lambda x: x.clone().clamp_(-0.5, 0.8))
    g.case("in_place.clamp.int", "i", lambda i: i.clone().clamp_(min=1))
    g.case("in_place.lerp", "x y", lambda x, y: x.clone().lerp_(y, 0.3))
    g.case("in_place.add_product", "x y row", lambda x, y, z: x.clone().addcmul_(y, z, value=2))
    g.case("in_place.add_product.default", "x y row", lambda x, y, z: x.clone().addcmul_(y, z))
    g.case("in_place.add_quotient", "x y positive",
           lambda x, y, z: x.clone().addcdiv_(y, z, value=0.5))
    g.case("in_place.add_quotient.default", "x y positive",
           lambda x, y, z: x.clone().addcdiv_(y, z))


def reductions(g):
    g.normal("x", 2, 3, 4)
    g.input("ties", torch.tensor([[3.0, 1, 3, 2, 1], [0, 0, 0, 5, -5]]))
    g.integers("i", -4, 5, 2, 3)
    g.input("flags", torch.tensor([[True, False], [True, True]]))
    g.input("truth", torch.ones(3, dtype=torch.bool))
    g.input("labels", torch.tensor([1, 4, 1, 0, 1]))
    g.normal("points", 5, 3)
    g.normal("others", 4, 3)
    for name, f in {
        "sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin,
        "variance": torch.var, "deviation": torch.std, "log_sum_exp": torch.logsumexp,
        "norm": torch.linalg.vector_norm,
    }.items():
        everything = (0, 1, 2)
        g.case(name, "x", lambda x: f(x, dim=everything))
        g.case(f"{name}.dim", "x", lambda x: f(x, dim=1))
        g.case(f"{name}.dims", "x", lambda x: f(x, dim=(0, -1), keepdim=True))
    g.case("sum.int", "i", torch.sum)
    g.case("sum.bool", "flags", lambda a: a.sum(0))
    g.case("max.int", "i", lambda i: i.amax(1))
    g.case("variance.population", "x", lambda x: x.var(dim=1, correction=0))
    g.case("deviation.population", "x", lambda x: x.std(dim=1, correction=0))
    g.case("norm.1", "x", lambda x: torch.linalg.vector_norm(x, 1, dim=2))
    g.case("norm.3", "x", lambda x: torch.linalg.vector_norm(x, 3))
    g.case("norm.inf", "x", lambda x: torch.linalg.vector_norm(x, float("inf"), dim=0))
    g.case("product", "x", lambda x: x.prod(1))
    g.case("product.keep", "x", lambda x: x.prod(-1, keepdim=True))
    g.case("argmax", "x", lambda x: x.argmax(1))
    g.case("argmax.keep", "x", lambda x: x.argmax(-1, keepdim=True))
    g.case("argmin", "x", lambda x: x.argmin(1))
    g.case("argmin.keep", "x", lambda x: x.argmin(-1, keepdim=True))
    g.case("cumulative_sum", "x", lambda x: x.cumsum(1))
    g.case("cumulative_sum.int", "i", lambda i: i.cumsum(0))
    g.case("cumulative_product", "x", lambda x: x.cumprod(2))
    for name in ("flags", "truth"):
        g.case(f"all.{name}", name, torch.all)
        g.case(f"any.{name}", name, torch.any)
    g.case("any.none", "truth", lambda a: torch.any(~a))
    g.case("sorted", "x", lambda x: torch.sort(x, stable=True))
    g.case("sorted.descending", "x", lambda x: torch.sort(x, stable=True, dim=1, descending=True))
    g.case("sorted.ties", "ties", lambda x: torch.sort(x, stable=True))
    g.case("sorted.ties.descending", "ties", lambda x: torch.sort(x, descending=True, stable=True))
    g.case("top", "x", lambda x: torch.topk(x, 2))
    g.case("top.smallest", "x", lambda x: torch.topk(x, 2, 1, largest=False))
    g.case("quantile", "x", lambda x: x.quantile(0.3, 2))
    g.case("quantile.keep", "x", lambda x: x.quantile(0.9, 0, keepdim=True))
    g.case("bincount", "labels", torch.bincount)
    g.case("bincount.length", "labels", lambda x: torch.bincount(x, minlength=7))
    g.case("distances", "points others", torch.cdist)
    g.case("distances.1", "points others", lambda a, b: torch.cdist(a, b, 1))


def shapes(g):
    g.normal("x", 2, 3, 4)
    g.normal("y", 2, 3, 4)
    g.normal("thin", 3, 1, 2)
    g.normal("square", 4, 4)
    g.integers("i", -4, 5, 2, 3, 4)
    g.input("picks", torch.tensor([2, 0, 2]))
    g.integers("places", 0, 3, 2, 2, 4)
    g.normal("source", 2, 3, 4)
    g.input("spread", torch.tensor([[[1, 0, 2, 1], [0, 2, 1, 0], [2, 1, 0, 2]]] * 2))
    g.input("mask", torch.tensor([[True, False, True, False], [False, False, True, True],
                                  [True, True, False, False]]))
    g.input("classes", torch.tensor([[0, 3], [1, 1]]))
    g.case("reshaped", "x", lambda x: x.reshape(4, 6))
    g.case("reshaped.inferred", "x", lambda x: x.transpose(0, 2).reshape(3, -1))
    g.case("view", "x", lambda x: x.view(6, -1))
    g.case("flattened", "x", lambda x: x.flatten())
    g.case("flattened.part", "x", lambda x: x.flatten(1, 2))
    g.case("permuted", "x", lambda x: x.permute(2, 0, 1))
    g.case("transposed", "x", lambda x: x.transpose(-2, -1))
    g.case("transposed.dims", "x", lambda x: x.transpose(0, 2))
    g.case("squeezed", "thin", lambda x: x.squeeze(1))
    g.case("unsqueezed", "x", lambda x: x.unsqueeze(-1))
    g.case("expanded", "thin", lambda x: x.expand(2, -1, 5, 2))
    g.case("repeated", "thin", lambda x: x.repeat(2, 1, 3))
    g.case("repeated_interleaved", "x", lambda x: x.repeat_interleave(2, 1))
    g.case("flipped", "x", lambda x: x.flip(0, 2))
    g.case("lower", "square", torch.tril)
    g.case("lower.below", "square", lambda x: x.tril(-1))
    g.case("upper", "square", torch.triu)
    g.case("upper.above", "square", lambda x: x.triu(1))
    g.case("rolled", "x", lambda x: x.roll((1, -1), (0, 2)))
    g.case("diagonal", "square", torch.diagonal)
    g.case("concatenated", "x y", lambda x, y: torch.cat([x, y]))
    g.case("concatenated.last", "x y source", lambda *t: torch.cat(t, -1))
    g.case("stacked", "x y", lambda x, y: torch.stack([x, y]))
    g.case("stacked.last", "x y", lambda x, y: torch.stack([x, y], -1))
    g.case("chunked", "square", lambda x: x.chunk(2))
    g.case("chunked.uneven", "square", lambda x: x.chunk(3, 1))
    g.case("chunked.last", "x", lambda x: x.chunk(3, -2))
    g.case("index", "x", lambda x: x[1])
    g.case("range", "square", lambda x: x[1:3])
    g.case("selected", "x", lambda x: x.select(1, 2))
    g.case("selected.end", "x", lambda x: x.select(-1, -1))
    g.case("narrowed", "x", lambda x: x.narrow(2, 1, 2))
    g.case("sliced", "x", lambda x: x[:, 1:3])
    g.case("sliced.step", "square", lambda x: x[:, 0:4:3])
    g.case("selected.at", "x picks", lambda x, i: x.index_select(1, i))
    g.case("gathered", "x places", lambda x, i: x.gather(1, i))
    g.case("scattered", "x spread source", lambda x, i, s: x.scatter(1, i, s))
    g.case("index_added", "x picks source", lambda x, i, s: x.index_add(1, i, s))
    g.case("masked_filled", "x mask", lambda x, m: x.masked_fill(m, -float("inf")))
    g.case("masked_filled.int", "i mask", lambda x, m: x.masked_fill(m, 9))
    g.case("masked_selected", "x mask", lambda x, m: x.masked_select(m))
    g.case("one_hot", "classes", lambda i: F.one_hot(i, 4))
