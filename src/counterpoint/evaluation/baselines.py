"""What every model stands beside, with no latent variable: the marginal of a frame, the frame before, its copy."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import random

from counterpoint.bounds import ELBO
from counterpoint.core import Pairing
from counterpoint.data import Corpus, Sequences
from counterpoint.distributions import Facts
from counterpoint.estimators import Pathwise
from counterpoint.evaluation.prediction import Prediction
from counterpoint.inference import PriorConfig
from counterpoint.models import AutoregressiveConfig
from counterpoint.training import FitConfig, Fitted, OptimiserConfig, fit

STEPS = 3000  # that the first-order baseline trains at most: seconds


def linear(known: Facts, order: int) -> Pairing:
    """The autoregressive model as it starts: every frame from the marginal of the training frames or, of order 1 and
    more, real frames from a copy of the last: where data are few, that is far to learn."""
    key = random.key(0)
    copies = order > 0 and known.family.linear
    p = AutoregressiveConfig(order=order, residual=copies).build(known, key)
    if copies:  # the last frame has the mean in it
        p = eqx.tree_at(lambda p: p.bias, p, p.bias - known.family.moved(p.bias[: known.family.width]))
    return Pairing(p, PriorConfig().build(p, known, key), ELBO(), Pathwise())


def first_order(known: Facts, corpus: Corpus, portions: FitConfig) -> Fitted:
    """Every frame from the one before: x_t ~ family(W x_t-1 + c), trained in the batches and crops of `portions`.

    `stopped` tells of a signal: what came out then is half trained, and would be a false baseline.
    """
    per_epoch = max(1, len(corpus.train) // portions.batch_size)
    config = FitConfig(
        epochs=max(3, min(200, STEPS // per_epoch)),
        batch_size=portions.batch_size,
        buckets=portions.buckets,
        crop=portions.crop,
        patience=5,
        optimiser=OptimiserConfig(p=1e-2),
    )
    return fit(linear(known, 1), corpus.train, corpus.valid, config)


def last_frames(sequences: Sequences, kind: str) -> Prediction:
    """x^_t = x_t-1, the prediction that has learned nothing; a category (kind "index") as a certainty. x^_1 is zero,
    and is never scored."""
    x = sequences.x
    if kind == "index":
        count = 1 + max(int(a.max()) for a in x)
        x = tuple(np.eye(count)[a.astype(int)] for a in x)
    return Prediction(tuple(np.concatenate([np.zeros_like(a[:1]), a[:-1]]) for a in x))


def normalised(known: Facts) -> bool:
    """Whether the likelihood is one, and not a loss in its place."""
    return known.family(jnp.zeros(known.family.size)).normalised
