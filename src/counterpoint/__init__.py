"""Deep generative models of sequences, learned by bringing a generative and a recognition voice into agreement.

    Pairing = (p, q, bound, estimator)

Names are imported when they are first used, so that `import counterpoint` and the command's help cost nothing.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "core": "Batch Pairing AbstractDistribution AbstractModel AbstractDirected AbstractUndirected AbstractPosterior "
    "AbstractBound AbstractEstimator Estimate Proposal State Trace",
    "support": "Support",
    "errors": "CounterpointError",
    "distributions": "NADE Bernoulli Categorical Chain Counts Empty FullGaussian Gaussian Grey Facts Family "
    "divergence facts "
    "Beta Concrete Dirichlet DiscretisedGaussian Gamma Gumbel GumbelMinimum Kumaraswamy LogNormal SaltAndPepper "
    "SpikeSlab Trajectory",
    "models": "VAE VAEConfig "
    "CRBM FCRBM RNNRBM RTRBM SRTRBM SSRBM TRBM "
    "CRBMConfig FCRBMConfig RNNRBMConfig RTRBMConfig SRTRBMConfig SSRBMConfig TRBMConfig "
    "ConvVAE ConvVAEConfig DAE DAEConfig DBM DBMConfig DBN DBNConfig Diffusion DiffusionConfig "
    "DMM DTSBND GSN GSNConfig HMM LDS RBM RNN RNNNADE SRNN SVG TSBN VRNN Autoregressive DMMConfig HMMConfig LDSConfig "
    "RBMConfig RNNConfig RNNNADEConfig SRNNConfig SVGConfig TSBNConfig VRNNConfig AutoregressiveConfig DTSBNDConfig",
    "inference": "BottomUp BottomUpConfig Convolutional ConvolutionalConfig "
    "DBNRecognition DBNRecognitionConfig MeanField MeanFieldConfig Noising NoisingConfig "
    "GaussianNoise GaussianNoiseConfig LearnedCorruption LearnedCorruptionConfig "
    "SaltAndPepperConfig SaltAndPepperNoise "
    "MeanFieldVB MeanFieldVBConfig Optimised OptimisedConfig PolyaGamma PolyaGammaConfig "
    "DTSBNDRecognition Filtering ForwardBackward Gibbs Iterative Kalman Prior RecurrentFiltering "
    "Smoothing TSBNRecognition DTSBNDRecognitionConfig FilteringConfig ForwardBackwardConfig GibbsConfig "
    "IterativeConfig KalmanConfig PriorConfig RecurrentFilteringConfig SmoothingConfig TSBNRecognitionConfig",
    "bounds": "ELBO FIVO IWAE Annealed Denoising TrajectoryKL Warmup",
    "estimators": "STL DReG "
    "EM VIMCO ContrastiveDivergence FilteringEM MonteCarloEM Pathwise ScoreFunction WakeSleep "
    "ContrastiveDivergenceConfig FilteringEMConfig ScoreFunctionConfig VIMCOConfig WakeSleepConfig "
    "Walkback WalkbackConfig Greedy GreedyConfig MaximumLikelihood Persistent PersistentConfig",
    "data": "Corpus Sequences load",
    "training": "FitConfig Fitted Maximised OptimiserConfig em fit",
    "evaluation": "compare evaluate generate log_partition log_partitions predict reconstruct",
    "recipes": "Recipe recipe",
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}
__all__ = sorted([*_MODULE, "__version__"])

if TYPE_CHECKING:
    from counterpoint.bounds import ELBO, FIVO, IWAE, Annealed, Denoising, TrajectoryKL, Warmup
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
        Trace,
    )
    from counterpoint.data import Corpus, Sequences, load
    from counterpoint.distributions import (
        NADE,
        Bernoulli,
        Beta,
        Categorical,
        Chain,
        Concrete,
        Counts,
        Dirichlet,
        DiscretisedGaussian,
        Empty,
        Facts,
        Family,
        FullGaussian,
        Gamma,
        Gaussian,
        Grey,
        Gumbel,
        GumbelMinimum,
        Kumaraswamy,
        LogNormal,
        SaltAndPepper,
        SpikeSlab,
        Trajectory,
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
        Greedy,
        GreedyConfig,
        MaximumLikelihood,
        MonteCarloEM,
        Pathwise,
        Persistent,
        PersistentConfig,
        ScoreFunction,
        ScoreFunctionConfig,
        VIMCOConfig,
        WakeSleep,
        WakeSleepConfig,
        Walkback,
        WalkbackConfig,
    )
    from counterpoint.evaluation import compare, evaluate, generate, log_partition, log_partitions, predict, reconstruct
    from counterpoint.inference import (
        BottomUp,
        BottomUpConfig,
        Convolutional,
        ConvolutionalConfig,
        DBNRecognition,
        DBNRecognitionConfig,
        DTSBNDRecognition,
        DTSBNDRecognitionConfig,
        Filtering,
        FilteringConfig,
        ForwardBackward,
        ForwardBackwardConfig,
        GaussianNoise,
        GaussianNoiseConfig,
        Gibbs,
        GibbsConfig,
        Iterative,
        IterativeConfig,
        Kalman,
        KalmanConfig,
        LearnedCorruption,
        LearnedCorruptionConfig,
        MeanField,
        MeanFieldConfig,
        MeanFieldVB,
        MeanFieldVBConfig,
        Noising,
        NoisingConfig,
        Optimised,
        OptimisedConfig,
        PolyaGamma,
        PolyaGammaConfig,
        Prior,
        PriorConfig,
        RecurrentFiltering,
        RecurrentFilteringConfig,
        SaltAndPepperConfig,
        SaltAndPepperNoise,
        Smoothing,
        SmoothingConfig,
        TSBNRecognition,
        TSBNRecognitionConfig,
    )
    from counterpoint.models import (
        CRBM,
        DAE,
        DBM,
        DBN,
        DMM,
        DTSBND,
        FCRBM,
        GSN,
        HMM,
        LDS,
        RBM,
        RNN,
        RNNNADE,
        RNNRBM,
        RTRBM,
        SRNN,
        SRTRBM,
        SSRBM,
        SVG,
        TRBM,
        TSBN,
        VAE,
        VRNN,
        Autoregressive,
        AutoregressiveConfig,
        ConvVAE,
        ConvVAEConfig,
        CRBMConfig,
        DAEConfig,
        DBMConfig,
        DBNConfig,
        Diffusion,
        DiffusionConfig,
        DMMConfig,
        DTSBNDConfig,
        FCRBMConfig,
        GSNConfig,
        HMMConfig,
        LDSConfig,
        RBMConfig,
        RNNConfig,
        RNNNADEConfig,
        RNNRBMConfig,
        RTRBMConfig,
        SRNNConfig,
        SRTRBMConfig,
        SSRBMConfig,
        SVGConfig,
        TRBMConfig,
        TSBNConfig,
        VAEConfig,
        VRNNConfig,
    )
    from counterpoint.recipes import Recipe, recipe
    from counterpoint.support import Support
    from counterpoint.training import FitConfig, Fitted, Maximised, OptimiserConfig, em, fit


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"module 'counterpoint' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"counterpoint.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
