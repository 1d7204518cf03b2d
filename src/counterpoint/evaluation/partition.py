"""What an RBM's probabilities sum to."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax, random
from jaxtyping import Float, PyTree

from counterpoint.errors import CounterpointError
from counterpoint.inference import Gibbs
from counterpoint.models import RBM
from counterpoint.walk import walk

MOST = 20  # hidden units whose states are counted one by one: a million of them
AT_ONCE = 10  # as binary digits


class Partition(NamedTuple):
    """log Z in nats, and the standard error of the estimate; 0 where it is exact. log p(x) = -F(x) - log Z."""

    value: float
    error: float


def log_partition(p: RBM, key=None, chains: int = 100, temperatures: int = 1000) -> Partition:
    """log Z: `exact_partition` for up to 20 hidden units, else `annealed_partition`, which needs a key."""
    if len(p.hidden) <= MOST:
        return exact_partition(p)
    if key is None:
        raise CounterpointError(
            f"log_partition: {len(p.hidden)} hidden units have too many states to sum over, so log Z is estimated: give"
            " a key, as in log_partition(p, jax.random.key(0))"
        )
    return annealed_partition(p, key, chains, temperatures)


def exact_partition(p: RBM) -> Partition:
    """log Z = log sum_z exp(-F(z)), F(z) the free energy of the hidden side: all 2^J states z.

    Raises CounterpointError for more than 20 hidden units.
    """
    units = len(p.hidden)
    if units > MOST:
        raise CounterpointError(f"2^{units} states are too many to sum over: estimate with annealed_partition")
    return Partition(float(_sum_of_states(p)), 0.0)


@eqx.filter_jit
def _sum_of_states(p: RBM):
    units = len(p.hidden)
    low = min(units, AT_ONCE)
    digits = lambda n, count: (n >> jnp.arange(count) & 1).astype(p.hidden.dtype)

    def part(high):
        z = jax.vmap(lambda n: jnp.concatenate([digits(n, low), digits(high, units - low)]))(jnp.arange(2**low))
        return jax.nn.logsumexp(-jax.vmap(p.hidden_free_energy)(z))

    return jax.nn.logsumexp(lax.map(part, jnp.arange(2 ** (units - low))))


def annealed_partition(p: RBM, key, chains: int = 100, temperatures: int = 1000, start: PyTree = None) -> Partition:
    """log Z = log Z_0 + log E[w],   log w = sum_i F_i-1(x_i-1) - F_i(x_i-1),   x_i ~ a sweep of Gibbs_i from x_i-1
    (Neal 2001; Salakhutdinov and Murray 2008)

    F_i is the free energy of the RBM with beta_i W, beta_i b and the same c, beta from 0, where units are independent
    and log Z_0 is known, to 1 in `temperatures` equal steps. The mean of w is unbiased, so the estimate of log Z is on
    average too small, and the likelihoods that it leads to too large, until enough temperatures are spent.

    start (chains, ...): where it is given, the same steps backwards, from draws of p itself: E[1 / w] = Z_0 / Z, on
    average too large if they are exact draws (Burda, Grosse and Salakhutdinov 2015). The two directions bracket log Z.

    The error is the standard error over chains, by the delta method: of the spread that chains show, so it says
    nothing of regions that none of them found. Raises CounterpointError for fewer than 2 chains or no temperature.
    """
    chains = chains if start is None else len(jax.tree.leaves(start)[0])
    if chains < 2 or temperatures < 1:
        raise CounterpointError(
            f"annealed_partition: {chains} chains over {temperatures} temperatures; give at least 2 chains, which tell"
            " the error, and 1 temperature"
        )
    base, log_weight = _anneal(p, random.split(key, chains), temperatures, start)
    log_weight = np.asarray(log_weight, np.float64)
    sign = 1.0 if start is None else -1.0
    most = (sign * log_weight).max()
    share = np.exp(sign * log_weight - most)
    error = share.std(ddof=1) / share.mean() / chains**0.5
    return Partition(float(base + sign * (most + np.log(share.mean()))), float(error))


@eqx.filter_jit
def _anneal(p: RBM, keys, temperatures: int, start) -> tuple[Float[Array, ""], Float[Array, " chains"]]:
    """log Z_0 and log w of each chain."""
    betas = jnp.linspace(0.0, 1.0, temperatures + 1, dtype=p.hidden.dtype)
    base, q, none = p.tempered(betas[0]), Gibbs(), jnp.zeros_like(p.hidden)
    log_base = len(p.hidden) * jnp.log(2.0) - base.hidden_free_energy(none)
    change = lambda x, low, high: p.tempered(low).free_energy(None, x) - p.tempered(high).free_energy(None, x)
    sweep = lambda x, beta, key: walk(p.tempered(beta), q, None, x, key, 1).last

    def up(key):
        first, later = random.split(key)

        def step(loop, now):
            x, total = loop
            low, high, key = now
            total += change(x, low, high)
            return (sweep(x, high, key), total), None

        x = base.likelihood(None, none).sample(first)
        steps = (betas[:-1], betas[1:], random.split(later, temperatures))
        return lax.scan(step, (x, jnp.zeros_like(log_base)), steps)[0][1]

    def down(key, x):
        def step(loop, now):
            x, total = loop
            low, high, key = now
            x = sweep(x, high, key)
            return (x, total + change(x, low, high)), None

        steps = (betas[:-1], betas[1:], random.split(key, temperatures))
        return lax.scan(step, (x, jnp.zeros_like(log_base)), steps, reverse=True)[0][1]

    return log_base, jax.vmap(up)(keys) if start is None else jax.vmap(down)(keys, start)
