"""The deep temporal sigmoid belief network whose middle layers are deterministic."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import Bernoulli, Facts, Family, adding
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.tsbn import Drive, driven, remembered
from counterpoint.networks import Layer, layer, shift


@dataclass(frozen=True)
class DTSBNDConfig:
    """Units of each layer, the lowest first; only the last, the top, is stochastic. `order` lags; weights are drawn
    from N(0, scale^2); `first_step` gives the first step biases of its own; `residual` is that of TSBNConfig."""

    name: ClassVar[str] = "dtsbn_d"
    units: tuple[int, ...] = (100, 100)
    order: int = 1
    first_step: bool = False
    residual: bool = False
    scale: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "order", "scale")
        if len(self.units) < 2:
            raise CounterpointError(f"dtsbn_d: units are {self.units}; give two layers or more, or choose p = tsbn")
        if self.residual and not self.order:
            raise CounterpointError("dtsbn_d: residual adds to the last frame; give an order of at least 1")

    def build(self, facts: Facts, key) -> "DTSBND":
        keys, width, size, parts = random.split(key, len(self.units) + 1), facts.family.width, facts.family.size, []
        shared = {"order": self.order, "first": self.first_step}
        for i, units in enumerate(self.units[:-1]):
            under = self.units[i - 1] if i else width
            part = layer(keys[i], self.scale, units, now=self.units[i + 1], across=units, below=under, **shared)
            parts.append(part)
        top = layer(keys[-2], self.scale, self.units[-1], across=self.units[-1], **shared)
        visible = layer(keys[-1], self.scale, size, now=self.units[0], below=width, bias=facts.marginal, **shared)
        return DTSBND(tuple(parts), top, visible, facts.family, adding(self.residual, facts))


class Past(NamedTuple):
    """The last n states of the top layer and of each middle layer, newest first, and what was seen."""

    top: Float[Array, "n J"]
    middle: tuple[Float[Array, "n K"], ...]
    seen: Seen


class DTSBND(AbstractDirected):
    """p(z_t = 1 | z_<t) = s(sum_d W1_d z_t-d + b1)
    h_t = relu(W2 z_t + sum_d W4_d h_t-d + W6_d v_t-d + b2)
    p(v_t | .) = family(W5 h_t + sum_d W7_d v_t-d + b3)           (Gan et al. 2015, supp. C)

    with lags d = 1 .. n. More middle layers stand between: each reads the layer above it at t (`now`), itself
    (`across`) and the layer under it (`below`) at t - d. middle: lowest first. z_t is the top layer (J,). Its q is
    `DTSBNDRecognition`; gradients pass through the rectified layers, over time too.
    """

    determined: ClassVar[bool] = True
    middle: tuple[Layer, ...]
    top: Layer
    visible: Layer
    family: Family = eqx.field(static=True)
    residual: bool = eqx.field(static=True, default=False)

    @property
    def order(self) -> int:
        """Lags."""
        return len(self.top.across)

    def memory(self):
        """The last n - 1 frames, oldest first."""
        return remembered(self.order, self.family, self.visible.bias.dtype)

    def embed(self, memory, x):
        """e_t = v_t and what v_t .. v_t-n+1 add to the layers at t + 1."""
        return driven(memory, x, self.family, self.middle[0], self.visible, self.residual)

    def features(self, x, e):
        return e[0]

    def dictionary(self):
        return self.visible.now

    def initial(self):
        zeros = lambda part: jnp.zeros((self.order, len(part.bias)), part.bias.dtype)
        lowest, start = jnp.zeros_like(self.middle[0].bias), jnp.ones((), self.top.bias.dtype)
        drive = Drive(lowest, jnp.zeros_like(self.visible.bias), start)
        return Past(zeros(self.top), tuple(map(zeros, self.middle)), Seen(drive))

    def rise(self, carry: Past, z) -> tuple[Float[Array, " K"], ...]:
        """The middle layers at t, lowest first: computed from the top down."""
        found, above, drive = [], z, carry.seen.value
        for i in range(len(self.middle) - 1, -1, -1):
            part = self.middle[i]
            past = part.past(carry.middle[i], carry.middle[i - 1] if i else None, drive.start)
            above = jax.nn.relu(part.now @ above + (past if i else past + drive.hidden))
            found.append(above)
        return tuple(found[::-1])

    def advance(self, carry, z, e):
        middle = tuple(map(shift, carry.middle, self.rise(carry, z)))
        return Past(shift(carry.top, z), middle, Seen(Drive(e[1], e[2], jnp.zeros_like(self.top.bias[0]))))

    def prior(self, carry):
        return Bernoulli(self.top.past(carry.top, None, carry.seen.value.start))

    def likelihood(self, carry, z):
        drive = carry.seen.value
        past = self.visible.constant(drive.start) + drive.visible
        return self.family(self.visible.now @ self.rise(carry, z)[0] + past)
