"""Estimators of a bound's gradient, one a file."""

from counterpoint.estimators.contrastive_divergence import ContrastiveDivergence, ContrastiveDivergenceConfig
from counterpoint.estimators.filtering_em import FilteringEM, FilteringEMConfig
from counterpoint.estimators.pathwise import Pathwise
from counterpoint.estimators.score_function import ScoreFunction, ScoreFunctionConfig
from counterpoint.estimators.vimco import VIMCO, VIMCOConfig
from counterpoint.estimators.wake_sleep import WakeSleep, WakeSleepConfig

__all__ = [
    "VIMCO",
    "ContrastiveDivergence",
    "ContrastiveDivergenceConfig",
    "FilteringEM",
    "FilteringEMConfig",
    "Pathwise",
    "ScoreFunction",
    "ScoreFunctionConfig",
    "VIMCOConfig",
    "WakeSleep",
    "WakeSleepConfig",
]
