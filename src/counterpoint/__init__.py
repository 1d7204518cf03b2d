"""Deep generative models of sequences, learned by bringing a generative and a recognition voice into agreement.

    Pairing = (p, q, bound, estimator)

Names are imported when they are first used, so that `import counterpoint` and the command's help cost nothing.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "core": "Batch Pairing AbstractDistribution AbstractModel AbstractDirected AbstractPosterior AbstractBound "
    "AbstractEstimator Estimate Proposal State Support Trace",
    "errors": "CounterpointError",
    "rollout": "rollout",
    "distributions": "Bernoulli Categorical Chain Counts Empty FullGaussian Gaussian Grey Facts Family "
    "divergence facts",
    "models": "DTSBND HMM LDS TSBN VRNN Autoregressive HMMConfig LDSConfig TSBNConfig VRNNConfig AutoregressiveConfig "
    "DTSBNDConfig",
    "inference": "DTSBNDRecognition Filtering ForwardBackward Kalman Prior TSBNRecognition DTSBNDRecognitionConfig "
    "FilteringConfig ForwardBackwardConfig "
    "KalmanConfig PriorConfig TSBNRecognitionConfig",
    "bounds": "ELBO FIVO IWAE Warmup",
    "estimators": "VIMCO Pathwise ScoreFunction WakeSleep ScoreFunctionConfig VIMCOConfig WakeSleepConfig",
    "data": "Corpus Sequences load",
    "training": "FitConfig Fitted OptimiserConfig fit",
    "evaluation": "compare evaluate generate predict reconstruct",
    "recipes": "Recipe recipe recipes",
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}
__all__ = sorted([*_MODULE, "__version__"])

if TYPE_CHECKING:
    from counterpoint.bounds import ELBO, FIVO, IWAE, Warmup
    from counterpoint.core import (
        AbstractBound,
        AbstractDirected,
        AbstractDistribution,
        AbstractEstimator,
        AbstractModel,
        AbstractPosterior,
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
        VIMCO,
        Pathwise,
        ScoreFunction,
        ScoreFunctionConfig,
        VIMCOConfig,
        WakeSleep,
        WakeSleepConfig,
    )
    from counterpoint.evaluation import compare, evaluate, generate, predict, reconstruct
    from counterpoint.inference import (
        DTSBNDRecognition,
        DTSBNDRecognitionConfig,
        Filtering,
        FilteringConfig,
        ForwardBackward,
        ForwardBackwardConfig,
        Kalman,
        KalmanConfig,
        Prior,
        PriorConfig,
        TSBNRecognition,
        TSBNRecognitionConfig,
    )
    from counterpoint.models import (
        DTSBND,
        HMM,
        LDS,
        TSBN,
        VRNN,
        Autoregressive,
        AutoregressiveConfig,
        DTSBNDConfig,
        HMMConfig,
        LDSConfig,
        TSBNConfig,
        VRNNConfig,
    )
    from counterpoint.recipes import Recipe, recipe, recipes
    from counterpoint.rollout import rollout
    from counterpoint.training import FitConfig, Fitted, OptimiserConfig, fit


def __getattr__(name: str):
    # `counterpoint.rollout` and others name both a module and what it is for; the function wins, as in the docs
    if name not in _MODULE:
        raise AttributeError(f"module 'counterpoint' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"counterpoint.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
