"""Speech: the VRNN and the SRNN of table 1 of Marino et al. 2018, in windows of 200 samples.

The full sizes are for TIMIT itself, which has to be bought: give its folder by `--data`. Free recordings are few, so
their models are small: the 12 speakers who train in the sample of TIMIT say what fills six minutes.
"""

from dataclasses import replace
from typing import Any

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import FilteringEMConfig, Pathwise
from counterpoint.inference import FilteringConfig, IterativeConfig
from counterpoint.models import SRNNConfig, VRNNConfig
from counterpoint.recipes.gan import regression
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

LIKELIHOOD = "discretised_gaussian"
FREE = {"speech": ("timit_sample", 40), "digits": ("fsdd", 16)}  # by the name of a recipe; passes, some 2000 updates


def recipes(name: str, data: str, model: str, p: Any, q: Any, network: dict, bounds: tuple, fits: tuple, about: str):
    """A direct filtering posterior, and iterative ones of one and of two iterations. `network` are the settings of
    theirs that Marino et al. or their code have for this model; `bounds` and `fits` are for the direct and for the
    iterative ones."""
    shared: dict[str, Any] = {"data": data, "p": p, "likelihood": LIKELIHOOD, "particles": 0}
    direct: dict[str, Any] = {"estimator": Pathwise(), "bound": bounds[0], "fit": fits[0]}
    made = [Recipe(f"{name}-{model}", f"{about}, direct filtering", q=q, **direct, **shared)]
    for iterations, suffix, words in ((1, "", "one iteration a step"), (2, "-2", "two iterations a step")):
        made.append(
            Recipe(
                f"{name}-{model}-avf{suffix}",
                f"{about}, amortised variational filtering, {words}",
                q=IterativeConfig(iterations=iterations, **network),
                estimator=FilteringEMConfig(),
                bound=bounds[1],
                fit=fits[1],
                **shared,
            )
        )
    return made


def small(name: str, data: str, epochs: int) -> list[Recipe]:
    """Both models at a size for minutes of speech, and of two cores."""
    # iterative posteriors learn at less, as in the code of the paper: of three VRNNs one fell apart at 1e-3
    falls = [OptimiserConfig(p=rate, schedule="cosine", clip=100.0) for rate in (1e-3, 3e-4)]
    fits = tuple(FitConfig(epochs=epochs, batch_size=16, crop=40, buckets=2, patience=0, optimiser=o) for o in falls)
    vrnn = VRNNConfig(latent=32, hidden=128, width=128, depth=2)
    srnn = SRNNConfig(latent=32, hidden=128, width=128, depth=2, readout=2, cell="lstm")
    direct: dict[str, Any] = {"width": 128, "depth": 2}
    # two samples, as on music: the noise of one costs more than the time of two
    rate = {"update": "rate", "layer_norm_mean": True, "width": 256, "samples": 2}
    gated = {"update": "network", "observe": True, "width": 256, "samples": 2}
    residual = FilteringConfig(activation="clipped", residual=True, **direct)
    alone = replace(fits[0], optimiser=OptimiserConfig(p=1e-2, schedule="cosine"))
    short, rest = replace(alone, epochs=5), {"likelihood": LIKELIHOOD, "particles": 0}
    about = f"Linear regression on the last window of {data}"
    cold, warm = (ELBO(), ELBO()), (ELBO(kl_weight=Warmup(1000)),) * 2
    return [
        *recipes(name, data, "vrnn", vrnn, FilteringConfig(**direct), rate, cold, fits, f"A small VRNN on {data}"),
        *recipes(name, data, "srnn", srnn, residual, gated, warm, fits, f"A small SRNN on {data}"),
        regression(f"{name}-ar", about, data, alone, **rest),
        regression(f"{name}-independent", f"Windows of {data}, each by itself", data, short, 0, **rest),
    ]


def full() -> list[Recipe]:
    """Both models as published."""

    def fit(rate: float) -> FitConfig:
        # 0.999 an epoch
        falls = OptimiserConfig(p=rate, schedule="exponential", floor=0.7, clip=1000.0)
        return FitConfig(epochs=350, batch_size=64, crop=40, buckets=4, patience=30, optimiser=falls)

    vrnn = VRNNConfig(latent=200, hidden=2000, width=500, depth=4, width_x=600)
    srnn = SRNNConfig(latent=256, hidden=1024, width=512, depth=2, readout=2, cell="lstm")
    rate, gated = {"update": "rate", "layer_norm_mean": True}, {"update": "network", "observe": True}
    of_vrnn = FilteringConfig(width=500, depth=4)
    of_srnn = FilteringConfig(width=512, depth=2, activation="clipped", residual=True)
    cold, warm = (ELBO(), ELBO()), tuple(ELBO(kl_weight=Warmup(72 * epochs)) for epochs in (20, 50))
    fits, about = (fit(1e-3), fit(1e-4)), "on TIMIT, sizes as published, with --data FOLDER; wants a GPU"
    data = "timit_sample"
    return [
        *recipes("timit", data, "vrnn", vrnn, of_vrnn, rate, cold, fits, f"VRNN {about}"),
        *recipes("timit", data, "srnn", srnn, of_srnn, gated, warm, fits, f"SRNN {about}"),
    ]


RECIPES = [*(one for name, settings in FREE.items() for one in small(name, *settings)), *full()]
