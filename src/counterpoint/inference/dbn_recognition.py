"""The way up through a deep belief network."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx

from counterpoint.core import AbstractPosterior, direct
from counterpoint.distributions import layered
from counterpoint.errors import CounterpointError
from counterpoint.models.dbn import DBN
from counterpoint.models.rbm import RBM


@dataclass(frozen=True)
class DBNRecognitionConfig:
    """It has no settings: its weights are those of the DBN."""

    name: ClassVar[str] = "dbn_recognition"

    def build(self, p, facts, key) -> "DBNRecognition":
        q = DBNRecognition()
        q.check(p)
        return q


class Given(eqx.Module):
    """q(h^l | h^l-1)."""

    machine: RBM

    def __call__(self, *under):
        return self.machine.posterior(None, under[-1])


class DBNRecognition(AbstractPosterior):
    """q(h^l = 1 | h^l-1) = s(W_l h^l-1 + b_l),   l = 1 .. L - 1,   h^0 = x   (Hinton, Osindero and Teh 2006)

    The posterior that each machine has by itself: exact where the layers above it are its own upside down. It has no
    parameters of its own: they are p's.
    """

    sees_future: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False

    def check(self, p):
        if not isinstance(p, DBN):
            raise CounterpointError(
                f"dbn_recognition goes up through the machines of a DBN, and p is {type(p).__name__}: choose q ="
                " filtering"
            )

    def propose(self, p, carry, context, x, key):
        lowest, *others = p.machines[:-1]
        return direct(layered(lowest.posterior(None, x), *map(Given, others), order=range(1 + len(others))))
