"""SIGINT and SIGTERM save first; what is resumed ends where an undisturbed run ends, bit for bit."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from cli.cases import SMALL
from counterpoint.cli import main

SCRIPT = "import sys; from counterpoint.cli import main; sys.exit(main())"
WORDS = ["--fit.epochs", "400", "--fit.patience", "0", "--fit.validate", "100", *SMALL, "--particles", "0"]


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    assert main(["train", "--data", data, "--out", str(out), *WORDS]) == 0
    return out / "chorales-001" / "checkpoints"


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_saved_and_resumed(by, code, data, tmp_path, undisturbed, capsys):
    words = ["train", "--data", data, "--out", str(tmp_path), *WORDS]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    checkpoints = tmp_path / "chorales-001" / "checkpoints"
    deadline = time.monotonic() + 60
    while not list(checkpoints.glob("step-*.npz")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, by)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    last = out.rstrip().splitlines()[-1]
    step = int(last.split()[3])
    assert last == (
        f"stopped at step {step} by {by.name}; saved; go on with: counterpoint resume {tmp_path}/chorales-001"
    )
    assert 0 < step < 800
    assert main(["resume", str(tmp_path / "chorales-001")]) == 0
    assert f"goes on from step {step}" in " ".join(capsys.readouterr().out.split())
    for name in ("best.npz", "step-000000800.npz"):
        with np.load(checkpoints / name) as mine, np.load(undisturbed / name) as theirs:
            for key in theirs.files:
                if key != "__facts__":
                    np.testing.assert_array_equal(mine[key], theirs[key])
