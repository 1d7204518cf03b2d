"""The temporal sigmoid belief network: any order, any depth, with or without memory of what was seen."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import Bernoulli, Facts, Family, adding, layered, layers_of
from counterpoint.errors import CounterpointError, at_least
from counterpoint.networks import Layer, lagged, layer, shift


@dataclass(frozen=True)
class TSBNConfig:
    """A TSBN, or by its settings another of its family:

    units       hidden units of each layer, the lowest first; two layers or more are a DTSBN-S
    order       lags; 0 is the static SBN
    sees        False: what was seen before is forgotten, W3 = W4 = 0: the HMSBN
    first_step  biases of their own for the first step
    residual    real x: what the likelihood adds is added to the last frame, W4_1 = I + what is learned, so that small
                weights copy. The paper starts at W4 = 0
    scale       weights are drawn from N(0, scale^2); the paper has 0.001
    """

    name: ClassVar[str] = "tsbn"
    units: tuple[int, ...] = (100,)
    order: int = 1
    sees: bool = True
    first_step: bool = False
    residual: bool = False
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "order", "scale")
        if self.residual and not (self.order and self.sees):
            raise CounterpointError("tsbn: residual adds to the last frame; give an order of at least 1, and sees")

    def build(self, facts: Facts, key) -> "TSBN":
        keys, first, depth = random.split(key, len(self.units) + 1), self.first_step, len(self.units)
        width, size = facts.family.width if self.sees else 0, facts.family.size
        visible = layer(
            keys[-1], self.scale, size, self.order, now=self.units[0], below=width, bias=facts.marginal, first=first
        )
        hidden = []
        for i, units in enumerate(self.units):
            above = self.units[i + 1] if i + 1 < depth else 0
            under = self.units[i - 1] if i else width
            part = layer(keys[i], self.scale, units, self.order, now=above, across=units, below=under, first=first)
            hidden.append(part)
        return TSBN(tuple(hidden), visible, facts.family, adding(self.residual, facts))


class Past(NamedTuple):
    """What a TSBN remembers: the last n states of each layer, newest first, and what was seen."""

    hidden: tuple[Float[Array, "n J"], ...]
    seen: Seen


class Drive(NamedTuple):
    """What x_<t adds to the lowest hidden layer and to the visible one; `start` is 1 before the first step, then 0."""

    hidden: Float[Array, " J"]
    visible: Float[Array, " R"]
    start: Float[Array, ""]


class Given(eqx.Module):
    """p(h_t | the layer above) = s(now h'_t + a)."""

    now: Float[Array, "J K"]
    past: Float[Array, " J"]

    def __call__(self, *above):
        return Bernoulli(above[-1] @ self.now.T + self.past)


class TSBN(AbstractDirected):
    """p(h_t = 1 | past) = s(sum_d W1_d h_t-d + W3_d v_t-d + b)      (Gan's slides, eq. 10)
    p(v_t | h_t, past) = family(W2 h_t + sum_d W4_d v_t-d + c)       (Gan's slides, eq. 11)

    with lags d = 1 .. n and zeros before the first step. In general, with layers h^1 .. h^L over h^0 = v
    (Gan et al. 2015, supp. C; for L = 2, h^2 = z, and W1 .. W7 there are these matrices):

    p(h^l_t = 1 | .) = s(now h^l+1_t + sum_d across_d h^l_t-d + below_d h^l-1_t-d + bias)

    hidden: L layers, lowest first, `now` (J_l, J_l+1), `across` (n, J_l, J_l), `below` (n, J_l, J_l-1). visible: `now`
    (R, J_1) and `below` (n, R, M), where R is the number of the likelihood's parameters: M for binary v, 2 M for real.
    z_t is h_t (J,), or for several layers the tuple of them. Its q is `TSBNRecognition`.

    An HMSBN has no `below` from v; a static SBN has n = 0. With `residual` W4_1 is `below`'s plus the identity.
    """

    hidden: tuple[Layer, ...]
    visible: Layer
    family: Family = eqx.field(static=True)
    residual: bool = eqx.field(static=True, default=False)

    @property
    def order(self) -> int:
        """Lags."""
        return len(self.hidden[0].across)

    def memory(self):
        """The last n - 1 frames, oldest first."""
        return remembered(self.order, self.family, self.visible.bias.dtype)

    def embed(self, memory, x):
        """e_t = v_t and what v_t .. v_t-n+1 add to the layers at t + 1."""
        return driven(memory, x, self.family, self.hidden[0], self.visible, self.residual)

    def features(self, x, e):
        return e[0]

    def dictionary(self):
        return self.visible.now

    def initial(self):
        zeros = tuple(jnp.zeros((self.order, len(part.bias)), part.bias.dtype) for part in self.hidden)
        start = jnp.ones((), self.visible.bias.dtype)
        drive = Drive(jnp.zeros_like(self.hidden[0].bias), jnp.zeros_like(self.visible.bias), start)
        return Past(zeros, Seen(drive))

    def advance(self, carry, z, e):
        hidden = tuple(map(shift, carry.hidden, layers_of(z)))
        return Past(hidden, Seen(Drive(e[1], e[2], jnp.zeros_like(self.visible.bias[0]))))

    def prior(self, carry):
        under, drive = (None, *carry.hidden[:-1]), carry.seen.value
        past = [part.past(own, u, drive.start) for part, own, u in zip(self.hidden, carry.hidden, under)]
        past[0] = past[0] + drive.hidden
        laws = [Bernoulli(past[-1]), *(Given(part.now, a) for part, a in zip(self.hidden[-2::-1], past[-2::-1]))]
        return layered(*laws, order=range(len(laws) - 1, -1, -1))

    def likelihood(self, carry, z):
        drive = carry.seen.value
        past = self.visible.constant(drive.start) + drive.visible
        return self.family(layers_of(z)[0] @ self.visible.now.T + past)


def remembered(order: int, family: Family, dtype) -> Float[Array, "m M"]:
    """The n - 1 frames before the first: nothing."""
    return jnp.zeros((max(order - 1, 0), family.width), dtype)


def driven(memory: Float[Array, "m M"], x, family: Family, lowest: Layer, visible: Layer, residual: bool):
    """The last n - 1 frames; v_t, and what v_t .. v_t-n+1 add to the two layers at t + 1, each (T, ...)."""
    v = jax.vmap(family.flatten)(x).astype(memory.dtype)
    past = jnp.concatenate([memory, v])
    drive = lambda part: (
        jnp.zeros((len(v), len(part.bias)), v.dtype) if part.below is None else lagged(part.below, past, len(v))
    )
    same = jax.vmap(family.moved)(v) if residual else 0.0
    return past[len(v) :], (v, drive(lowest), drive(visible) + same)
