"""Generative models p, one system a file."""

from counterpoint.models.autoregressive import Autoregressive, AutoregressiveConfig
from counterpoint.models.dtsbn_d import DTSBND, DTSBNDConfig
from counterpoint.models.hmm import HMM, HMMConfig
from counterpoint.models.lds import LDS, LDSConfig
from counterpoint.models.tsbn import TSBN, TSBNConfig
from counterpoint.models.vrnn import VRNN, VRNNConfig

__all__ = [
    "DTSBND",
    "HMM",
    "LDS",
    "TSBN",
    "VRNN",
    "Autoregressive",
    "AutoregressiveConfig",
    "DTSBNDConfig",
    "HMMConfig",
    "LDSConfig",
    "TSBNConfig",
    "VRNNConfig",
]
