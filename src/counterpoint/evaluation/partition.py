"""What an RBM's probabilities sum to."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, random
from jaxtyping import Float, PyTree

from counterpoint import annealing, counting
from counterpoint.core import AbstractModel, Batch
from counterpoint.errors import CounterpointError
from counterpoint.inference import GibbsConfig
from counterpoint.models.machine import AbstractMachine
from counterpoint.walk import pasts

_count = eqx.filter_jit(counting.log_total)


class Partition(NamedTuple):
    """log Z in nats, and the standard error of the estimate; 0 where it is exact. log p(x) = -F(x) - log Z."""

    value: float
    error: float


def log_partition(p: AbstractModel, key=None, chains: int = 100, temperatures: int = 1000) -> Partition:
    """log Z of an RBM: `exact_partition` where one side has up to 20 units, else `annealed_partition`, which needs a
    key. Raises CounterpointError for what is no RBM: one with a past has `log_partitions`, a DBN an RBM as its prior.
    """
    p = _machine(p, "log_partition")
    if counting.fewest(p) <= counting.MOST:
        return exact_partition(p)
    if key is None:
        raise CounterpointError(
            f"{counting.fewest(p)} units have too many states to sum over, so log Z is estimated: give a key, as in"
            " log_partition(p, jax.random.key(0)) and log_partitions(p, x, jax.random.key(0))"
        )
    return annealed_partition(p, key, chains, temperatures)


def log_partitions(
    p: AbstractModel, x: PyTree, key=None, chains: int = 100, temperatures: int = 1000
) -> list[Partition]:
    """log Z_t of each step of one sequence x (T, ...), under its past: log p(x_t | past_t) = -F_t(x_t) - log Z_t.

    Of a conditional or recurrent RBM, by `log_partition`. Where the past has z, as in a TRBM, it is drawn with the key.
    Raises CounterpointError where p is no RBM at its steps.
    """
    annealing.check(p)
    batch = Batch(jax.tree.map(lambda a: jnp.asarray(a)[None], x), jnp.ones((1, len(jax.tree.leaves(x)[0])), bool))
    keys = random.split(random.key(0) if key is None else key, batch.valid.size + 1)
    machines = _along(p, batch, keys[0])
    step = lambda t: jax.tree.map(lambda a: a[t] if eqx.is_array(a) else a, machines)
    return [
        log_partition(step(t), None if key is None else keys[t + 1], chains, temperatures)
        for t in range(batch.valid.size)
    ]


def _machine(p, caller: str) -> AbstractMachine:
    if not isinstance(p, AbstractMachine):
        raise CounterpointError(
            f"{caller}: {type(p).__name__} is no RBM; where it is one at each step, give log_partitions(p, x) a"
            " sequence, and of a DBN or DBM its p.machine"
        )
    return p


@eqx.filter_jit
def _along(p, batch: Batch, key):
    """p's machine at each step of one sequence."""
    before = pasts(p, GibbsConfig().build(p, None, None), batch, key)[0]
    carries = jax.tree.map(lambda a: a[0], before)
    return eqx.filter_vmap(lambda carry: p.at(carry), axis_size=batch.valid.size)(carries)


def exact_partition(p: AbstractModel) -> Partition:
    """log Z = log sum_h exp(-F(h)), F(h) the free energy of the hidden side: all 2^J states h of units;
    or the same over x, where it is binary and has fewer.

    Raises CounterpointError for what is no RBM, and for more than 20 units of that side.
    """
    p = _machine(p, "exact_partition")
    units = counting.fewest(p)
    if units > counting.MOST:
        raise CounterpointError(f"2^{units} states are too many to sum over: estimate with annealed_partition")
    return Partition(float(_count(p)), 0.0)


def annealed_partition(
    p: AbstractModel, key, chains: int = 100, temperatures: int = 1000, start: PyTree = None
) -> Partition:
    """log Z = log Z_0 + log E[w],   log w = sum_i F_i-1(x_i-1) - F_i(x_i-1),   x_i ~ a sweep of Gibbs_i from x_i-1
    (Neal 2001; Salakhutdinov and Murray 2008)

    F_i is the free energy of an RBM on the way from one whose units are independent and whose log Z_0 is known, to this
    one, in `temperatures` equal steps: see `annealing`. The mean of w is unbiased, so the estimate of log Z is on
    average too small, and the likelihoods that it leads to too large, until enough temperatures are spent.

    start (chains, ...): where it is given, the same steps backwards, from draws of p itself: E[1 / w] = Z_0 / Z, on
    average too large if they are exact draws (Burda, Grosse and Salakhutdinov 2015). The two directions bracket log Z.

    The error is the standard error over chains, by the delta method: of the spread that chains show, so it says
    nothing of regions that none of them found. Raises CounterpointError for what is no RBM, and for fewer than 2 chains
    or no temperature.
    """
    p = _machine(p, "annealed_partition")
    chains = chains if start is None else len(jax.tree.leaves(start)[0])
    if chains < 2 or temperatures < 1:
        raise CounterpointError(
            f"annealed_partition: {chains} chains over {temperatures} temperatures; give at least 2 chains, which tell"
            " the error, and 1 temperature"
        )
    log_z = np.asarray(_anneal(p, random.split(key, chains), temperatures, start), np.float64)
    sign = 1.0 if start is None else -1.0
    most = (sign * log_z).max()
    share = np.exp(sign * log_z - most)
    error = share.std(ddof=1) / share.mean() / chains**0.5
    return Partition(float(sign * (most + np.log(share.mean()))), float(error))


@eqx.filter_jit
def _anneal(p: AbstractMachine, keys, temperatures: int, start) -> Float[Array, " chains"]:
    """log Z_0 + log w of each chain."""
    if start is None:
        return jax.vmap(lambda key: annealing.up(p, key, temperatures)[1])(keys)
    return jax.vmap(lambda key, x: annealing.down(p, x, key, temperatures))(keys, start)
