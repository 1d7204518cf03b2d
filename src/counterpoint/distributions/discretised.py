"""Gaussians of values that lie on a grid, such as samples of 16 bits or pixels of 8."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import erfc
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.gaussian import LOG_TWO_PI, Gaussian
from counterpoint.support import Support

NEAR = 0.05  # of a step: how far beside the grid a value may be, for float32 rounds 16 bits by less than a hundredth
LOOKED_AT = 2**22  # values that tell a grid
FAR = 5.0  # from here on Mills' ratio is a continued fraction
SMALL = 1.0  # in narrow cells below it, as many nodes of Gauss-Legendre on [0, 1] are exact to 1e-8, or to 1e-12
NODES = {4: 3, 8: 5}  # by bytes of a number
DEPTH = {4: 5, 8: 14}  # of the fraction, for the same


class DiscretisedGaussian(AbstractDistribution):
    """p(x) = prod_i Phi((x_i + D/2 - mu_i) / sigma_i) - Phi((x_i - D/2 - mu_i) / sigma_i),   x_i = origin + k D

    the mass that N(mu, sigma^2) has in the cell of width D around x: the distribution of a Gaussian draw that is
    rounded to the grid. It sums to 1 over the grid, so it is a probability, at most 1, where a density has no bound as
    sigma falls.

    The code of Marino et al. 2018 (speech and video) takes the cell [x, x + D] and adds 1e-6 to its mass.
    The first is the same distribution about mu - D/2. The second is not done here: no value then costs more than 13.8
    nats, the gradient vanishes for those that cost most, and what is summed over the grid exceeds 1.

    loc, scale: any one shape; `scale` positive, that of the Gaussian. step D > 0 and origin: of the grid. The grid has
    no ends: mass beyond the darkest and the lightest pixel is lost, which makes a likelihood lower, never higher.
    """

    loc: Float[Array, "*event"]
    scale: Float[Array, "*event"]
    step: float = eqx.field(static=True, default=1.0)
    origin: float = eqx.field(static=True, default=0.0)
    pathwise: ClassVar[bool] = False

    @property
    def support(self):
        contains = lambda x: on_grid(x, self.step, self.origin)
        return Support(f"{self.origin:g} and whole steps of {self.step:g} from it", contains)

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Standard normal numbers."""
        return self._gaussian.noise(key)

    def drawn(self, noise):
        return self.origin + self.step * jnp.round((self._gaussian.drawn(noise) - self.origin) / self.step)

    def log_prob(self, value, observed=None):
        each = log_mass(jnp.abs(value - self.loc) / self.scale, self.step / self.scale)
        return (each if observed is None else jnp.where(observed, each, 0.0)).sum()

    @property
    def mean(self):
        """mu: E[x] within 1e-8 D where sigma >= D, and never farther from it than D / 2."""
        return self.loc

    @property
    def size(self):
        return self._gaussian.size

    def like(self, raw):
        """raw as a Gaussian's."""
        law = self._gaussian.like(raw)
        return DiscretisedGaussian(law.loc, law.scale, self.step, self.origin)

    @property
    def _gaussian(self):
        return Gaussian(self.loc, self.scale)


@jax.custom_jvp
def log_mass(distance: Float[Array, "*event"], width: Float[Array, "*event"]) -> Float[Array, "*event"]:
    """log(Phi(b) - Phi(a)), a = m - h, b = m + h, h = w / 2: of a cell of width w > 0 whose middle is m >= 0 from the
    mean, both in units of sigma.

    The difference of two nearly equal numbers is never taken, so value and gradient are right in float32 at any
    distance whose square is a number. With phi and Phi the standard normal's, and Mills' ratio R(y) = Phi(-y) / phi(y),

        narrow, w max(m, 1) < 1    log phi(m) + log J,    J = w int_0^1 cosh(m h s) exp(-(h s)^2 / 2) ds
        tail, a >= 0               log phi(a) + log J,    J = R(a) - exp(-m w) R(b)
        about the mean, a < 0      log(1 - rest),         rest = phi(a) (R(-a) + exp(-m w) R(b))

    and the derivatives by m and w, (phi(b) - phi(a)) / p and (phi(a) + phi(b)) / 2 p, are made of the same numbers.
    """
    return _mass(distance, width)[0]


@log_mass.defjvp
def _log_mass_jvp(primals, tangents):
    value, by_distance, by_width = _mass(*primals)
    return value, by_distance * tangents[0] + by_width * tangents[1]


def _mass(m, w):
    """log p and its derivatives by m and by w."""
    h = w / 2
    narrow = w * jnp.maximum(m, 1.0) < SMALL
    middle = ~narrow & (m < h)
    # Each form sees numbers that it can take: what is not selected would still send NaN into a second derivative.
    keep = lambda where, x, other: jnp.where(where, x, jnp.asarray(other, x.dtype))
    near, half = keep(narrow, m, 0.0), keep(narrow, h, 0.1)
    total = jnp.zeros_like(m)
    for node, weight in zip(*np.polynomial.legendre.leggauss(NODES[m.dtype.itemsize])):
        t = float(node + 1) / 2 * half
        total += float(weight) / 2 * jnp.cosh(near * t) * jnp.exp(-(t**2) / 2)
    a = jnp.abs(m - h)
    less = jnp.exp(-m * w)  # phi(b) / phi(a)
    first, second = _mills(a), less * _mills(m + h)
    outside = jnp.exp(-0.5 * (a**2 + LOG_TWO_PI))
    rest = keep(middle, outside * (first + second), 0.5)
    mass = jnp.where(narrow, w * total, keep(~narrow & ~middle, first - second, 1.0))
    log_p = jnp.where(middle, jnp.log1p(-rest), -0.5 * (jnp.where(narrow, m, a) ** 2 + LOG_TWO_PI) + jnp.log(mass))
    edge = jnp.exp(-(half**2) / 2)
    scale = jnp.where(middle, outside / (1 - rest), 1 / mass)  # phi at the nearer edge, or at m, over p
    by_m = jnp.where(narrow, -2 * edge * jnp.sinh(near * half), less - 1) * scale
    by_w = jnp.where(narrow, edge * jnp.cosh(near * half), (1 + less) / 2) * scale
    return log_p, by_m, by_w


def _mills(y):
    """R(y), y >= 0: by erfc, and where that comes near to underflow by Laplace's fraction

    R(y) = 1 / (y + 1 / (y + 2 / (y + 3 / ...))), cut at a depth that is exact from 5 on.

    `jax.scipy.special.erfcx` is not used: just below where it changes over, about y = 13 in float32, it is 0.
    """
    low, high = jnp.minimum(y, FAR), jnp.maximum(y, FAR)
    below = high
    for k in range(DEPTH[y.dtype.itemsize], 0, -1):
        below = high + k / below
    return jnp.where(y < FAR, math.sqrt(math.pi / 2) * jnp.exp(low**2 / 2) * erfc(low / math.sqrt(2)), 1 / below)


def on_grid(x, step: float, origin: float) -> np.ndarray:
    """Which values are the origin and a whole number of steps."""
    cells = (np.asarray(x, float) - origin) / step
    with np.errstate(invalid="ignore"):  # infinity lies on no grid
        return np.abs(cells - np.round(cells)) < NEAR


def spacing(x: np.ndarray) -> float | None:
    """The widest D such that the values of an array all lie D times a whole number from each other; None where no grid
    is found that is wide enough to be told from the rounding of its numbers, or where all values are one.

    Of arrays with more than 4 million values, that many are looked at.
    """
    flat = np.ravel(x)
    values = np.unique(flat[:: -(-len(flat) // LOOKED_AT)].astype(float))
    rounding = 8 * float(np.finfo(x.dtype if x.dtype.kind == "f" else float).eps) * np.abs(values).max()
    gaps = np.diff(values)
    gaps = np.diff(values[np.append(True, gaps > rounding)])
    if not len(gaps):
        return None
    step = gaps.min()
    for reach in (1.5, 10.0, 100.0, 1e3, np.inf):  # the few of one step first, for wide ones need it exactly
        near = gaps[gaps <= reach * step]
        step = near.sum() / np.round(near / step).sum()
    cells = np.cumsum(gaps) / step
    return float(step) if (np.abs(cells - np.round(cells)) < NEAR).all() else None


def log_density(log_probability: float | np.ndarray, size: int, step: float) -> float | np.ndarray:
    """The log-density in nats that a discretised log-probability of `size` entries stands for: log p - size log D.

    Exact for the density that is constant on each cell, so nearly so where sigma is much wider than D. The 1,026 nats
    a step of Marino et al. on TIMIT (200 samples, D = 0.0018190742) are -1026 + 1261.9 = 236 of the density.
    """
    return log_probability - size * math.log(step)


def bits(log_probability: float | np.ndarray, size: int) -> float | np.ndarray:
    """Bits an entry: -log p / (size log 2). What an ideal code of these values takes, where log p is discretised."""
    return -log_probability / (size * math.log(2))
