"""Mean-field inference in a deep Boltzmann machine."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from counterpoint.core import AbstractPosterior, direct
from counterpoint.distributions import Bernoulli, layered
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.dbm import DBM


@dataclass(frozen=True)
class MeanFieldConfig:
    """`iterations` over all layers, from means of 1/2."""

    name: ClassVar[str] = "mean_field"
    iterations: int = 10

    def __post_init__(self):
        at_least(self, 1, "iterations")

    def build(self, p, facts, key) -> "MeanField":
        q = MeanField(self.iterations)
        q.check(p)
        return q


class MeanField(AbstractPosterior):
    """q(h^1 .. h^L | x) = prod_l prod_j Bernoulli(mu^l_j),   mu^l <- s(W_l mu^l-1 + W_l+1' mu^l+1 + b_l),   mu^0 = x
    (Salakhutdinov and Hinton 2009)

    Odd layers, then even ones: units of one layer do not meet each other, so each of the two is the best there is while
    the others stay, and the bound never falls from one to the next. It has no parameters of its own, and p's are held:
    where it has converged, the bound does not change with mu.
    """

    iterations: int = eqx.field(static=True, default=10)
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def check(self, p):
        if not isinstance(p, DBM):
            raise CounterpointError(
                f"mean_field moves the means of the layers of a DBM, and p is {type(p).__name__}: choose q = filtering"
            )

    def propose(self, p, carry, context, x, key):
        return direct(layered(*map(Bernoulli, self.logits(p, x)), order=range(1 + len(p.links))))

    def logits(self, p: DBM, x) -> list:
        """Log-odds of each layer's units, (J_l,)."""
        p, x = lax.stop_gradient((p, x))
        start = [jnp.zeros_like(a.bias) for a in (p.first, *p.links)]

        def iterate(_, logits):
            for parity in (0, 1):
                new = p.inputs(x, tuple(map(jax.nn.sigmoid, logits)))
                logits = [a if i % 2 == parity else old for i, (a, old) in enumerate(zip(new, logits))]
            return logits

        return lax.fori_loop(0, self.iterations, iterate, start)
