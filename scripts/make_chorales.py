"""Builds src/counterpoint/data/chorales.npz from the Bach chorales that music21 ships: see CHORALES.md beside it.

    pip install 'counterpoint[music]'
    python scripts/make_chorales.py

Takes about a minute on two processes. The same music21 gives the same arrays; the same zlib, the same bytes.
"""

import argparse
import hashlib
import itertools
import re
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from counterpoint.data.packed import digest, pack, write_npz
from counterpoint.files import replacing

OUT = Path(__file__).parent.parent / "src" / "counterpoint" / "data" / "chorales.npz"
LOWEST, NOTES = 21, 88
SEED = 0
TRAIN, VALID = 0.7, 0.8  # up to these shares of the chorales; the rest is the test split
RUN = 12  # tunes that share so many melodic intervals in a row are one tune


def read(path: Path) -> tuple[str, np.ndarray, list[int]] | None:
    """(name, (T, 88) roll, soprano's MIDI note at each beat it sounds), or None where there are not four parts."""
    from music21 import converter

    # forceSource: a pickle that an earlier run left in music21's cache is not the source.
    parts = list(converter.parse(path, forceSource=True, storePickle=False).parts)
    if [part.partName for part in parts] != ["Soprano", "Alto", "Tenor", "Bass"]:
        return None  # instruments that double or add voices, and the one prelude
    # Grace notes have no duration: they never sound at a beat.
    sounding = [
        [(n.offset, n.offset + n.quarterLength, n.pitches) for n in part.toSoundingPitch().flatten().notes]
        for part in parts
    ]
    end = max(stop for part in sounding for _, stop, _ in part)
    roll = np.zeros((int(np.ceil(float(end))), NOTES), np.uint8)
    tune = []
    for beat in range(len(roll)):
        for i, part in enumerate(sounding):
            now = [p.midi for start, stop, pitches in part if start <= beat < stop for p in pitches]
            roll[beat, [midi - LOWEST for midi in now]] = 1
            if i == 0 and now:
                tune.append(max(now))
    sound = np.flatnonzero(roll.any(axis=1))  # rests before the first and after the last note say nothing
    return path.name.split(".mxl")[0].removesuffix(".xml"), roll[sound[0] : sound[-1] + 1], tune


def natural(name: str) -> list:
    """Sort key with numbers as numbers: bwv2.6 before bwv10.7."""
    return [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", name)]


def up_to_key(roll: np.ndarray) -> bytes:
    """What two rolls have in common when one is the other transposed."""
    used = np.flatnonzero(roll.any(axis=0))
    return roll[:, used[0] : used[-1] + 1].tobytes() + bytes([used[-1] - used[0]])


def tunes(chorales: list[tuple[str, np.ndarray, list[int]]]) -> list[list[int]]:
    """Indices grouped by hymn tune: same BWV number, or RUN intervals in a row in common, in whatever key and metre."""
    parent = list(range(len(chorales)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    owner: dict = {}
    for i, (name, _, tune) in enumerate(chorales):
        steps = [b - a for a, b in itertools.pairwise(tune) if a != b]
        runs = [tuple(steps[k : k + RUN]) for k in range(len(steps) - RUN + 1)]
        for mark in [name.split("-")[0], *runs]:
            parent[root(i)] = root(owner.setdefault(mark, i))
    groups: dict[int, list[int]] = {}
    for i in range(len(chorales)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out

    import music21

    folder = Path(music21.__file__).parent / "corpus" / "bach"
    paths = sorted([*folder.glob("bwv*.mxl"), *folder.glob("bwv*.xml")], key=lambda p: natural(p.name))
    with Pool(2) as pool:
        found = [chorale for chorale in pool.map(read, paths, chunksize=8) if chorale]
    chorales = list({up_to_key(c[1]): c for c in reversed(found)}.values())[::-1]  # the first of equal ones

    # By hash, not by a generator whose stream numpy may change.
    order = sorted(tunes(chorales), key=lambda g: hashlib.sha256(f"{SEED} {chorales[g[0]][0]}".encode()).digest())
    splits: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    done = 0
    for group in order:
        share = (done + len(group) / 2) / len(chorales)
        splits["train" if share < TRAIN else "valid" if share < VALID else "test"] += group
        done += len(group)

    arrays = {}
    for split, members in splits.items():
        rows = [chorales[i] for i in sorted(members)]
        arrays[f"{split}_rolls"] = pack(np.concatenate([roll for _, roll, _ in rows]))
        arrays[f"{split}_lengths"] = np.array([len(roll) for _, roll, _ in rows], np.int32)
        arrays[f"{split}_names"] = np.array([name for name, _, _ in rows])
        print(f"{split}: {len(rows)} sequences, {sum(arrays[f'{split}_lengths'])} frames")
    with replacing(out) as file:
        write_npz(file, arrays)
    print(f"music21 {music21.__version__}: {len(paths)} scores, {len(found)} in four parts, {len(chorales)} kept,")
    print(f"{len(order)} tunes; {out.stat().st_size} bytes")
    print(f"sha256 of the file    {hashlib.sha256(out.read_bytes()).hexdigest()}")
    print(f"digest of the arrays  {digest(arrays)}")


if __name__ == "__main__":
    main()
