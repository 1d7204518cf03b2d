"""An undirected p as what is made for directed ones sees it: z_t comes from a chain."""

from typing import ClassVar

from jax import random

from counterpoint import annealing
from counterpoint.core import BINARY, AbstractDirected, AbstractDistribution, AbstractModel, AbstractUndirected, Support
from counterpoint.errors import CounterpointError
from counterpoint.models import RBM

TEMPERATURES = 100  # of each chain


class Ended(AbstractDistribution):
    """z at the end of a chain that cools from independent units down to an RBM, which tends to p(z) = exp(-F(z)) / Z.

    Known by its draws. `log_prob` is -F(z): it lacks log Z.
    """

    machine: RBM
    support: ClassVar[Support] = BINARY  # pyright: ignore[reportIncompatibleMethodOverride]
    pathwise: ClassVar[bool] = False
    normalised: ClassVar[bool] = False

    def sample(self, key):
        of_x, of_z = random.split(key)
        x, _ = annealing.up(self.machine, of_x, TEMPERATURES)
        return self.machine.posterior(None, x).sample(of_z)

    def log_prob(self, value, observed=None):
        return -self.machine.hidden_free_energy(value)

    @property
    def mean(self):
        raise unknown("mean")

    @property
    def size(self):
        raise unknown("size")

    def like(self, raw):
        raise unknown("family")


def unknown(what: str) -> CounterpointError:
    return CounterpointError(f"the end of a chain is known by its draws, and its {what} is not: draw from it")


class Chained(AbstractDirected):
    """p, drawing each z_t from a chain of its own under p's past, then x_t ~ p(x_t | z_t): for `rollout` in prediction
    and generation, where weights of particles are not asked for."""

    p: AbstractUndirected

    def memory(self):
        return self.p.memory()

    def embed(self, memory, x):
        return self.p.embed(memory, x)

    def features(self, x, e):
        return self.p.features(x, e)

    def initial(self):
        return self.p.initial()

    def advance(self, carry, z, e):
        return self.p.advance(carry, z, e)

    def prior(self, carry):
        return Ended(self.p.at(carry))  # pyright: ignore[reportArgumentType]

    def posterior(self, carry, x):
        """What Gibbs proposes."""
        return self.p.posterior(carry, x)

    def likelihood(self, carry, z):
        return self.p.likelihood(carry, z)


def directed(p: AbstractModel) -> AbstractDirected:
    """p itself where it is directed, else `Chained`. Raises CounterpointError where no chain is known."""
    if isinstance(p, AbstractUndirected):
        annealing.check(p)
        return Chained(p)
    return p  # pyright: ignore[reportReturnType]
