"""What Gaussian latents have in common, be they one layer or several: a mean to move, and variances.

An event of several layers is the tuple of them (`Chain`); a single layer stands for itself.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from counterpoint.core import AbstractDistribution
from counterpoint.distributions.chain import Chain, layered
from counterpoint.distributions.gaussian import FullGaussian, Gaussian


def gaussian(law: AbstractDistribution) -> bool:
    """Whether every layer is Gaussian, given those it depends on."""
    layers = law.layers if isinstance(law, Chain) else (law,)
    return all(isinstance(one, Gaussian | FullGaussian) for one in layers)


def variance(law: AbstractDistribution) -> PyTree:
    """Var[value] of a Gaussian, shaped like an event; of several layers, each given the means of those above it."""
    if isinstance(law, Chain):
        return law._event([variance(one) for one in law._layers(lambda i, one: one.mean)[1]])
    assert isinstance(law, Gaussian | FullGaussian)
    return law.scale**2 if isinstance(law, Gaussian) else (law.cholesky**2).sum(1)


def diagonal(mean: PyTree, log_variance: PyTree) -> AbstractDistribution:
    """Independent Gaussians of the given moments."""
    laws = jax.tree.map(lambda m, s: Gaussian(m, jnp.exp(0.5 * s)), mean, log_variance)
    parts = laws if isinstance(laws, tuple) else (laws,)
    return layered(*parts, order=range(len(parts)))


def moved(law: AbstractDistribution, by: PyTree) -> AbstractDistribution:
    """The distribution of value + by, for Gaussian layers that do not depend on each other."""
    if isinstance(law, Chain):
        parts = zip(law.parts, law.order)
        return Chain(*(moved(part, by[layer]) for part, layer in parts), order=law.order)  # pyright: ignore[reportArgumentType]
    assert isinstance(law, Gaussian | FullGaussian)
    return eqx.tree_at(lambda one: one.loc, law, law.loc + by)
