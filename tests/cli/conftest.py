"""One tiny trained run for all tests of the command."""

import jax
import pytest

from cli.cases import SMALL, write
from counterpoint.cli import main


@pytest.fixture(scope="session", autouse=True)
def keep_programs():
    """Many commands share this process, and what one compiled serves the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "clear_caches", lambda: None)
        yield


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "tiny.npz")


@pytest.fixture(scope="session")
def run(data, tmp_path_factory):
    """A run that has finished."""
    out = tmp_path_factory.mktemp("runs")
    assert main(["train", "--data", data, "--out", str(out), "--fit.epochs", "3", *SMALL]) == 0
    return out / "tiny-001"


@pytest.fixture
def refused(capsys):
    """Calls the command, expects code 2 and one line on stderr, and gives that line back."""

    def call(*words: str) -> str:
        capsys.readouterr()
        assert main(list(words)) == 2
        out, err = capsys.readouterr()
        assert err.startswith("counterpoint: "), err
        assert err.count("\n") == 1, err
        assert "Traceback" not in out + err
        return err

    return call
