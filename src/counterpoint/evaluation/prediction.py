"""How far the next frame is from what was expected of it."""

from dataclasses import dataclass

import numpy as np

from counterpoint.core import AbstractModel, AbstractPosterior
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError
from counterpoint.evaluation.passes import foretold, frames
from counterpoint.inference.exact import AbstractExact


@dataclass(frozen=True)
class Prediction:
    """The expected frames of every sequence, (T_i, ...) each; a category's are its probabilities, (T_i, n)."""

    frames: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class PredictionError:
    """values (N,): mean over t = 2 .. T_i of sum_dims (x_t - x^_t)^2; NaN for a sequence of one frame."""

    values: np.ndarray

    @property
    def mean(self) -> float:
        """Every sequence with an error counts alike."""
        return float(np.nanmean(self.values))

    @property
    def spread(self) -> float:
        """Standard error over sequences of that mean; NaN for one sequence."""
        known = self.values[~np.isnan(self.values)]
        return float(known.std(ddof=1) / len(known) ** 0.5) if len(known) > 1 else float("nan")


def predict(p: AbstractModel, q: AbstractPosterior, sequences: Sequences, key, samples: int = 1) -> Prediction:
    """x^_t = E[x_t | z_t, z_<t, x_<t],   z_<t ~ q(z_<t | x_<t),   z_t ~ p(z_t | z_<t, x_<t)   (Gan et al. 2015)

    averaged over `samples` draws; the papers take one, and with more the error is smaller for that alone. x^_1 is
    what p expects before it has seen anything. An undirected p draws z_t from a chain that begins at x_t-1, see
    `Ended`. Where q is p(z | x) in closed form nothing is drawn: x^_t = E[x_t | x_<t], by the filter that goes with it.

    Raises CounterpointError where q sees the future, where something is missing, and where p's likelihood cannot give
    these data.
    """
    if q.sees_future and not isinstance(q, AbstractExact):
        raise CounterpointError(
            f"{type(q).__name__} looks ahead: q(z_<t) has seen x_t, which was to be predicted; choose a posterior that"
            " filters (a smoothing one with smooth=False, or q = filtering)"
        )
    if sequences.observed is not None:
        raise CounterpointError(
            f"{sequences.what}: the prediction error is a mean over whole frames, and some are missing; leave those"
            " sequences out, or evaluate a bound, which counts what was observed"
        )
    if isinstance(q, AbstractExact) and q.smooth:
        return Prediction(foretold(p, q, sequences))
    return Prediction(frames(p, q, sequences, key, samples, ahead=True))


def check_lengths(sequences: Sequences) -> None:
    """Raise CounterpointError where no sequence has a second frame to predict."""
    if max(sequences.lengths) < 2:
        raise CounterpointError(
            f"{sequences.what}: the prediction error begins with the second frame, and no sequence has one"
        )


def error(prediction: Prediction, sequences: Sequences) -> PredictionError:
    """mean_i mean_t=2..T_i sum_dims (x_t - x^_t)^2, squared units of x per frame (Gan et al. 2015, supp.)

    t = 1 does not count, for nothing came before it; a sequence of one frame has no error and is left out of the
    mean. An index x is compared as a one-hot vector with the probabilities.

    Raises CounterpointError where the lengths differ or no sequence has a second frame.
    """
    if [len(a) for a in prediction.frames] != [len(a) for a in sequences.x]:
        raise CounterpointError(f"{sequences.what}: the predictions are of other sequences, for their lengths differ")
    check_lengths(sequences)
    values = np.full(len(sequences), np.nan)
    for i, (guess, x) in enumerate(zip(prediction.frames, sequences.x)):
        if len(x) > 1:
            truth = np.eye(guess.shape[-1])[x.astype(int)] if guess.ndim == x.ndim + 1 else x.astype(float)
            values[i] = ((truth - guess)[1:] ** 2).sum() / (len(x) - 1)
    return PredictionError(values)
