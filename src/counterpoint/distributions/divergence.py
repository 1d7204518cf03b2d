"""KL(q || p) in closed form, by pair of types. Bounds ask for it; models never know."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.distributions.categorical import Categorical
from counterpoint.distributions.chain import Empty
from counterpoint.distributions.gaussian import FullGaussian, Gaussian


def gaussian(q: Gaussian, p: Gaussian) -> Float[Array, ""]:
    """sum_i log(s_p / s_q) + (s_q^2 + (m_q - m_p)^2) / (2 s_p^2) - 1/2 (seed 3, eq. 2.7 for p = N(0, 1))."""
    moved = (q.scale**2 + (q.loc - p.loc) ** 2) / (2 * p.scale**2)
    return (jnp.log(p.scale / q.scale) + moved - 0.5).sum()


def full_gaussian(q: FullGaussian, p: FullGaussian) -> Float[Array, ""]:
    """(tr(P^-1 Q) + (m_p - m_q)' P^-1 (m_p - m_q) - d) / 2 + (log det P - log det Q) / 2."""
    solve = lambda a: jax.scipy.linalg.solve_triangular(p.cholesky, a, lower=True)
    spread, moved = solve(q.cholesky), solve(q.loc - p.loc)
    volume = jnp.log(jnp.diag(p.cholesky) / jnp.diag(q.cholesky)).sum()
    return 0.5 * ((spread**2).sum() + moved @ moved - q.loc.size) + volume


def diagonal_and_full(q: Gaussian, p: FullGaussian) -> Float[Array, ""]:
    """The same for Q = diag(s^2)."""
    return full_gaussian(FullGaussian(q.loc, jnp.diag(q.scale)), p)


def bernoulli(q: Bernoulli, p: Bernoulli) -> Float[Array, ""]:
    """sum_i s(a_i) (a_i - b_i) - softplus(a_i) + softplus(b_i) for logits a of q and b of p."""
    gap = jax.nn.softplus(p.logits) - jax.nn.softplus(q.logits)
    return (jax.nn.sigmoid(q.logits) * (q.logits - p.logits) + gap).sum()


def categorical(q: Categorical, p: Categorical) -> Float[Array, ""]:
    """sum_i q_i (log q_i - log p_i), with 0 log 0 = 0."""
    log_q, log_p = jax.nn.log_softmax(q.logits), jax.nn.log_softmax(p.logits)
    weight = jnp.exp(log_q)
    return jnp.where(weight > 0, weight * (log_q - log_p), 0.0).sum()


CLOSED: dict[tuple[type, type], Callable] = {
    (Gaussian, Gaussian): gaussian,
    (FullGaussian, FullGaussian): full_gaussian,
    (Gaussian, FullGaussian): diagonal_and_full,
    (Bernoulli, Bernoulli): bernoulli,
    (Categorical, Categorical): categorical,
    (Empty, Empty): lambda q, p: jnp.zeros(()),
}


def has_divergence(q: AbstractDistribution) -> bool:
    """Whether a closed form from this type of q exists."""
    return any(type(q) is first for first, _ in CLOSED)


def divergence(q: AbstractDistribution, p: AbstractDistribution) -> Float[Array, ""] | None:
    """KL(q || p) in nats, or None where no closed form is known."""
    rule = CLOSED.get((type(q), type(p)))
    return None if rule is None else rule(q, p)
