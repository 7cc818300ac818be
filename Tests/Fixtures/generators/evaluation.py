"""The measures of Evaluation by the implementations that people quote: scipy, torch-fidelity, prdc,
scikit-learn, scikit-image, pytorch-msssim and numpy."""

import importlib

import numpy
import prdc
import pytorch_msssim
import scipy.linalg
import scipy.ndimage
import sklearn.metrics
import sklearn.neighbors
import skimage.metrics
import torch
from safetensors.torch import save_file


def save(folder, name, arrays):
    tensors = {k: torch.from_numpy(numpy.ascontiguousarray(v)) for k, v in arrays.items()}
    save_file(tensors, folder / f"{name}.safetensors")


def distance(a, b):
    (m1, c1), (m2, c2) = ((x.mean(0), numpy.cov(x, rowvar=False)) for x in (a, b))
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return ((m1 - m2) ** 2).sum() + numpy.trace(c1 + c2 - 2 * root)


def frechet(folder):
    draws = numpy.random.default_rng(0)
    mix = draws.standard_normal((12, 12))
    a = draws.standard_normal((60, 12)) @ mix
    b = 0.5 + draws.standard_normal((40, 12)) @ (mix + 0.3 * draws.standard_normal((12, 12)))
    few = draws.standard_normal((5, 12)) @ mix  # fewer vectors than dimensions: a singular covariance
    save(folder, "frechet", {
        "a": a, "b": b, "few": few,
        "distances": numpy.array([distance(a, b), distance(a, a), distance(few, b)])})
    counts = numpy.array([50, 80, 100, 400])
    values = numpy.array([9.1, 6.2, 5.3, 2.4])
    slope, at_zero = numpy.polyfit(1 / counts, values, 1)
    labels_a, labels_b = numpy.arange(60) % 3, numpy.arange(40) % 2  # b has no class 2
    classes = [distance(a[labels_a == c], b[labels_b == c]) for c in (0, 1)]
    save(folder, "frechet_more", {
        "counts": counts, "values": values, "line": numpy.array([slope, at_zero]),
        "labels_a": labels_a, "labels_b": labels_b, "classes": numpy.array(classes)})


def import_torchvision():
    """torch-fidelity imports it; a wheel for another build of torch lacks two of its operators."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor d, Tensor s, float i) -> Tensor")
        import torchvision  # noqa: F401


def features(folder):
    """KID by subset and the Inception score by torch-fidelity, neighbours by prdc."""
    import_torchvision()
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kernel_mmd

    draws = numpy.random.default_rng(1)
    centres = 4 * draws.standard_normal((4, 6))
    real = (centres[draws.integers(0, 4, 120)] + draws.standard_normal((120, 6))).astype("float32")
    fake = (centres[draws.integers(0, 3, 90)] + 1.3 * draws.standard_normal((90, 6))).astype("float32")
    fake[:9] = fake[9]  # copies: balls without extent
    subsets = numpy.stack([draws.choice(90, 40, replace=False) for _ in range(8)])
    mmds = [
        kernel_mmd(
            real[s].astype("float64"), fake[s].astype("float64"), kid_kernel="poly",
            kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1)
        for s in subsets]
    logits = 2 * draws.standard_normal((103, 5)).astype("float32")
    scores = {}
    for splits in (1, 10):
        found = isc_features_to_metric(torch.from_numpy(logits), splits, shuffle=False)
        scores[f"scores.{splits}"] = numpy.array(list(found.values()))  # mean, deviation
    neighbours = {}
    for k in (1, 3, 5):
        found = prdc.compute_prdc(real.astype("float64"), fake.astype("float64"), k)
        order = ("precision", "recall", "density", "coverage")
        neighbours[f"prdc.{k}"] = numpy.array([found[name] for name in order])
    save(folder, "features", {
        "real": real, "fake": fake, "subsets": subsets, "mmds": numpy.array(mmds),
        "logits": logits, **scores, **neighbours})


def classification(folder):
    draws = numpy.random.default_rng(2)
    actual = draws.integers(0, 5, 200)
    predicted = numpy.where(draws.random(200) < 0.7, actual, draws.integers(0, 5, 200))
    predicted[predicted == 3] = 1  # 3 is never predicted
    # Class 5 of six neither occurs nor is predicted: it has a row, and no part in the averages.
    table = sklearn.metrics.precision_recall_fscore_support(
        actual, predicted, labels=range(6), zero_division=0)
    macro = sklearn.metrics.precision_recall_fscore_support(
        actual, predicted, average="macro", zero_division=0)[:3]
    scores = numpy.round(draws.standard_normal(150) + numpy.repeat([0, 1], 75), 1)  # with ties
    positive = numpy.repeat([0, 1], 75)
    falses, trues, thresholds = sklearn.metrics.roc_curve(positive, scores, drop_intermediate=False)
    save(folder, "classification", {
        "actual": actual, "predicted": predicted,
        "confusion": sklearn.metrics.confusion_matrix(actual, predicted, labels=range(6)),
        "accuracy": numpy.array([sklearn.metrics.accuracy_score(actual, predicted)]),
        "classes": numpy.stack(table[:3], 1), "macro": numpy.array(macro),
        "scores": scores, "positive": positive,
        "curve": numpy.stack([thresholds, falses, trues], 1),
        "area": numpy.array([sklearn.metrics.roc_auc_score(positive, scores)])})


def smooth(draws, *shape):
    """Pictures with structure at every scale, in [0, 1]."""
    x = scipy.ndimage.gaussian_filter(draws.standard_normal(shape), (0, 0, 3, 3))
    x = x / x.std() * 0.2 + 0.1 * draws.standard_normal(shape) + 0.5
    return x.clip(0, 1).astype("float32")


def sharpness(x, frequency):
    x = x.astype("float64")
    energy = abs(numpy.fft.fft2(x - x.mean((2, 3), keepdims=True))) ** 2
    fy, fx = (numpy.fft.fftfreq(n) for n in x.shape[2:])
    fine = numpy.hypot(fy[:, None], fx[None, :]) > frequency
    return (energy * fine).sum((1, 2, 3)) / energy.sum((1, 2, 3))


def pictures(folder):
    draws = numpy.random.default_rng(3)
    arrays = {}
    for channels, side, count in ((1, 28, 3), (3, 64, 2), (1, 176, 1), (1, 181, 1)):
        name = f"{channels}x{side}"
        a = smooth(draws, count, channels, side, side)
        noise = 0.1 * draws.standard_normal(a.shape)
        b = (scipy.ndimage.gaussian_filter(a, (0, 0, 1, 1)) + noise).clip(0, 1).astype("float32")
        # One byte a pixel keeps the file small.
        a, b = ((255 * x).round().astype("uint8") for x in (a, b))
        arrays |= {f"{name}.a": a, f"{name}.b": b}
        a, b = a / 255.0, b / 255.0
        arrays[f"{name}.mse"] = ((a - b) ** 2).mean((1, 2, 3))
        arrays[f"{name}.psnr"] = numpy.array([
            skimage.metrics.peak_signal_noise_ratio(x, y, data_range=1) for x, y in zip(a, b)])
        arrays[f"{name}.ssim"] = numpy.array([
            skimage.metrics.structural_similarity(
                x, y, gaussian_weights=True, use_sample_covariance=False, data_range=1,
                channel_axis=0) for x, y in zip(a, b)])
        if side >= 176:
            arrays[f"{name}.multiscale"] = pytorch_msssim.ms_ssim(
                torch.from_numpy(a), torch.from_numpy(b), data_range=1, size_average=False).numpy()
        arrays[f"{name}.sharpness"] = sharpness(a, 0.25)
        arrays[f"{name}.sharpness.low"] = sharpness(a, 0.1)
    msssim_parts = importlib.import_module("pytorch_msssim.ssim")  # a function has the same name
    # Fewer scales: pytorch-msssim asks for the room of five, so its parts are put together here.
    a, b = (torch.from_numpy(arrays[f"3x64.{i}"] / 255.0) for i in "ab")
    window = msssim_parts._fspecial_gauss_1d(11, 1.5).repeat([3, 1, 1, 1]).double()
    weights = torch.tensor([0.0448, 0.2856, 0.3001], dtype=torch.float64)
    product = 1
    for i, weight in enumerate(weights / weights.sum()):
        whole, structure = msssim_parts._ssim(a, b, data_range=1, win=window)
        product = product * (whole if i == 2 else structure).relu() ** weight
        a, b = (torch.nn.functional.avg_pool2d(x, 2) for x in (a, b))
    arrays["3x64.multiscale"] = product.mean(1).numpy()
    save(folder, "pictures", arrays)


def neighbours(folder):
    draws = numpy.random.default_rng(4)
    train, held, samples = (draws.random((n, 2, 3, 3)).astype("float32") for n in (40, 30, 25))
    samples[3], samples[7] = train[11], train[5] + 0.001
    flat = [x.reshape(len(x), -1).astype("float64") for x in (train, held, samples)]
    find = [sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(x).kneighbors(flat[2])
            for x in flat[:2]]
    save(folder, "neighbours", {
        "train": train, "held": held, "samples": samples,
        "to_train": find[0][0][:, 0], "nearest": find[0][1][:, 0], "to_held": find[1][0][:, 0]})


def generate(folder):
    for fill in (frechet, features, classification, pictures, neighbours):
        fill(folder)
