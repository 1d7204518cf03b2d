"""The variational auto-encoder, with one stochastic layer or several."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jax import random

from counterpoint.core import AbstractDirected, AbstractDistribution
from counterpoint.distributions import (
    Beta,
    Concrete,
    Dirichlet,
    Facts,
    Family,
    Gamma,
    Gaussian,
    Gumbel,
    GumbelMinimum,
    Kumaraswamy,
    LogNormal,
    layered,
    layers_of,
)
from counterpoint.errors import CounterpointError, at_least, nearest
from counterpoint.networks import ACTIVATIONS, mlp

WARM = 0.5  # the temperature of a concrete law that none is given for


@dataclass(frozen=True)
class VAEConfig:
    """Sizes, the lowest layer first: of each z^l, and of the `depth` hidden layers of the network under it. `law`, one
    of LAWS, is the distribution of the highest layer; the others are Gaussian. `temperature` is that of "concrete", 0.5
    where none is given; no other distribution has one.

    By default those of Burda et al. (2015) for one layer; for two, they have latent = (100, 50), width = (200, 100).
    """

    name: ClassVar[str] = "vae"
    latent: tuple[int, ...] = (50,)
    width: tuple[int, ...] = (200,)
    depth: int = 2
    activation: Literal["relu", "tanh"] = "tanh"
    law: str = "gaussian"
    temperature: float | None = None

    def __post_init__(self):
        at_least(self, 1, "latent", "width", "depth")
        if len(self.latent) != len(self.width):
            raise CounterpointError(
                f"vae: {len(self.latent)} layers of z (latent {self.latent}) and {len(self.width)} networks under them"
                f" (width {self.width}); give one width for each layer"
            )
        if self.law not in LAWS:
            raise CounterpointError(f"vae: law {self.law!r} is unknown{nearest(self.law, LAWS)}")
        if self.temperature is None:
            return
        if self.law != "concrete":
            raise CounterpointError(
                f"vae: temperature is {self.temperature}, and law {self.law!r} has none; leave it out, or choose"
                " the law 'concrete'"
            )
        if not 0 < self.temperature < float("inf"):
            raise CounterpointError(f"vae: temperature is {self.temperature}; give a finite number above 0")

    def build(self, facts: Facts, key) -> "VAE":
        return VAE(self, facts, key=key)


class Under(eqx.Module):
    """p(z^l | z^l+1) = N(phi(z^l+1))."""

    network: eqx.nn.Sequential

    def __call__(self, *above):
        raw = self.network(above[-1])
        return standard(raw.size // 2).like(raw)


class VAE(AbstractDirected):
    """p(z^L) = N(0, I),   p(z^l | z^l+1) = N(phi_l(z^l+1)),   p(x | z^1) = family(phi_0(z^1))
    (Kingma and Welling 2014; Shareghi 2018, sec. 2; of two layers: Burda et al. 2015, sec. 5)

    z is z^1 (latent,), or for several layers the tuple of them, the lowest first; z^L may have another of the
    distributions LAWS. Its q, of the kinds of the prior, is `Filtering`, or `BottomUp` where there are several layers.
    Nothing passes from one frame to the next: an image is a sequence of one step, and the steps of longer ones are
    independent.

    Departures: a scale is a softplus where the paper's code has an exponential, and networks start as everywhere here,
    the last layer of each at the marginal of what it gives.
    """

    networks: tuple[eqx.nn.Sequential, ...]  # under z^1, z^2, ...
    top: int = eqx.field(static=True)
    law: str = eqx.field(static=True)
    temperature: float = eqx.field(static=True)
    family: Family = eqx.field(static=True)

    def __init__(self, config: VAEConfig, facts: Facts, *, key):
        self.top, self.law = config.latent[-1], config.law
        self.temperature = WARM if config.temperature is None else config.temperature
        self.family = facts.family
        marginals = [facts.marginal, *(jnp.zeros(2 * size) for size in config.latent[:-1])]
        keys, activation = random.split(key, len(marginals)), ACTIVATIONS[config.activation]
        sizes = [(z, *(w,) * config.depth, len(b)) for z, w, b in zip(config.latent, config.width, marginals)]
        self.networks = tuple(mlp(s, key=k, activation=activation, bias=b) for s, k, b in zip(sizes, keys, marginals))

    def features(self, x, e):
        return self.family.flatten(x)

    def initial(self):
        return None

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        under = [Under(network) for network in self.networks[:0:-1]]
        return layered(LAWS[self.law](self.top, self.temperature), *under, order=range(len(under), -1, -1))

    def likelihood(self, carry, z):
        return self.family(self.networks[0](layers_of(z)[0]))


def standard(size: int) -> Gaussian:
    """N(0, I)."""
    return Gaussian(jnp.zeros(size), jnp.ones(size))


def entrywise(kind, first: float) -> Callable[[int, float], AbstractDistribution]:
    """Of a size: a distribution whose second parameter is 1, and which has no temperature."""
    return lambda size, _: kind(jnp.full(size, first), jnp.ones(size))


# what the highest layer may be, by its size and a temperature: differentiable draws, all of them
LAWS: dict[str, Callable[[int, float], AbstractDistribution]] = {
    "gaussian": lambda size, _: standard(size),
    "log_normal": entrywise(LogNormal, 0.0),
    "gumbel": entrywise(Gumbel, 0.0),
    "gumbel_minimum": entrywise(GumbelMinimum, 0.0),
    "gamma": entrywise(Gamma, 1.0),
    "beta": entrywise(Beta, 1.0),
    "kumaraswamy": entrywise(Kumaraswamy, 1.0),
    "dirichlet": lambda size, _: Dirichlet(jnp.ones(size)),
    "concrete": lambda size, temperature: Concrete(jnp.zeros(size), temperature),
}
