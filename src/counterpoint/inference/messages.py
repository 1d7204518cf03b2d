"""Messages along the chain of a hidden Markov model: sequential over time, all sequences at once.

    a_t(i) = p(z_t = i | x_<=t),    c_t(i) prop. to p(x_>t | z_t = i)
    p(z_t = i | x) prop. to a_t(i) c_t(i),   p(z_t = i, z_t+1 = j | x) prop. to a_t(i) A_ij p(x_t+1 | j) c_t+1(j)

Each step is scaled by p(x_t | x_<t), and the emissions by their largest, all at once before the first, so nothing grows
with T and a step is one product. What float32 can lose between two steps has a probability below 1e-38; since a
prediction gives each state, and with it the one of the largest emission, at least the least of A, that is never what
counts as long as A has no entry below LEAST. Where it has, such as a zero, all is done in logarithms.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.nn import logsumexp
from jaxtyping import Bool, Float

LEAST = 1e-20


class Chained(NamedTuple):
    """What the messages say, over time first."""

    log_evidence: Float[Array, "T B"]  # log p(x_t | x_<t), in nats
    filtered: Float[Array, "T B N"]  # p(z_t | x_<=t)
    smoothed: Float[Array, "T B N"]  # p(z_t | x)
    pairs: Float[Array, "N N"]  # sum over t and B of p(z_t-1, z_t | x), where x_t is valid


def chained(
    log_start: Float[Array, " N"], log_move: Float[Array, "N N"], said: Float[Array, "T B N"], valid: Bool[Array, "T B"]
) -> Chained:
    """said: log p(x_t | z_t), 0 where x_t is missing or padding, which must come last."""
    dense = log_move.min() > jnp.log(LEAST) - 1
    return lax.cond(dense, _scaled, _logarithmic, log_start, log_move, said, valid)


def _scaled(log_start, log_move, said, valid):
    move, most = jnp.exp(log_move), said.max(2, keepdims=True)
    weight = jnp.exp(said - most)

    def forth(a, weight):
        joint = (a @ move) * weight
        total = joint.sum(1, keepdims=True)
        return joint / total, (total, joint / total)

    def back(c, weight):
        new = (weight * c) @ move.T
        return new, new

    joint = log_start[None] + said[0]  # what begins may be impossible
    first, begun = jax.nn.softmax(joint), logsumexp(joint, 1)
    _, (totals, rest) = lax.scan(forth, first, weight[1:])
    increments = jnp.concatenate([begun[None], most[1:, :, 0] + jnp.log(totals[:, :, 0])])
    a = jnp.concatenate([first[None], rest])
    # divided by the same totals, c_t(i) = p(z_t = i | x) / a_t(i), which stays below one over the least of A
    later, end = weight[1:] / totals, jnp.ones_like(first)
    c = jnp.concatenate([lax.scan(back, end, later, reverse=True)[1], end[None]])
    both = a * c
    norm = both.sum(2, keepdims=True)
    share = jnp.where(valid[1:, :, None], a[:-1] / norm[:-1], 0.0)
    # one product over all rows, where einsum makes one for each t
    flat = lambda rows: rows.reshape(-1, rows.shape[2])
    pairs = move * (flat(share).T @ flat(later * c[1:]))
    return Chained(jnp.where(valid, increments, 0.0), a, both / norm, pairs)


def _logarithmic(log_start, log_move, said, valid):
    def weigh(predicted, now):
        joint = predicted + now
        total = logsumexp(joint, 1)
        return joint - total[:, None], total

    def forth(a, now):
        new, increment = weigh(logsumexp(a[:, :, None] + log_move[None], 1), now)
        return new, (increment, new)

    def back(carry, now):
        (c, pairs), (said, before, valid) = carry, now
        b = said + c
        both = before[:, :, None] + log_move[None] + b[:, None]
        both = jax.nn.softmax(both.reshape(len(both), -1)).reshape(both.shape)
        new = logsumexp(log_move[None] + b[:, None], 2)
        pairs = pairs + jnp.where(valid[:, None, None], both, 0.0).sum(0)
        return (new - new.max(1, keepdims=True), pairs), c

    first, begun = weigh(log_start[None], said[0])
    _, (later, rest) = lax.scan(forth, first, said[1:])
    increments, a = jnp.concatenate([begun[None], later]), jnp.concatenate([first[None], rest])
    ((last, pairs), c) = lax.scan(
        back, (jnp.zeros_like(first), jnp.zeros_like(log_move)), (said[1:], a[:-1], valid[1:]), reverse=True
    )
    c = jnp.concatenate([last[None], c])
    return Chained(jnp.where(valid, increments, 0.0), jnp.exp(a), jax.nn.softmax(a + c), pairs)
