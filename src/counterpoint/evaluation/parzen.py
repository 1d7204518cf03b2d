"""Parzen windows, to compare with old tables alone: what they rank is seldom what a likelihood ranks."""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected, AbstractModel, AbstractPosterior
from counterpoint.data.sequences import Corpus
from counterpoint.errors import CounterpointError
from counterpoint.evaluation.chained import directed

WIDTHS = tuple(10 ** (i / 10 - 1) for i in range(11))
PORTION = 64  # points that meet all samples at once
COUNT = 10_000  # samples, as the old tables have them
DRAWN = 100  # at once


def parzen(samples: Float[np.ndarray, "N D"], x: Float[np.ndarray, "M D"], width: float) -> np.ndarray:
    """log (1/N) sum_n N(x | s_n, width^2 I), in nats, (M,): the log-density of points x under Gaussians around samples
    s_n of a model (Breuleux et al. 2011; Bengio et al. 2014, with 10000 samples).

    The pixels are 0 to 1, the density is over real numbers: no log-probability of an image. More samples raise it.
    """
    return np.asarray(_parzen(jnp.asarray(samples), jnp.asarray(x), width))


def parzen_width(
    samples: Float[np.ndarray, "N D"], x: Float[np.ndarray, "M D"], widths: Sequence[float] = WIDTHS
) -> float:
    """The width, of `widths`, that gives points x (a validation set, never the test set) the highest mean."""
    if not widths or min(widths) <= 0:
        raise CounterpointError(f"parzen: widths {list(widths)}; give numbers above 0")
    return float(max(widths, key=lambda width: parzen(samples, x, width).mean()))


@jax.jit
def _parzen(samples, x, width):
    count, d = samples.shape
    own = (samples**2).sum(1)

    def one(x):
        apart = jnp.maximum(own - 2 * samples @ x + x @ x, 0.0)
        return jax.nn.logsumexp(-apart / (2 * width**2))

    total = lax.map(one, x, batch_size=PORTION)
    return total - jnp.log(count) - d * jnp.log(width * jnp.sqrt(2 * jnp.pi))


class Windows(NamedTuple):
    """Mean log-density of the test frames in nats, its standard error over them, and the width of the windows."""

    mean: float
    error: float
    width: float


def parzen_windows(p: AbstractModel, q: AbstractPosterior, corpus: Corpus, key, count: int = COUNT) -> Windows:
    """`parzen` of the test set around `count` draws from the pair, each the mean of p(x | z) under a z of its own, with
    the width that suits the validation set best. Of a p that reconstructs, z is the end of a chain of its own.

    Raises CounterpointError for fewer than 1 sample, and where frames are no still frames of numbers.
    """
    if count < 1:
        raise CounterpointError(f"parzen: {count} samples; give at least 1")
    if corpus.kind == "index" or max(len(x) for x in corpus.test.x) > 1:
        raise CounterpointError(
            f"{corpus.test.what}: Parzen windows stand around still frames of numbers, and these are"
            f" {'categories' if corpus.kind == 'index' else 'sequences'}: evaluate a bound"
        )
    samples = np.asarray(_means(directed(p, q), random.split(key, count))).reshape(count, -1)
    valid, test = (np.concatenate(part.x).reshape(-1, samples.shape[1]) for part in (corpus.valid, corpus.test))
    width = parzen_width(samples, valid.astype(samples.dtype))
    found = parzen(samples, test.astype(samples.dtype), width).astype(np.float64)
    return Windows(float(found.mean()), float(found.std(ddof=1) / len(found) ** 0.5), width)


@eqx.filter_jit
def _means(p: AbstractDirected, keys):
    """E[x | z], z ~ p, one for each key."""

    def one(key):
        carry = p.initial()
        return p.likelihood(carry, p.prior(carry).sample(key)).mean

    return lax.map(one, keys, batch_size=DRAWN)
