import os
from pathlib import Path

import numpy as np
import pytest

from counterpoint.data import load_npz
from counterpoint.data.packed import pack


@pytest.fixture
def corpora() -> Path:
    """The folder with the real corpora; skips where there is none."""
    shared = Path(__file__).parents[2].parent / "shared" / "data"
    for folder in (os.environ.get("COUNTERPOINT_DATA"), shared):
        if folder and any(Path(folder).glob("**/jsb_chorales.npz")):
            return Path(folder)
    pytest.skip("no real corpora: set COUNTERPOINT_DATA to the folder with jsb_chorales.npz")


@pytest.fixture(autouse=True)
def _no_corpora(monkeypatch, tmp_path, request):
    """Nothing of the user's is found, and nothing is written to the user's cache."""
    if "corpora" in request.fixturenames:
        request.getfixturevalue("corpora")  # reads the variable before it goes
    monkeypatch.delenv("COUNTERPOINT_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))


@pytest.fixture
def rolls() -> dict[str, list[np.ndarray]]:
    """A small corpus: rolls (T_i, 88) of 0 and 1, uint8."""
    rng = np.random.default_rng(0)
    lengths = {"train": (3, 1, 5), "valid": (2, 4), "test": (6,)}
    return {s: [(rng.random((n, 88)) < 0.1).astype(np.uint8) for n in ns] for s, ns in lengths.items()}


@pytest.fixture
def arrays(rolls) -> dict[str, np.ndarray]:
    """The same as the files of the 2012 grid have it."""
    out = {}
    for split, xs in rolls.items():
        out[f"{split}_rolls"] = pack(np.concatenate(xs))
        out[f"{split}_lengths"] = np.array([len(x) for x in xs], np.int32)
    return out


@pytest.fixture
def made(tmp_path):
    """Writes arrays and reads them back as a corpus."""

    def make(**arrays):
        np.savez(tmp_path / "mine.npz", **arrays)
        return load_npz(tmp_path / "mine.npz")

    return make
