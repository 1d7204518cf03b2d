"""The run folder: what was run, so that it can be continued, measured, and repeated exactly.

config.json   recipe, seed, repeats, data and their digest, versions and the commit it was begun with
metrics.json  the history: one row for each epoch
checkpoints/  what fit writes
results.json  test bounds of the run and of the baselines
curves.png  sequences.png  sample.mid (.gif for videos and motion, .wav for sound, .npz for numbers)
dictionary.png  topics.png  topics.md   what can be seen within a model of images or of words
table.json    what `reproduce` measured
generated/  predicted/                  what those verbs made
"""

import hashlib
import json
import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
from jax import random

from counterpoint.core import Pairing
from counterpoint.data import CORPORA, Corpus, load
from counterpoint.data.views import Numbers
from counterpoint.errors import CounterpointError, nearest
from counterpoint.files import replacing
from counterpoint.recipes import Recipe, from_dict
from counterpoint.training import Progress, checkpoint
from counterpoint.training.step import member, split, together

VERSIONS = ("counterpoint", "jax", "jaxlib", "equinox", "optax", "numpy")
EVALUATE, GENERATE = 2, 3  # streams of randomness beside those of training: key = (seed, stream)


@dataclass(frozen=True)
class Run:
    """What config.json says, and where things are."""

    folder: Path
    recipe: Recipe
    seed: int
    repeats: int
    source: str  # a corpus by name, or the absolute path of a file
    corpora: str | None
    digest: str

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def seeds(self) -> list[int]:
        return [self.seed + i for i in range(self.repeats)]

    def key(self, stream: int):
        return random.fold_in(random.key(self.seed), stream)

    def corpus(self, given: Corpus | None = None) -> Corpus:
        """The data it was trained on; `given`, where they are those. Raises CounterpointError where they have changed
        since, or are no longer there."""
        if given is not None and digest(given) == self.digest:
            return given
        if self.source not in CORPORA and not Path(self.source).exists():
            how = "where it is now, say with --data" if given is None else "bring it back, to measure on other data"
            raise CounterpointError(f"{self.source}, on which {self.folder} was trained, does not exist; {how}")
        corpus = load(self.source, Path(self.corpora) if self.corpora else None)
        if digest(corpus) != self.digest:
            raise CounterpointError(
                f"{self.source}: the data are not those that {self.folder} was trained on (their digest differs);"
                " bring the old file back, or say with --data where it is, or train anew"
            )
        return corpus

    def pairing(self, corpus: Corpus, seed: int) -> Pairing:
        """The pairing as it starts."""
        return self.recipe.build(self.recipe.facts(corpus), random.key(seed))

    def progress(self) -> Progress:
        """How far it came, by its last checkpoint; nothing where there is none."""
        found = checkpoint.numbered(self.checkpoints)
        return facts(found[-1]) if found else Progress()

    def best(self, corpus: Corpus) -> list[Pairing]:
        """Each repeat as it was best on the validation set.

        Raises CounterpointError where no checkpoint is there or it is damaged, and before the first validation.
        """
        path = self.checkpoints / "best.npz"
        if not path.is_file():
            raise CounterpointError(f"{path} is missing, so there is no model; counterpoint resume {self.folder}")
        if not all(math.isfinite(value) for value in facts(path).best):
            raise CounterpointError(
                f"{self.folder} was stopped before its first validation, so no model is best;"
                f" counterpoint resume {self.folder}"
            )
        return self.members(corpus, path)

    def members(self, corpus: Corpus, path: Path) -> list[Pairing]:
        """Each repeat with the parameters of a checkpoint of this run."""
        parts = [split(self.pairing(corpus, seed)) for seed in self.seeds]
        like = together(*(params for params, _ in parts))
        params = checkpoint.load(path, {"params": like})[0]["params"]
        members = [member(params, i) for i in range(self.repeats)]
        return [eqx.combine(member, static) for member, (_, static) in zip(members, parts)]

    def longer(self, epochs: int) -> "Run":
        """The same run with more epochs, which its folder is not told yet. Raises CounterpointError for fewer than it
        has."""
        now = self.recipe.fit.epochs
        if epochs < now:
            raise CounterpointError(f"{self.folder}: {epochs} epochs are fewer than its {now}; give at least as many")
        return replace(self, recipe=replace(self.recipe, fit=replace(self.recipe.fit, epochs=epochs)))

    def keep(self) -> None:
        """Writes into the folder that it has more epochs, and where its data are now, where that has changed."""
        known = self.read("config.json")
        data = known["data"] | {"source": self.source, "corpora": self.corpora}
        if known["recipe"]["fit"]["epochs"] != self.recipe.fit.epochs or known["data"] != data:
            self.write("config.json", known | {"recipe": self.recipe.json(), "data": data})

    def discard(self) -> bool:
        """Removes a folder in which nothing was learned: one with a config.json alone. Whether it was one."""
        alone = [path.name for path in self.folder.iterdir()] == ["config.json"]
        if alone:
            (self.folder / "config.json").unlink()
            self.folder.rmdir()
        return alone

    def write(self, name: str, values: Any) -> None:
        """A JSON file of the folder."""
        with replacing(self.folder / name) as file:
            file.write((json.dumps(finite(values), indent=1) + "\n").encode())

    def read(self, name: str) -> Any:
        """Raises CounterpointError where the file is absent or damaged."""
        return read(self.folder / name)

    @property
    def program(self) -> str:
        """What began it: the version of the package, and the commit where that is known; "" of a run without either."""
        made = self.read("config.json").get("versions", {})
        commit = f" ({made['commit']})" if made.get("commit") else ""
        return f"counterpoint {made['counterpoint']}{commit}" if "counterpoint" in made else ""


def finite(values: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(values, dict):
        return {key: finite(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def facts(path: Path) -> Progress:
    """What a checkpoint says of its run."""
    try:
        found = json.loads(checkpoint.read(path)["__facts__"].tobytes())
        del found["settings"]
        return Progress(**found)
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CounterpointError(f"{path}: not a checkpoint of this version, or damaged ({error})") from None


def read(path: Path) -> Any:
    """JSON from a file of a run. Raises CounterpointError where it is absent or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CounterpointError(f"{path}: no such file; name a folder that counterpoint train has made") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CounterpointError(f"{path}: damaged or cut short ({error}); bring it back, or train anew") from None


def digest(corpus: Corpus) -> str:
    """A hash of every array of a corpus, in order: values, shapes, dtypes, what is missing, and units."""
    whole = hashlib.sha256(corpus.kind.encode())
    for part in (corpus.train, corpus.valid, corpus.test):
        whole.update(b"split")
        for a in (*part.x, *(part.observed or ())):
            whole.update(f"{a.dtype.str}{a.shape}".encode())
            whole.update(np.ascontiguousarray(a).tobytes())
    if isinstance(corpus.view, Numbers):  # of what was normalised the units are part of what it is
        whole.update(corpus.view.mean.tobytes() + corpus.view.deviation.tobytes())
    return f"sha256:{whole.hexdigest()}"


def place(source: str) -> str:
    """A source as a run keeps it: a file by its absolute path, a corpus by its name."""
    return source if source in CORPORA else str(Path(source).expanduser().absolute())


def create(
    out: Path, recipe: Recipe, seed: int, repeats: int, source: str, corpora: Path | None, corpus: Corpus
) -> Run:
    """A new folder `out`/RECIPE-001, or the next free number, with its config.json; none is ever taken twice.

    Raises CounterpointError where it cannot be made, and within another run.
    """
    if holds_run(out):
        raise CounterpointError(f"{out} is a run; name a folder that runs go into, or counterpoint resume {out}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = [path.name.rpartition("-")[2] for path in out.glob(f"{recipe.name}-*")]
        number = max((int(n) for n in taken if n.isdigit()), default=0) + 1
        while True:
            folder = out / f"{recipe.name}-{number:03d}"
            try:
                folder.mkdir()
                break
            except FileExistsError:  # another run has just begun
                number += 1
    except OSError as error:
        if out.is_file():
            raise CounterpointError(f"{out} is a file; give a folder in which the run can make its own") from error
        raise CounterpointError(
            f"cannot make a run folder in {out}: {error.strerror or error}; name a place that can be written"
        ) from error
    where = None if corpora is None else str(corpora.expanduser().absolute())
    run = Run(folder, recipe, seed, repeats, place(source), where, digest(corpus))
    run.write(
        "config.json",
        {
            "recipe": recipe.json(),
            "seed": seed,
            "repeats": repeats,
            "data": {"source": run.source, "corpora": where, "digest": run.digest},
            "versions": {name: version(name) for name in VERSIONS} | {"commit": commit()},
        },
    )
    return run


def commit() -> str | None:
    """The commit of the checkout that the package runs from, with -dirty where its files have been changed since; None
    where it was installed without one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():  # the checkout of another project may lie around an installed package
        return None
    try:
        words = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
        found = subprocess.run(words, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def is_run(word: str) -> bool:
    """Whether a word names a run folder and not a recipe."""
    return "/" in word or holds_run(Path(word))


def holds_run(folder: Path) -> bool:
    """Whether a folder is that of a run, whole or damaged."""
    return (folder / "config.json").is_file()


def open_run(folder: str | Path, corpora: Path | None = None, data: str | None = None) -> Run:
    """The run in a folder; `corpora` is where its corpus is, `data` where its file is, if not where they were.

    Raises CounterpointError where there is none, or its config.json is damaged or has an unknown key.
    """
    folder = Path(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise CounterpointError(f"{folder} is no run: it has no config.json{_others(folder)}")
    values = read(path)
    keys = ("recipe", "seed", "repeats", "data", "versions")
    for key in values if isinstance(values, dict) else ():
        if key not in keys:
            raise CounterpointError(f"{path}: {key!r} is no setting of a run{nearest(key, keys)}")
    try:
        known = values["data"]
        where = known["corpora"] if corpora is None else str(corpora)
        source = known["source"] if data is None else place(data)
        plain = (values["seed"], values["repeats"], source, where, known["digest"])
        kinds = ((int,), (int,), (str,), (str, type(None)), (str,))
        if not all(isinstance(value, kind) for value, kind in zip(plain, kinds)) or values["repeats"] < 1:
            raise TypeError("seed, repeats or data have the wrong type")
        recipe = values["recipe"]
    except (KeyError, TypeError) as error:
        raise CounterpointError(f"{path}: damaged, or of another version ({error}); train anew") from None
    return Run(folder, from_dict(recipe, str(path)), *plain)


def _others(folder: Path) -> str:
    """Runs next to where one was looked for."""
    runs: Sequence[str] = sorted(str(path.parent) for path in folder.parent.glob("*/config.json"))
    if not runs:
        return "; make one with counterpoint train"
    return nearest(str(folder), runs[-12:])
