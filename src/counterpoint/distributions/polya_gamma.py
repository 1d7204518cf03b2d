"""The Polya-Gamma distribution, given whose draw the logit of a Bernoulli variable is Gaussian."""

import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float

ROUNDS = 64  # of rejection: at least half are accepted, so less than 2^-64 are left; they keep their last proposal
CUT, TERMS = 0.64, 4  # where the two series of the tilt meet, and how many terms tell all digits of a float64


def polya_gamma(key, c: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """w ~ PG(1, c), exactly:   1 / (1 + exp(-a)) = exp(a / 2) E[exp(-w a^2 / 2)] / 2,   w ~ PG(1, 0)

    (Polson, Scott and Windle 2013). 4 w has the density of Jacobi's theta function, and that is (1 + e^-2z) S(x) times
    an inverse Gaussian's of mean 1 / z and shape 1, z = |c| / 2, where 0 < S <= 1 is `tilt`. So one proposal and one
    Bernoulli draw are a round, of which a share of 1 / (1 + e^-2z) is accepted.
    """
    z = 0.5 * jnp.abs(c)

    def unfinished(loop):
        i, _, _, done = loop
        return (i < ROUNDS) & ~done.all()

    def again(loop):
        i, key, x, done = loop
        key, of_x, of_u = random.split(key, 3)
        new = inverse_gaussian(of_x, z)
        accepted = random.uniform(of_u, z.shape, z.dtype) <= tilt(new)
        return i + 1, key, jnp.where(done, x, new), done | accepted

    begin = jnp.zeros((), jnp.int32), key, jnp.zeros_like(z), jnp.zeros(z.shape, bool)
    return lax.while_loop(unfinished, again, begin)[2] / 4


def inverse_gaussian(key, z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Mean 1 / z and shape 1, by the root of a chi-square (Michael, Schucany and Haas 1976); z = 0 is 1 / chi-square.

    The smaller root is written without a difference, so that a small z costs no digits.
    """
    of_y, of_u = random.split(key)
    y = random.normal(of_y, z.shape, z.dtype) ** 2
    small = 2 / (2 * z + y + jnp.sqrt(y * y + 4 * y * z))
    other = random.uniform(of_u, z.shape, z.dtype) * (1 + z * small) > 1
    return jnp.where(other, 1 / jnp.where(other, z * z * small, 1.0), small)


def tilt(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """S(x) = sum_n (-1)^n (2 n + 1) exp(-2 n (n + 1) / x), by its own series where x is small, else by the one that
    Poisson's summation gives."""
    low, high = jnp.minimum(x, CUT), jnp.maximum(x, CUT)
    own = sum((-1) ** n * (2 * n + 1) * jnp.exp(-2 * n * (n + 1) / low) for n in range(TERMS))
    # in one exponential, or a large x would make 0 times infinity
    power = lambda n: 0.5 / high - 0.5 * ((n + 0.5) * jnp.pi) ** 2 * high
    dual = sum((-1) ** n * (n + 0.5) * jnp.exp(power(n)) for n in range(TERMS))
    return jnp.where(x < CUT, own, jnp.pi * dual * jnp.sqrt(jnp.pi * high / 2) * high)


def mean(c: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """E[w] = tanh(c / 2) / (2 c), 1 / 4 at c = 0."""
    small = jnp.abs(c) < 1e-3
    safe = jnp.where(small, 1.0, c)
    return jnp.where(small, 0.25 - c * c / 48, jnp.tanh(safe / 2) / (2 * safe))
