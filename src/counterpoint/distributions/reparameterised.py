"""Distributions beside the Gaussian whose draws are differentiable functions of their parameters (Shareghi 2018,
appendix D).

Each has two parameters for every entry, arrays of any one shape; entries are independent.
"""

from abc import abstractmethod
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jax.scipy.special import betaln, gammaln
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.distributions.gaussian import LOG_TWO_PI, UNIT
from counterpoint.numerics import softplus
from counterpoint.support import REAL, UNIT_INTERVAL, Support

POSITIVE = Support("numbers above 0", lambda x: (x > 0) & np.isfinite(x))
EULER = 0.5772156649015329  # Euler's constant


class AbstractEntrywise(AbstractDistribution):
    """A density for each entry, of which the log-probability is the sum."""

    pathwise: ClassVar[bool] = True
    located: ClassVar[bool] = False  # True: the first parameter may be any number; else it is above 0, as the second is

    @abstractmethod
    def each(self, value) -> Float[Array, "*event"]:
        """The log-density of every entry."""

    def sample(self, key):
        return self.drawn(self.noise(key))

    def log_prob(self, value, observed=None):
        if observed is None:
            return self.each(value).sum()
        seen = jnp.where(observed, value, self.mean)  # what is missing may lie where the density has no logarithm
        return jnp.where(observed, self.each(seen), 0.0).sum()

    @property
    def size(self):
        return 2 * jax.tree.leaves(self)[0].size

    def like(self, raw):
        """raw = [first, second], softplus(raw + c) where a parameter is above 0, so that raw = 0 is 0 or 1."""
        one, two = (a.reshape(jax.tree.leaves(self)[0].shape) for a in jnp.split(raw, 2))
        one = one if self.located else positive(one)
        return type(self)(one, positive(two))  # pyright: ignore[reportCallIssue]


class LogNormal(AbstractEntrywise):
    """x = exp(mu + sigma y), y ~ N(0, 1):   log p(x) = log N(log x; mu, sigma^2) - log x.

    loc mu, scale sigma > 0: of log x.
    """

    loc: Float[Array, "*event"]
    scale: Float[Array, "*event"]
    located: ClassVar[bool] = True
    support: ClassVar[Support] = POSITIVE  # pyright: ignore[reportIncompatibleMethodOverride]

    def noise(self, key):
        """Standard normal numbers."""
        return draws.normal(key, self.loc.shape, self.loc.dtype)

    def drawn(self, noise):
        return jnp.exp(self.loc + self.scale * noise)

    def each(self, value):
        log = jnp.log(value)
        return -0.5 * (((log - self.loc) / self.scale) ** 2 + LOG_TWO_PI) - jnp.log(self.scale) - log

    @property
    def mean(self):
        return jnp.exp(self.loc + 0.5 * self.scale**2)


class Gumbel(AbstractEntrywise):
    """x = mu - s log(-log u), u uniform:   F(x) = exp(-exp(-(x - mu) / s)), the distribution of largest values.

    loc mu, scale s > 0. In the letters of Shareghi 2018 mu = log(alpha) / beta and s = 1 / beta, with the sign that its
    formula misses: as printed, it draws from `GumbelMinimum`.
    """

    loc: Float[Array, "*event"]
    scale: Float[Array, "*event"]
    located: ClassVar[bool] = True
    support: ClassVar[Support] = REAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def noise(self, key):
        """-log(-log u)."""
        return random.gumbel(key, self.loc.shape, self.loc.dtype)

    def drawn(self, noise):
        return self.loc + self.scale * noise

    def each(self, value):
        y = (value - self.loc) / self.scale
        return -y - jnp.exp(-y) - jnp.log(self.scale)

    @property
    def mean(self):
        return self.loc + EULER * self.scale


class GumbelMinimum(AbstractEntrywise):
    """x = mu + s log(-log(1 - u)), u uniform:   F(x) = 1 - exp(-exp((x - mu) / s)), the distribution of smallest
    values.

    loc mu, scale s > 0: minus a `Gumbel` of -mu and s. Shareghi 2018 calls this Gumbel, mu = log(alpha) / beta,
    s = 1 / beta.
    """

    loc: Float[Array, "*event"]
    scale: Float[Array, "*event"]
    located: ClassVar[bool] = True
    support: ClassVar[Support] = REAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def noise(self, key):
        """-log(-log u)."""
        return random.gumbel(key, self.loc.shape, self.loc.dtype)

    def drawn(self, noise):
        return self.loc - self.scale * noise

    def each(self, value):
        y = (value - self.loc) / self.scale
        return y - jnp.exp(y) - jnp.log(self.scale)

    @property
    def mean(self):
        return self.loc - EULER * self.scale


class Kumaraswamy(AbstractEntrywise):
    """x = (1 - u^(1/b))^(1/a), u uniform:   F(x) = 1 - (1 - x^a)^b.

    a, b > 0; E[x^n] = b B(1 + n/a, b). It is the `Beta` distribution where a = 1 or b = 1, and only there.
    """

    a: Float[Array, "*event"]
    b: Float[Array, "*event"]
    support: ClassVar[Support] = UNIT_INTERVAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def noise(self, key):
        """Uniform numbers above 0."""
        return random.uniform(key, self.a.shape, self.a.dtype, minval=float(jnp.finfo(self.a.dtype).tiny))

    def drawn(self, noise):
        return inside(jnp.exp(jnp.log(-jnp.expm1(jnp.log(noise) / self.b)) / self.a))

    def each(self, value):
        log = jnp.log(value)
        rest = jnp.log(-jnp.expm1(self.a * log))  # log(1 - x^a)
        return jnp.log(self.a) + jnp.log(self.b) + (self.a - 1) * log + (self.b - 1) * rest

    @property
    def mean(self):
        return self.b * jnp.exp(betaln(1 + 1 / self.a, self.b))


class Gamma(AbstractEntrywise):
    """log p(x) = a log b + (a - 1) log x - b x - log Gamma(a).

    shape a, rate b > 0. Draws have implicit gradients, dx/da = -(dF(x; a)/da) / p(x; a) at the x that was drawn
    (Figurnov et al. 2018), for F has no inverse in closed form.
    """

    shape: Float[Array, "*event"]
    rate: Float[Array, "*event"]
    support: ClassVar[Support] = POSITIVE  # pyright: ignore[reportIncompatibleMethodOverride]

    def drawn(self, noise):
        drawn = jnp.exp(log_gamma(noise, self.shape)) / self.rate
        return jnp.maximum(drawn, jnp.finfo(drawn.dtype).tiny)

    def each(self, value):
        a, b = self.shape, self.rate
        return a * jnp.log(b) + (a - 1) * jnp.log(value) - b * value - gammaln(a)

    @property
    def mean(self):
        return self.shape / self.rate


class Beta(AbstractEntrywise):
    """x = y / (y + z), y ~ Gamma(a, 1), z ~ Gamma(b, 1):   log p(x) = (a - 1) log x + (b - 1) log(1 - x) - log B(a, b).

    a, b > 0. Draws have the implicit gradients of `Gamma`.
    """

    a: Float[Array, "*event"]
    b: Float[Array, "*event"]
    support: ClassVar[Support] = UNIT_INTERVAL  # pyright: ignore[reportIncompatibleMethodOverride]

    def drawn(self, noise):
        one, two = random.split(noise)
        return inside(jax.nn.sigmoid(log_gamma(one, self.a) - log_gamma(two, self.b)))

    def each(self, value):
        return (self.a - 1) * jnp.log(value) + (self.b - 1) * jnp.log1p(-value) - betaln(self.a, self.b)

    @property
    def mean(self):
        return self.a / (self.a + self.b)


def positive(raw):
    """Any number to one above 0, and 0 to 1."""
    return softplus(raw + UNIT) + 1e-4


def log_gamma(key, shape: Float[Array, "*event"]) -> Float[Array, "*event"]:
    """log y, y ~ Gamma(shape, 1), with the implicit gradient of `Gamma`, in the precision of `shape`: the logarithm is
    there where y itself would be 0."""
    return random.loggamma(key, shape, dtype=shape.dtype)


def inside(x):
    """Off the ends of the unit interval, where a density may have no logarithm: by the least number of a float at 0, by
    its rounding at 1. A distribution of small `a` has much of its mass near 0, which a float resolves; near 1 it
    cannot: what is above 1 - eps, eps^b of a `Kumaraswamy` or `Beta` of a = 1, is drawn as 1 - eps, in float32 a fifth
    of all draws at b = 0.1, and 3e-4 at b = 0.5. Their mean densities are too low there. No form of the logarithms
    mends that, for the draw is what is rounded: take float64, or where all of such mass is near 1, the distribution of
    1 - x, with a and b changed places."""
    info = jnp.finfo(x.dtype)
    return jnp.clip(x, info.tiny, 1 - info.eps)
