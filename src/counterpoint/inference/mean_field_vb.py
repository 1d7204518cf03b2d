"""Mean-field variational Bayes in a sigmoid belief network."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions import Bernoulli
from counterpoint.distributions import polya_gamma as augmented
from counterpoint.errors import at_least
from counterpoint.inference import turns
from counterpoint.inference.turns import Omega, Window
from counterpoint.models.tsbn import TSBN
from counterpoint.networks import lagged
from counterpoint.rollout import stop


@dataclass(frozen=True)
class MeanFieldVBConfig:
    """`sweeps` of coordinate ascent over all units of a sequence."""

    name: ClassVar[str] = "mean_field_vb"
    sweeps: int = 20

    def __post_init__(self):
        at_least(self, 1, "sweeps")

    def build(self, p: AbstractDirected, facts, key) -> "MeanFieldVB":
        q = MeanFieldVB(self.sweeps)
        q.check(p)
        return q


class MeanFieldVB(AbstractPosterior):
    """q(z | x) = prod_tj m_tj^z_tj (1 - m_tj)^(1 - z_tj),   where m and xi maximise

        sum_c E_q[(y_c - 1/2) a_c] - log 2 cosh(xi_c / 2) - (E_q[a_c^2] - xi_c^2) tanh(xi_c / 2) / (4 xi_c) + H(q)

    over the binary entries c of z and x, with values y and logits a (Jaakkola and Jordan 2000; the same bound comes of
    a Polya-Gamma q(w_c): Gan et al. 2015, DSBN; Gan's slides, "Scalable Learning and Inference"). One sweep sets every
    xi_c^2 = E_q[a_c^2], then each m to its best in turn: the objective never falls, and is below the ELBO of q, which
    is below log p(x).

    The start is m = 1/2, of the whole sequence at once: a chunk is taken for one that begins. No weights; no gradient
    passes through it.
    """

    sweeps: int = eqx.field(static=True, default=20)
    sees_future: ClassVar[bool] = True
    fills_gaps: ClassVar[bool] = False

    def check(self, p):
        turns.check(MeanFieldVBConfig.name, p)

    def encode(self, p, memory, x, e, mask):
        p, (v, hidden, visible) = stop((p, e))
        seen, begin = jax.vmap(jnp.ravel)(mask).astype(v.dtype), p.initial()
        w = turns.window(p, begin.hidden[0], begin.seen.value, v, (hidden[:-1], visible[:-1]), seen)
        means = jnp.full_like(w.hidden, 0.5)
        return memory, lax.scan(lambda m, _: ascend(p, w, m), means, None, self.sweeps)[1][-1]

    def propose(self, p, carry, context, x, key):
        return direct(Bernoulli(context))


def ascend(p: TSBN, w: Window, means: Float[Array, "T J"]) -> tuple[Float[Array, "T J"], Float[Array, "T J"]]:
    """One sweep: the new means, and their logits."""
    omega = Omega(*map(augmented.mean, deviations(p, w, means)))
    return turns.sweep(p, w, means, omega, turns.expected, means)


def deviations(p: TSBN, w: Window, means: Float[Array, "T J"]) -> Omega:
    """xi = sqrt E[a^2] of every binary entry."""
    spread = means * (1 - means)
    before = jnp.concatenate([jnp.zeros_like(w.past), spread])[:-1]
    variances = Omega(lagged(p.hidden[0].across ** 2, before, len(means)), spread @ (p.visible.now**2).T)
    return jax.tree.map(lambda a, v: jnp.sqrt(a**2 + v), turns.logits(p, w, means), variances)
