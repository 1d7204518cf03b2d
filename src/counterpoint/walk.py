"""A chain between q and p.

    x_0 -> z_0 ~ q(z | x_0) -> x_1 ~ p(x | z_0) -> z_1 ~ q(z | x_1) -> ... -> x_k
    (Bachman and Precup 2015, sec. 2 and 5.4)

With q the posterior of an undirected p it is block Gibbs sampling: contrastive divergence where it starts at the data,
persistent where it goes on from where it was. With q a corruption it is the chain of a denoising auto-encoder; of a
generative stochastic network where p keeps hidden layers from move to move.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float, PyTree

from counterpoint.core import AbstractModel, AbstractPosterior, AbstractUndirected, Batch, State
from counterpoint.errors import CounterpointError
from counterpoint.rollout import initial_state, mask_of, stop, swap, where

PAST = 2**31  # a stream of its own: what a key is split into are others


class Path(NamedTuple):
    """tau = x_0, z_0, x_1 .. z_k-1, x_k."""

    x: PyTree  # (k + 1, ...)
    z: PyTree  # (k, ...)

    @property
    def last(self) -> PyTree:
        """x_k."""
        return jax.tree.map(lambda a: a[-1], self.x)


def move(p: AbstractModel, q: AbstractPosterior, carry, x, key) -> tuple[PyTree, PyTree, PyTree]:
    """z ~ q(z | x), x' ~ p(x | z): z, x', and the carry that p keeps for the next move."""
    of_q, of_z, of_x = random.split(key, 3)
    z = q.propose(p, carry, x, x, of_q).distribution.sample(of_z)
    return z, p.likelihood(carry, z).sample(of_x), p.kept(carry, z)


def walk(p: AbstractModel, q: AbstractPosterior, carry, x, key, steps: int) -> Path:
    """Draw z ~ q(z | x), then x ~ p(x | z), `steps` times, from x and under one past, the carry."""

    def step(loop, key):
        z, x, carry = move(p, q, loop[1], loop[0], key)
        return (x, carry), (x, z)

    _, (later, z) = lax.scan(step, (x, carry), random.split(key, steps))
    return Path(jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), x, later), z)


def whole(batch: Batch, name: str) -> PyTree:
    """x (B, T, ...) with zeros at padding. Raises CounterpointError, in the name of a bound, where something is
    missing."""
    if batch.observed is not None:
        raise CounterpointError(
            f"{name} scores whole frames, and some entries are missing; its sum over what is missing is not known:"
            " choose sequences without gaps"
        )
    return jax.tree.map(lambda seen, a: jnp.where(seen, a, jnp.zeros((), a.dtype)), mask_of(batch), batch.x)


def pasts(p: AbstractUndirected, q: AbstractPosterior, batch: Batch, key) -> tuple[PyTree, State]:
    """The carry before each step, (B, T, ...), along the data's own past: x as it was seen, and where the past has z,
    z_t ~ q(z_t | x_t, past), held. Goes on from the batch's state; returns the state after its last valid step, too.

    Gradients pass through what p makes of x, from step to step. One key gives one past.
    """
    count, length = batch.valid.shape
    state = initial_state(p, q, count) if batch.state is None else batch.state
    memory, e = jax.vmap(p.embed)(state.memory, batch.x)
    times = state.time + jnp.arange(length)
    key = random.fold_in(key, PAST)
    keys = jax.vmap(lambda t: random.split(random.fold_in(key, t), count))(times)

    def one(carry, x, e, key):
        of_q, of_z = random.split(key)
        z = q.propose(stop(p), stop(carry), x, x, of_q).distribution.sample(of_z)
        return p.advance(carry, stop(z), e)

    def step(carry, now):
        valid, *now = now
        return where(valid, jax.vmap(one)(carry, *now), carry), carry

    carry = jax.tree.map(lambda a: a[:, 0], state.carry)
    carry, before = lax.scan(step, carry, (*swap((batch.valid, batch.x, e)), keys))
    carry = jax.tree.map(lambda a, old: jnp.broadcast_to(a[:, None], old.shape), carry, state.carry)
    return swap(before), State(memory, state.recognition, carry, state.log_weight, state.time + length)


def log_forward(p: AbstractModel, q: AbstractPosterior, carry, path: Path, key) -> Float[Array, ""]:
    """log q(tau | x_0) = sum_i log q(z_i | x_i) + log p(x_i+1 | z_i), in nats."""
    return _log_moves(p, q, carry, path, key, 0, 1)


def log_backward(p: AbstractModel, q: AbstractPosterior, carry, path: Path, key) -> Float[Array, ""]:
    """log p(tau | x_k) = sum_i log q(z_i | x_i+1) + log p(x_i | z_i): the same moves from the other end."""
    return _log_moves(p, q, carry, path, key, 1, 0)


def _log_moves(p, q, carry, path: Path, key, start: int, end: int):
    ends = [jax.tree.map(lambda a, i=i: a[i : len(a) - 1 + i], path.x) for i in (start, end)]

    def one(x, z, new):
        guess = q.propose(p, carry, x, x, key).distribution
        return guess.log_prob(z) + p.likelihood(carry, z).log_prob(new)

    return jax.vmap(one)(ends[0], path.z, ends[1]).sum()
