"""Generative models p, one system a file."""

from counterpoint.models.autoregressive import Autoregressive, AutoregressiveConfig
from counterpoint.models.conv_vae import ConvVAE, ConvVAEConfig
from counterpoint.models.crbm import CRBM, CRBMConfig
from counterpoint.models.dae import DAE, DAEConfig
from counterpoint.models.dbm import DBM, DBMConfig
from counterpoint.models.dbn import DBN, DBNConfig
from counterpoint.models.diffusion import Diffusion, DiffusionConfig
from counterpoint.models.dmm import DMM, DMMConfig
from counterpoint.models.dtsbn_d import DTSBND, DTSBNDConfig
from counterpoint.models.fcrbm import FCRBM, FCRBMConfig
from counterpoint.models.gsn import GSN, GSNConfig
from counterpoint.models.hmm import HMM, HMMConfig
from counterpoint.models.lds import LDS, LDSConfig
from counterpoint.models.rbm import RBM, RBMConfig
from counterpoint.models.rnn import RNN, RNNConfig
from counterpoint.models.rnn_nade import RNNNADE, RNNNADEConfig
from counterpoint.models.rnn_rbm import RNNRBM, RNNRBMConfig
from counterpoint.models.rtrbm import RTRBM, SRTRBM, RTRBMConfig, SRTRBMConfig
from counterpoint.models.srnn import SRNN, SRNNConfig
from counterpoint.models.ssrbm import SSRBM, SSRBMConfig
from counterpoint.models.svg import SVG, SVGConfig
from counterpoint.models.trbm import TRBM, TRBMConfig
from counterpoint.models.tsbn import TSBN, TSBNConfig
from counterpoint.models.vae import VAE, VAEConfig
from counterpoint.models.vrnn import VRNN, VRNNConfig

__all__ = [
    "CRBM",
    "DAE",
    "DBM",
    "DBN",
    "DMM",
    "DTSBND",
    "FCRBM",
    "GSN",
    "HMM",
    "LDS",
    "RBM",
    "RNN",
    "RNNNADE",
    "RNNRBM",
    "RTRBM",
    "SRNN",
    "SRTRBM",
    "SSRBM",
    "SVG",
    "TRBM",
    "TSBN",
    "VAE",
    "VRNN",
    "Autoregressive",
    "AutoregressiveConfig",
    "CRBMConfig",
    "ConvVAE",
    "ConvVAEConfig",
    "DAEConfig",
    "DBMConfig",
    "DBNConfig",
    "DMMConfig",
    "DTSBNDConfig",
    "Diffusion",
    "DiffusionConfig",
    "FCRBMConfig",
    "GSNConfig",
    "HMMConfig",
    "LDSConfig",
    "RBMConfig",
    "RNNConfig",
    "RNNNADEConfig",
    "RNNRBMConfig",
    "RTRBMConfig",
    "SRNNConfig",
    "SRTRBMConfig",
    "SSRBMConfig",
    "SVGConfig",
    "TRBMConfig",
    "TSBNConfig",
    "VAEConfig",
    "VRNNConfig",
]
