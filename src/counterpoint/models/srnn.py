"""The stochastic recurrent network: a deterministic layer of x alone under a state-space model."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float

from counterpoint.core import AbstractDirected, Seen
from counterpoint.distributions import Facts, Family, Gaussian
from counterpoint.errors import at_least
from counterpoint.networks import CELLS, GRU, LSTM, Linear, clipped, mlp


@dataclass(frozen=True)
class SRNNConfig:
    """Sizes of an SRNN; by default those of Fraccaro et al. (2016) for music. `depth` counts the hidden layers of the
    prior's network, `readout` those of the likelihood's. Marino et al. (2018) have cell "lstm" and readout 2."""

    name: ClassVar[str] = "srnn"
    latent: int = 100
    hidden: int = 300
    width: int = 500
    depth: int = 1
    readout: int = 1
    cell: Literal["gru", "lstm"] = "gru"

    def __post_init__(self):
        at_least(self, 1, "latent", "hidden", "width", "depth", "readout")

    def build(self, facts: Facts, key) -> "SRNN":
        return SRNN(self, facts, key=key)


class Drive(NamedTuple):
    """What an SRNN knows of x_t: the frame, d_t before it and d_t+1 after it."""

    frame: Float[Array, " M"]
    before: Float[Array, " hidden"]
    after: Float[Array, " hidden"]


class SRNN(AbstractDirected):
    """d_t = RNN(d_t-1, x_t-1)
    p(z_t | z_t-1, d_t) = N(phi_prior(z_t-1, d_t))
    p(x_t | z_t, d_t) = family(phi_dec(z_t, d_t))               (Fraccaro et al. 2016, sec. 3)

    with z_0 = 0 and x_0 = 0. d is a function of x alone: it runs over all t before the scan that draws z, and stands
    in the carry (z_t-1 (latent,), d_t (hidden,)) as `Seen`. The networks have clipped leaky rectifiers. A scale is the
    softplus of its number, where the paper takes the logarithm of a variance for it. Its q is `Smoothing` in the
    paper, `Filtering` or `Iterative` where the future is not seen.
    """

    gates: Linear
    cell: GRU | LSTM
    to_prior: eqx.nn.Sequential
    to_x: eqx.nn.Sequential
    latent: int = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def __init__(self, config: SRNNConfig, facts: Facts, *, key):
        keys, both, family = random.split(key, 4), config.latent + config.hidden, facts.family
        prior, x = ((both, *(config.width,) * depth) for depth in (config.depth, config.readout))
        zeros = jnp.zeros(2 * config.latent)
        self.cell = CELLS[config.cell](config.hidden, key=keys[0])
        self.gates = Linear(family.width, self.cell.gates, key=keys[1])
        self.to_prior = mlp((*prior, 2 * config.latent), key=keys[2], activation=clipped, bias=zeros)
        self.to_x = mlp((*x, family.size), key=keys[3], activation=clipped, bias=facts.marginal)
        self.latent, self.family = config.latent, family

    def memory(self):
        """The cell's state that holds d_1."""
        return self.cell(self.gates(jnp.zeros(self.family.width)), self.cell.initial())

    def embed(self, memory, x):
        frames = jax.vmap(self.family.flatten)(x)

        def step(state, gates):
            new = self.cell(gates, state)
            return new, (self.cell.output(state), self.cell.output(new))

        memory, (before, after) = lax.scan(step, memory, jax.vmap(self.gates)(frames))
        return memory, Drive(frames, before, after)

    def features(self, x, e):
        return jnp.concatenate([e.frame, e.before])

    def initial(self):
        return jnp.zeros(self.latent), Seen(self.cell.output(self.memory()))

    def advance(self, carry, z, e):
        return z, Seen(e.after)

    def prior(self, carry):
        z, seen = carry
        raw = self.to_prior(jnp.concatenate([z, seen.value]))
        return Gaussian(jnp.zeros(self.latent), jnp.ones(self.latent)).like(raw)

    def likelihood(self, carry, z):
        return self.family(self.to_x(jnp.concatenate([z, carry[1].value])))
