"""Estimators of a bound's gradient, one a file."""

from counterpoint.estimators.pathwise import Pathwise
from counterpoint.estimators.score_function import ScoreFunction, ScoreFunctionConfig
from counterpoint.estimators.vimco import VIMCO, VIMCOConfig
from counterpoint.estimators.wake_sleep import WakeSleep, WakeSleepConfig

__all__ = ["VIMCO", "Pathwise", "ScoreFunction", "ScoreFunctionConfig", "VIMCOConfig", "WakeSleep", "WakeSleepConfig"]
