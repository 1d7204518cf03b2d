"""What importance weights tell beyond the bound: seed 4, sec. 3, with its constants put right.

log_weight (..., K) holds log r_k = log p(x, z_k) - log q(z_k | x), z_k ~ q, and w_k = r_k / sum_j r_j.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def resampling_entropy(log_weight: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    """H(w) = -sum_k w_k log w_k  (seed 4, eq. 23), in nats: 0 where one particle has all the weight, log K where all
    weigh the same. exp H is an effective number of particles."""
    log_w = jax.nn.log_softmax(log_weight)
    return -jnp.where(log_w > -jnp.inf, jnp.exp(log_w) * log_w, 0.0).sum(-1)


def evidence_upper_estimate(log_weight: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    """sum_k w_k log r_k: the self-normalised estimate of the evidence upper bound,

        E_p(z|x)[ log p(x, z) - log q(z | x) ] = log p(x) + KL(p(z | x) || q(z | x)).

    Seed 4, eq. 21, calls it a lower bound. It is none: it equals the bound of K particles plus log K - H(w), and grows
    beyond log p(x) with K. With w held it is a surrogate of that bound: its gradient at fixed z is the same,
    sum_k w_k grad log r_k (eq. 22).
    """
    return (jax.nn.softmax(log_weight) * log_weight).sum(-1)
