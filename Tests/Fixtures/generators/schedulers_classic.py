"""The samplers that step over timesteps, as diffusers runs them."""

from ._sampling import case, write


def generate(folder):
    write(folder, [
        case("DDPMScheduler", "default", seed=3),
        case("DDPMScheduler", "learned range", seed=3, channels=2, variance_type="learned_range"),
        case("DDIMScheduler", "default"),
        case("DDIMScheduler", "eta", seed=5, eta=0.7, prediction_type="v_prediction"),
        case("DDIMScheduler", "from the middle", first=4),
    ])
