"""Where corpora are found: a folder that is named, COUNTERPOINT_DATA, the user's cache."""

import os
from pathlib import Path

import platformdirs

from counterpoint.errors import CounterpointError


def folders(folder: Path | None = None) -> list[Path]:
    """Where corpora are looked for, in order: `folder`, COUNTERPOINT_DATA, the user's cache."""
    named = [folder, os.environ.get("COUNTERPOINT_DATA") or None, platformdirs.user_cache_dir("counterpoint")]
    return [Path(place).expanduser() for place in named if place is not None]


def find(name: str, sub: str, how: str, folder: Path | None = None) -> Path:
    """The file `name` in one of `folders`, or in the folder `sub` there.

    Raises CounterpointError where it is in none; the message ends with `how` to get it.
    """
    places = folders(folder)
    for place in places:
        for path in (place / name, place / sub / name):
            if path.is_file():
                return path
    looked = ", ".join(str(place) for place in places)
    raise CounterpointError(
        f"{name} is missing (looked in {looked}); it belongs in {places[0]}, or in a folder"
        f" that --corpora names; {how}; docs/data.md says more"
    )
