"""A bound of a batch, without gradients in mind."""

from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractBound, AbstractDirected, AbstractPosterior, Batch
from counterpoint.rollout import rollout


def score(
    p: AbstractDirected, q: AbstractPosterior, bound: AbstractBound, batch: Batch, key, defer: bool = True
) -> Float[Array, " B"]:
    """The bound of each sequence, in nats summed over its steps; any KL weight is 1. `defer` as in rollout."""
    how = {"particles": bound.particles, "resampling": bound.resampling, "closed_form": bound.closed_form}
    return bound(rollout(p, q, batch, key, defer=defer, **how)[0])
