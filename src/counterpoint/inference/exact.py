"""What a posterior that is known in closed form can do beside proposing."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
from jax import Array
from jaxtyping import Float, PyTree

from counterpoint.core import AbstractPosterior, Batch
from counterpoint.errors import CounterpointError


class Marginals(NamedTuple):
    """Of each z_t, (B, T, ...), and how likely each frame was. Nothing counts at padding."""

    log_evidence: Float[Array, "B T"]  # log p(x_t | x_<t), in nats; 0 at padding; -inf from what is impossible on
    filtered: PyTree  # of p(z_t | x_<=t)
    smoothed: PyTree  # of p(z_t | x)


class AbstractExact(AbstractPosterior):
    """q = p(z | x): its marginals, and the two halves of expectation maximisation (Dempster et al. 1977).

        E: expect      sums over the batch of what the posterior expects of log p(x, z)
        M: maximise    the p that is best for them

    Sums of several batches add up. log p(x) does not fall from one p to the next.
    """

    smooth: eqx.AbstractVar[bool]  # False: q is not the posterior but the best guess without the future

    @property
    def exact(self):
        return self.smooth

    @abstractmethod
    def marginals(self, p, batch: Batch) -> Marginals:
        """Of p's own z, whether `smooth` or not. Raises CounterpointError for a batch that goes on from a state."""

    @abstractmethod
    def foretell(self, p, batch: Batch) -> Float[Array, "B T *frame"]:
        """E[x_t | x_<t]; a category's probabilities. Of p's own z, whether `smooth` or not."""

    @abstractmethod
    def expect(self, p, batch: Batch) -> tuple[Float[Array, " B"], PyTree]:
        """log p(x_1:T) of each sequence, in nats, and the sums."""

    @abstractmethod
    def maximise(self, p, sums: PyTree) -> Any:
        """The M-step's p; parameters that the sums say nothing of stay."""


def begins(batch: Batch) -> None:
    """Raise where a batch goes on from a state, of which sums over all paths of z know nothing."""
    if batch.state is not None:
        raise CounterpointError(
            "what an exact posterior sums over are sequences from their first step on, and this batch goes on from a"
            " state: give it whole"
        )
