"""What importance weights tell beyond the bound: Bachman and Precup 2015, sec. 3, with its constants put right.

log_weight (..., K) holds log r_k = log p(x, z_k) - log q(z_k | x), z_k ~ q, and w_k = r_k / sum_j r_j.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Array, Float

from counterpoint.bounds import IWAE
from counterpoint.core import AbstractDirected, AbstractPosterior, Batch
from counterpoint.data.sequences import Sequences
from counterpoint.evaluation.passes import passes


def resampling_entropy(log_weight: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    """H(w) = -sum_k w_k log w_k  (Bachman and Precup 2015, eq. 23), in nats: 0 where one particle has all the weight,
    log K where all weigh the same. exp H is an effective number of particles."""
    log_w = jax.nn.log_softmax(log_weight)
    return -jnp.where(log_w > -jnp.inf, jnp.exp(log_w) * log_w, 0.0).sum(-1)


def evidence_upper_estimate(log_weight: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    """sum_k w_k log r_k: the self-normalised estimate of the evidence upper bound,

        E_p(z|x)[ log p(x, z) - log q(z | x) ] = log p(x) + KL(p(z | x) || q(z | x)).

    Bachman and Precup (2015, eq. 21) call it a lower bound. It is none: it equals the bound of K particles plus log K -
    H(w), and grows beyond log p(x) with K. With w held it is a surrogate of that bound: its gradient at fixed z is the
    same, sum_k w_k grad log r_k (eq. 22).
    """
    return (jax.nn.softmax(log_weight) * log_weight).sum(-1)


class Spread(NamedTuple):
    """How the weights of whole paths are shared out, over a test set."""

    entropy: float  # mean over sequences of H(w), nats
    upper: float  # `evidence_upper_estimate`, total nats by total steps


def weight_spread(p: AbstractDirected, q: AbstractPosterior, sequences: Sequences, particles: int, key) -> Spread:
    """Of that many particles of every sequence, which do not resample.

    Raises CounterpointError where p's likelihood cannot give these data.
    """
    entropy, upper = np.zeros(len(sequences)), np.zeros(len(sequences))
    for number, (batch, index, _) in enumerate(passes(p, sequences, particles)):
        weight = log_weights(p, q, batch, random.fold_in(key, number), particles)
        for held, found in ((entropy, resampling_entropy(weight)), (upper, evidence_upper_estimate(weight))):
            held[index[index >= 0]] = np.asarray(found)[index >= 0]
    return Spread(float(entropy.mean()), float(upper.sum() / sequences.lengths.sum()))


@eqx.filter_jit
def log_weights(p, q, batch: Batch, key, particles: int) -> Float[Array, "B K"]:
    """log r_k of whole paths."""
    return IWAE(particles=particles).run(p, q, batch, key).log_weight.sum(0)
