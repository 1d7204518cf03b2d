"""A recipe: four parts, data, and how long to train. What a run folder keeps, and what repeats it."""

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any

from jax import random

from counterpoint.bounds import ELBO
from counterpoint.core import Pairing
from counterpoint.data import Corpus
from counterpoint.distributions import Facts, facts
from counterpoint.errors import CounterpointError, nearest
from counterpoint.estimators import Pathwise
from counterpoint.inference import FilteringConfig
from counterpoint.models import VRNNConfig
from counterpoint.registry import GROUPS, from_json, part, to_json
from counterpoint.training import FitConfig


@dataclass(frozen=True)
class Recipe:
    """(p, q, bound, estimator) on a data set.

    name   what it is called
    about  one line: what it does, and the published number that it is held against
    data   a name of a corpus, or the path of what `data.load` reads
    particles   of the IWAE and FIVO bounds that the test set is measured with, beside the one trained; 0 for neither
    likelihood  what p gives of a frame, such as gaussian_log_std; None: the usual one for the kind of data
    """

    name: str
    about: str = ""
    data: str = "chorales"
    p: Any = field(default_factory=VRNNConfig)
    q: Any = field(default_factory=FilteringConfig)
    bound: Any = field(default_factory=ELBO)
    estimator: Any = field(default_factory=Pathwise)
    fit: FitConfig = field(default_factory=FitConfig)
    particles: int = 16
    likelihood: str | None = None

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]*\w[\w.-]*", self.name):
            raise CounterpointError(f"recipe name {self.name!r}: give letters, digits, '.', '_', '-': it names folders")

    def build(self, known: Facts, key) -> Pairing:
        """The pairing for data with these facts, started from a key."""
        keys = random.split(key, 3)
        p = self.p.build(known, keys[0])
        q = self.q.build(p, known, keys[1])
        return Pairing(p, q, self.bound.build(), self.estimator.build(p, known, keys[2]))

    def facts(self, corpus: Corpus) -> Facts:
        """What parts need to know of the training data."""
        return facts(corpus.train.x, corpus.kind, corpus.train.observed, self.likelihood)

    def line(self) -> str:
        """p, q, bound and estimator in one line."""
        return "  ".join(f"{role} = {getattr(self, role).name}" for role in GROUPS)

    def json(self) -> dict:
        return to_json(self) | {"name": self.name}


def from_dict(values: dict, where: str) -> Recipe:
    """A recipe from its JSON. An unknown key, part or type is one line that says what would be right."""
    fields = {f.name for f in dataclasses.fields(Recipe)}
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise CounterpointError(f"{where}: the recipe is damaged: it has no name; train anew")
    for key in values:
        if key not in fields:
            raise CounterpointError(f"{where}: {key!r} is no setting of a recipe{nearest(key, fields)}")
    found = {}
    for key, value in values.items():
        if key in GROUPS:
            if not isinstance(value, dict) or "name" not in value:
                raise CounterpointError(f"{where}: {key} is {value!r}, expected settings with a name")
            found[key] = from_json(part(key, value["name"]), value, f"{where}: {key}")
        else:
            found[key] = value
    plain = {k: v for k, v in found.items() if k not in GROUPS}
    checked = from_json(Recipe, plain, where)
    return dataclasses.replace(checked, **{k: v for k, v in found.items() if k in GROUPS})
