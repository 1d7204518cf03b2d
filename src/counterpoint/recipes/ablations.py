"""What Marino et al. (2018) claim of amortised variational filtering, one change at a time: a small SRNN on JSB
chorales.

A third of the published widths, and an eighth of the iterative network's, for two cores; published sizes are in `avf`.
All are given the same rate, batches, patience and number of passes at most; the rate is that of direct filtering, for
which 3e-3 is 0.26 nats better on validation than 1e-3.
"""

from dataclasses import replace
from typing import Any

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import FilteringEMConfig, Pathwise
from counterpoint.inference import FilteringConfig, IterativeConfig
from counterpoint.models import SRNNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

NAME = "jsb-small-srnn"
BASE = IterativeConfig(update="network", width=128)
RATE_NORM = replace(BASE, update="rate", layer_norm_mean=True)
FULL = replace(BASE, observe=True, samples=2)
GREEDY = FilteringEMConfig()
WARM = ELBO(kl_weight=Warmup(500))


def recipe(suffix: str, what: str, q: Any, estimator: Any, bound: ELBO = WARM) -> Recipe:
    learn = OptimiserConfig(p=3e-3, schedule="cosine", decay=1.0)
    fit = FitConfig(epochs=60, patience=15, crop=25, buckets=2, optimiser=learn)
    p = SRNNConfig(latent=32, hidden=96, width=96, readout=2, cell="lstm")
    return Recipe(f"{NAME}{suffix}", f"A small SRNN, {what}", "jsb_chorales", p, q, bound, estimator, fit)


def filtering(suffix: str, what: str, bound: ELBO = WARM, width: int = 96) -> Recipe:
    q = FilteringConfig(width=width, activation="clipped", residual=True)
    return recipe(suffix, f"direct filtering{what}", q, Pathwise(), bound)


def avf(suffix: str, what: str, q: IterativeConfig = BASE, bound: ELBO = WARM, estimator: Any = GREEDY) -> Recipe:
    return recipe(f"-avf{suffix}", f"amortised variational filtering{what}", q, estimator, bound)


RECIPES = [
    filtering("", ""),
    filtering("-cold", ", no KL warm-up", ELBO()),
    filtering("-wide", ", q with as many weights as the iterative one that reads the notes", width=344),
    avf("", ", 1 iteration"),
    *(avf(f"-{n}", f", {n} iterations", replace(BASE, iterations=n)) for n in (2, 4, 8)),
    *(avf(f"-samples-{n}", f", {n} samples", replace(BASE, samples=n)) for n in (2, 8)),
    avf("-observe", ", the observation encoded", replace(BASE, observe=True)),
    avf("-norm", ", layer-normalised mean", replace(BASE, layer_norm_mean=True)),
    avf("-cold", ", no KL warm-up", bound=ELBO()),
    avf("-rate", ", learned step sizes", replace(BASE, update="rate")),
    avf("-rate-norm", ", learned step sizes and layer-normalised mean", RATE_NORM),
    avf("-time", ", q learns through time", estimator=FilteringEMConfig(through_time=True)),
    avf("-pathwise", ", the pathwise gradient of the whole bound", estimator=Pathwise()),
    avf(
        "-observe-pathwise",
        ", the pathwise gradient and the observation encoded",
        replace(BASE, observe=True),
        estimator=Pathwise(),
    ),
    avf("-full", ", 2 samples and the observation encoded, as at full size", FULL),
    *(
        avf(f"-full-{n}", f", 2 samples, the observation encoded, {n} iterations", replace(FULL, iterations=n))
        for n in (2, 4)
    ),
    avf("-observe-samples-8", ", 8 samples and the observation encoded", replace(BASE, observe=True, samples=8)),
    avf("-pathwise-samples-8", ", 8 samples and the pathwise gradient", replace(BASE, samples=8), estimator=Pathwise()),
]
