"""Polyphonic music as Fraccaro et al. 2016 learn it: table 2 of their paper, on the grid of their code.

Sizes and streams are those of that code: 16 streams of pieces joined end to end, in crops of 100 steps that hand their
state on; so is the rate at the beginning, which falls smoothly here and there is divided by 1.2 a pass after the
twentieth. The weight of the KL rises from 0.2 to 1, in 20 passes there, in the first third of some 1100 updates here,
which an hour or two of one core do.
"""

from counterpoint.bounds import ELBO, Warmup
from counterpoint.estimators import Pathwise
from counterpoint.inference import SmoothingConfig
from counterpoint.models import SRNNConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

# corpus, published bound, crops in a pass, passes at most
CORPORA = {
    "jsb": ("srnn_jsb_chorales", -4.74, 17, 65),
    "nottingham": ("srnn_nottingham", -2.94, 92, 12),
    "muse": ("srnn_musedata", -6.28, 155, 7),
    "piano": ("srnn_piano_midi", -8.20, 44, 25),
}


def recipe(name: str, corpus: str, published: float, crops: int, epochs: int) -> Recipe:
    """An SRNN with the smoothing posterior that starts at the prior's mean."""
    return Recipe(
        name=f"{name}-srnn-smoothing",
        about=f"SRNN, smoothing, Res_q: as in Fraccaro et al. 2016, on their grid (test bound {published})",
        data=corpus,
        p=SRNNConfig(latent=100, hidden=300, width=500, cell="gru"),
        q=SmoothingConfig(hidden=300, width=500, cell="gru", activation="clipped", residual=True),
        bound=ELBO(kl_weight=Warmup(epochs * crops // 3, start=0.2)),
        estimator=Pathwise(),
        fit=FitConfig(
            epochs=epochs,
            batch_size=16,
            buckets=1,
            crop=100,
            carry=True,
            patience=15,
            optimiser=OptimiserConfig(p=1e-3, schedule="cosine"),
        ),
        particles=0,
    )


RECIPES = [recipe(name, *settings) for name, settings in CORPORA.items()]
