"""What a step of an undirected p is worth, by chains that cool down or warm up, or by counting."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax, random

from counterpoint import annealing, counting
from counterpoint.bounds.trajectory_kl import traced
from counterpoint.core import AbstractBound, Batch, Trace
from counterpoint.errors import at_least
from counterpoint.numerics import log_mean
from counterpoint.rollout import parted
from counterpoint.walk import pasts, walk, whole

CHAINS = 2**9  # side by side: what they hold stays in the cache


class Annealed(AbstractBound):
    """sum_t log p(x_t | past_t) = sum_t -F_t(x_t) - log Z_t,   log Z_t by one of three ways:

    counted       where one side of p has no more than `counted` units: exact, by all their states
    conservative  log E_k[w_k], w = p(tau) / q(tau | x_t): q warms a chain up from the datum x_t to independent units,
                  and p draws those and cools the same chain down. It bounds from below the log-probability of x_t where
                  p generates so, which tends to the RBM's as `temperatures` grow (Burda, Grosse and Salakhutdinov
                  2015). A trajectory's KL as in Bachman and Precup 2015, eq. 24-40, but with temperatures, and with
                  ends x_k of a known distribution
    else          annealed importance sampling: chains that cool down, log Z_t = log Z_0 + log E_k[w_k]. On average too
                  small, so that it flatters p (Salakhutdinov and Murray 2008)

    past_t is what p's carry makes of x_<t, so for an RTRBM or an RNN-RBM the sum is log p(x_1:T). Where z is in the
    past, as in a TRBM, it is drawn from q(z_t | x_t, past), which is p's own: then the sum of log p(x_t | past_t) is,
    on average, a bound from below on log p(x_1:T).

    Where p has no past, all frames have one Z, and it is counted once a call, or its chains are cooled down once: give
    them `particles` enough, for their error is the same in every frame, and no mean over frames takes it away. Chains
    that begin at the data are each frame's own.

    nats, summed over steps. `particles` are the chains of each step, whose mean w is taken. Frames must be whole.
    """

    name: ClassVar[str] = "annealed"
    temperatures: int = eqx.field(static=True, default=100)
    particles: int = eqx.field(static=True, default=1)
    conservative: bool = eqx.field(static=True, default=True)
    counted: int = eqx.field(static=True, default=counting.MOST)
    closed_form: ClassVar[bool] = False
    splits: ClassVar[bool] = True
    chain: ClassVar[bool] = True

    def __check_init__(self):
        at_least(self, 1, "temperatures", "particles")
        at_least(self, 0, "counted")

    def side(self, p):
        """A Z that flatters p puts it above; with z drawn as well, which puts it below, neither is certain."""
        drawn, counted = jax.tree.leaves(parted(p.initial())[0]), self.units(p) <= self.counted
        if counted or self.conservative:
            return "exact" if counted and not drawn else "below"
        return "neither" if drawn else "above"

    def units(self, p) -> int:
        """Of the side that is counted where they are few."""
        return counting.fewest(eqx.filter_eval_shape(lambda p: p.at(p.initial()), p))

    @property
    def label(self):
        """Its temperatures, and its chains where there are several."""
        chains = f"-{self.temperatures}" + (f"x{self.particles}" if self.particles > 1 else "")
        return f"{'ANNEALED' if self.conservative else 'AIS'}{chains}"

    def title(self, p):
        return "Z COUNTED" if self.units(p) <= self.counted else self.label

    def check(self, p):
        annealing.check(p)

    def run(self, p, q, batch: Batch, key, defer=True):
        """A trace whose z_t is (z_0 .. z_k-1, x_1 .. x_k), q's walk from x_t, and whose log_likelihood (T, B, K) is
        that of each chain. Nothing is differentiated."""
        x = whole(batch, self.name)
        before = pasts(p, q, batch._replace(x=x), key)[0]
        of_walk, of_chains = random.split(key)
        each = lambda f: jax.vmap(jax.vmap(f))
        path = each(lambda carry, x, key: walk(p, q, carry, x, key, q.sweeps))(
            before, x, random.split(of_walk, batch.valid.shape)
        )
        units = self.units(p)
        counted = units <= self.counted
        if not jax.tree.leaves(before) and (counted or not self.conservative):
            log_z = self.log_z(p.at(p.initial()), None, random.split(of_chains, self.particles))[None, None]
        else:
            cost = 2 ** min(units, annealing.AT_ONCE) if counted else self.particles  # states are side by side as well
            log_z = self.each_log_z(p, before, x, batch.valid, of_chains, cost)
        found = -each(p.free_energy)(before, x)[..., None] - log_z
        return traced(x, path, jnp.zeros_like(found), found, jnp.zeros_like(found), batch.valid)

    def each_log_z(self, p, before, x, valid, key, cost: int):
        """Of each frame under its past, (B, T, K), in portions of CHAINS / cost frames; zero of padding, which is put
        last and left out: sequences of many lengths have more of it than of frames."""
        count = valid.size
        size = max(1, min(CHAINS // cost, count))
        portions = -(-count // size)
        order = jnp.argsort(~valid.ravel(), stable=True)
        order = jnp.concatenate([order, jnp.full(portions * size - count, count)])  # beyond the last: nothing is there
        flat = jax.tree.map(lambda a: a.reshape(count, *a.shape[2:]), (before, x))
        keys = random.split(key, (portions, size, self.particles))

        def portion(now):
            rows, keys = now
            carry, x = jax.tree.map(lambda a: a[rows], flat)
            some = lambda: jax.vmap(lambda carry, x, keys: self.log_z(p.at(carry), x, keys))(carry, x, keys)
            none = jax.eval_shape(some)
            return lax.cond(valid.ravel()[rows[0]], some, lambda: jnp.zeros(none.shape, none.dtype))

        found = lax.map(portion, (order.reshape(portions, size), keys)).reshape(-1, self.particles)
        back = jnp.zeros((count, self.particles), found.dtype).at[order].set(found, mode="drop")
        return back.reshape(*valid.shape, self.particles)

    def log_z(self, machine, x, keys):
        """By each chain, (K,); x is where those begin that warm up."""
        if counting.fewest(machine) <= self.counted:
            return jnp.broadcast_to(counting.log_total(machine), keys.shape)
        if self.conservative:
            return jax.vmap(lambda key: annealing.down(machine, x, key, self.temperatures))(keys)
        return jax.vmap(lambda key: annealing.up(machine, key, self.temperatures)[1])(keys)

    def __call__(self, trace: Trace, step=None):
        each, sign = trace.log_likelihood, 1.0 if self.conservative else -1.0
        return (sign * log_mean(sign * each)).sum(0)

    def signal(self, trace: Trace, step, local):
        """Zero: no z of the walk changes it."""
        return jnp.zeros_like(trace.log_likelihood)
