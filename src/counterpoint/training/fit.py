"""The training loop. It knows Pairing, Batch and Optax, and nothing else."""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from counterpoint.core import Pairing
from counterpoint.data.batch import Bucket, buckets, check_data, in_order, plan
from counterpoint.data.sequences import Sequences
from counterpoint.errors import CounterpointError, at_least
from counterpoint.stopping import Stop
from counterpoint.training import checkpoint
from counterpoint.training.optimiser import OptimiserConfig
from counterpoint.training.step import CHECKED, Learner, choose, learner, make_step, make_validate, member, split


@dataclass(frozen=True)
class FitConfig:
    """How long and in which portions.

    epochs        passes over the training data at most
    batch_size    sequences per update
    buckets       groups of similar length that sequences are padded in
    crop          steps of a random crop of each sequence; None takes sequences whole
    carry         crops follow one another, and each goes on from the state that the one before it ended in, without its
                  gradient (truncated back-propagation): for long sequences, as many as a batch has or more
    patience      validations without a better one before a repeat stops; 0 never stops early. Those while the bound is
                  still weighted (a KL's warm-up) do not count
    validate      epochs between validations
    select        what the best validation has: the highest "bound", or the least error of "prediction" of each frame
                  from those before it, with one draw of z. Where data are few a bound falls as soon as p is too sure
                  of what it says, while what it says still gets better
    keep          how many past checkpoints stay
    save_seconds  least time between checkpoints; one is always written at the end
    """

    epochs: int = 100
    batch_size: int = 16
    buckets: int = 4
    crop: int | None = None
    carry: bool = False
    patience: int = 20
    validate: int = 1
    select: Literal["bound", "prediction"] = "bound"
    keep: int = 2
    save_seconds: float = 20.0
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self):
        at_least(self, 1, "epochs", "batch_size", "buckets", "validate", "crop")
        at_least(self, 0, "patience", "keep", "save_seconds")
        if self.carry and self.crop is None:
            raise CounterpointError(
                "fit: carry hands the state on from crop to crop, and crop is None: give its steps, as --fit.crop 100"
            )


@dataclass
class Progress:
    """What a run knows of itself: saved with every checkpoint, shown while it runs."""

    step: int = 0
    epoch: int = 0
    best: list[float] = field(default_factory=list)  # of what was `selected`; -inf before the first validation
    best_step: list[int] = field(default_factory=list)
    stalled: list[int] = field(default_factory=list)  # validations since
    sums: list[float] = field(default_factory=list)  # of this epoch so far
    history: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    reports: str = ""  # what `sums` and "train" of the history are, where they are not the bound


@dataclass(frozen=True)
class Fitted:
    """pairings: the best of each repeat on the validation set (the last, where there was none)."""

    pairings: list[Pairing]
    progress: Progress
    stopped: str | None  # the signal that ended it early


def selected(row: Mapping[str, Any]) -> np.ndarray:
    """(R,) what a validation is judged by, higher is better: the bound in nats per step, or the error with its sign
    turned."""
    return -np.array(row["error"]) if "error" in row else np.array(row["valid"])


def fit(
    build: Pairing | Callable[[Any], Pairing],
    train: Sequences,
    valid: Sequences | None = None,
    config: FitConfig | None = None,
    *,
    seed: int = 0,
    repeats: int = 1,
    folder: Path | None = None,
    watch: Callable[[Progress, int, int], None] | None = None,
) -> Fitted:
    """Maximise the pairing's bound on `train`, keep what is best on `valid`.

    build    a pairing, or for repeats a function of a key: repeat i has seed + i, and trains as it would alone
    folder   where checkpoints go (`step-*.npz`, `best.npz`); a run found there is continued, bit for bit, or for more
             epochs than it began with: a rate that falls goes on along the longer fall
    watch    called with (progress, steps per epoch, epochs) after each step

    SIGINT and SIGTERM save, warn and return, and `stopped` names them; a value that is not finite raises
    CounterpointError that names step, seed and quantity, after saving the last good state.
    """
    config = FitConfig() if config is None else config
    seeds = [seed + i for i in range(repeats)]
    if repeats > 1 and isinstance(build, Pairing):
        raise CounterpointError("repeats need a function from a key to a pairing, to start each from its own seed")
    pairings = [build if isinstance(build, Pairing) else build(random.key(s)) for s in seeds]
    return _Loop(pairings, train, valid, config, seeds, folder, watch).run()


class _Loop:
    """The state of a run and the few things that happen to it."""

    def __init__(self, pairings, train, valid, config: FitConfig, seeds, folder, watch):
        p = pairings[0].p
        check_data(p, train)
        self.config, self.seeds, self.folder, self.watch = config, seeds, folder, watch
        anew = train.chances is not None
        source = replace(train, x=train.chances, chances=None) if anew else train
        self.groups = buckets(source, p, config.buckets)
        self.valid: list[Bucket] = []
        self.held_out = valid
        if valid is not None:
            check_data(p, valid)
            self.valid = buckets(valid, p, config.buckets)
        self.per_epoch = len(self.plan(0))
        self.static = split(pairings[0])[1]
        optimiser = config.optimiser.build(self.per_epoch * config.epochs)
        carried, gaps = config.batch_size if config.carry else 0, train.observed is not None
        self.learner = learner(pairings, optimiser, carried, gaps)
        self.best = choose(np.ones(len(seeds), bool), self.learner.params, self.learner.params)  # a copy
        self.step = jax.jit(make_step(self.static, optimiser, len(seeds), config.crop, anew), donate_argnums=0)
        self.warmup = pairings[0].bound.warmup
        self.validate = make_validate(self.static, len(seeds))
        many = len(seeds)
        self.progress = Progress(0, 0, [-np.inf] * many, [0] * many, [0] * many, [0.0] * many)
        self.progress.reports = pairings[0].estimator.reports
        sizes = [int(g.lengths.sum()) for g in self.groups]
        same = replace(config, epochs=1)  # a run may go on for more of them
        self.settings = [repr(same), seeds, self.per_epoch, sizes]  # what a folder's run must share to be continued
        self.saved = self.started = time.monotonic()
        if self.valid and config.select == "prediction":
            self.errors()  # what cannot be predicted is refused before anything is learned
        if folder is not None:
            self.restore()

    def plan(self, epoch: int):
        return plan(self.groups, self.config.batch_size, self.seeds, epoch, self.config.crop, self.config.carry)

    @property
    def active(self) -> np.ndarray:
        """(R,) False for a repeat whose patience is over: it keeps what it would have alone."""
        patience = self.config.patience
        return np.array([not (patience and self.valid and s >= patience) for s in self.progress.stalled])

    def run(self) -> Fitted:
        progress, seeds = self.progress, np.array(self.seeds, np.uint32)
        with Stop() as stop:
            while progress.epoch < self.config.epochs and self.active.any() and not stop.asked:
                active = self.active
                for portion in self.plan(progress.epoch)[progress.step - progress.epoch * self.per_epoch :]:
                    self.learner, outcome = self.step(
                        self.learner,
                        active,
                        portion.rows,
                        jnp.int32(portion.start),
                        seeds,
                        jnp.int32(progress.step),
                        self.groups[portion.bucket]._replace(index=None),
                    )
                    self.check(outcome)
                    progress.step += 1
                    progress.sums = [a + float(b) for a, b in zip(progress.sums, np.asarray(outcome.value))]
                    self.show()
                    if stop.asked:
                        break
                    self.save(due=True)
                if progress.step == (progress.epoch + 1) * self.per_epoch:
                    self.end_epoch()
            self.save(due=False)
        if stop.asked and not stop.outer:  # a command, which is outside, says so itself
            said = f"fit was stopped by {stop.asked} at update {progress.step}; what it returns has learned no more"
            warnings.warn(said, stacklevel=3)
        members = [member(self.chosen, i) for i in range(len(self.seeds))]
        return Fitted([eqx.combine(member, self.static) for member in members], progress, stop.asked)

    def end_epoch(self):
        progress, active = self.progress, self.active
        progress.epoch += 1
        train = [a / self.per_epoch for a in progress.sums]
        row = {"epoch": progress.epoch, "step": progress.step, "train": train}
        if self.valid and (progress.epoch % self.config.validate == 0 or progress.epoch == self.config.epochs):
            row["valid"] = [float(v) for v in self.measure()]
            if self.config.select == "prediction":
                row["error"] = self.errors()
            values = selected(row)
            broken = active & ~(np.isfinite(values) & np.isfinite(row["valid"]))
            if broken.any():
                self.save(due=False)
                seed = self.seeds[int(np.flatnonzero(broken)[0])]
                raise CounterpointError(
                    f"update {progress.step}, seed {seed}: the validation bound is not finite, or the error of"
                    " prediction; look at the validation data, or lower the learning rate"
                )
            better = active & (values > np.array(progress.best))
            self.best = choose(better, self.learner.params, self.best)
            counts = progress.step > self.warmup
            for i in np.flatnonzero(active):
                progress.stalled[i] = 0 if better[i] or not counts else progress.stalled[i] + 1
                if better[i]:
                    progress.best[i], progress.best_step[i] = float(values[i]), progress.step
        progress.sums = [0.0] * len(self.seeds)
        row["seconds"] = round(self.seconds(), 2)
        progress.history.append(row)
        self.show()
        self.save(due=True)

    def measure(self) -> np.ndarray:
        """(R,) validation bound in nats per step, over all steps."""
        total, steps, seeds = np.zeros(len(self.seeds)), 0, np.array(self.seeds, np.uint32)
        for batch, _ in in_order(self.valid, self.config.batch_size):
            total += np.asarray(self.validate(self.learner.params, seeds, batch), np.float64)
            steps += int(np.asarray(batch.valid).sum())
        return total / steps

    def errors(self) -> list[float]:
        """Squared error of prediction of each repeat on the validation set, with the same noise every time."""
        from counterpoint.evaluation import error, predict  # which imports this module

        def of(i: int) -> float:
            pairing = eqx.combine(member(self.learner.params, i), self.static)
            return error(predict(pairing.p, pairing.q, self.held_out, random.key(self.seeds[i])), self.held_out).mean

        return [of(i) for i in range(len(self.seeds))]

    def check(self, outcome):
        broken = np.asarray(outcome.broken)
        if broken.any():
            member = int(np.flatnonzero(broken)[0])
            what = ", ".join(name for i, name in enumerate(CHECKED) if broken[member] >> i & 1)
            self.save(due=False)
            kept = f"; the last good state is saved in {self.folder}" if self.folder else ""
            raise CounterpointError(
                f"update {self.progress.step}, seed {self.seeds[member]}: {what} not finite{kept}; lower the learning"
                " rate or the gradient clip, or look at the data"
            )

    @property
    def chosen(self):
        """What a run is for: each repeat's best parameters, or its last where nothing was validated yet."""
        return choose(np.isfinite(self.progress.best), self.best, self.learner.params)

    def seconds(self) -> float:
        return self.progress.seconds + time.monotonic() - self.started

    def show(self):
        if self.watch is not None:
            self.watch(self.progress, self.per_epoch, self.config.epochs)

    def save(self, due: bool):
        """Write the state; with `due` only where enough time has passed."""
        now = time.monotonic()
        if self.folder is None or (due and now - self.saved < self.config.save_seconds):
            return
        facts = vars(self.progress) | {"seconds": self.seconds(), "settings": self.settings}
        checkpoint.save(self.folder / "best.npz", {"params": self.chosen}, facts)
        checkpoint.save(self.folder / f"step-{self.progress.step:09d}.npz", self.learner._asdict(), facts)
        for old in checkpoint.numbered(self.folder)[: -max(self.config.keep, 1)]:
            old.unlink(missing_ok=True)
        self.saved = time.monotonic()

    def restore(self):
        found = checkpoint.numbered(self.folder)
        if not found:
            return
        arrays, facts = checkpoint.load(found[-1], self.learner._asdict())
        if facts.pop("settings") != self.settings:
            raise CounterpointError(
                f"{self.folder} holds a run with other settings, seeds or data; name another folder, or those it began"
                " with"
            )
        self.learner, self.progress = Learner(**arrays), Progress(**facts)
        self.best = checkpoint.load(self.folder / "best.npz", {"params": self.best})[0]["params"]
