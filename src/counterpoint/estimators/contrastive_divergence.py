"""Contrastive divergence, with or without the term that it leaves out, from the data or from chains that persist."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random
from jaxtyping import PyTree

from counterpoint import annealing
from counterpoint.bounds.trajectory_kl import need_energy, traced
from counterpoint.core import AbstractEstimator, Batch, Estimate, Trace
from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError, at_least
from counterpoint.rollout import stop, swap
from counterpoint.tempering import temper
from counterpoint.walk import Path, log_forward, pasts, walk, whole

SETTLING = 1000  # sweeps until chains that persist have left their start


@dataclass(frozen=True)
class ContrastiveDivergenceConfig:
    """
    chains           0: every chain starts at its datum (CD-k); else so many continue from where they were (PCD-k)
    policy_gradient  add the term of the gradient that contrastive divergence ignores
    temperatures     of each chain that persists: above 1, so many run side by side and change places
    """

    name: ClassVar[str] = "contrastive_divergence"
    chains: int = 0
    policy_gradient: bool = False
    temperatures: int = 1

    @classmethod
    def variants(cls):
        """Those worth comparing."""
        return {
            "cd": cls(),
            "cd, whole": cls(policy_gradient=True),
            "pcd": cls(chains=100),
            "pcd, tempered": cls(chains=100, temperatures=10),
        }

    def __post_init__(self):
        at_least(self, 0, "chains")
        at_least(self, 1, "temperatures")
        if self.temperatures > 1 and not self.chains:
            raise CounterpointError(
                f"contrastive_divergence: temperatures are {self.temperatures}, and chains that start at the data have"
                " one: choose chains above 0, or temperatures = 1"
            )
        if self.chains and self.policy_gradient:
            raise CounterpointError(
                "contrastive_divergence: policy_gradient weighs paths that start at the data, and persistent chains do"
                " not: choose chains = 0, or policy_gradient = False"
            )

    def build(self, p, facts: Facts, key) -> "ContrastiveDivergence":
        start = None
        if self.chains:  # from the training marginal
            law = facts.family(jnp.asarray(facts.marginal, float))
            ladder = (self.temperatures,) if self.temperatures > 1 else ()
            keys = random.split(key, (self.chains, *ladder))
            start = (jax.vmap(jax.vmap(law.sample)) if ladder else jax.vmap(law.sample))(keys)
        return ContrastiveDivergence(start, self.policy_gradient, self.temperatures > 1)


class ContrastiveDivergence(AbstractEstimator):
    """grad KL(q || p) = E[grad F(x_0) - grad F(x_k)] + E[ log(q(tau) / p(tau)) grad log q(tau | x_0) ]
    (Bachman and Precup 2015, eq. 35, 40 and 45; eq. 41 prints k + 1 where |z| is meant)

    The first part is CD-k (Hinton 2002): at held x_k, with z summed out, grad_W F(x) = -s(Wx + b) x' (eq. 43; eq. 44 is
    minus that, the direction in which log p(x) ascends: "partial marginalisation"). The second, a policy gradient,
    vanishes as k grows, and CD leaves it out; with `policy_gradient` it is taken with the other chains' mean as the
    baseline. Both that and the estimate of q_k(x_k) (see TrajectoryKL) come from the batch, which biases it by O(1 /
    chains).

    Of a p with a past: a chain at each step t, from x_t, or x_t-1 (see Gibbs), and under p's carry there, which stays
    as it is while the chain runs; then the gradient of F_t(x_t) - F_t(x_t^k) passes through what the carry makes of
    x_<t, step by step back to the first (Sutskever, Hinton and Taylor 2008). A z in the past is held. What p charges
    for its structure, `penalty`, is added to the loss.

    Z is not asked for, so what is reported of a step is no bound, and may rise while log p(x) falls: how well one z
    gives back its datum, E[log p(x_t | z_0)], in nats; of chains from x_t-1, whose z_0 has not seen x_t, how well one
    sweep foretells it. Validation has the bound. Frames must be whole.

    start: PCD's first chains (N, ...), or None. They persist in the memory, k sweeps a step, in the second place of
    E[grad F(x_0) - grad F(x_k)] (Tieleman 2008): unbiased for the likelihood once they follow p_rbm. They leave it
    where p moves faster than they do, at learning rates that CD stands.

    tempered: `start` (N, R, ...) has R temperatures of each chain, of which the last is p's: see `tempering`.
    """

    start: PyTree  # copied into the memory, so no gradient reaches it
    policy_gradient: bool = eqx.field(static=True, default=False)
    tempered: bool = eqx.field(static=True, default=False)
    chain: ClassVar[bool] = True
    reports: ClassVar[str] = "reconstruction, no bound"

    def check(self, p, q, bound):
        need_energy("contrastive_divergence", p)
        past = jax.tree.leaves(p.initial())
        if past and self.start is not None:
            raise CounterpointError(
                f"contrastive_divergence: {type(p).__name__} carries a past, which gives each step a distribution of"
                " its own, and chains that persist follow one: choose chains = 0, or p = rbm"
            )
        if self.tempered:
            annealing.check(p)
        if q.previous and (self.start is not None or bound.weighs_paths):
            raise CounterpointError(
                "contrastive_divergence: gibbs.previous begins each chain at the frame before, where chains that"
                " persist go on from where they were and those of trajectory_kl begin at the data: choose previous ="
                " False, or chains = 0 and bound = annealed"
            )
        if self.policy_gradient and not bound.weighs_paths:
            raise CounterpointError(
                f"contrastive_divergence: policy_gradient weighs each path by the divergence of its trajectory, which"
                f" {bound.name} does not measure: choose bound = trajectory_kl, or policy_gradient = False"
            )

    def settling(self, q):
        return 25 if self.start is None else -(-SETTLING // q.sweeps)

    def initial(self):
        return () if self.start is None else self.start

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        of_data, of_chains = random.split(key)
        x = whole(batch, "contrastive_divergence")
        before, state = pasts(p, q, batch._replace(x=x), of_data)
        signal = None
        if self.policy_gradient:
            trace = bound.run(stop(p), q, batch, of_data)
            signal = centred(bound.signal(trace, step, False)[..., 0], trace.valid)
        else:
            trace = self.walked(stop(p), q, stop(before), x, batch.valid, of_data)
        before = swap(before)
        if self.start is None:
            loss = self.loss(p, q, before, trace, signal)
        else:
            keys = random.split(of_chains, len(jax.tree.leaves(memory)[0]))
            memory = stop(jax.vmap(lambda x, key: self.moved(stop(p), q, x, key))(memory, keys))
            ends = jax.tree.map(lambda a: a[:, -1], memory) if self.tempered else memory
            negative = jax.vmap(lambda x: p.free_energy(p.initial(), x))(ends).mean()
            positive = jax.vmap(jax.vmap(p.free_energy))(before, trace.x)
            loss = jnp.where(trace.valid, positive - negative, 0.0)
        count = batch.valid.sum()
        steps, loss = jnp.maximum(count, 1), loss.sum() + count * p.penalty()
        value = trace.log_likelihood.sum() / steps
        return Estimate(loss / steps, value, {"log_likelihood": value}, state), memory

    def walked(self, p, q, before, x, valid, key) -> Trace:
        """A path from each frame under its past (B, T, ...), and log p(x_t | z_0)."""
        sweeps = q.sweeps if self.start is None else 1  # which persistent chains need for the report alone
        each = lambda f: jax.vmap(jax.vmap(f))
        keys = random.split(key, valid.shape)
        path = each(lambda carry, x, key: walk(p, q, carry, x, key, sweeps))(before, q.starts(x), keys)
        first = jax.tree.map(lambda a: a[:, :, 0], path.z)
        given_back = each(lambda carry, x, z: p.likelihood(carry, z).log_prob(x))(before, x, first)
        none = jnp.zeros_like(given_back)
        return traced(x, path, none, given_back, none, valid)

    def moved(self, p, q, x, key):
        """One chain, or its ladder, q's sweeps on."""
        if self.tempered:
            return temper(p.at(p.initial()), x, key, q.sweeps)
        return walk(p, q, p.initial(), x, key, q.sweeps).last

    def loss(self, p, q, before, trace: Trace, signal):
        """(T, B) whose gradient is that of KL(q || p), one path each, for a trace whose paths are held. `before` (T, B,
        ...) are the carries, and `signal` (T, B), which eq. 45 alone asks for, is log p(tau) - log q(tau | x_0), less
        any baseline."""
        energy = jax.vmap(jax.vmap(p.free_energy))
        z, later = jax.tree.map(lambda a: a[:, :, 0], trace.z)
        last = jax.tree.map(lambda a: a[:, :, -1], later)
        loss = energy(before, trace.x) - energy(before, last)
        if self.policy_gradient:
            x = jax.tree.map(lambda a, b: jnp.concatenate([a[:, :, None], b], 2), trace.x, later)
            unused = random.key(0)  # a Gibbs step's law is not drawn
            log_q = jax.vmap(jax.vmap(lambda carry, path: log_forward(p, q, carry, path, unused)))(before, Path(x, z))
            loss -= lax.stop_gradient(signal) * log_q
        return jnp.where(trace.valid, loss, 0.0)


def centred(signal, valid):
    """Less the mean of the others; as it is where there are none."""
    total, count = jnp.where(valid, signal, 0.0).sum(), valid.sum()
    return jnp.where(count > 1, signal - (total - signal) / jnp.maximum(count - 1, 1), signal)
