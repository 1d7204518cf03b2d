"""Tiny data and tiny sizes."""

import numpy as np

SMALL = ["--p.latent", "2", "--p.hidden", "4", "--p.width", "4", "--q.width", "4", "--particles", "0"]
SMALL += ["--fit.buckets", "1", "--fit.batch-size", "4", "--fit.save-seconds", "0"]


def sequences(count: int, seed: int, notes: int = 5) -> list[np.ndarray]:
    """Frames of `notes` notes, of which those on tend to stay on."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(count):
        x = rng.random((6, notes)) < 0.4
        x[1:] |= x[:-1] & (rng.random((5, notes)) < 0.6)
        made.append(x.astype(np.uint8))
    return made


def write(path, **change):
    """An .npz of sequences as --data takes it, with whatever of it is changed."""
    arrays = {}
    for i, (split, count) in enumerate({"train": 8, "valid": 4, "test": 4}.items()):
        made = sequences(count, i)
        arrays |= {split: np.concatenate(made), f"{split}_lengths": np.array([len(a) for a in made], np.int32)}
    np.savez(path, **arrays | change)
    return str(path)


def named(out: str, run) -> set[str]:
    """The files that the closing line of a run says it has written."""
    line = next(line for line in out.splitlines() if line.startswith(f"{run}: "))
    return set(line.removeprefix(f"{run}: ").split(", "))
