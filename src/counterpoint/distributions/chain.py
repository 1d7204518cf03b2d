"""Several layers as one event."""

from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import random

from counterpoint.core import AbstractDistribution


class Chain(AbstractDistribution):
    """p(z^1, ..., z^L) = p(z^a) p(z^b | z^a) p(z^c | z^a, z^b) ...

    parts: the first is a distribution; a later one is a distribution (independent of the others) or a module
    that maps the earlier layers, in the order in which they are drawn, to one. A plain closure cannot leave a
    scan: use a module.
    order: parts[i] is layer order[i] of the event, a tuple of L layers; so a prior that goes down and a
    posterior that goes up speak of the same event.

    The KL between two of them is sampled. Of a q that goes up and a p that goes down one term alone could be closed, at
    a draw of the layers before: that of q's last layer, for p of every other reads one that q draws later. Its noise
    cancels in part against that of log p of the layer under it, so that closing it would steady the gradient little
    and the value not at all.
    """

    parts: tuple[AbstractDistribution | Callable[..., AbstractDistribution], ...]
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, *parts, order=None):
        self.parts = parts
        self.order = tuple(range(len(parts))) if order is None else tuple(order)
        if sorted(self.order) != list(range(len(parts))):
            raise ValueError(f"order {self.order} is no permutation of the {len(parts)} layers")

    def _layers(self, choose):
        """Walk down the chain; `choose(i, distribution)` gives layer i. Returns the layers in drawing order and
        their distributions."""
        drawn, laws = [], []
        for i, part in enumerate(self.parts):
            law = part if isinstance(part, AbstractDistribution) else part(*drawn)
            laws.append(law)
            drawn.append(choose(i, law))
        return drawn, laws

    def _event(self, drawn):
        return tuple(drawn[self.order.index(layer)] for layer in range(len(drawn)))

    @property
    def layers(self) -> tuple[AbstractDistribution, ...]:
        """One distribution per layer of the event: its shapes (arrays are ShapeDtypeStruct)."""
        draw = lambda i, law: law.sample(random.key(0))
        return eqx.filter_eval_shape(lambda chain: chain._event(chain._layers(draw)[1]), self)

    @property
    def pathwise(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return all(law.pathwise for law in self.layers)

    @property
    def normalised(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return all(law.normalised for law in self.layers)

    @property
    def support(self):
        return tuple(law.support for law in self.layers)

    def sample(self, key):
        return self.drawn(self.noise(key))

    def noise(self, key):
        """That of each layer, in the order in which they are drawn."""
        keys = random.split(key, len(self.parts))
        return tuple(self.layers[layer].noise(k) for layer, k in zip(self.order, keys))

    def drawn(self, noise):
        return self._event(self._layers(lambda i, law: law.drawn(noise[i]))[0])

    def log_prob(self, value, observed=None):
        drawn, laws = self._layers(lambda i, law: value[self.order[i]])
        seen = [None if observed is None else observed[layer] for layer in self.order]
        return sum((law.log_prob(v, o) for law, v, o in zip(laws, drawn, seen)), start=jnp.zeros(()))

    @property
    def mean(self):
        """The means of the layers, each given the means of those it depends on."""
        return self._event(self._layers(lambda i, law: law.mean)[0])

    @property
    def size(self):
        return sum(law.size for law in self.layers)

    def like(self, raw):
        """Independent layers, in the order of the event."""
        layers, cuts, end = self.layers, [], 0
        for law in layers[:-1]:
            end += law.size
            cuts.append(end)
        return Chain(*(law.like(r) for law, r in zip(layers, jnp.split(raw, cuts))))


def layered(*parts, order):
    """Several layers as one event, a tuple; a single one as it is."""
    return parts[0] if len(parts) == 1 else Chain(*parts, order=order)


def layers_of(event) -> tuple:
    """The layers of an event of `layered`."""
    return event if isinstance(event, tuple) else (event,)


class Empty(AbstractDistribution):
    """Nothing: the event is (), its log-probability 0. The prior of a model without latent variables."""

    pathwise: ClassVar[bool] = True
    support: ClassVar[tuple] = ()  # pyright: ignore[reportIncompatibleMethodOverride]

    def sample(self, key):
        return ()

    def log_prob(self, value, observed=None):
        return jnp.zeros(())

    @property
    def mean(self):
        return ()

    @property
    def size(self):
        return 0

    def like(self, raw):
        return self
