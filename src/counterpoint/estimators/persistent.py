"""A deep Boltzmann machine: mean-field inference of what is seen, and chains that persist for what is not."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float

from counterpoint.core import AbstractEstimator, Batch, Estimate
from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError, at_least
from counterpoint.estimators.contrastive_divergence import SETTLING
from counterpoint.inference.gibbs import Gibbs
from counterpoint.inference.mean_field import MeanField
from counterpoint.models.dbm import DBM
from counterpoint.rollout import rollout, stop, swap
from counterpoint.walk import walk, whole


@dataclass(frozen=True)
class PersistentConfig:
    """`chains` of all layers, `sweeps` of each an update."""

    name: ClassVar[str] = "persistent"
    chains: int = 100
    sweeps: int = 5

    def __post_init__(self):
        at_least(self, 1, "chains", "sweeps")

    def build(self, p, facts: Facts, key) -> "Persistent":
        if not isinstance(p, DBM):
            raise refusal(p)
        law = p.machine.likelihood(None, jnp.zeros_like(p.machine.hidden))
        return Persistent(jax.vmap(law.sample)(random.split(key, self.chains)), self.sweeps)


class Persistent(AbstractEstimator):
    """grad L = E_q[-grad E(x, h)] + E_chains[grad E(x, h)],   L = E_q[-E(x, h) - log q(h | x)] - log Z
    (Salakhutdinov and Hinton 2009)

    E is linear in each unit, so the expectation under mean-field q is E at its means: no h is drawn. The chains are
    those of p's `machine`, even layers given odd ones and back, and go on from where they were: the second part is
    unbiased for -grad log Z once they follow p. With the odd layers summed out there, it is grad F(even layers).

    log Z is not asked for, so what is reported of a step is no bound: E_q[log p(x | h)], at the means, in nats.
    Validation has the bound: its particles and the weight of its KL have no part in learning. Frames must be whole.

    All layers learn at once from their first weights; the paper's first learn layer by layer.

    start: the chains' first even layers (N, M), x among them.
    """

    start: Float[Array, "N M"]  # copied into the memory, so no gradient reaches it
    sweeps: int = eqx.field(static=True, default=5)
    reports: ClassVar[str] = "reconstruction, no bound"

    def check(self, p, q, bound):
        if not isinstance(q, MeanField):
            raise refusal(p, q)
        if bound.resampling is not None or not bound.splits:
            raise CounterpointError(
                f"persistent raises E_q[log p(x, z) - log q(z | x)], which {bound.name} is not: choose bound = elbo"
            )

    def settling(self, q):
        return -(-SETTLING // self.sweeps)

    def initial(self):
        return lax.stop_gradient(self.start)

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        x = whole(batch, "persistent")
        machine, keys = p.machine, random.split(key, len(memory))
        moved = lambda x, key: walk(stop(machine), Gibbs(self.sweeps), None, x, key, self.sweeps).last
        memory = stop(jax.vmap(moved)(memory, keys))
        slope = -jax.vmap(lambda x: machine.free_energy(None, x))(memory).mean()
        held = p.given(slope - stop(slope))
        mean = jax.vmap(jax.vmap(lambda x: stop(q.propose(p, None, x, x, key).distribution.mean)))(x)
        z = swap(jax.tree.map(lambda a: a[:, :, None], mean))
        trace, state = rollout(held, q, batch, key, z=z, pathwise=False, detach=True)
        steps = jnp.maximum(batch.valid.sum(), 1)
        # log q of means is minus their entropy, and has no part in the gradient of p
        loss = -(trace.log_likelihood + trace.log_prior).sum() / steps
        value = stop(trace.log_likelihood.sum() / steps)
        return Estimate(loss, value, {"log_likelihood": value}, state), memory


def refusal(p, q=None) -> CounterpointError:
    which = f"p is {type(p).__name__}" if q is None else f"q of this {type(p).__name__} is {type(q).__name__}"
    return CounterpointError(
        f"persistent takes the energy at the means of mean-field inference, and {which}: choose p = dbm and q ="
        " mean_field"
    )
