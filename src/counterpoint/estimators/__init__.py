"""Estimators of a bound's gradient, one a file."""

from counterpoint.estimators.pathwise import Pathwise
from counterpoint.estimators.score_function import ScoreFunction, ScoreFunctionConfig

__all__ = ["Pathwise", "ScoreFunction", "ScoreFunctionConfig"]
