"""A p without a prior to draw from, as what is made for directed ones sees it: z_t comes from a chain."""

from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax, random
from jaxtyping import Bool, Float, PyTree

from counterpoint import annealing
from counterpoint.core import (
    AbstractDirected,
    AbstractDistribution,
    AbstractModel,
    AbstractPosterior,
    AbstractUndirected,
)
from counterpoint.distributions import layers_of
from counterpoint.errors import CounterpointError
from counterpoint.inference.gibbs import Gibbs
from counterpoint.models.machine import AbstractMachine
from counterpoint.shapes import observation, shapes
from counterpoint.walk import move

TEMPERATURES = 100  # of a chain that nothing came before
# of each chain from the frame before, as in the code of Taylor et al. (2006), where learning's began elsewhere
SWEEPS = 30
MOVES = 200  # of each chain between a corruption and a reconstruction


class AbstractEnd(AbstractDistribution):
    """The end of a chain: known by its draws."""

    pathwise: ClassVar[bool] = False
    normalised: ClassVar[bool] = False

    @property
    def mean(self):
        raise unknown("mean")

    @property
    def size(self):
        raise unknown("size")

    def like(self, raw):
        raise unknown("family")


class Ended(AbstractEnd):
    """z at the end of a chain x -> z ~ p(z | x) -> x ~ p(x | z) -> .. of `sweeps`, which tends to an RBM's p(z) =
    exp(-F(z)) / Z. It begins at the frame before, and where there is none at the end of a chain that cools from
    independent units down to the RBM.

    What contrastive divergence has learned holds near frames: of bouncing balls, chains that cool down at every step
    find frames that no ball is in.

    Known by its draws. `log_prob` is -F(z): it lacks log Z.
    """

    machine: AbstractMachine
    before: Float[Array, "..."]  # the last frame
    begun: Bool[Array, ""]  # False: there is none
    sweeps: int = eqx.field(static=True)

    @property
    def support(self):
        return self.machine.given(self.machine.hidden).support

    def sample(self, key):
        of_x, of_walk, of_z = random.split(key, 3)
        cooled = annealing.cool(self.machine, of_x, TEMPERATURES, ~self.begun)

        def sweep(x, key):
            of_z, of_x = random.split(key)
            return self.machine.likelihood(None, self.machine.posterior(None, x).sample(of_z)).sample(of_x), None

        x, _ = lax.scan(sweep, jnp.where(self.begun, self.before, cooled), random.split(of_walk, self.sweeps))
        return self.machine.posterior(None, x).sample(of_z)

    def log_prob(self, value, observed=None):
        return -self.machine.hidden_free_energy(value)


def unknown(what: str) -> CounterpointError:
    return CounterpointError(f"the end of a chain is known by its draws, and its {what} is not: draw from it")


class Past(NamedTuple):
    """The carry of a `Chained`."""

    carry: PyTree  # p's
    frame: Float[Array, "..."]  # the last one
    begun: Bool[Array, ""]  # False: there is none


class Chained(AbstractDirected):
    """p, drawing each z_t from a chain of its own under p's past, then x_t ~ p(x_t | z_t): for `rollout` in prediction
    and generation, where weights of particles are not asked for. A chain begins at x_t-1, see `Ended`."""

    p: AbstractUndirected
    sweeps: int = eqx.field(static=True)

    def memory(self):
        return self.p.memory()

    def embed(self, memory, x):
        memory, e = self.p.embed(memory, x)
        return memory, (e, x)

    def features(self, x, e):
        return self.p.features(x, e[0])

    def initial(self):
        frame = shapes(observation(self.p))
        return Past(self.p.initial(), jnp.zeros(frame.shape, frame.dtype), jnp.array(False))

    def advance(self, carry, z, e):
        return Past(self.p.advance(carry.carry, z, e[0]), e[1].astype(carry.frame.dtype), jnp.array(True))

    def prior(self, carry):
        machine = self.p.at(carry.carry)
        return Ended(machine, carry.frame, carry.begun, self.sweeps)  # pyright: ignore[reportArgumentType]

    def posterior(self, carry, x):
        """What Gibbs proposes."""
        return self.p.posterior(carry.carry, x)

    def likelihood(self, carry, z):
        return self.p.likelihood(carry.carry, z)


class Walked(AbstractEnd):
    """z at the end of a chain x -> z ~ q(z | x) -> x ~ p(x | z) -> .. of MOVES, which tends to the stationary
    distribution of z. It begins at p(x | z = 0), or of an index the first category.

    Known by its draws: `log_prob` is 0 in place of what nobody knows.
    """

    p: AbstractModel
    q: AbstractPosterior

    @property
    def support(self):
        return self.law(self.p.initial(), layers_of(self.p.example())[0]).support

    def law(self, carry, x) -> AbstractDistribution:
        """q(z | x); a corruption draws nothing to make it."""
        return self.q.propose(self.p, carry, x, x, random.key(0)).distribution

    def sample(self, key):
        of_x, of_walk, of_z = random.split(key, 3)
        carry, nothing = self.p.initial(), jax.tree.map(jnp.zeros_like, self.p.example())
        x = self.p.likelihood(carry, nothing).sample(of_x)
        on = lambda loop, key: (move(self.p, self.q, loop[1], loop[0], key)[1:], None)
        (x, carry), _ = lax.scan(on, (x, carry), random.split(of_walk, MOVES))
        return self.law(carry, x).sample(of_z)

    def log_prob(self, value, observed=None):
        return jnp.zeros(())


class Corrupted(AbstractDirected):
    """p that reconstructs what q corrupts, drawing each z_t from a chain of the two: for `rollout` in generation."""

    p: AbstractModel
    q: AbstractPosterior

    def initial(self):
        return self.p.initial()

    def advance(self, carry, z, e):
        return self.p.advance(carry, z, e)

    def prior(self, carry):
        return Walked(self.p, self.q)

    def likelihood(self, carry, z):
        return self.p.likelihood(carry, z)


def directed(p: AbstractModel, q: AbstractPosterior | None = None) -> AbstractDirected:
    """p itself where it is directed, `Chained` where undirected, else `Corrupted` by q. Raises CounterpointError where
    no chain is known."""
    if isinstance(p, AbstractUndirected):
        annealing.check(p)
        # z_k-1 is the last that a chain of learning draws
        return Chained(p, q.sweeps - 1 if isinstance(q, Gibbs) and q.previous else SWEEPS)
    if isinstance(p, AbstractDirected):
        return p
    if q is None:
        raise CounterpointError(f"{type(p).__name__} draws z from a chain that its q is half of: give q as well")
    return Corrupted(p, q)
