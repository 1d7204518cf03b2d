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
from counterpoint.distributions.nade import NADE
from counterpoint.distributions.reparameterised import Beta, Gamma, Gumbel, GumbelMinimum, Kumaraswamy, LogNormal
from counterpoint.distributions.salt_and_pepper import SaltAndPepper
from counterpoint.distributions.simplex import Concrete, Dirichlet
from counterpoint.distributions.spike_slab import SpikeSlab
from counterpoint.distributions.trajectory import Trajectory

__all__ = [
    "CLOSED",
    "FAMILIES",
    "NADE",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Chain",
    "Concrete",
    "Counts",
    "Dirichlet",
    "DiscretisedGaussian",
    "Empty",
    "Facts",
    "Family",
    "FullGaussian",
    "Gamma",
    "Gaussian",
    "Grey",
    "Gumbel",
    "GumbelMinimum",
    "Kumaraswamy",
    "LogNormal",
    "SaltAndPepper",
    "SpikeSlab",
    "Trajectory",
    "adding",
    "divergence",
    "facts",
    "has_divergence",
    "layered",
    "layers_of",
]
