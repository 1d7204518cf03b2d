"""SIGINT and SIGTERM save first; what is resumed ends where an undisturbed run ends, bit for bit."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import jax
import numpy as np
import pytest

from cli.cases import SMALL
from counterpoint.cli import main
from counterpoint.runs import open_run
from counterpoint.training import fit

SCRIPT = "import sys; from counterpoint.cli import main; sys.exit(main())"
WORDS = ["--fit.epochs", "700", "--fit.patience", "0", "--fit.validate", "100", *SMALL, "--fit.save-seconds", "0.2"]


def await_checkpoint(out, alive=lambda: True):
    deadline = time.monotonic() + 240
    while not list(out.glob("tiny-001/checkpoints/step-*.npz")) and alive() and time.monotonic() < deadline:
        time.sleep(0.01)


def stop(by: signal.Signals, data, out):
    """Train in a process of its own, send it a signal at its first checkpoint; its code, last line and step."""
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
    }
    words = [sys.executable, "-c", SCRIPT, "train", "--data", data, "--out", str(out), *WORDS]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    await_checkpoint(out, lambda: process.poll() is None)
    os.kill(process.pid, by)
    printed, complaints = process.communicate(timeout=240)
    assert not complaints
    last = printed.rstrip().splitlines()[-1]
    return process.returncode, last, int(last.split()[3])


@pytest.mark.slow
def test_sigint_saves_and_resume_ends_where_an_undisturbed_run_ends(data, tmp_path, capsys):
    code, last, step = stop(signal.SIGINT, data, tmp_path)
    folder = tmp_path / "tiny-001"
    assert code == 130
    assert last == f"stopped at update {step} by SIGINT; saved; go on with: counterpoint resume {folder}"
    assert 0 < step < 1400
    assert main(["resume", str(folder)]) == 0
    assert f"goes on from update {step}" in " ".join(capsys.readouterr().out.split())

    run = open_run(folder)
    corpus = run.corpus()
    build = lambda key: run.recipe.build(run.recipe.facts(corpus), key)
    fit(build, corpus.train, corpus.valid, run.recipe.fit, seed=run.seed, folder=tmp_path / "whole")
    for name in ("best.npz", "step-000001400.npz"):
        with np.load(run.checkpoints / name) as mine, np.load(tmp_path / "whole" / name) as theirs:
            for key in theirs.files:
                if key != "__facts__":
                    np.testing.assert_array_equal(mine[key], theirs[key])


def test_sigterm_saves_too(data, tmp_path, capsys):
    """In this process, from a thread that waits for the first checkpoint, and sends nothing where training is over."""
    over = threading.Event()

    def send():
        await_checkpoint(tmp_path, lambda: not over.is_set())
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    waiting = threading.Thread(target=send)
    waiting.start()
    try:
        code = main(["train", "--data", data, "--out", str(tmp_path), *WORDS])
    finally:
        over.set()
        waiting.join()
    assert code == 143
    assert re.match(r"stopped at update \d+ by SIGTERM; saved", capsys.readouterr().out.rstrip().splitlines()[-1])
