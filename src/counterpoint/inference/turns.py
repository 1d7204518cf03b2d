"""The units of a sigmoid belief network, one after the other: what Gibbs sampling and mean-field inference share.

Every logit of a TSBN with one layer, of a unit h or of a visible x, is linear in the h at and before its step, so
that one of them meets the others in a few logits: those of x at its step, and those of h in the n steps after it.
"""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from counterpoint import draws
from counterpoint.core import AbstractDistribution
from counterpoint.distributions import Bernoulli
from counterpoint.errors import CounterpointError
from counterpoint.models.tsbn import TSBN, Drive
from counterpoint.networks import lagged
from counterpoint.numerics import softplus
from counterpoint.support import BINARY, Support

COINS = ("bernoulli", "grey")  # families whose numbers are logits


class Window(NamedTuple):
    """S steps of one sequence, and the order n of states before them."""

    past: Float[Array, "n J"]  # oldest first
    hidden: Float[Array, "S J"]  # what the logits of h are without h
    visible: Float[Array, "S M"]  # the same for x
    x: Float[Array, "S M"]
    seen: Float[Array, "S M"]  # 1, or 0 where x is missing
    alive: Float[Array, " S"]  # 1, or 0 where nothing is seen at this step or after it


class Omega(NamedTuple):
    """Of each entry, what makes its log-probability quadratic in the logit: -softplus(a) -> -a / 2 - w a^2 / 2 + .."""

    hidden: Float[Array, "S J"]
    visible: Float[Array, "S M"]


class Turn(AbstractDistribution):
    """q(h) = prod_j s(a_j(h_<j, h'_>j)): each unit of one step in turn, given those before it and the old h' of those
    after it.

        a_j = own_j + sum_c counts_c (shown_c W_cj - softplus(b_c + W_cj) + softplus(b_c)),   b_c the logit at h_j = 0

    is log p(h_j = 1 | all else) - log p(h_j = 0 | all else); with omega, the same of the augmented model,
    own_j + sum_c counts_c W_cj (shown_c - 1/2 - omega_c (b_c + W_cj / 2)).
    """

    own: Float[Array, " J"]  # logits of h itself
    old: Float[Array, " J"]
    logits: Float[Array, " C"]  # of the coins that h feeds, at h'
    weights: Float[Array, "C J"]
    shown: Float[Array, " C"]
    counts: Float[Array, " C"]
    omega: Float[Array, " C"] | None
    pathwise: ClassVar[bool] = False
    support: ClassVar[Support] = BINARY  # pyright: ignore[reportIncompatibleMethodOverride]

    def walk(self, choose: Callable, given: Float[Array, " J"]):
        """choose(a_j, given_j) gives each unit: them, their a, and the logits after it."""

        def unit(logits, now):
            own, old, column, given = now
            base = logits - column * old
            if self.omega is None:
                gain = self.shown * column - softplus(base + column) + softplus(base)
            else:
                gain = column * (self.shown - 0.5 - self.omega * (base + 0.5 * column))
            a = own + (self.counts * gain).sum()
            new = choose(a, given)
            return base + column * new, (new, a)

        logits, (new, a) = lax.scan(unit, self.logits, (self.own, self.old, self.weights.T, given))
        return new, a, logits

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """Uniform numbers."""
        return draws.uniform(key, self.own.shape, self.own.dtype)

    def drawn(self, noise):
        return self.walk(drawn, noise)[0]

    def log_prob(self, value, observed=None):
        return Bernoulli(self.walk(lambda a, new: new, value)[1]).log_prob(value, observed)

    @property
    def mean(self):
        """Of each unit, given the means of those before it."""
        return self.walk(expected, self.old)[0]

    @property
    def size(self):
        return self.own.size

    def like(self, raw):
        """Independent units: raw is their logits."""
        return Bernoulli(raw)


def drawn(a, noise):
    """A Bernoulli draw of logit a."""
    return (noise < jax.nn.sigmoid(a)).astype(a.dtype)


def expected(a, given):
    """Its mean."""
    return jax.nn.sigmoid(a)


def check(name: str, p) -> None:
    """Raise CounterpointError in the name of a posterior unless p is a TSBN with one layer over binary or grey x."""
    if not (isinstance(p, TSBN) and len(p.hidden) == 1 and p.family.name in COINS):
        what = f"a TSBN of {len(p.hidden)} layers over {p.family.name}" if isinstance(p, TSBN) else type(p).__name__
        raise CounterpointError(
            f"{name} takes one unit at a time, whose logits are linear in the others: a tsbn (order 0 is the SBN) of"
            f" one layer over binary or grey data; p is {what}: choose q = filtering"
        )


def window(p: TSBN, past, first: Drive, x, later: tuple, seen) -> Window:
    """first: what x before the window adds to its first step; later (S - 1, ..): what its own x adds to h and to x."""
    hidden, visible = p.hidden[0], p.visible
    each = lambda part, one, rest: jnp.concatenate(
        [part.constant(first.start)[None] + one, part.constant(jnp.zeros_like(first.start))[None] + rest]
    )
    return Window(
        past,
        each(hidden, first.hidden[None], later[0]),
        each(visible, first.visible[None], later[1]),
        x,
        seen,
        lax.cummax(seen.max(1), reverse=True),
    )


def logits(p: TSBN, w: Window, h: Float[Array, "S J"]) -> Omega:
    """Of all binary entries of a window."""
    before = jnp.concatenate([w.past, h])[:-1]
    return Omega(w.hidden + lagged(p.hidden[0].across, before, len(h)), w.visible + h @ p.visible.now.T)


def turn(p: TSBN, w: Window, h, a: Omega, omega: Omega | None, s) -> Turn:
    """That of step s, with n more rows in `h` and in hidden logits, all zeros, behind the window."""
    hidden, n = p.hidden[0], p.order
    after = lambda rows: lax.dynamic_slice_in_dim(padded(rows, n), s + 1, n).ravel()
    both = lambda visible, rows: jnp.concatenate([visible[s], after(rows)])
    alive = jnp.broadcast_to(w.alive[:, None], w.hidden.shape)
    return Turn(
        a.hidden[s],
        h[s],
        both(a.visible, a.hidden),
        jnp.concatenate([p.visible.now, hidden.across.reshape(-1, h.shape[1])]),
        both(w.x, h),
        both(w.seen, alive),
        None if omega is None else both(omega.visible, omega.hidden),
    )


def sweep(p: TSBN, w: Window, h, omega: Omega | None, choose: Callable, given: Float[Array, "S J"]):
    """All steps in turn: the new h, and the a of each unit, (S, J)."""
    n, (steps, width) = p.order, h.shape

    def step(loop, s):
        h, a = loop
        law = turn(p, w, h, a, omega, s)
        new, own, after = law.walk(choose, given[s])
        visible, later = jnp.split(after, [w.x.shape[1]])
        hidden = lax.dynamic_update_slice_in_dim(padded(a.hidden, n), later.reshape(n, width), s + 1, 0)
        return (h.at[s].set(new), Omega(hidden[:steps], a.visible.at[s].set(visible))), own

    (h, _), own = lax.scan(step, (h, logits(p, w, h)), jnp.arange(steps))
    return h, own


def padded(rows, n: int):
    """n + 1 more rows of zeros, where nothing counts."""
    return jnp.concatenate([rows, jnp.zeros((n + 1, rows.shape[1]), rows.dtype)])
