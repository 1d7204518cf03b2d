"""Distributions over one event; every other axis comes from vmap and scan."""

from counterpoint.distributions.bernoulli import Bernoulli
from counterpoint.distributions.categorical import Categorical
from counterpoint.distributions.chain import Chain, Empty, layered, layers_of
from counterpoint.distributions.counts import Counts
from counterpoint.distributions.discretised import DiscretisedGaussian
from counterpoint.distributions.divergence import CLOSED, divergence, has_divergence
from counterpoint.distributions.family import FAMILIES, Facts, Family, adding, facts
from counterpoint.distributions.gaussian import FullGaussian, Gaussian
from counterpoint.distributions.grey import Grey

__all__ = [
    "CLOSED",
    "FAMILIES",
    "Bernoulli",
    "Categorical",
    "Chain",
    "Counts",
    "DiscretisedGaussian",
    "Empty",
    "Facts",
    "Family",
    "FullGaussian",
    "Gaussian",
    "Grey",
    "adding",
    "divergence",
    "facts",
    "has_divergence",
    "layered",
    "layers_of",
]
