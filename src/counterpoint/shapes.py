"""Shapes of what a model draws, computed without computing: arrays are ShapeDtypeStruct."""

import equinox as eqx
import jax
from jaxtyping import PyTree

from counterpoint.core import AbstractDirected, AbstractDistribution, AbstractModel


def latent(p: AbstractDirected) -> AbstractDistribution:
    """The shapes of p's prior (arrays are ShapeDtypeStruct), computed without computing."""
    return eqx.filter_eval_shape(lambda p: p.prior(p.initial()), p)


def shapes(distribution: AbstractDistribution) -> PyTree:
    """Shape and dtype of one event of a distribution or of its shapes."""
    return eqx.filter_eval_shape(lambda d: d.sample(jax.random.key(0)), distribution)


def observation(p: AbstractModel) -> AbstractDistribution:
    """The shapes of p's likelihood."""
    return eqx.filter_eval_shape(lambda p: p.likelihood(p.initial(), p.example()), p)
