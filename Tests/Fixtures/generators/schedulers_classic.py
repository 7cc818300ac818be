"""The samplers that step over timesteps, as diffusers runs them."""

from ._sampling import case, write

# Twelve βs that no course gives, for a schedule of as many levels.
betas = [0.001, 0.002, 0.004, 0.007, 0.011, 0.016, 0.022, 0.029, 0.037, 0.046, 0.056, 0.067]


def shared(scheduler, **more):
    """What the classes with a DDPM schedule have in common."""
    yield case(scheduler, "default", **more)
    for kind in ("sample", "v_prediction"):
        yield case(scheduler, kind, steps=5, prediction_type=kind, **more)
    for course in ("scaled_linear", "squaredcos_cap_v2"):
        yield case(scheduler, course, steps=5, beta_schedule=course, **more)
    if scheduler in ("LCMScheduler", "TCDScheduler"):
        more["original_inference_steps"] = 6
    yield case(scheduler, "trained betas", steps=4, num_train_timesteps=12, trained_betas=betas, **more)


def clipped(scheduler, **more):
    yield case(scheduler, "no clip", steps=5, clip_sample=False, **more)
    yield case(scheduler, "clip range", steps=5, clip_sample=True, clip_sample_range=0.6, **more)
    yield case(scheduler, "thresholding", steps=5, thresholding=True, sample_max_value=1.5,
               dynamic_thresholding_ratio=0.9, **more)


def spaced(scheduler, spacings=("leading", "linspace", "trailing"), **more):
    for spacing in spacings:
        for offset in (0, 1):
            yield case(scheduler, f"{spacing} + {offset}", steps=6, timestep_spacing=spacing,
                       steps_offset=offset, beta_start=0.00085, beta_end=0.012, **more)
    yield case(scheduler, "uneven", steps=7, num_train_timesteps=95, timestep_spacing=spacings[-1],
               **more)


def ended(scheduler, **more):
    yield case(scheduler, "alpha of the first", steps=5, set_alpha_to_one=False, **more)
    yield case(scheduler, "alpha of one", steps=5, set_alpha_to_one=True, **more)


def zero_snr(scheduler, spacing="trailing", **more):
    yield case(scheduler, "zero snr", steps=5, rescale_betas_zero_snr=True, timestep_spacing=spacing,
               prediction_type="v_prediction", **more)


def cases():
    ddpm = "DDPMScheduler"
    yield from shared(ddpm, seed=3)
    yield from clipped(ddpm, seed=3)
    yield from spaced(ddpm, seed=3)
    yield from zero_snr(ddpm, seed=3)
    # fixed_large_log is not here: diffusers takes the root of a negative logarithm.
    for variance in ("fixed_small_log", "fixed_large"):
        yield case(ddpm, variance, steps=5, seed=4, variance_type=variance)
    yield case(ddpm, "learned range", seed=3, channels=2, variance_type="learned_range")
    for course in ("sigmoid", "laplace"):
        yield case(ddpm, course, steps=5, seed=4, beta_schedule=course)
    yield case(ddpm, "custom timesteps", seed=4, timesteps=[900, 650, 120, 40, 3])
    yield case(ddpm, "from the middle", seed=4, first=6)

    ddim = "DDIMScheduler"
    yield from shared(ddim)
    yield from clipped(ddim)
    yield from spaced(ddim)
    yield from ended(ddim)
    yield from zero_snr(ddim)
    yield case(ddim, "eta", seed=5, eta=0.7, prediction_type="v_prediction")
    yield case(ddim, "eta of one", steps=5, seed=5, eta=1.0, timestep_spacing="trailing")
    yield case(ddim, "one step", steps=1, timestep_spacing="trailing")
    yield case(ddim, "from the middle", first=4)

    inverse = "DDIMInverseScheduler"
    yield case(inverse, "default")
    yield case(inverse, "v_prediction", prediction_type="v_prediction")
    yield case(inverse, "sample", prediction_type="sample", set_alpha_to_one=False)
    yield case(inverse, "no clip", steps=5, clip_sample=False, beta_schedule="scaled_linear")
    yield case(inverse, "clip range", steps=5, clip_sample_range=0.6, beta_schedule="squaredcos_cap_v2")
    yield from spaced(inverse, ("leading", "trailing"), clip_sample=False)
    yield from ended(inverse)
    yield from zero_snr(inverse, "leading")
    yield case(inverse, "trained betas", steps=4, num_train_timesteps=12, trained_betas=betas)

    pndm = "PNDMScheduler"
    for skip in (False, True):
        name = "plms" if skip else "prk"
        yield case(pndm, name, skip_prk_steps=skip)
        yield case(pndm, f"{name}, v_prediction", steps=6, skip_prk_steps=skip,
                   prediction_type="v_prediction")
        yield case(pndm, f"{name}, alpha of one", steps=6, skip_prk_steps=skip, set_alpha_to_one=True)
        yield case(pndm, f"{name}, offset", steps=7, skip_prk_steps=skip, steps_offset=1,
                   beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
        for spacing in ("linspace", "trailing"):
            yield case(pndm, f"{name}, {spacing}", steps=6, skip_prk_steps=skip,
                       timestep_spacing=spacing)
        # Not from the last level: there the toy network's pictures grow to 1e10, and float32 loses
        # four digits of them (the same run in float64 lies between diffusers' and the one here).
        yield case(pndm, f"{name}, cosine", steps=6, skip_prk_steps=skip,
                   beta_schedule="squaredcos_cap_v2")
        yield case(pndm, f"{name}, trained betas", steps=5, num_train_timesteps=12,
                   trained_betas=betas, skip_prk_steps=skip)
        yield case(pndm, f"{name}, few", steps=4, skip_prk_steps=skip)
    for few in (1, 2, 3):
        yield case(pndm, f"plms, {few} steps", steps=few, skip_prk_steps=True)
    yield case(pndm, "plms, from the middle", skip_prk_steps=True, first=5)

    for distilled in ("LCMScheduler", "TCDScheduler"):
        yield from shared(distilled, seed=6)
        yield from ended(distilled, seed=6)
        yield from zero_snr(distilled, seed=6)
        for count in (1, 2, 7):
            yield case(distilled, f"{count} steps", steps=count, seed=7, original_inference_steps=40)
        yield case(distilled, "custom timesteps", seed=7, timesteps=[939, 700, 299, 18])
        yield case(distilled, "from the middle", seed=7, steps=8, first=3)
    yield from clipped("LCMScheduler", seed=6)
    yield case("LCMScheduler", "timestep scaling", steps=4, seed=7, timestep_scaling=0.01)
    for eta in (0.0, 0.55, 1.0):
        yield case("TCDScheduler", f"eta {eta}", steps=4, seed=7, eta=eta)

    unclip = "UnCLIPScheduler"
    yield case(unclip, "default", seed=8)
    yield case(unclip, "sample", steps=5, seed=8, prediction_type="sample", clip_sample_range=0.8)
    yield case(unclip, "no clip", steps=5, seed=8, clip_sample=False)
    yield case(unclip, "learned range", seed=8, channels=2, variance_type="learned_range")
    yield case(unclip, "every level", steps=20, seed=8, num_train_timesteps=20)

    consistency = "CMStochasticIterativeScheduler"
    for count in (1, 2, 10):
        yield case(consistency, f"{count} steps", steps=count, seed=9)
    yield case(consistency, "every level", steps=40, seed=9)
    yield case(consistency, "no clip", steps=4, seed=9, clip_denoised=False, s_noise=0.5)
    yield case(consistency, "another spacing", steps=4, seed=9, rho=3.0, sigma_min=0.01, sigma_max=20.0,
               sigma_data=1.0, num_train_timesteps=18)
    yield case(consistency, "custom timesteps", seed=9, timesteps=[22, 9, 0])
    yield case(consistency, "from the middle", seed=9, first=3)


def generate(folder):
    write(folder, list(cases()))
