"""Gibbs sampling of a sigmoid belief network with Polya-Gamma augmentation."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random
from jax.flatten_util import ravel_pytree

from counterpoint import draws
from counterpoint.core import AbstractDirected, AbstractPosterior, direct
from counterpoint.distributions.polya_gamma import polya_gamma
from counterpoint.errors import at_least
from counterpoint.inference import turns
from counterpoint.inference.turns import Omega, Window
from counterpoint.models.tsbn import TSBN
from counterpoint.rollout import stop


@dataclass(frozen=True)
class PolyaGammaConfig:
    """A chain for every draw of z_t.

    sweeps   over all units, the draw itself included
    ahead    steps after t that z_t is drawn with; 0 is enough for an SBN, and makes a filter of a TSBN
    augment  False: the Polya-Gamma variables are summed out, and each unit is drawn given all others (Neal 1992)
    """

    name: ClassVar[str] = "polya_gamma"
    sweeps: int = 10
    ahead: int = 0
    augment: bool = True

    def __post_init__(self):
        at_least(self, 1, "sweeps")
        at_least(self, 0, "ahead")

    def build(self, p: AbstractDirected, facts, key) -> "PolyaGamma":
        q = PolyaGamma(self)  # pyright: ignore[reportCallIssue]
        q.check(p)
        return q


class PolyaGamma(AbstractPosterior):
    """w_c | h ~ PG(1, a_c(h)),   h_j | h_-j, w ~ s(the difference of a quadratic),   in turn
    (Polson, Scott and Windle 2013; Gan et al. 2015, DSBN; Gan's slides, "Scalable Learning and Inference")

    where c are the binary entries of x and h and a their logits: p(h, w | x) is a Boltzmann machine in h. The chain
    runs towards p(z_t | z_<t, x_<=t+ahead), which is a factor of p(z | x) where `ahead` reaches the end of the
    sequence; an SBN has one step. What is proposed is the chain's last sweep given all before it (`Turn`): that has a
    density, and whatever was before it, E[log p(x, z) - log q(z)] is a bound on log p(x), so that every bound stays one
    and its importance weights unbiased. It is a loose one where the chain mixes slowly.

    Every particle has a chain of its own. No weights; no gradient passes through it.
    """

    config: PolyaGammaConfig = eqx.field(static=True)
    fills_gaps: ClassVar[bool] = False

    @property
    def sees_future(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.config.ahead > 0

    def check(self, p):
        turns.check(self.config.name, p)

    def encode(self, p, memory, x, e, mask):
        v, *drive = stop(e)
        flat = jax.vmap(jnp.ravel)
        return memory, self.ahead((v, flat(mask).astype(v.dtype), *drive))

    def ahead(self, rows):
        """Of each step, the rows from it to `ahead` later, zeros after the end: (T, ..) -> (T, ahead + 1, ..)."""
        at = lambda a: jnp.arange(len(a))[:, None] + jnp.arange(self.config.ahead + 1)[None]
        pad = lambda a: jnp.concatenate([a, jnp.zeros((self.config.ahead, *a.shape[1:]), a.dtype)])
        return jax.tree.map(lambda a: pad(a)[at(a)], rows)

    def propose(self, p, carry, context, x, key):
        p, carry = stop((p, carry))
        v, seen, hidden, visible = context
        w = turns.window(p, carry.hidden[0][::-1], carry.seen.value, v, (hidden[:-1], visible[:-1]), seen)
        return direct(self.last(p, w, key))

    def last(self, p: TSBN, w: Window, key):
        """The distribution of the last sweep, over the first step of the window."""

        def sweep(chain, key):
            h, omega = chain
            of_h, of_omega = random.split(key)
            h, _ = turns.sweep(p, w, h, omega, turns.drawn, draws.uniform(of_h, h.shape, h.dtype))
            return (h, self.omega(turns.logits(p, w, h), of_omega)), None

        # a chain may begin anywhere: at all units off, and the mean of omega where a logit is 0
        h = jnp.zeros_like(w.hidden)
        quarter = jax.tree.map(lambda a: jnp.full_like(a, 0.25), turns.logits(p, w, h))
        begin = h, quarter if self.config.augment else None
        (h, omega), _ = lax.scan(sweep, begin, random.split(key, self.config.sweeps - 1))
        return turns.turn(p, w, h, turns.logits(p, w, h), omega, 0)

    def omega(self, a: Omega, key) -> Omega | None:
        """Of every binary entry, given its logit."""
        if not self.config.augment:
            return None
        flat, shaped = ravel_pytree(a)
        return shaped(polya_gamma(key, flat))
