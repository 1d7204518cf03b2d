"""A part and a recipe that live in a user's own package, found through its entry points."""

import json
import sys

import pytest

from cli.cases import SMALL
from counterpoint.cli import main

CODE = '''
"""A model of one's own: a coin for each note, that remembers nothing."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jax import Array

from counterpoint.bounds import ELBO
from counterpoint.core import AbstractDirected
from counterpoint.distributions import Empty, Family
from counterpoint.estimators import Pathwise
from counterpoint.inference import PriorConfig
from counterpoint.recipes import Recipe
from counterpoint.training import FitConfig


@dataclass(frozen=True)
class CoinsConfig:
    name: ClassVar[str] = "coins"
    start: float = 0.0

    def build(self, facts, key):
        return Coins(jnp.full(facts.family.size, self.start), facts.family)


class Coins(AbstractDirected):
    logits: Array
    family: Family

    def initial(self):
        return jnp.zeros(())

    def advance(self, carry, z, e):
        return carry

    def prior(self, carry):
        return Empty()

    def likelihood(self, carry, z):
        return self.family(self.logits)


MINE = Recipe("mine", "coins", "chorales", CoinsConfig(), PriorConfig(), ELBO(), Pathwise(), FitConfig(epochs=2))
'''

ENTRIES = """[counterpoint.models]
coins = own_coins:CoinsConfig

[counterpoint.recipes]
mine = own_coins:MINE
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "own_coins.py").write_text(CODE)
    info = tmp_path / "own_coins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-coins\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_coins", None)


@pytest.mark.usefixtures("package")
@pytest.mark.slow
def test_a_part_of_ones_own_trains_and_is_reported(data, tmp_path, capsys):
    words = ["--p", "coins", "--q", "prior", "--p.start", "0.5", "--fit.epochs", "2", *SMALL[-8:]]
    assert main(["train", "--data", data, "--out", str(tmp_path / "runs"), *words]) == 0
    folder = tmp_path / "runs" / "tiny-001"
    config = json.loads((folder / "config.json").read_text())
    assert config["recipe"]["p"] == {"name": "coins", "start": 0.5}
    assert "coins + prior" in json.loads((folder / "results.json").read_text())["results"]
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--particles", "0"]) == 0
    assert "ELBO" in capsys.readouterr().out


@pytest.mark.usefixtures("package")
def test_a_recipe_of_ones_own_is_listed_shown_and_trained(data, tmp_path, capsys):
    assert main(["recipes"]) == 0
    assert "mine" in capsys.readouterr().out
    assert main(["show", "mine"]) == 0
    assert "p = coins  q = prior" in capsys.readouterr().out
    assert main(["train", "mine", "--data", data, "--out", str(tmp_path / "runs"), "--particles", "0"]) == 0
    assert (tmp_path / "runs" / "mine-001" / "results.json").is_file()


@pytest.mark.usefixtures("package")
def test_the_nearest_name_may_be_ones_own(refused):
    assert "did you mean 'coins'" in refused("train", "--p", "coin")
    assert "did you mean 'mine'" in refused("train", "mien")
