"""A chain of block Gibbs sampling."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from counterpoint.core import AbstractPosterior, AbstractUndirected, direct
from counterpoint.errors import CounterpointError, at_least


@dataclass(frozen=True)
class GibbsConfig:
    """
    sweeps    the k of CD-k: how often z, then x, is drawn
    previous  the chain of a step begins at the frame before it, as its prediction does; else at the frame itself
    """

    name: ClassVar[str] = "gibbs"
    sweeps: int = 1
    previous: bool = False

    def __post_init__(self):
        at_least(self, 1, "sweeps")

    def build(self, p, facts, key) -> "Gibbs":
        q = Gibbs(self.sweeps, self.previous)
        q.check(p)
        return q


class Gibbs(AbstractPosterior):
    """q(tau) = D(x_0) p(z_0 | x_0) p(x_1 | z_0) .. p(x_k | z_k-1), tau = x_0, z_0 .. x_k
    (Bachman and Precup 2015, sec. 5.4)

    The posterior of an undirected p is known, so one z needs no guess; what q guesses is where the chain that p began
    at x_k came from. It has no parameters of its own: they are p's.

    Of a p with a past there is a chain at each step t, and `previous` has it begin at x_t-1 in the place of x_t, at the
    first step as ever. Then q_k(x_t^k | x_<t) is a prediction, and what contrastive divergence follows is KL(D || p) -
    KL(q_k || p), both given x_<t, as before; but q_0 is no longer D, so it may fall below 0. A chain from the datum
    tells what a past should add to biases by as much as k sweeps have moved, which is little; one from the frame
    before, by all that has changed since. The price: p predicts by k sweeps, and is not asked what more of them do.
    This is ours.
    """

    sweeps: int = eqx.field(static=True, default=1)
    previous: bool = eqx.field(static=True, default=False)
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False
    chain: ClassVar[bool] = True

    def check(self, p):
        if not isinstance(p, AbstractUndirected):
            raise CounterpointError(
                f"gibbs draws z from p(z | x), which is known for an undirected p alone, and {type(p).__name__} is"
                " none: choose p = rbm, or q = filtering, or for p = dae q = salt_and_pepper"
            )

    def starts(self, x):
        """Where the chain of each step begins, for frames (B, T, ...)."""
        if not self.previous:
            return x
        return jax.tree.map(lambda a: jnp.concatenate([a[:, :1], a[:, :-1]], 1), x)

    def propose(self, p, carry, context, x, key):
        return direct(p.posterior(carry, x))
