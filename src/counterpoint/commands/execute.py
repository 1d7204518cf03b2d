"""Training in a run folder, from its start or from where it stopped, and what follows it."""

import time

import jax
from rich.console import Console

from counterpoint.commands.closing import close, tell
from counterpoint.commands.display import Display
from counterpoint.data import Corpus
from counterpoint.files import alone
from counterpoint.report import counted, duration
from counterpoint.runs import Run, open_run
from counterpoint.stopping import CODES, Stop, Stopped, signal_of
from counterpoint.training import Fitted, Progress, fit

METRICS = 5.0  # least seconds between two writings of metrics.json


def execute(run: Run, corpus: Corpus) -> int:
    """Fit and report; 0, or 130 or 143 where a signal stopped it. What is there already is continued."""
    console, fitted = Console(highlight=False, markup=False), None
    try:
        with Stop(raises=True):
            fitted = train(run, corpus, console)
            tell(run, corpus, close(run, corpus, fitted, console), console)
    except KeyboardInterrupt as interrupt:
        step, by = run.progress().step, signal_of(interrupt)
        where = f"stopped at update {step} by {by}; saved; go on"
        if fitted:
            where = f"stopped by {by}: training is done and saved, the report is not; make it"
        console.print(f"{where} with: counterpoint resume {run.folder}", soft_wrap=True)
        return CODES[by]
    return 0


def train(run: Run, corpus: Corpus, console: Console) -> Fitted:
    """Fit from where the run stands.

    Raises Stopped where a signal ended it early, after saving; CounterpointError where another process trains there.
    """
    # as it will be read to go on, where a setting of 20 is 20.0 and `fit` tells them apart
    run = open_run(run.folder).longer(run.recipe.fit.epochs)
    before = run.progress()
    console.print(f"{run.recipe.name}  {run.recipe.line()}")
    console.print(f"{corpus.name}: {corpus.summary}")
    console.print(f"into {run.folder}; bounds in nats per step", soft_wrap=True)
    if before.step:
        console.print(f"goes on from update {before.step}, epoch {before.epoch}", soft_wrap=True)
    recorder = Recorder(run)
    with alone(run.folder), Display(console) as display:

        def watch(progress: Progress, per_epoch: int, epochs: int) -> None:
            recorder(progress)
            display(progress, per_epoch, epochs)

        fitted = fit(
            lambda key: run.recipe.build(run.recipe.facts(corpus), key),
            corpus.train,
            corpus.valid,
            run.recipe.fit,
            seed=run.seed,
            repeats=run.repeats,
            folder=run.checkpoints,
            watch=watch,
        )
    recorder.write(fitted.progress)
    if fitted.stopped:
        raise Stopped(fitted.stopped)
    if before.step == fitted.progress.step:
        console.print(f"finished already, at update {before.step}; the report is written anew", soft_wrap=True)
    else:
        taken = duration(fitted.progress.history[-1]["seconds"])
        epochs, updates = counted(fitted.progress.epoch, "epoch"), counted(fitted.progress.step, "update")
        console.print(f"trained {epochs}, {updates}, in {taken}")
    console.print(ending(fitted.progress, run.recipe.fit.epochs))
    jax.clear_caches()  # the programs of training hold memory that those of the report can use
    return fitted


def ending(progress: Progress, epochs: int) -> str:
    """Why training ended, which epoch of each repeat is kept, and its validation."""
    at = {row["step"]: str(row["epoch"]) for row in progress.history}
    best = [at[step] for step in progress.best_step]  # the last epoch is always validated
    sign, what = (-1, "error ") if "error" in progress.history[-1] else (1, "")
    values = ", ".join(f"{sign * value:.2f}" for value in progress.best)
    early = progress.epoch < epochs
    why = f"ended before epoch {epochs}, for validation got no better" if early else "all epochs are done"
    return f"{why}; kept as best by validation: epoch{'s' * (len(best) > 1)} {', '.join(best)} ({what}{values})"


class Recorder:
    """metrics.json, now and then while training."""

    def __init__(self, run: Run):
        self.run, self.rows, self.written, self.kept = run, 0, 0.0, False

    def __call__(self, progress: Progress) -> None:
        if not self.kept:  # only now is it certain that the folder's checkpoints go with the recipe
            self.run.keep()
            self.kept = True
        if len(progress.history) > self.rows and time.monotonic() - self.written > METRICS:
            self.write(progress)

    def write(self, progress: Progress) -> None:
        self.run.write("metrics.json", progress.history)
        self.rows, self.written = len(progress.history), time.monotonic()
