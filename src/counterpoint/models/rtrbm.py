"""The recurrent temporal RBM, and its form over groups of units whose connections are learned."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float

from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError, at_least
from counterpoint.models.conditional import AbstractDriven, Biases
from counterpoint.models.machine import AbstractMachine
from counterpoint.models.rbm import rbm
from counterpoint.models.ssrbm import ssrbm


@dataclass(frozen=True)
class RTRBMConfig:
    """`units` hidden units, with `slabs` those of an SSRBM. Weights are drawn from N(0, scale^2); visible biases start
    at the training marginal's."""

    name: ClassVar[str] = "rtrbm"
    units: int = 100
    scale: float = 0.01
    slabs: bool = False

    def __post_init__(self):
        at_least(self, 1, "units")
        at_least(self, 0, "scale")

    def build(self, facts: Facts, key) -> "RTRBM":
        return RTRBM(*parts(self, facts, key))


@dataclass(frozen=True)
class SRTRBMConfig:
    """`groups` of visible and of `units` hidden units; `slope` is that of the gates, `price` in nats a step that of an
    open one; both values are ours. With `slabs` units are those of an SSRBM."""

    name: ClassVar[str] = "srtrbm"
    units: int = 100
    scale: float = 0.01
    slabs: bool = False
    groups: int = 10
    slope: float = 4.0
    price: float = 0.01

    def __post_init__(self):
        at_least(self, 1, "units", "groups")
        at_least(self, 0, "scale", "slope", "price")

    def build(self, facts: Facts, key) -> "SRTRBM":
        width = facts.family.width
        if self.groups > min(self.units, width):
            raise CounterpointError(
                f"srtrbm: {self.groups} groups of {self.units} hidden units and of {width} numbers in a frame: at least"
                f" one would be empty; give at most {min(self.units, width)} groups"
            )
        whole = RTRBM(*parts(self, facts, key))
        scores = jnp.full((self.groups, self.groups), 0.5)
        return SRTRBM(whole, scores, self.slope, self.price)  # pyright: ignore[reportCallIssue]


def parts(config: "RTRBMConfig | SRTRBMConfig", facts: Facts, key):
    """The machine, U and the first step's biases, as they start."""
    of_machine, of_across = random.split(key)
    units, scale = config.units, config.scale
    machine = (ssrbm if config.slabs else rbm)(config.name, units, scale, facts, of_machine)
    return machine, scale * random.normal(of_across, (units, units)), jnp.zeros(units)


class RTRBM(AbstractDriven):
    """E_t(x, z) = -z'a - b_t'z - c'x,   a = Wx;   of real x -z'a - b_t'z + |(x - c) / sigma|^2 / 2,   a = W(x / sigma)
    b_t = b + U r_t-1,   b_1 = b + start,   r_t = p(z_t is on | x_t, past) = s(a_t + b_t),   a_t that of x_t
    log p(x_1:T) = sum_t -F_t(x_t) - log Z_t,   F_t(x) = -log sum_z exp(-E_t(x, z))
    (Sutskever, Hinton and Taylor 2008)

    A TRBM whose past z_t-1 is held by its mean, so that it is a function of x, and the likelihood, in nats, is known
    but for the Z_t. W (J, M), b (J,), c (M,), across U (J, J), start (J,): b_1 is the paper's b_init. With slabs, E_t
    is that of an SSRBM, and r_t that of the spikes, s(b_t + mu a_t + a_t^2 / (2 alpha)) unit by unit.

    The paper could not be had: this is the model as others define it.
    """

    machine: AbstractMachine
    across: Float[Array, "J J"]
    start: Float[Array, " J"]

    def memory(self):
        """What r_0 would add: U r_0."""
        return self.start

    def first(self):
        return Biases(self.start, None)

    def embed(self, memory, x):
        def step(past, a):
            past = self.across @ jax.nn.sigmoid(a + past)
            return past, past

        memory, past = lax.scan(step, memory, jax.vmap(self.machine.input)(x))
        return memory, Biases(past, None)


class SRTRBM(AbstractDriven):
    """E_t(x, z) = -z'a - b_t'z - c'x,   a = Wx;   of real x -z'a - b_t'z + |(x - c) / sigma|^2 / 2,   a = W(x / sigma)
    b_t = b + U r_t-1,   b_1 = b + start,   r_t = s(a_t + b_t),   log p(x_1:T) = sum_t -F_t(x_t) - log Z_t
    W_ij = nu_ij V_ij and U_ij = nu_ij R_ij for blocks i, j of units,   nu_ij = s(slope s_ij)
    loss of step t = F_t(x_t) + log Z_t + price sum_{i != j} nu_ij
    (the structured RTRBM of Mittelman et al. 2014)

    An RTRBM with gates. A node of the graph is a group of visible and of hidden units; W_ij are the weights between the
    hidden units of group i and the visible ones of group j, U_ij those from the hidden units of j, one step before, to
    those of i. V, R and s (G, G) are learned, s under the penalty, so that edges close that are not needed.

    With slabs it is the ss-SRTRBM, for real frames, z_j = h_j s_j as in an SSRBM with biases b_t and the gated W:

        F_t(x) = |(x - c) / sigma|^2 / 2 - sum_j softplus(o_j),   o = b_t + mu a + a^2 / (2 alpha),   r_t = s(o of x_t)
        alpha_j = softplus(raw_j) + sum_k |W_j W_k'|

    The paper could not be had: of it, at second hand, are the masks, nu, and that there is a penalty on them. Ours are
    the form of the penalty and its price, the slope's value, groups of neighbouring units of about equal size, nu_ii =
    1, s_ij = 1/2 at first; and all of the slabs but that they are there.
    """

    whole: RTRBM
    scores: Float[Array, "G G"]
    slope: float = eqx.field(static=True)
    price: float = eqx.field(static=True)

    @property
    def gates(self) -> Float[Array, "G G"]:
        """nu."""
        return jnp.where(jnp.eye(len(self.scores), dtype=bool), 1.0, jax.nn.sigmoid(self.slope * self.scores))

    def between(self, rows: int, columns: int) -> Float[Array, "rows columns"]:
        """nu spread over units."""
        groups = len(self.scores)
        of_row, of_column = (jnp.arange(n) * groups // n for n in (rows, columns))
        return self.gates[of_row][:, of_column]

    @property
    def masked(self) -> RTRBM:
        """With nu in W and U."""
        machine, units = self.whole.machine, len(self.whole.start)
        weights = machine.weights * self.between(*machine.weights.shape)
        machine = eqx.tree_at(lambda m: m.weights, machine, weights)
        return RTRBM(machine, self.whole.across * self.between(units, units), self.whole.start)

    @property
    def machine(self) -> AbstractMachine:
        return self.masked.machine

    def memory(self):
        return self.whole.memory()

    def first(self):
        return self.whole.first()

    def embed(self, memory, x):
        return self.masked.embed(memory, x)

    def penalty(self):
        return self.price * (self.gates.sum() - len(self.scores))
