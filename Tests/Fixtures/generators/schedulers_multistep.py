"""The multistep and singlestep solvers of the semi-linear equation, as diffusers runs them."""

from ._sampling import case, write

# At the last level of the default schedule x is 157 times its picture, and what float32 loses there
# is as large as what the tests look for; most cases stop short of that.
mild = {"beta_end": 0.012}
spacings = ("karras_sigmas", "exponential_sigmas", "beta_sigmas")


def dpm_multistep():
    def dpm(name, **more):
        return case("DPMSolverMultistepScheduler", name, **mild | more)

    yield dpm("default", beta_end=0.02)
    for steps in (1, 2, 3, 5, 15, 20):
        yield dpm(f"{steps} steps of order 3", steps=steps, solver_order=3)
    for algorithm in ("dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++"):
        for rule in ("midpoint", "heun"):
            yield dpm(f"{algorithm} {rule}", steps=6, seed=3, algorithm_type=algorithm,
                      solver_type=rule, final_sigmas_type="sigma_min")
        for order in (1, 3):
            if (algorithm, order) != ("sde-dpmsolver", 3):
                yield dpm(f"{algorithm} of order {order}", steps=6, seed=4, solver_order=order,
                          algorithm_type=algorithm, final_sigmas_type="sigma_min",
                          lower_order_final=False)
        for prediction in ("sample", "v_prediction"):
            yield dpm(f"{algorithm} {prediction}", steps=4, seed=5, algorithm_type=algorithm,
                      prediction_type=prediction, final_sigmas_type="sigma_min")
    yield dpm("to zero by heun", steps=20, solver_type="heun", lower_order_final=False)
    yield dpm("sde to zero", steps=5, seed=6, algorithm_type="sde-dpmsolver++")
    yield dpm("euler at the end", steps=16, euler_at_final=True, final_sigmas_type="sigma_min")
    yield dpm("long to sigma_min", steps=16, final_sigmas_type="sigma_min", solver_order=3)
    for algorithm in ("dpmsolver", "dpmsolver++"):
        yield dpm(f"thresholding {algorithm}", steps=6, thresholding=True, sample_max_value=1.5,
                  dynamic_thresholding_ratio=0.9, final_sigmas_type="sigma_min",
                  algorithm_type=algorithm)
        yield dpm(f"learned variance {algorithm}", steps=4, channels=2,
                  variance_type="learned_range", algorithm_type=algorithm,
                  final_sigmas_type="sigma_min")
    for spacing in (*spacings, "lu_lambdas"):
        yield dpm(spacing, **{f"use_{spacing}": True})
    for spacing in ("karras_sigmas", "lu_lambdas"):
        yield dpm(f"{spacing} of cosine", steps=4, beta_schedule="squaredcos_cap_v2",
                  num_train_timesteps=100, **{f"use_{spacing}": True})
    for shift in (1.0, 3.0):
        yield dpm(f"flow {shift}", steps=9, use_flow_sigmas=True, flow_shift=shift,
                  prediction_type="flow_prediction")
    yield dpm("flow by mu", steps=5, mu=0.8, use_flow_sigmas=True, use_dynamic_shifting=True,
              prediction_type="flow_prediction", solver_order=3)
    yield dpm("flow of noise", steps=5, use_flow_sigmas=True, final_sigmas_type="sigma_min")
    for spacing in ("leading", "trailing"):
        yield dpm(spacing, steps=7, timestep_spacing=spacing, steps_offset=1)
        yield dpm(f"{spacing} clipped", steps=7, timestep_spacing=spacing,
                  beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1)
    yield dpm("zero terminal signal", steps=7, rescale_betas_zero_snr=True, beta_end=0.02,
              timestep_spacing="trailing", prediction_type="v_prediction")
    yield dpm("of Stable Diffusion", steps=20, beta_start=0.00085, beta_end=0.012,
              beta_schedule="scaled_linear", use_karras_sigmas=True)
    yield dpm("given timesteps", timesteps=[999, 850, 500, 300, 150, 20])
    yield dpm("from the middle", first=4, solver_order=3)
    yield dpm("another's names", steps=3, algorithm_type="deis", solver_type="bh2",
              final_sigmas_type="sigma_min")


def dpm_inverse():
    def inverse(name, **more):
        return case("DPMSolverMultistepInverseScheduler", name, **mild | more)

    yield inverse("default", beta_end=0.02)
    for spacing in ("leading", "trailing"):
        yield inverse(spacing, steps=7, timestep_spacing=spacing)
    for spacing in spacings:
        yield inverse(spacing, steps=5, **{f"use_{spacing}": True})
    yield inverse("karras many", steps=30, use_karras_sigmas=True)
    yield inverse("dpmsolver", steps=6, algorithm_type="dpmsolver", solver_type="heun")
    yield inverse("order 3", steps=16, solver_order=3)
    yield inverse("clipped", steps=6, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1)
    yield inverse("v", steps=5, prediction_type="v_prediction", euler_at_final=True)


def dpm_singlestep():
    def single(name, **more):
        return case("DPMSolverSinglestepScheduler", name, **mild | more)

    yield single("default", beta_end=0.02)
    for order in (1, 2, 3):
        for steps in (1, 2, 3, 4, 5):
            yield single(f"{steps} calls of order {order}", steps=steps, solver_order=order,
                         final_sigmas_type="sigma_min", lower_order_final=True)
        yield single(f"whole groups of {order}", steps=6, solver_order=order,
                     final_sigmas_type="sigma_min")
    for algorithm in ("dpmsolver", "dpmsolver++", "sde-dpmsolver++"):
        for order in (1, 2, 3):
            for rule in ("midpoint", "heun"):
                if order > 1 or rule == "heun":
                    yield single(f"{algorithm} {rule} of order {order}", steps=6, seed=7,
                                 algorithm_type=algorithm, solver_type=rule, solver_order=order,
                                 final_sigmas_type="sigma_min")
    for spacing in spacings:
        yield single(spacing, steps=7, **{f"use_{spacing}": True})
    yield single("flow", steps=5, use_flow_sigmas=True, prediction_type="flow_prediction")
    yield single("sample", steps=5, prediction_type="sample", solver_order=3)
    yield single("thresholding", steps=5, thresholding=True, prediction_type="v_prediction")
    yield single("clipped", steps=5, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1)
    yield single("learned variance", steps=4, channels=2, variance_type="learned")
    yield single("given timesteps", timesteps=[980, 700, 400, 90])
    yield single("from the middle", first=3, solver_order=3)


def unipc():
    def unipc(name, **more):
        return case("UniPCMultistepScheduler", name, **mild | more)

    yield unipc("default", beta_end=0.02)
    for steps in (1, 2, 3, 5, 15, 20):
        yield unipc(f"{steps} steps of order 3", steps=steps, solver_order=3)
    for scale in ("bh1", "bh2"):
        for order in (1, 2, 3, 4):
            # bh1 to zero is NaN in diffusers: B(h) = −∞ times no difference.
            yield unipc(f"{scale} of order {order}", steps=6, solver_type=scale,
                        solver_order=order, final_sigmas_type="sigma_min")
            yield unipc(f"{scale} of order {order} in noise", steps=6, solver_type=scale,
                        solver_order=order, predict_x0=False, final_sigmas_type="sigma_min")
    for prediction in ("sample", "v_prediction"):
        for data in (True, False):
            yield unipc(f"{prediction} {data}", steps=4, prediction_type=prediction,
                        predict_x0=data, final_sigmas_type="sigma_min")
    yield unipc("some uncorrected", steps=8, disable_corrector=[0, 1, 5])
    yield unipc("orders not lowered", steps=8, lower_order_final=False, solver_order=3,
                final_sigmas_type="sigma_min")
    yield unipc("thresholding", steps=6, thresholding=True, sample_max_value=1.5)
    for spacing in spacings:
        for final in ("zero", "sigma_min"):
            yield unipc(f"{spacing} to {final}", steps=7, final_sigmas_type=final,
                        **{f"use_{spacing}": True})
    yield unipc("karras by its ends", steps=5, use_karras_sigmas=True, sigma_min=0.05,
                sigma_max=20.0)
    for shift in (1.0, 3.0):
        yield unipc(f"flow {shift}", steps=9, use_flow_sigmas=True, flow_shift=shift,
                    prediction_type="flow_prediction")
    yield unipc("flow by mu", steps=5, mu=0.8, use_flow_sigmas=True, use_dynamic_shifting=True,
                prediction_type="flow_prediction", shift_terminal=0.02)
    yield unipc("flow by karras", steps=6, use_flow_sigmas=True, use_karras_sigmas=True,
                prediction_type="flow_prediction", final_sigmas_type="sigma_min")
    yield unipc("given sigmas", sigmas=[0.95, 0.7, 0.4, 0.1], use_flow_sigmas=True,
                flow_shift=2.0, prediction_type="flow_prediction")
    for spacing in ("leading", "trailing"):
        yield unipc(spacing, steps=7, timestep_spacing=spacing, steps_offset=1)
    yield unipc("zero terminal signal", steps=7, rescale_betas_zero_snr=True, beta_end=0.02,
                timestep_spacing="trailing", prediction_type="v_prediction")
    yield unipc("from the middle", first=4, solver_order=3)


def deis():
    def deis(name, **more):
        return case("DEISMultistepScheduler", name, **mild | more)

    yield deis("default", beta_end=0.02)
    for order in (1, 2, 3):
        for steps in (1, 3, 10, 16):
            yield deis(f"{steps} steps of order {order}", steps=steps, solver_order=order)
    for prediction in ("sample", "v_prediction"):
        yield deis(prediction, steps=4, prediction_type=prediction)
    yield deis("thresholding", steps=6, thresholding=True, sample_max_value=1.5)
    for spacing in spacings:
        yield deis(spacing, steps=7, **{f"use_{spacing}": True})
    yield deis("flow", steps=5, use_flow_sigmas=True, prediction_type="flow_prediction")
    for spacing in ("leading", "trailing"):
        yield deis(spacing, steps=7, timestep_spacing=spacing, steps_offset=1)
    yield deis("orders not lowered", steps=5, lower_order_final=False, solver_order=3)
    yield deis("from the middle", first=4, solver_order=3)


def sa_solver():
    def sa(name, **more):
        return case("SASolverScheduler", name, seed=8, **mild | more)

    yield sa("default", beta_end=0.02)
    for form in ("data_prediction", "noise_prediction"):
        for predictor, corrector in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (2, 4), (4, 2)):
            yield sa(f"{form} {predictor} {corrector}", steps=6, predictor_order=predictor,
                     corrector_order=corrector, algorithm_type=form)
        for prediction in ("sample", "v_prediction"):
            yield sa(f"{form} {prediction}", steps=4, prediction_type=prediction,
                     algorithm_type=form)
    for steps in (1, 2, 3, 20):
        yield sa(f"{steps} steps", steps=steps, predictor_order=3)
    yield sa("orders not lowered", steps=6, lower_order_final=False)
    yield sa("thresholding", steps=6, thresholding=True, sample_max_value=1.5)
    for spacing in spacings:
        yield sa(spacing, steps=7, **{f"use_{spacing}": True})
    yield sa("flow", steps=5, use_flow_sigmas=True, prediction_type="flow_prediction")
    for spacing in ("leading", "trailing"):
        yield sa(spacing, steps=7, timestep_spacing=spacing, steps_offset=1)
    yield sa("clipped", steps=6, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1)
    yield sa("from the middle", first=4)


def edm_dpm():
    def edm(name, **more):
        return case("EDMDPMSolverMultistepScheduler", name, **more)

    yield edm("default")
    for order in (1, 2, 3):
        for steps in (2, 5, 16):
            yield edm(f"{steps} steps of order {order}", steps=steps, solver_order=order)
    for algorithm in ("dpmsolver++", "sde-dpmsolver++"):
        for rule in ("midpoint", "heun"):
            yield edm(f"{algorithm} {rule}", steps=5, seed=9, algorithm_type=algorithm,
                      solver_type=rule)
    yield edm("exponential", steps=6, sigma_schedule="exponential", sigma_min=0.3, sigma_max=500.0,
              sigma_data=1.0, prediction_type="v_prediction")
    yield edm("to sigma_min", steps=16, final_sigmas_type="sigma_min", rho=5.0)
    yield edm("euler at the end", steps=16, final_sigmas_type="sigma_min", euler_at_final=True)
    yield edm("thresholding", steps=5, thresholding=True, sample_max_value=1.5)
    yield edm("from the middle", first=4)


def generate(folder):
    write(folder, [c for group in (dpm_multistep, dpm_inverse, dpm_singlestep, unipc, deis,
                                   sa_solver, edm_dpm) for c in group()])
