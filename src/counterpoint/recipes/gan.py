"""What the experiments of Gan et al. 2015 share: how a sigmoid belief network learns, and what it stands beside."""

from typing import Any

from counterpoint.bounds import ELBO
from counterpoint.estimators import Pathwise, VIMCOConfig
from counterpoint.inference import PriorConfig
from counterpoint.models import AutoregressiveConfig
from counterpoint.recipes.recipe import Recipe
from counterpoint.training import FitConfig

# what tables say of it
LEARNING = """\
Sigmoid belief networks learn by VIMCO from two draws or four, with its local signal, which is biased; the paper's by
NVIL from one. Here it is Adam at rates from 1e-3 to 3e-2, batches of several sequences or crops, and weights that start
with a deviation of 0.01; there an RMSprop with momentum at 1e-4, one sequence an update, 0.001, and biases of their own
for the first step of balls, music and texts. To learn as they do, give `counterpoint train`

    --estimator score_function --estimator.signal local --bound.particles 1 --fit.optimiser.name rmsprop
    --fit.optimiser.p 1e-4 --fit.optimiser.decay 1e-4 --fit.optimiser.schedule constant --fit.optimiser.clip 0
    --fit.batch-size 1 --p.scale 0.001 --q.scale 0.001 --p.first-step"""


def network(name: str, about: str, data: str, p: Any, q: Any, fit: FitConfig, draws: int = 4, **rest: Any) -> Recipe:
    """p with its recognition model q. The paper learns by NVIL from one draw; here by VIMCO from several, whose local
    signal is biased, and a little ahead of the unbiased reward_to_go."""
    bound, estimator = ELBO(particles=draws, closed_form=False), VIMCOConfig(signal="local")
    return Recipe(name=name, about=about, data=data, p=p, q=q, bound=bound, estimator=estimator, fit=fit, **rest)


def regression(
    name: str, about: str, data: str, fit: FitConfig, order: int = 1, residual: bool = False, **rest: Any
) -> Recipe:
    """The baseline without latent variables: frames regressed on the last `order`."""
    p, q = AutoregressiveConfig(order=order, residual=residual), PriorConfig()
    return Recipe(name=name, about=about, data=data, p=p, q=q, bound=ELBO(), estimator=Pathwise(), fit=fit, **rest)
