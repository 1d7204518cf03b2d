"""A folder or zip of CSV or TSV files, each a sequence: a row is a step, a column a number of its frame.

A first row in which no cell is a number names the columns, and is left out. A cell that is empty or `nan` is missing.
What the numbers are is told from their values, as of an `.npz` (`load_npz`); real ones are normalised.
"""

import csv
import io
from pathlib import Path, PurePosixPath

import numpy as np

from counterpoint.data import archives
from counterpoint.data.arrays import guess_kind, symbols
from counterpoint.data.normalising import normalised
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.splitting import by_group
from counterpoint.errors import CounterpointError

BETWEEN = {".csv": ",", ".tsv": "\t"}
LIMIT = 2**30  # bytes of all files together


def is_csv(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in BETWEEN


def csv_folder(path: str | Path) -> Corpus:
    """The files of a folder or zip as sequences (T, columns), split 80/10/10 by file.

    Raises CounterpointError for what cannot be read or has less than three files, for a cell that is no number, and for
    files or rows of different width.
    """
    path = Path(path).expanduser()
    found = {name: table(f"{path}/{name}", data) for name, data in archives.members(path, is_csv, LIMIT, "CSV files")}
    widths = {a.shape[1]: name for name, a in found.items()}
    if len(widths) > 1:
        (one, first), (other, second), *_ = widths.items()
        raise CounterpointError(f"{path}: {first} has {one} columns and {second} {other}; give all files the same")
    seen = {name: np.isfinite(a) for name, a in found.items()}
    whole = all(mask.all() for mask in seen.values())
    integers = whole and all((a == np.round(a)).all() and abs(a).max() < 2**31 for a in found.values())
    kind = np.int32 if integers else np.float32
    names = list(found)

    def part(rows: list[int]) -> Sequences:
        chosen = [names[i] for i in rows]
        masks = None if whole else tuple(seen[name] for name in chosen)
        return Sequences(tuple(found[name].astype(kind) for name in chosen), masks, tuple(chosen), str(path))

    parts = by_group(str(path), names, "CSV files")
    train, valid, test = (part(parts[split]) for split in ("train", "valid", "test"))
    kind_of = guess_kind(train, valid, test)
    if kind_of == "count" and train.event == (1,):
        kind_of, (train, valid, test) = "index", map(symbols, (train, valid, test))
    return normalised(Corpus(path.resolve().stem, train, valid, test, kind_of))


def table(what: str, data: bytes) -> np.ndarray:
    """(T, columns) float64, NaN where a cell is empty."""
    try:
        text = data.decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=BETWEEN[what[-4:].lower()]) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CounterpointError(f"{what} is no table of text ({error}); leave it out") from None
    if rows and not any(map(number, rows[0])):
        rows = rows[1:]
    if not rows:
        raise CounterpointError(f"{what} has no row of numbers; leave it out")
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise CounterpointError(f"{what}: row {i + 1} has {len(row)} cells, the first {len(rows[0])}; mend it")
        for cell in row:
            if not number(cell) and cell.strip():
                raise CounterpointError(f"{what}: {cell.strip()!r} in row {i + 1} is no number; leave the column out")
    return np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows])


def number(cell: str) -> bool:
    try:
        return not np.isinf(float(cell))
    except ValueError:
        return False
