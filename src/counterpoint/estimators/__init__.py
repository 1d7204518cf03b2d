"""Estimators of a bound's gradient, one a file."""

from counterpoint.estimators.contrastive_divergence import ContrastiveDivergence, ContrastiveDivergenceConfig
from counterpoint.estimators.em import EM
from counterpoint.estimators.filtering_em import FilteringEM, FilteringEMConfig
from counterpoint.estimators.path_derivative import STL, DReG
from counterpoint.estimators.pathwise import Pathwise
from counterpoint.estimators.score_function import ScoreFunction, ScoreFunctionConfig
from counterpoint.estimators.vimco import VIMCO, VIMCOConfig
from counterpoint.estimators.wake_sleep import WakeSleep, WakeSleepConfig

__all__ = [
    "EM",
    "STL",
    "VIMCO",
    "ContrastiveDivergence",
    "ContrastiveDivergenceConfig",
    "DReG",
    "FilteringEM",
    "FilteringEMConfig",
    "Pathwise",
    "ScoreFunction",
    "ScoreFunctionConfig",
    "VIMCOConfig",
    "WakeSleep",
    "WakeSleepConfig",
]
