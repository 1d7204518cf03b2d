"""KL(q || p) in closed form, by pair of types. Bounds ask for it; models never know."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import betaln, digamma, gammaln
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.distributions.categorical import Categorical
from counterpoint.distributions.chain import Empty
from counterpoint.distributions.gaussian import FullGaussian, Gaussian, solve_lower
from counterpoint.distributions.reparameterised import EULER, Beta, Gamma, Gumbel, GumbelMinimum, LogNormal
from counterpoint.distributions.simplex import Dirichlet
from counterpoint.distributions.trajectory import Trajectory
from counterpoint.numerics import softplus


def gaussian(q: Gaussian, p: Gaussian) -> Float[Array, ""]:
    """sum_i log(s_p / s_q) + (s_q^2 + (m_q - m_p)^2) / (2 s_p^2) - 1/2 (Shareghi 2018, eq. 2.7 for p = N(0, 1))."""
    moved = (q.scale**2 + (q.loc - p.loc) ** 2) / (2 * p.scale**2)
    return (jnp.log(p.scale / q.scale) + moved - 0.5).sum()


def full_gaussian(q: FullGaussian, p: FullGaussian) -> Float[Array, ""]:
    """(tr(P^-1 Q) + (m_p - m_q)' P^-1 (m_p - m_q) - d) / 2 + (log det P - log det Q) / 2."""
    solve = lambda a: solve_lower(p.cholesky, a)
    spread, moved = solve(q.cholesky), solve(q.loc - p.loc)
    volume = jnp.log(jnp.diag(p.cholesky) / jnp.diag(q.cholesky)).sum()
    return 0.5 * ((spread**2).sum() + moved @ moved - q.loc.size) + volume


def diagonal_and_full(q: Gaussian, p: FullGaussian) -> Float[Array, ""]:
    """The same for Q = diag(s^2)."""
    return full_gaussian(FullGaussian(q.loc, jnp.diag(q.scale)), p)


def full_and_diagonal(q: FullGaussian, p: Gaussian) -> Float[Array, ""]:
    """sum_i (Q_ii + (m_q - m_p)_i^2) / (2 s_i^2) - 1/2 + log(s_i / L_ii) for Q = L L' and P = diag(s^2)."""
    variance = (q.cholesky**2).sum(1)  # of every entry
    moved = (variance + (q.loc - p.loc) ** 2) / (2 * p.scale**2)
    return (moved - 0.5 + jnp.log(p.scale / jnp.diag(q.cholesky))).sum()


def bernoulli(q: Bernoulli, p: Bernoulli) -> Float[Array, ""]:
    """sum_i s(a_i) (a_i - b_i) - softplus(a_i) + softplus(b_i) for logits a of q and b of p."""
    gap = softplus(p.logits) - softplus(q.logits)
    return (jax.nn.sigmoid(q.logits) * (q.logits - p.logits) + gap).sum()


def categorical(q: Categorical, p: Categorical) -> Float[Array, ""]:
    """sum_i q_i (log q_i - log p_i), with 0 log 0 = 0."""
    log_q, log_p = jax.nn.log_softmax(q.logits), jax.nn.log_softmax(p.logits)
    weight = jnp.exp(log_q)
    return jnp.where(weight > 0, weight * (log_q - log_p), 0.0).sum()


def log_normal(q: LogNormal, p: LogNormal) -> Float[Array, ""]:
    """That of the Gaussians of log x."""
    return gaussian(Gaussian(q.loc, q.scale), Gaussian(p.loc, p.scale))


def gumbel(q: Gumbel, p: Gumbel) -> Float[Array, ""]:
    """sum_i log(s_p / s_q) + (m_q - m_p + c s_q) / s_p - 1 - c + exp((m_p - m_q) / s_p) Gamma(1 + s_q / s_p), c Euler's
    constant."""
    ratio, moved = q.scale / p.scale, (q.loc - p.loc) / p.scale
    return (moved + EULER * (ratio - 1) - 1 - jnp.log(ratio) + jnp.exp(gammaln(1 + ratio) - moved)).sum()


def gumbel_minimum(q: GumbelMinimum, p: GumbelMinimum) -> Float[Array, ""]:
    """That of their negatives."""
    return gumbel(Gumbel(-q.loc, q.scale), Gumbel(-p.loc, p.scale))


def gamma(q: Gamma, p: Gamma) -> Float[Array, ""]:
    """sum_i (a_q - a_p) psi(a_q) - log(Gamma(a_q) / Gamma(a_p)) + a_p log(b_q / b_p) + a_q (b_p / b_q - 1)."""
    a, b = q.shape, p.shape
    norm = gammaln(b) - gammaln(a) + b * jnp.log(q.rate / p.rate)
    return ((a - b) * digamma(a) + norm + a * (p.rate / q.rate - 1)).sum()


def beta(q: Beta, p: Beta) -> Float[Array, ""]:
    """sum_i log(B_p / B_q) + (a_q - a_p) psi(a_q) + (b_q - b_p) psi(b_q) - (a_q + b_q - a_p - b_p) psi(a_q + b_q)."""
    a, b = q.a - p.a, q.b - p.b
    norm = betaln(p.a, p.b) - betaln(q.a, q.b)
    return (norm + a * digamma(q.a) + b * digamma(q.b) - (a + b) * digamma(q.a + q.b)).sum()


def dirichlet(q: Dirichlet, p: Dirichlet) -> Float[Array, ""]:
    """log(Gamma(|q|) / Gamma(|p|)) + sum_i log(Gamma(p_i) / Gamma(q_i)) + (q_i - p_i) (psi(q_i) - psi(|q|))."""
    total = q.alpha.sum()
    each = gammaln(p.alpha) - gammaln(q.alpha) + (q.alpha - p.alpha) * (digamma(q.alpha) - digamma(total))
    return gammaln(total) - gammaln(p.alpha.sum()) + each.sum()


def trajectory(q: Trajectory, p: Trajectory, draw) -> Float[Array, ""] | None:
    """KL(q(a_0) || p(a_0)) + sum_i KL(q(a_i+1 | a_i) || p(a_i+1 | a_i)) of trajectories that are drawn in one order, at
    the a of a draw from q, of which the mean is KL(q || p)      (Sohl-Dickstein et al. 2015, eq. 14). Its gradient has
    less noise than that of log q - log p at the draw; its value may have more, where p is near q."""
    if draw is None or (q.count, q.down) != (p.count, p.down):
        return None
    a = draw[::-1] if q.down else draw
    later = jax.vmap(lambda i, a: divergence(q.step(i, a), p.step(i, a)))(jnp.arange(q.count - 1), a[:-1])
    first = divergence(q.first, p.first)
    return None if first is None or later is None else first + later.sum()


CLOSED: dict[tuple[type, type], Callable] = {
    (Gaussian, Gaussian): gaussian,
    (FullGaussian, FullGaussian): full_gaussian,
    (Gaussian, FullGaussian): diagonal_and_full,
    (FullGaussian, Gaussian): full_and_diagonal,
    (Bernoulli, Bernoulli): bernoulli,
    (Categorical, Categorical): categorical,
    (LogNormal, LogNormal): log_normal,
    (Gumbel, Gumbel): gumbel,
    (GumbelMinimum, GumbelMinimum): gumbel_minimum,
    (Gamma, Gamma): gamma,
    (Beta, Beta): beta,
    (Dirichlet, Dirichlet): dirichlet,
    (Empty, Empty): lambda q, p: jnp.zeros(()),
}


def has_divergence(q: AbstractDistribution) -> bool:
    """Whether a closed form from this type of q exists."""
    return isinstance(q, Trajectory) or any(type(q) is first for first, _ in CLOSED)


def divergence(q: AbstractDistribution, p: AbstractDistribution, draw=None) -> Float[Array, ""] | None:
    """KL(q || p) in nats, or None where no closed form is known. Of trajectories the closed form of every step, at what
    a `draw` from q has before it."""
    if isinstance(q, Trajectory) and isinstance(p, Trajectory):
        return trajectory(q, p, draw)
    rule = CLOSED.get((type(q), type(p)))
    return None if rule is None else rule(q, p)
