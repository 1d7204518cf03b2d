"""Messages along the chain of a hidden Markov model: sequential over time, all sequences at once.

    a_t(i) = p(z_t = i | x_<=t),    c_t(i) prop. to p(x_>t | z_t = i)
    p(z_t = i | x) prop. to a_t(i) c_t(i),   p(z_t = i, z_t+1 = j | x) prop. to a_t(i) A_ij p(x_t+1 | j) c_t+1(j)

Each step is scaled by p(x_t | x_<t), and the emissions by their largest, all at once before the first, so nothing grows
with T and a step is one product. What float32 loses of a step's emissions is below 1e-38 of the largest, and a path
through the largest pays the least of A twice at most, on its way there and back: as long as A has no entry below LEAST,
what is lost is at most 1e-38 / LEAST^2 of what is kept. Where it has, such as a zero, all is done in logarithms.

A frame that is impossible in every state has log p(x_t | x_<t) = -inf, as have all after it, and no state is likely.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float

from counterpoint.numerics import finite, log_sum_exp

LEAST = 1e-15


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
    move, most = jnp.exp(log_move), finite(said.max(2, keepdims=True))
    weight = jnp.exp(said - most)

    def forth(a, weight):
        joint = (a @ move) * weight
        total = joint.sum(1, keepdims=True)
        new = joint / some(total)
        return new, (total, new)

    def back(c, weight):
        new = (weight * c) @ move.T
        return new, new

    joint = log_start[None] + said[0]  # what begins may be impossible
    first, begun = chances(joint), log_sum_exp(joint, 1)
    _, (totals, rest) = lax.scan(forth, first, weight[1:])
    increments = jnp.concatenate([begun[None], most[1:, :, 0] + jnp.log(totals[:, :, 0])])
    a = jnp.concatenate([first[None], rest])
    # divided by the same totals, c_t(i) = p(z_t = i | x) / a_t(i), which stays below one over the least of A
    later, end = weight[1:] / some(totals), jnp.ones_like(first)
    c = jnp.concatenate([lax.scan(back, end, later, reverse=True)[1], end[None]])
    both = a * c
    norm = some(both.sum(2, keepdims=True))
    share = jnp.where(valid[1:, :, None], a[:-1] / norm[:-1], 0.0)
    # one product over all rows, where einsum makes one for each t
    flat = lambda rows: rows.reshape(-1, rows.shape[2])
    pairs = move * (flat(share).T @ flat(later * c[1:]))
    return Chained(jnp.where(valid, increments, 0.0), a, both / norm, pairs)


def _logarithmic(log_start, log_move, said, valid):
    def weigh(predicted, now):
        joint = predicted + now
        total = log_sum_exp(joint, 1)
        return joint - finite(total)[:, None], total

    def forth(a, now):
        new, increment = weigh(log_sum_exp(a[:, :, None] + log_move[None], 1), now)
        return new, (increment, new)

    def back(carry, now):
        (c, pairs), (said, before, valid) = carry, now
        b = said + c
        both = before[:, :, None] + log_move[None] + b[:, None]
        both = chances(both.reshape(len(both), -1)).reshape(both.shape)
        new = log_sum_exp(log_move[None] + b[:, None], 2)
        pairs = pairs + jnp.where(valid[:, None, None], both, 0.0).sum(0)
        return (new - finite(new.max(1, keepdims=True)), pairs), c

    first, begun = weigh(log_start[None], said[0])
    _, (later, rest) = lax.scan(forth, first, said[1:])
    increments, a = jnp.concatenate([begun[None], later]), jnp.concatenate([first[None], rest])
    ((last, pairs), c) = lax.scan(
        back, (jnp.zeros_like(first), jnp.zeros_like(log_move)), (said[1:], a[:-1], valid[1:]), reverse=True
    )
    c = jnp.concatenate([last[None], c])
    return Chained(jnp.where(valid, increments, 0.0), jnp.exp(a), chances(a + c), pairs)


def some(total):
    """What may be divided by: 1 for 0."""
    return jnp.where(total == 0, 1.0, total)


def chances(logs):
    """The softmax over the last axis, of which all entries may be -inf: then 0."""
    return jnp.exp(logs - finite(log_sum_exp(logs, logs.ndim - 1))[..., None])
