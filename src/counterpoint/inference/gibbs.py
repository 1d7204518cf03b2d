"""A chain of block Gibbs sampling."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx

from counterpoint.core import AbstractPosterior, AbstractUndirected, direct
from counterpoint.errors import CounterpointError, at_least


@dataclass(frozen=True)
class GibbsConfig:
    """`sweeps` is the k of CD-k: how often z, then x, is drawn."""

    name: ClassVar[str] = "gibbs"
    sweeps: int = 1

    def __post_init__(self):
        at_least(self, 1, "sweeps")

    def build(self, p, facts, key) -> "Gibbs":
        q = Gibbs(self.sweeps)
        q.check(p)
        return q


class Gibbs(AbstractPosterior):
    """q(tau) = D(x_0) p(z_0 | x_0) p(x_1 | z_0) .. p(x_k | z_k-1), tau = x_0, z_0 .. x_k
    (Bachman and Precup 2015, sec. 5.4)

    The posterior of an undirected p is known, so one z needs no guess; what q guesses is where the chain that p began
    at x_k came from. It has no parameters of its own: they are p's.
    """

    sweeps: int = eqx.field(static=True, default=1)
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False
    chain: ClassVar[bool] = True

    def check(self, p):
        if not isinstance(p, AbstractUndirected):
            raise CounterpointError(
                f"gibbs draws z from p(z | x), which is known for an undirected p alone, and {type(p).__name__} is"
                " none: choose p = rbm, or q = filtering, or for p = dae q = salt_and_pepper"
            )

    def propose(self, p, carry, context, x, key):
        return direct(p.posterior(carry, x))
