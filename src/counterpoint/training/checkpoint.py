"""Checkpoints: arrays by the path of their leaf in a plain `.npz`, written whole or not at all, never unpickled."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing


def paths(tree) -> dict[str, Any]:
    """Leaves by readable path, such as `params.p.w1`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def save(path: Path, tree, facts: dict) -> None:
    """Write the arrays of `tree` and the JSON-able `facts`. A reader sees the old file or the new, nothing between."""
    arrays: dict[str, Any] = {name: np.asarray(leaf) for name, leaf in paths(tree).items()}
    with replacing(path) as file:
        np.savez(file, **arrays, __facts__=np.frombuffer(json.dumps(facts).encode(), np.uint8))


def load(path: Path, like) -> tuple[Any, dict]:
    """The tree shaped like `like`, and the facts.

    Raises CounterpointError where the file is absent, damaged, or of another model.
    """
    arrays = read(path)
    if "__facts__" not in arrays:
        raise CounterpointError(f"{path}: an .npz, but no checkpoint of counterpoint; name a run's own folder")
    facts = json.loads(arrays.pop("__facts__").tobytes())
    want = paths(like)
    for name, leaf in want.items():
        found = arrays.get(name)
        if found is None or found.shape != jnp.shape(leaf) or found.dtype != jnp.result_type(leaf):
            have = "nothing" if found is None else f"{found.dtype} {found.shape}"
            raise CounterpointError(
                f"{path}: {name} is {have}, expected {jnp.result_type(leaf)} {jnp.shape(leaf)}; the checkpoint is of"
                " another configuration or version: use the configuration in its run folder"
            )
    structure = jax.tree.structure(like)
    return jax.tree.unflatten(structure, [jnp.asarray(arrays[name]) for name in want]), facts


def read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a checkpoint."""
    if not path.is_file():
        raise CounterpointError(f"{path}: no such checkpoint; name a folder that a training run has made")
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, OSError) as error:
        remedy = "delete it to go on from the one before" if path.name.startswith("step-") else "train the run again"
        raise CounterpointError(f"{path}: damaged or cut short ({error}); {remedy}") from None


def numbered(folder: Path) -> list[Path]:
    """The `step-*.npz` of a run, oldest first."""
    return sorted(folder.glob("step-*.npz"))
