"""A network with some of its connections left out."""

import equinox as eqx
import jax
from jax import random
from jaxtyping import PyTree

from counterpoint.networks.linear import Linear


def thinned(tree: PyTree, key, rate: float) -> PyTree:
    """W diag(m) / (1 - rate) in place of the W of every linear layer, m_i = 0 with probability `rate`, else 1: what
    the layer reads is dropped (Srivastava et al. 2014).

    The same m for all steps of a sequence, within the recurrence, too (Gal and Ghahramani 2016), and ours, for all
    sequences of a batch.
    """
    linear = lambda a: isinstance(a, Linear)
    leaves, structure = jax.tree.flatten(tree, is_leaf=linear)

    def thin(a, key):
        if not linear(a):
            return a
        kept = random.bernoulli(key, 1 - rate, a.weight.shape[1:]) / (1 - rate)
        return eqx.tree_at(lambda a: a.weight, a, a.weight * kept[None].astype(a.weight.dtype))

    return jax.tree.unflatten(structure, list(map(thin, leaves, random.split(key, len(leaves)))))
