"""Chains of an RBM whose temperature changes, and what its probabilities sum to.

    E_beta(x, z) = -beta z'Wx - b'z - c_beta'x,   c_beta = beta c + (1 - beta) c_0,   beta from 0 to 1
    log Z = log Z_0 + log E[w],   log w = sum_i F_i-1(x_i-1) - F_i(x_i-1),   x_i ~ a sweep of Gibbs_i from x_i-1
    (Neal 2001; Salakhutdinov and Murray 2008, who begin at the rates of the data)

At 0 units are independent and log Z_0 is known; at 1 it is the RBM itself, or one of its kin, which hear of x only Wx.
Ours is c_0: the means of x there are nearly those of the RBM by a mean-field approximation, for under a past an RBM is
mostly where the past says.

One machine, one chain; other axes come from vmap.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Float, PyTree

from counterpoint.core import AbstractModel, AbstractUndirected
from counterpoint.errors import CounterpointError
from counterpoint.models.machine import AbstractMachine
from counterpoint.numerics import softplus

AT_ONCE = 10  # hidden units whose states are counted side by side, as binary digits
SETTLE = 10  # iterations of the mean field
KEPT = 0.1  # of c's own rates, so that what the mean field rules out is not ruled out at first


def check(p: AbstractModel) -> None:
    """Raise CounterpointError where p is no RBM at its steps."""
    undirected = isinstance(p, AbstractUndirected)
    machine = eqx.filter_eval_shape(lambda p: p.at(p.initial()), p) if undirected else None
    if not isinstance(machine, AbstractMachine):
        raise CounterpointError(
            f"{type(p).__name__} is at no step an RBM, and how its temperature changes is not known, so that it can"
            " neither be drawn from nor measured so: choose p = rtrbm"
        )


def count(p: AbstractMachine) -> Float[Array, ""]:
    """log Z = log sum_h exp(-F(h)), F(h) the free energy of the hidden side: all 2^J states h of units off and on."""
    units = len(p.hidden)
    low = min(units, AT_ONCE)
    digits = lambda n, count: (n >> jnp.arange(count) & 1).astype(p.hidden.dtype)

    def part(high):
        z = jax.vmap(lambda n: jnp.concatenate([digits(n, low), digits(high, units - low)]))(jnp.arange(2**low))
        return jax.nn.logsumexp(-jax.vmap(p.state_free_energy)(z))

    return jax.nn.logsumexp(lax.map(jax.checkpoint(part), jnp.arange(2 ** (units - low))))


class Annealing(NamedTuple):
    """A machine and what its c_0 has beside c."""

    p: AbstractMachine
    shift: Float[Array, " M"]

    def likelihood(self, z, beta):
        """p_beta(x | z)."""
        return self.p.moved(None, (1 - beta) * self.shift).likelihood(None, beta * z)

    def sweep(self, a: Float[Array, " J"], beta, key):
        """z, then x, at a temperature, from an x with Wx = a."""
        of_z, of_x = random.split(key)
        return self.likelihood(self.p.given(beta * a).sample(of_z), beta).sample(of_x)

    def change(self, x, a: Float[Array, " J"], low, high) -> Float[Array, ""]:
        """F_low(x) - F_high(x) of an x with Wx = a."""
        own = lambda beta: self.p.moved(None, (1 - beta) * self.shift).own_energy(x)
        hidden = lambda beta: softplus(self.p.log_odds(beta * a)).sum()
        return own(low) - own(high) + hidden(high) - hidden(low)

    @property
    def base(self) -> Float[Array, ""]:
        """log Z_0."""
        none = jnp.zeros_like(self.p.hidden)
        visible = -self.p.moved(None, self.shift).hidden_free_energy(none)
        return visible + softplus(self.p.hidden).sum()


def begun(p: AbstractMachine, settle: int | Array = SETTLE) -> Annealing:
    """c_0 for a machine, over 0 and 1 where its frames are grey, after so many iterations of the mean field."""
    p = p.strict()
    first = p.likelihood(None, jnp.zeros_like(p.hidden)).mean
    again = lambda _, mean: p.likelihood(None, p.posterior(None, mean).mean).mean
    mean = KEPT * first + (1 - KEPT) * lax.fori_loop(0, settle, again, first)
    return Annealing(p, jnp.ravel(p.natural(mean) - p.visible))


def up(p: AbstractMachine, key, temperatures: int) -> tuple[PyTree, Float[Array, ""]]:
    """From a draw of independent units to x_n, beta in `temperatures` equal steps: x_n, log Z_0 + log w."""
    way, (low, high) = begun(p), steps(p, temperatures)
    first, later = random.split(key)
    x = way.likelihood(jnp.zeros_like(p.hidden), 0.0).sample(first)

    def step(loop, now):
        x, total = loop
        low, high, key = now
        a = p.heard(x)
        return (way.sweep(a, high, key), total + way.change(x, a, low, high)), None

    return lax.scan(step, (x, way.base), (low, high, random.split(later, temperatures)))[0]


def cool(p: AbstractMachine, key, temperatures: int, do: bool | Array = True) -> PyTree:
    """x_n of `up`, drawn for itself; where `do` is False a draw of independent units, that takes no time."""
    way = begun(p, jnp.where(do, SETTLE, 0))
    first, later = random.split(key)
    x = way.likelihood(jnp.zeros_like(p.hidden), 0.0).sample(first)
    step = lambda i, x: way.sweep(p.heard(x), ((i + 1) / temperatures).astype(p.hidden.dtype), random.fold_in(later, i))
    return lax.fori_loop(0, jnp.where(do, temperatures, 0), step, x)


def down(p: AbstractMachine, x, key, temperatures: int) -> Float[Array, ""]:
    """The same steps backwards, from x: log Z_0 + log w."""
    way, (low, high) = begun(p), steps(p, temperatures)

    def step(loop, now):
        a, total = loop
        low, high, key = now
        x = way.sweep(a, high, key)
        a = p.heard(x)
        return (a, total + way.change(x, a, low, high)), None

    start = (p.heard(x), way.base)
    return lax.scan(step, start, (low, high, random.split(key, temperatures)), reverse=True)[0][1]


def steps(p: AbstractMachine, temperatures: int):
    """beta before and after each step."""
    betas = jnp.linspace(0.0, 1.0, temperatures + 1, dtype=p.hidden.dtype)
    return betas[:-1], betas[1:]
