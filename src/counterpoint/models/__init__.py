"""Generative models p, one system a file."""

from counterpoint.models.autoregressive import Autoregressive, AutoregressiveConfig
from counterpoint.models.dmm import DMM, DMMConfig
from counterpoint.models.dtsbn_d import DTSBND, DTSBNDConfig
from counterpoint.models.hmm import HMM, HMMConfig
from counterpoint.models.lds import LDS, LDSConfig
from counterpoint.models.rbm import RBM, RBMConfig
from counterpoint.models.srnn import SRNN, SRNNConfig
from counterpoint.models.svg import SVG, SVGConfig
from counterpoint.models.tsbn import TSBN, TSBNConfig
from counterpoint.models.vrnn import VRNN, VRNNConfig

__all__ = [
    "DMM",
    "DTSBND",
    "HMM",
    "LDS",
    "RBM",
    "SRNN",
    "SVG",
    "TSBN",
    "VRNN",
    "Autoregressive",
    "AutoregressiveConfig",
    "DMMConfig",
    "DTSBNDConfig",
    "HMMConfig",
    "LDSConfig",
    "RBMConfig",
    "SRNNConfig",
    "SVGConfig",
    "TSBNConfig",
    "VRNNConfig",
]
