"""Amortised variational filtering of music: an SRNN on the four polyphonic corpora, table 3 of Marino et al. 2018.

Sizes, crops, batches and the length of the KL's warm-up are those of the paper and its code, whose epochs are ten
batches long; a validation comes after each pass over the data, as everywhere here. q learns once a batch, where the
code lets it learn at every time step, and the learning rate is higher for it. The iterative network reads x_t beside
the gradients, as the paper does: without it, JSB's validation is half a nat behind (`counterpoint reproduce avf` has
the same of a small model). It tells a free energy and its gradient by two samples at either side of q's mean: the noise
of one costs more than the time of two. The paper's code has learned step sizes and a layer-normalised mean for JSB and
Piano.
"""

from dataclasses import replace

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import FilteringEMConfig, Pathwise
from counterpoint.inference import FilteringConfig, IterativeConfig
from counterpoint.models import SRNNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

# corpus; published bounds of direct filtering, of AVF with one iteration and with five; passes at most, some 2000
# updates, which an hour or two of one core do; decay of weights, which the smallest corpus needs
CORPORA = {
    "jsb": ("jsb_chorales", ("-6.92", "-6.97", "-6.77"), 40, 1.0),
    "nottingham": ("nottingham", ("-3.19", "-3.13", None), 5, 0.0),
    "muse": ("musedata", ("-6.27", "-5.99", None), 4, 0.0),
    "piano": ("piano_midi", ("-8.19", "-8.12", None), 10, 0.0),
}


def recipes(name: str, corpus: str, published: tuple, epochs: int, decay: float) -> list[Recipe]:
    """An SRNN with a direct filtering posterior, and with iterative ones of one and of five iterations."""
    direct, once, often = published
    shared = {
        "data": corpus,
        "p": SRNNConfig(latent=100, hidden=300, width=500, readout=2, cell="lstm"),
        "bound": ELBO(kl_weight=Warmup(500)),
        "particles": 0,
        "fit": FitConfig(
            epochs=epochs,
            patience=15,
            crop=25,
            buckets=2,
            optimiser=OptimiserConfig(p=1e-3, schedule="cosine", decay=decay),
        ),
    }
    made = [
        Recipe(
            name=f"{name}-srnn",
            about=f"SRNN, direct filtering: the baseline of Marino et al. 2018 (test bound {direct})",
            q=FilteringConfig(width=500, activation="clipped", residual=True),
            estimator=Pathwise(),
            **shared,
        )
    ]
    # an update with five takes three to four times as long
    for iterations, bound, passes in ((1, once, epochs), (5, often, 3 * epochs // 5)):
        made.append(
            Recipe(
                name=f"{name}-srnn-avf" + (f"-{iterations}" if iterations > 1 else ""),
                about=f"SRNN, amortised variational filtering, {iterations} iteration{'s' * (iterations > 1)} a step ("
                + (f"Marino et al. 2018: test bound {bound})" if bound else "no published number)"),
                q=IterativeConfig(update="network", iterations=iterations, samples=2, observe=True),
                estimator=FilteringEMConfig(),
                **shared | {"fit": replace(shared["fit"], epochs=passes)},
            )
        )
    return made


RECIPES = [one for name, settings in CORPORA.items() for one in recipes(name, *settings)]
