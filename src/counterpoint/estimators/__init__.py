"""Estimators of a bound's gradient, one a file."""

from counterpoint.estimators.contrastive_divergence import ContrastiveDivergence, ContrastiveDivergenceConfig
from counterpoint.estimators.em import EM
from counterpoint.estimators.filtering_em import FilteringEM, FilteringEMConfig
from counterpoint.estimators.greedy import Greedy, GreedyConfig
from counterpoint.estimators.maximum_likelihood import MaximumLikelihood
from counterpoint.estimators.monte_carlo_em import MonteCarloEM
from counterpoint.estimators.path_derivative import STL, DReG
from counterpoint.estimators.pathwise import Pathwise
from counterpoint.estimators.persistent import Persistent, PersistentConfig
from counterpoint.estimators.score_function import ScoreFunction, ScoreFunctionConfig
from counterpoint.estimators.vimco import VIMCO, VIMCOConfig
from counterpoint.estimators.wake_sleep import WakeSleep, WakeSleepConfig
from counterpoint.estimators.walkback import Walkback, WalkbackConfig

__all__ = [
    "EM",
    "STL",
    "VIMCO",
    "ContrastiveDivergence",
    "ContrastiveDivergenceConfig",
    "DReG",
    "FilteringEM",
    "FilteringEMConfig",
    "Greedy",
    "GreedyConfig",
    "MaximumLikelihood",
    "MonteCarloEM",
    "Pathwise",
    "Persistent",
    "PersistentConfig",
    "ScoreFunction",
    "ScoreFunctionConfig",
    "VIMCOConfig",
    "WakeSleep",
    "WakeSleepConfig",
    "Walkback",
    "WalkbackConfig",
]
