"""Boltzmann machines of still images: an RBM that can be summed over, and on MNIST an RBM, a deep belief network and a
deep Boltzmann machine of the sizes that Salakhutdinov and Murray (2008) and Salakhutdinov and Hinton (2009) have.

Where Z cannot be counted, checkpoints of an RBM are chosen by annealed importance sampling, 10 chains of 200
temperatures for each batch: it flatters, so `evaluate` has the other side as well.

Published test log-likelihoods are estimates by annealed importance sampling, as Gan et al. quote them: -86.22 of a DBN
500-2000, -84.62 of a DBM 500-1000. Ours of a DBN has 784 units on top, so that its machines can be tied.
"""

from typing import Any

from counterpoint.bounds import ELBO, Annealed
from counterpoint.estimators import ContrastiveDivergenceConfig, GreedyConfig, MaximumLikelihood, PersistentConfig
from counterpoint.inference import DBNRecognitionConfig, GibbsConfig, MeanFieldConfig
from counterpoint.models import DBMConfig, DBNConfig, RBMConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig, OptimiserConfig

# bars and stripes, 4 x 4: all 32 pictures (30 different ones) in each update, and the likelihood can be counted
SMALL = FitConfig(epochs=3000, batch_size=32, buckets=1, patience=0, validate=100, optimiser=OptimiserConfig(p=2e-3))

PCD = ContrastiveDivergenceConfig(100)


def small(name: str, about: str, estimator: Any) -> Recipe:
    parts: dict[str, Any] = {"p": RBMConfig(units=12, scale=0.1), "q": GibbsConfig(), "bound": Annealed()}
    about = f"RBM of 12 units on bars and stripes, {about} (the data's own log-likelihood is -3.38)"
    return Recipe(name, about, "bars_and_stripes", **parts, estimator=estimator, fit=SMALL, particles=0)


def large(name: str, about: str, p: Any, q: Any, bound: Any, estimator: Any) -> Recipe:
    """One hundred images an update, 500 updates a pass."""
    rule = OptimiserConfig(p=1e-3, schedule="exponential", floor=0.1, clip=0.0)
    fit = FitConfig(epochs=100, batch_size=100, buckets=1, patience=0, validate=10, optimiser=rule)
    return Recipe(name, about, "mnist_fixed", p=p, q=q, bound=bound, estimator=estimator, fit=fit, particles=0)


SHARED = Annealed(temperatures=200, particles=10, conservative=False)
DBN, DBM = "DBN 500-784, greedy with tied weights (500-2000: -86.22)", "DBM 500-1000, mean field and chains (-84.62)"
RECIPES = [
    large("mnist-rbm", "RBM of 500 units, 100 chains", RBMConfig(500), GibbsConfig(), SHARED, PCD),
    large("mnist-dbn", DBN, DBNConfig(), DBNRecognitionConfig(), ELBO(), GreedyConfig(updates=25_000)),
    large("mnist-dbm", DBM, DBMConfig(), MeanFieldConfig(), ELBO(), PersistentConfig()),
    small("bars-rbm", "CD-1", ContrastiveDivergenceConfig()),
    small("bars-rbm-exact", "by the likelihood's own gradient", MaximumLikelihood()),
]
