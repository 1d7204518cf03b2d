"""Deep generative models of sequences, learned by bringing a generative and a recognition voice into agreement.

    Pairing = (p, q, bound, estimator)

Names are imported when they are first used, so that `import counterpoint` and the command's help cost nothing.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "core": "Batch Pairing AbstractDistribution AbstractModel AbstractDirected AbstractUndirected AbstractPosterior "
    "AbstractBound AbstractEstimator Estimate Proposal State Support Trace",
    "errors": "CounterpointError",
    "distributions": "NADE Bernoulli Categorical Chain Counts Empty FullGaussian Gaussian Grey Facts Family "
    "divergence facts",
    "models": "VAE VAEConfig "
    "CRBM RNNRBM RTRBM SRTRBM TRBM CRBMConfig RNNRBMConfig RTRBMConfig SRTRBMConfig TRBMConfig "
    "DMM DTSBND HMM LDS RBM RNN RNNNADE SRNN SVG TSBN VRNN Autoregressive DMMConfig HMMConfig LDSConfig "
    "RBMConfig RNNConfig RNNNADEConfig SRNNConfig SVGConfig TSBNConfig VRNNConfig AutoregressiveConfig DTSBNDConfig",
    "inference": "BottomUp BottomUpConfig "
    "DTSBNDRecognition Filtering ForwardBackward Gibbs Iterative Kalman Prior RecurrentFiltering "
    "Smoothing TSBNRecognition DTSBNDRecognitionConfig FilteringConfig ForwardBackwardConfig GibbsConfig "
    "IterativeConfig KalmanConfig PriorConfig RecurrentFilteringConfig SmoothingConfig TSBNRecognitionConfig",
    "bounds": "ELBO FIVO IWAE Annealed TrajectoryKL Warmup",
    "estimators": "STL DReG "
    "EM VIMCO ContrastiveDivergence FilteringEM Pathwise ScoreFunction WakeSleep "
    "ContrastiveDivergenceConfig FilteringEMConfig ScoreFunctionConfig VIMCOConfig WakeSleepConfig",
    "data": "Corpus Sequences load",
    "training": "FitConfig Fitted Maximised OptimiserConfig em fit",
    "evaluation": "compare evaluate generate log_partition predict reconstruct",
    "recipes": "Recipe recipe",
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}
__all__ = sorted([*_MODULE, "__version__"])

if TYPE_CHECKING:
    from counterpoint.bounds import ELBO, FIVO, IWAE, Annealed, TrajectoryKL, Warmup
    from counterpoint.core import (
        AbstractBound,
        AbstractDirected,
        AbstractDistribution,
        AbstractEstimator,
        AbstractModel,
        AbstractPosterior,
        AbstractUndirected,
        Batch,
        Estimate,
        Pairing,
        Proposal,
        State,
        Support,
        Trace,
    )
    from counterpoint.data import Corpus, Sequences, load
    from counterpoint.distributions import (
        NADE,
        Bernoulli,
        Categorical,
        Chain,
        Counts,
        Empty,
        Facts,
        Family,
        FullGaussian,
        Gaussian,
        Grey,
        divergence,
        facts,
    )
    from counterpoint.errors import CounterpointError
    from counterpoint.estimators import (
        EM,
        STL,
        VIMCO,
        ContrastiveDivergence,
        ContrastiveDivergenceConfig,
        DReG,
        FilteringEM,
        FilteringEMConfig,
        Pathwise,
        ScoreFunction,
        ScoreFunctionConfig,
        VIMCOConfig,
        WakeSleep,
        WakeSleepConfig,
    )
    from counterpoint.evaluation import compare, evaluate, generate, log_partition, predict, reconstruct
    from counterpoint.inference import (
        BottomUp,
        BottomUpConfig,
        DTSBNDRecognition,
        DTSBNDRecognitionConfig,
        Filtering,
        FilteringConfig,
        ForwardBackward,
        ForwardBackwardConfig,
        Gibbs,
        GibbsConfig,
        Iterative,
        IterativeConfig,
        Kalman,
        KalmanConfig,
        Prior,
        PriorConfig,
        RecurrentFiltering,
        RecurrentFilteringConfig,
        Smoothing,
        SmoothingConfig,
        TSBNRecognition,
        TSBNRecognitionConfig,
    )
    from counterpoint.models import (
        CRBM,
        DMM,
        DTSBND,
        HMM,
        LDS,
        RBM,
        RNN,
        RNNNADE,
        RNNRBM,
        RTRBM,
        SRNN,
        SRTRBM,
        SVG,
        TRBM,
        TSBN,
        VAE,
        VRNN,
        Autoregressive,
        AutoregressiveConfig,
        CRBMConfig,
        DMMConfig,
        DTSBNDConfig,
        HMMConfig,
        LDSConfig,
        RBMConfig,
        RNNConfig,
        RNNNADEConfig,
        RNNRBMConfig,
        RTRBMConfig,
        SRNNConfig,
        SRTRBMConfig,
        SVGConfig,
        TRBMConfig,
        TSBNConfig,
        VAEConfig,
        VRNNConfig,
    )
    from counterpoint.recipes import Recipe, recipe
    from counterpoint.training import FitConfig, Fitted, Maximised, OptimiserConfig, em, fit


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"module 'counterpoint' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"counterpoint.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
