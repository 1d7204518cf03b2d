"""Gradients of variational filtering expectation maximisation."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx

from counterpoint.core import AbstractEstimator, Batch, Trace
from counterpoint.distributions import Facts
from counterpoint.errors import CounterpointError
from counterpoint.estimators.pathwise import estimate
from counterpoint.rollout import first_proposal, rollout, stop
from counterpoint.shapes import latent


@dataclass(frozen=True)
class FilteringEMConfig:
    """`through_time`: q learns from the free energy of the whole sequence, not of each step by itself."""

    name: ClassVar[str] = "filtering_em"
    through_time: bool = False

    @classmethod
    def variants(cls):
        """Those worth comparing."""
        return {"filtering_em": cls(), "filtering_em, through time": cls(True)}

    def build(self, p, facts: Facts, key) -> "FilteringEM":
        return FilteringEM(self.through_time)


class FilteringEM(AbstractEstimator):
    """d theta = sum_t grad_theta F_t at q_t,   d phi = sum_t sum_i grad_phi F_t(lambda_t,i),   z_<t, lambda_t,i-1 held

    (Marino, Cvitkovic and Yue 2018, Algorithm 1 and eq. 10-12 of its appendix): p is taught with q and z held fixed,
    through its deterministic states alone; q by the free energy of each step after each iteration, with p and the past
    held fixed. One step of the optimiser moves both. The KL weight of the bound applies to both; the gradients that q
    reads are those of the free energy itself.

    Each step's q is then the best for that step (greedy), though another may help the steps after it: with an
    exact optimum of every step the bound stays below that of the best filtering q. `through_time` gives phi the
    gradient of the whole, through z and through all iterations; theta's is the same.
    """

    through_time: bool = eqx.field(static=True, default=False)

    def check(self, p, q, bound):
        if bound.resampling is not None or not bound.splits:
            raise CounterpointError(
                f"filtering_em teaches q by the free energy of each step, and {bound.name} is no sum of them: choose"
                " bound = elbo"
            )
        if not self.through_time and not first_proposal(p, q).steps.shape[0]:
            raise CounterpointError(
                f"filtering_em teaches q by the free energies after its iterations, and {type(q).__name__} has none:"
                " choose q = iterative"
            )
        law = latent(p)
        if not law.pathwise:
            raise CounterpointError(
                f"filtering_em through time needs dz/dphi; z of {type(p).__name__} is {type(law).__name__}, a step"
                " function of its parameters: choose estimator = score_function"
            )

    def __call__(self, p, q, bound, batch: Batch, key, memory, step):
        how = {"particles": bound.particles, "closed_form": bound.closed_form}
        # z is held and q does not see p's gradient nor p that of q: all that is left is theta's, and that of `steps`
        trace, state = rollout(p, q, batch, key, pathwise=False, detach=True, **how)
        objective = bound(trace, step).sum()
        if self.through_time:
            objective += bound(rollout(stop(p), q, batch, key, **how)[0], step).sum()
        else:
            objective += sum(bound(after(trace, i), step).sum() for i in range(trace.steps.shape[-2]))
        return estimate(bound, trace, objective, batch, state), memory


def after(trace: Trace, iteration: int) -> Trace:
    """What the bound of q's estimate after an iteration is made of."""
    now = trace.steps[..., iteration, :]
    return trace._replace(log_likelihood=-now[..., 0], kl=now[..., 1])
