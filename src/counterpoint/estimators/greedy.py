"""A deep belief network layer by layer."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random

from counterpoint.core import AbstractEstimator, Batch, Estimate
from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError, at_least
from counterpoint.inference.dbn_recognition import DBNRecognition
from counterpoint.inference.gibbs import Gibbs
from counterpoint.rollout import stop
from counterpoint.walk import walk, whole


@dataclass(frozen=True)
class GreedyConfig:
    """`updates` of each machine but the highest, which has those that are left; `sweeps` is the k of CD-k."""

    name: ClassVar[str] = "greedy"
    updates: int = 20_000
    sweeps: int = 1

    def __post_init__(self):
        at_least(self, 1, "updates", "sweeps")

    def build(self, p, facts: Facts, key) -> "Greedy":
        return Greedy(self.updates, self.sweeps)


class Greedy(AbstractEstimator):
    """grad_l E[F_l(h^l-1) - F_l(h^l-1_k)],   l = 1, then 2, .. L,   h^l-1 ~ q(h^l-1 | x)
    (Hinton, Osindero and Teh 2006)

    CD-k of one machine at a time, on what the machines below make of the data, which stay as they are. What the bound
    has of machine l alone is E_q[log p_l(h^l-1)]; where it starts as the machine below upside down that is what the
    bound had before (see `DBN`), and all that raises it raises the bound.

    Z is not asked for, so what is reported of a step is no bound: how well the machine at work gives back what it saw,
    E[log p_l(h^l-1 | h^l)], in nats. Validation has the bound, whose particles and weights have no part in learning. An
    optimiser with momentum moves a machine a little further than its last update, and one with weight decay goes on
    taking from all of them: leave decay at 0. Without a step the highest machine is at work. Frames must be whole.
    """

    updates: int = eqx.field(static=True, default=20_000)
    sweeps: int = eqx.field(static=True, default=1)
    reports: ClassVar[str] = "reconstruction, no bound"

    def check(self, p, q, bound):
        if not isinstance(q, DBNRecognition):
            raise CounterpointError(
                f"greedy learns each machine from what those below make of the data, and {type(q).__name__} of"
                f" {type(p).__name__} does not go up through machines: choose p = dbn and q = dbn_recognition"
            )
        if bound.resampling is not None or not bound.splits:
            raise CounterpointError(
                f"greedy raises E_q[log p(x, z) - log q(z | x)], which {bound.name} is not: choose bound = elbo"
            )

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        x, depth = whole(batch, "greedy"), len(p.parts)
        layer = depth - 1 if step is None else jnp.minimum(jnp.asarray(step) // self.updates, depth - 1)
        keys = random.split(key, batch.valid.shape)
        work = lambda i, p: jax.vmap(jax.vmap(partial(self.frame, p, i)))(x, keys)
        loss, given_back = lax.switch(layer, [partial(work, i) for i in range(depth)], p)
        per_step = lambda a: jnp.where(batch.valid, a, 0.0).sum() / jnp.maximum(batch.valid.sum(), 1)
        value = per_step(given_back)
        return Estimate(per_step(loss), lax.stop_gradient(value), {"log_likelihood": value}), memory

    def frame(self, p, layer: int, x, key):
        """Of machine `layer`, 0 the lowest: F(h) - F(h_k), whose gradient is that of CD-k, and log p(h | z)."""
        of_walk, *keys = random.split(key, layer + 1)
        # only what the machine has of its own has a gradient
        machines = eqx.tree_at(lambda p: p.parts[layer], stop(p), p.parts[layer]).machines
        h = x
        for machine, k in zip(machines, keys):
            h = stop(machine.posterior(None, h).sample(k))
        own = machines[layer]
        path = walk(stop(own), Gibbs(self.sweeps), None, h, of_walk, self.sweeps)
        given_back = stop(own).likelihood(None, path.z[0]).log_prob(h)
        return own.free_energy(None, h) - own.free_energy(None, stop(path.last)), given_back
