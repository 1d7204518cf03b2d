"""Which p, q, bound and estimator go together, and in what words they are refused where they do not."""

import jax
from jaxtyping import PyTree

from counterpoint.core import AbstractBound, AbstractDirected, AbstractEstimator, AbstractPosterior
from counterpoint.errors import CounterpointError
from counterpoint.rollout import first_proposal
from counterpoint.shapes import latent, shapes
from counterpoint.support import Support


def check(p, q: AbstractPosterior, bound: AbstractBound, estimator: AbstractEstimator) -> None:
    """Raise CounterpointError with the reason where the four are no pairing."""
    check_sides(p, q, bound, estimator)
    q.check(p)
    if not q.chain:  # a chain moves by p's own posterior
        check_fit(p, q)
    bound.check(p)
    estimator.check(p, q, bound)


def check_sides(p, q: AbstractPosterior, bound: AbstractBound, estimator: AbstractEstimator) -> None:
    """A directed p is followed step by step, any other by a chain x -> z -> x; the other three do the same.

    Raises CounterpointError naming p and the parts that do not.
    """
    directed, name = isinstance(p, AbstractDirected), type(p).__name__
    parts = {"q": q, "bound": bound, "estimator": estimator}
    others = " and ".join(f"{role} {type(part).__name__}" for role, part in parts.items() if part.chain == directed)
    if others and directed:
        raise CounterpointError(
            f"{name} is directed: {others} would run a chain between x and z by p(z | x) and the free energy F(x),"
            " which only an undirected p has, or a corruption: choose p = rbm, p = dae, or other parts"
        )
    if others:
        try:
            p.prior(p.initial())
        except CounterpointError as reason:
            raise CounterpointError(f"{others} would draw from the prior of {name} or score it: {reason}") from None


def check_fit(p: AbstractDirected, q: AbstractPosterior) -> None:
    """q must propose what p's prior can give, or KL(q || p) is infinite.

    Raises CounterpointError naming both sides where the events or the supports differ.
    """
    prior, proposal = latent(p), first_proposal(p, q).distribution
    want, have = shapes(prior), shapes(proposal)
    same = jax.tree.structure(want) == jax.tree.structure(have) and all(
        a.shape == b.shape for a, b in zip(jax.tree.leaves(want), jax.tree.leaves(have))
    )
    if not same or names(prior.support) != names(proposal.support):
        raise CounterpointError(
            f"{type(q).__name__} proposes z of {describe(proposal)}, but the prior of {type(p).__name__} is over"
            f" {describe(prior)}: KL(q || p) would be infinite; choose another posterior"
        )


def names(support) -> PyTree:
    """The names in a support, layer by layer."""
    return support.name if isinstance(support, Support) else tuple(names(s) for s in support)


def describe(distribution) -> str:
    """An event in words: its support and shape."""
    shape = [a.shape for a in jax.tree.leaves(shapes(distribution))]
    return f"{names(distribution.support)} with shape {shape[0] if len(shape) == 1 else tuple(shape)}"
