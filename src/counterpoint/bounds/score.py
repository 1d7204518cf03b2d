"""A bound of a batch, without gradients in mind."""

from jax import Array
from jaxtyping import Float

from counterpoint.core import AbstractBound, AbstractModel, AbstractPosterior, Batch


def score(
    p: AbstractModel, q: AbstractPosterior, bound: AbstractBound, batch: Batch, key, defer: bool = True
) -> Float[Array, " B"]:
    """The bound of each sequence, in nats summed over its steps; any KL weight is 1. `defer` as in rollout."""
    return bound(bound.run(p, q, batch, key, defer))
