"""Still images: variational and importance-weighted auto-encoders (Burda et al. 2015), and sigmoid belief networks by
NVIL (Mnih and Gregor 2014), VIMCO (Mnih and Rezende 2016), reweighted wake-sleep (Bornschein and Bengio 2015) and
classic wake-sleep (Hinton et al. 1995).

Sizes are those of the papers. Burda et al. train 3280 passes in batches of 20 and have no validation; here are the
passes that two cores can do, and the best by the validation bound. Their numbers are test log-likelihoods by 5000
importance samples, as `counterpoint reproduce mnist` measures them; those of belief networks are bounds. To train as
they did, but for their steps of the rate and the digits that validate here:

    --fit.epochs 3280 --fit.batch-size 20 --fit.optimiser.p 1e-3 --fit.patience 0
"""

from itertools import product
from typing import Any

from counterpoint.bounds import ELBO, IWAE
from counterpoint.estimators import Pathwise, ScoreFunctionConfig, VIMCOConfig, WakeSleepConfig
from counterpoint.inference import BottomUpConfig, FilteringConfig, TSBNRecognitionConfig
from counterpoint.models import TSBNConfig, VAEConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig


def settings(epochs: int, p: float, q: float | None = None, batch_size: int = 100) -> FitConfig:
    """Of all that follow: no clipping, and rates that fall to a tenth."""
    rule = OptimiserConfig(p=p, q=q, schedule="exponential", floor=0.1, clip=0.0)
    return FitConfig(epochs=epochs, batch_size=batch_size, buckets=1, patience=30, optimiser=rule)


# corpus, passes in batches of 100, and the published numbers, as others quote them, by the name of a model; of belief
# networks by their estimator, bounds of one layer to three
CORPORA: dict[str, tuple[str, int, dict[str, Any]]] = {
    "mnist": ("mnist", 60, {"vae": "-86.76", "iwae2-50": "-82.90"}),
    "mnist-fixed": ("mnist_fixed", 60, {"nvil": ("-113.1", "-99.8", "-97.5")}),
    "omniglot": ("omniglot", 120, {}),
    "caltech": ("caltech_silhouettes", 300, {}),
}


def autoencoders(name: str, data: str, passes: int, published: dict[str, Any]) -> list[Recipe]:
    """VAE and IWAE of 1, 5 and 50 particles, of one layer and of two; of one they are the same. Those of 50 make as
    many updates in batches of 20, which is a fifth of the passes."""
    one = VAEConfig(), FilteringConfig(width=200, depth=2, activation="tanh")
    two = VAEConfig(latent=(100, 50), width=(200, 100)), BottomUpConfig(width=(200, 100))
    kinds: dict[str, tuple[str, Any, Any]] = {}
    for layers, pair, many in (("one layer", one, ""), ("two layers", two, "2")):
        kinds[f"vae{many}"] = f"VAE of {layers}", pair, ELBO()
        for k in (5, 50):
            kinds[f"vae{many}-{k}"] = f"VAE of {layers}, {k} samples", pair, ELBO(k)
            kinds[f"iwae{many}-{k}"] = f"IWAE of {layers}, {k} particles", pair, IWAE(k)
    made = []
    for kind, (what, (p, q), bound) in kinds.items():
        said = f"Burda et al. 2015, as quoted: {published[kind]}" if kind in published else "no published number"
        parts: dict[str, Any] = {"p": p, "q": q, "bound": bound, "estimator": Pathwise()}
        fit = settings(passes // 5, 3e-3, batch_size=20) if bound.particles == 50 else settings(passes, 3e-3)
        made.append(Recipe(name=f"{name}-{kind}", about=f"{what} ({said})", data=data, fit=fit, particles=0, **parts))
    return made


# estimator: its bound, rates of p and q: those of the first two by validation of one seed after 6 passes of MNIST
NETWORKS = {
    "nvil": (ELBO(closed_form=False), ScoreFunctionConfig(), 1e-2, 3e-3),
    "vimco": (IWAE(5), VIMCOConfig(), 1e-2, 3e-3),
    "rws": (IWAE(5), WakeSleepConfig(), 1e-3, 1e-3),
    "wake-sleep": (ELBO(closed_form=False), WakeSleepConfig(0.0, 1.0), 1e-3, 1e-3),
}


def networks(corpus: str, data: str, passes: int, published: dict[str, Any]) -> list[Recipe]:
    """Sigmoid belief networks of one, two and three layers of 200 units, by each estimator."""
    made = []
    for (name, (bound, estimator, p, q)), depth in product(NETWORKS.items(), (1, 2, 3)):
        units = (200,) * depth
        said = f"published bound {published[name][depth - 1]}" if name in published else "no published number"
        made.append(
            Recipe(
                name=f"{corpus}-sbn{depth if depth > 1 else ''}-{name}",
                about=f"SBN {'-'.join(map(str, units))} by {name.upper()} ({said})",
                data=data,
                p=TSBNConfig(units=units, order=0, sees=False),
                q=TSBNRecognitionConfig(),
                bound=bound,
                estimator=estimator,
                fit=settings(passes, p, q),
                particles=0,
            )
        )
    return made


RECIPES = [one for name, of in CORPORA.items() for one in autoencoders(name, *of)]
RECIPES += [one for name, of in CORPORA.items() for one in networks(name, *of)]
