"""Layers, losses, linear algebra, optimizers and autograd as PyTorch computes them."""

import torch
import torch.nn.functional as F



def linear_algebra(g):
    g.normal("m", 3, 4)
    g.normal("a", 3, 5)
    g.normal("b", 5, 4)
    g.normal("left", 2, 3, 4)
    g.normal("right", 2, 4, 2)
    g.normal("tall", 5, 3)
    g.normal("wide", 2, 3, 4)
    root = torch.randn(4, 4, generator=g.random)
    g.input("definite", root @ root.T + torch.eye(4))
    g.normal("square", 2, 3, 3)
    g.normal("rhs", 2, 3, 2)
    g.case("addmm", "m a b", torch.addmm)
    g.case("addmm.scaled", "m a b", lambda m, a, b: torch.addmm(m, a, b, beta=0.5, alpha=-2))
    g.case("einsum", "left right", lambda a, b: torch.einsum("bij,bjk->bik", a, b))
    g.case("einsum.trace", "square", lambda a: torch.einsum("bii->b", a))
    # Eigenvectors and factors are unique up to the sign of each column: their magnitudes and what
    # they multiply back to do not depend on it, and neither do the gradients of these.
    def eigen(x):
        w, v = torch.linalg.eigh((x + x.mT) / 2)
        return w, v.abs(), v @ torch.diag(w) @ v.mT

    def svd(x):
        u, s, vh = torch.linalg.svd(x, full_matrices=False)
        return u.abs(), s, vh.abs(), (u * s.unsqueeze(-2)) @ vh

    def qr(x):
        q, r = torch.linalg.qr(x)
        return q.abs(), r.abs(), q @ r

    g.case("eigen", "definite", eigen)
    g.case("svd", "tall", svd)
    g.case("svd.wide", "wide", svd)
    g.case("qr", "tall", qr)
    g.case("cholesky", "definite", torch.linalg.cholesky)
    g.case("inverse", "square", torch.linalg.inv)
    g.case("solve", "square rhs", torch.linalg.solve)
    g.normal("planes", 2, 5, 6)
    g.case("rfft2", "planes", lambda x: torch.view_as_real(torch.fft.rfft2(x)))
    g.case("rfft2.odd", "right", lambda x: torch.view_as_real(torch.fft.rfft2(x.mT[..., :3])))


def layers(g):
    g.normal("x", 2, 4, 5, 6)
    g.normal("rows", 2, 3, 4)
    g.normal("w", 5, 4)
    g.normal("b5", 5)
    g.normal("k", 6, 4, 3, 3, scale=0.3)
    g.normal("k2", 6, 2, 3, 2, scale=0.3)
    g.normal("kd", 4, 1, 3, 3)
    g.normal("kt", 4, 3, 3, 2, scale=0.3)
    g.normal("kt2", 4, 2, 3, 3, scale=0.3)
    g.normal("b6", 6)
    g.normal("b3", 3)
    g.normal("b4", 4)
    g.normal("w4", 4, shift=1)
    g.normal("w34", 3, 4)
    g.normal("b34", 3, 4)
    g.normal("table", 7, 3)
    g.input("tokens", torch.tensor([[0, 6, 2], [2, 2, 5]]))
    g.normal("mean", 4)
    g.uniform("variance", 4, low=0.5, high=2)
    for name in ("q", "kk", "v"):
        g.normal(name, 2, 2, 5, 4)
    g.normal("mask", 5, 5)
    g.input("keep", torch.tensor([[True, i % 2 == 0, i > 1, True, i != 3] for i in range(5)]))
    g.case("linear", "rows w b5", F.linear)
    g.case("linear.plain", "rows w", F.linear)
    g.case("conv", "x k b6", F.conv2d)
    g.case("conv.plain", "x k", F.conv2d)
    g.case("conv.stride", "x k b6", lambda *t: F.conv2d(*t, stride=(2, 1), padding=(1, 2)))
    g.case("conv.dilation", "x k b6", lambda *t: F.conv2d(*t, padding=2, dilation=(2, 1)))
    g.case("conv.groups", "x k2 b6", lambda *t: F.conv2d(*t, groups=2))
    g.case("conv.depthwise", "x kd b4", lambda *t: F.conv2d(*t, padding=1, groups=4))
    g.case("transpose", "x kt b3", F.conv_transpose2d)
    g.case("transpose.plain", "x kt", F.conv_transpose2d)
    g.case("transpose.stride", "x kt b3", lambda *t: F.conv_transpose2d(
        *t, stride=2, padding=1, output_padding=(1, 0)))
    g.case("transpose.groups", "x kt2 b4", lambda *t: F.conv_transpose2d(
        *t, groups=2, dilation=(1, 2)))
    g.case("embedding", "tokens table", F.embedding)
    g.case("group_norm", "x w4 b4", lambda x, w, b: F.group_norm(x, 2, w, b))
    g.case("group_norm.plain", "x", lambda x: F.group_norm(x, 4, eps=0.1))
    g.case("layer_norm", "rows w4 b4", lambda x, w, b: F.layer_norm(x, (4,), w, b))
    g.case("layer_norm.two", "rows w34 b34", lambda x, w, b: F.layer_norm(x, (3, 4), w, b))
    g.case("layer_norm.plain", "rows", lambda x: F.layer_norm(x, (4,), eps=0.1))

    def batch_norm(x, w, b, mean, variance, momentum=0.1):
        mean, variance = mean.detach().clone(), variance.detach().clone()
        out = F.batch_norm(x, mean, variance, w, b, training=True, momentum=momentum)
        return out, mean, variance

    g.case("batch_norm", "x w4 b4 mean variance", batch_norm)
    g.case("batch_norm.momentum", "x w4 b4 mean variance", lambda *t: batch_norm(*t, 0.3))
    g.case("batch_norm.plain", "x", lambda x: F.batch_norm(x, None, None, training=True, eps=0.1))
    g.case("batch_norm.eval", "x w4 b4 mean variance",
           lambda x, w, b, m, v: F.batch_norm(x, m.detach(), v.detach(), w, b))
    attention = F.scaled_dot_product_attention
    g.case("attention", "q kk v", attention)
    g.case("attention.mask", "q kk v mask",
           lambda q, k, v, m: attention(q, k, v, m.detach()))
    g.case("attention.keep", "q kk v keep", attention)
    g.case("attention.causal", "q kk v", lambda *t: attention(*t, is_causal=True))
    g.case("attention.scale", "q kk v", lambda *t: attention(*t, scale=0.2))
    g.case("attention.negative_scale", "q kk v", lambda *t: attention(*t, scale=-0.4))


def resampling(g):
    g.normal("x", 1, 2, 6, 5)
    g.normal("channels", 1, 8, 2, 3)
    g.case("max_pool", "x", lambda x: F.max_pool2d(x, 2))
    g.case("max_pool.stride", "x", lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 0)))
    g.case("avg_pool", "x", lambda x: F.avg_pool2d(x, 2))
    g.case("avg_pool.stride", "x", lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 0)))
    g.case("avg_pool.inside", "x", lambda x: F.avg_pool2d(
        x, 3, 1, 1, count_include_pad=False))
    g.case("adaptive", "x", lambda x: F.adaptive_avg_pool2d(x, (4, 2)))
    for key, size in {"up": (9, 10), "down": (3, 2)}.items():
        g.case(f"nearest.{key}", "x", lambda x: F.interpolate(x, size))
        for mode in ("bilinear", "bicubic"):
            g.case(f"{mode}.{key}", "x", lambda x: F.interpolate(x, size, mode=mode))
            g.case(f"{mode}.antialias.{key}", "x",
                   lambda x: F.interpolate(x, size, mode=mode, antialias=True))
    g.case("shuffled", "channels", lambda x: F.pixel_shuffle(x, 2))
    g.case("unshuffled", "channels", lambda x: F.pixel_unshuffle(x[..., :2], 2))
    g.case("padded", "x", lambda x: F.pad(x, (1, 2)))
    g.case("padded.value", "x", lambda x: F.pad(x, (1, 0, 0, 2), value=1.5))
    g.case("padded.cropped", "x", lambda x: F.pad(x, (-1, 1, 0, -2)))
    g.case("padded.reflect", "x", lambda x: F.pad(x, (1, 2, 2, 0), mode="reflect"))
    g.case("padded.replicate", "x", lambda x: F.pad(x, (1, 2, 2, 0), mode="replicate"))


def losses(g):
    g.normal("x", 4, 3, scale=2)
    g.normal("y", 4, 3)
    g.uniform("share", 4, 3)
    g.input("classes", torch.tensor([0, 2, 2, 1]))
    for r in ("none", "mean", "sum"):
        g.case(f"squared.{r}", "x y", lambda x, y: F.mse_loss(x, y, reduction=r))
        g.case(f"absolute.{r}", "x y", lambda x, y: F.l1_loss(x, y, reduction=r))
        g.case(f"huber.{r}", "x y", lambda x, y: F.huber_loss(x, y, reduction=r, delta=0.7))
        g.case(f"binary.{r}", "x share",
               lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=r))
        g.case(f"cross.{r}", "x classes", lambda x, t: F.cross_entropy(x, t, reduction=r))
        g.case(f"smoothed.{r}", "x classes",
               lambda x, t: F.cross_entropy(x, t, reduction=r, label_smoothing=0.2))
    g.case("squared", "x y", F.mse_loss)
    g.case("absolute", "x y", F.l1_loss)
    g.case("huber", "x y", F.huber_loss)
    g.case("binary", "x share", F.binary_cross_entropy_with_logits)
    g.case("cross", "x classes", F.cross_entropy)


def many_tensors(g):
    g.normal("p0", 3, 4)
    g.normal("p1", 5)
    g.normal("e0", 3, 4)
    g.normal("e1", 5)
    g.normal("g0", 5, 3, 4)  # one gradient a step
    g.normal("g1", 5, 5)
    g.case("norm", "p0 p1", lambda *p: torch.nn.utils.get_total_norm(p))
    g.case("norm.1", "p0 p1", lambda *p: torch.nn.utils.get_total_norm(p, 1))
    g.case("norm.inf", "p0 p1", lambda *p: torch.nn.utils.get_total_norm(p, float("inf")))
    g.case("multiplied", "p0 p1", lambda *p: [x.detach() * 0.3 for x in p])
    g.case("moved", "p0 p1 e0 e1",
           lambda p, q, e, f: [p.detach().lerp(e, 0.2).detach(), q.detach().lerp(f, 0.2).detach()])

    def steps(make):
        """The parameters after each of five steps."""
        def run(p, q, gradients, more):
            parameters = [torch.nn.Parameter(x.detach().clone()) for x in (p, q)]
            optimizer = make(parameters)
            history = []
            for step in range(5):
                for parameter, gradient in zip(parameters, (gradients, more)):
                    parameter.grad = gradient[step].detach().clone()
                optimizer.step()
                history += [x.detach().clone() for x in parameters]
            return history
        return run

    plain = dict(foreach=False, fused=False)  # the formula written out, not the fused kernel
    optim = torch.optim
    for name, make in {
        "adam": lambda p: optim.Adam(p, 0.1, **plain),
        "adam.decay": lambda p: optim.Adam(p, 0.1, (0.5, 0.9), 1e-3, 0.2, **plain),
        "adamw": lambda p: optim.AdamW(p, 0.1, (0.8, 0.95), 1e-6, 0.2, **plain),
        "sgd": lambda p: optim.SGD(p, 0.1, **plain),
        "sgd.momentum": lambda p: optim.SGD(p, 0.1, 0.9, dampening=0.3, weight_decay=0.2, **plain),
        "sgd.nesterov": lambda p: optim.SGD(p, 0.1, 0.9, weight_decay=0.1, nesterov=True, **plain),
    }.items():
        g.case(name, "p0 p1 g0 g1", steps(make))


def autograd(g):
    g.normal("x", 4, 3)
    g.normal("w", 3, 5)
    g.normal("u", 5)
    g.normal("seed", 4, 5)
    g.normal("picture", 2, 2, 5, 5)
    g.normal("kernel", 3, 2, 3, 3)

    def penalty(norms):
        return (norms - 1).square().mean()

    def dense(x, w, u):
        y = torch.tanh(x @ w) @ u
        slope, = torch.autograd.grad(y.sum(), x, create_graph=True)
        return penalty((slope.square().sum(1) + 1e-8).sqrt())

    def convolution(x, k):
        y = F.silu(F.conv2d(x, k, padding=1))
        slope, = torch.autograd.grad(y.sum(), x, create_graph=True)
        return penalty((slope.square().sum((1, 2, 3)) + 1e-8).sqrt())

    def curvature(x):
        y = torch.sin(x).sum()
        first, = torch.autograd.grad(y, x, create_graph=True)
        second, = torch.autograd.grad(first.sum(), x, create_graph=True)
        return first, second

    g.case("penalty", "x w u", dense)
    g.case("penalty.convolution", "picture kernel", convolution)
    g.case("curvature", "x", curvature)
    g.case("seeded", "x w seed",
           lambda x, w, s: torch.autograd.grad(torch.tanh(x @ w), [x, w], s, create_graph=True))
    g.case("cut", "x w", lambda x, w: x @ w.detach() * (x.detach() @ w))
