"""Parzen windows, to compare with old tables alone: what they rank is seldom what a likelihood ranks."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float

from counterpoint.errors import CounterpointError

WIDTHS = tuple(10 ** (i / 10 - 1) for i in range(11))
PORTION = 64  # points that meet all samples at once


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
