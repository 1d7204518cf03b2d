"""What corruptions share: z is a frame with noise."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import logit

from counterpoint.core import AbstractDirected, AbstractDistribution, AbstractPosterior, AbstractUndirected, direct
from counterpoint.distributions import Bernoulli, Categorical, Family, Gaussian, SaltAndPepper, layered
from counterpoint.errors import CounterpointError


class AbstractCorruption(AbstractPosterior):
    """q(z | x), z shaped like a frame x: for a p that reconstructs x from z, and has no distribution of z of its own.
    Where p keeps hidden layers from move to move, its carry, z is the tuple of a frame and of them, with noise
    N(0, 1)."""

    family: eqx.AbstractVar[Family]
    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False
    chain: ClassVar[bool] = True

    def check(self, p):
        if isinstance(p, AbstractDirected | AbstractUndirected):
            raise CounterpointError(
                f"{type(self).__name__} makes z of a frame by noise, and z of {type(p).__name__} has a"
                " distribution of its own, which noise knows nothing of: choose p = dae, or another q"
            )

    @abstractmethod
    def corrupted(self, x) -> AbstractDistribution:
        """The distribution of the frame in z."""

    def propose(self, p, carry, context, x, key):
        laws = self.corrupted(x), *(Gaussian(a, jnp.ones_like(a)) for a in jax.tree.leaves(carry))
        return direct(layered(*laws, order=range(len(laws))))


def salted(family: Family, x, rate) -> AbstractDistribution:
    """Each entry stays, or with probability `rate` (a number, or one for each entry) any value takes its place, all of
    them alike: 0 and 1, or the categories of an index."""
    if family.name == "bernoulli":
        return Bernoulli(logit((1 - rate) * x + rate / 2))
    if family.name == "categorical":
        count = family.shape[0]
        return Categorical(jnp.log((1 - rate) * jax.nn.one_hot(x, count) + rate / count))
    return SaltAndPepper(x, jnp.broadcast_to(jnp.asarray(rate, x.dtype), x.shape))


def refuse(name: str, family: Family, known: tuple[str, ...], instead: str) -> None:
    """Raise CounterpointError where a corruption of that name is none for a likelihood."""
    if family.name not in known:
        raise CounterpointError(f"{name}: no such noise is known for likelihood {family.name!r}: choose {instead}")


REAL_FAMILIES = (
    "gaussian",
    "gaussian_log_std",
    "gaussian_log_variance",
    "discretised_gaussian",
    "full_gaussian",
    "grey",
)
