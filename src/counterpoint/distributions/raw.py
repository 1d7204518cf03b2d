"""From a distribution back to the unconstrained numbers that determine it."""

from functools import singledispatch

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.distributions.categorical import Categorical
from counterpoint.distributions.chain import Chain
from counterpoint.distributions.gaussian import UNIT, FullGaussian, Gaussian
from counterpoint.errors import CounterpointError
from counterpoint.numerics import unsoftplus

LEAST = 1e-6  # above the floor of a standard deviation


@singledispatch
def raw(law: AbstractDistribution) -> Float[Array, " size"]:
    """law.like(raw(law)) is law. For layers that depend on each other: each given the means of those before it.

    Raises CounterpointError for a distribution whose `like` has no inverse here.
    """
    raise CounterpointError(
        f"{type(law).__name__} is not among the distributions whose parameters can be optimised; these are"
        f" {', '.join(sorted(kind.__name__ for kind in raw.registry if kind is not object))}: choose another p or q"
    )


@raw.register
def _(law: Bernoulli):
    return law.logits.ravel()


@raw.register
def _(law: Categorical):
    return law.logits


@raw.register
def _(law: Gaussian):
    return jnp.concatenate([law.loc.ravel(), unscaled(law.scale).ravel()])


@raw.register
def _(law: FullGaussian):
    rows, columns = jnp.tril_indices(law.loc.size, -1)
    return jnp.concatenate([law.loc, unscaled(jnp.diag(law.cholesky)), law.cholesky[rows, columns]])


@raw.register
def _(law: Chain):
    return jnp.concatenate([raw(one) for one in law._event(law._layers(lambda i, one: one.mean)[1])])


def unscaled(scale):
    """s with softplus(s + c) + 1e-4 = scale."""
    return unsoftplus(jnp.maximum(scale - 1e-4, LEAST)) - UNIT
