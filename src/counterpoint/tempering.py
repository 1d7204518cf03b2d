"""Chains of an RBM at several temperatures at once, which change places: parallel tempering.

    x_r <- sweeps of Gibbs at beta_r,   beta_1 = 0 .. beta_R = 1;   then neighbours change places with probability
    min(1, exp(F_r(x_r) + F_r+1(x_r+1) - F_r(x_r+1) - F_r+1(x_r)))
    (Swendsen and Wang 1986; of RBMs Desjardins et al. 2010; Cho, Raiko and Ilin 2010)

F_r is that of `annealing`. Each move leaves the product of all distributions as it is, so the last of them is the
RBM's; the first draws its units anew each time, and what it finds travels up.

One machine, one ladder of chains; other axes come from vmap.
"""

import jax
import jax.numpy as jnp
from jax import lax, random
from jaxtyping import PyTree

from counterpoint.annealing import Annealing, begun
from counterpoint.models.machine import AbstractMachine


def temper(p: AbstractMachine, x: PyTree, key, sweeps: int) -> PyTree:
    """x (R, ...), the hottest first: `sweeps` of Gibbs each, then every pair of neighbours may change places. Over 0
    and 1 where frames are grey."""
    way, betas = begun(p), jnp.linspace(0.0, 1.0, len(jax.tree.leaves(x)[0]), dtype=p.hidden.dtype)
    of_sweeps, *of_places = random.split(key, 3)

    def chain(x, beta, key):
        sweep = lambda x, key: (way.sweep(p.heard(x), beta, key), None)
        return lax.scan(sweep, x, random.split(key, sweeps))[0]

    x = jax.vmap(chain)(x, betas, random.split(of_sweeps, len(betas)))
    for parity, key in enumerate(of_places):
        x = exchanged(way, x, betas, parity, key)
    return x


def exchanged(way: Annealing, x: PyTree, betas, parity: int, key) -> PyTree:
    """Neighbours r, r + 1 with r even (`parity` 0) or odd change places or stay, each pair for itself."""
    of = lambda tree, *cut: jax.tree.map(lambda a: a[slice(*cut)], tree)
    change = jax.vmap(lambda x, low, high: way.change(x, way.p.heard(x), low, high))
    gain = change(of(x, None, -1), betas[:-1], betas[1:]) - change(of(x, 1, None), betas[:-1], betas[1:])
    goes = (jnp.log(random.uniform(key, gain.shape)) < gain) & (jnp.arange(len(gain)) % 2 == parity)
    place = jnp.arange(len(betas)) + jnp.pad(goes, (0, 1)) - jnp.pad(goes, (1, 0))
    return jax.tree.map(lambda a: a[place], x)
