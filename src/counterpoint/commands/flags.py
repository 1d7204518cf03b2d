"""Flags from dataclasses: tyro reads them and writes the help; what is wrong is said in one line.

Unknown flags and wrong values are found before tyro sees them, for tyro answers with a page.
"""

import dataclasses
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from counterpoint.errors import CounterpointError, nearest

T = TypeVar("T")
LISTED = re.compile(r"(?m)^(\w+ {2,})(\S.*(?:\n +\S.*)*)")  # a setting, and what it is, with its further lines


def parse(kind: type[T], words: Sequence[str], prog: str, places: Sequence[str] = ()) -> T:
    """An instance of the dataclass `kind` from `words`. `--help` prints and raises SystemExit(0).

    places  names of the fields that stand without a flag, in order; those without a default must be given, and the
            last takes all further words where it is a tuple

    Raises CounterpointError for a flag that does not exist, one without its value, a value of the wrong type, and
    a word too many or too few.
    """
    import tyro

    words = list(words)
    if "-h" in words or "--help" in words:
        print(wrapped(kind.__doc__ or ""), end="\n\n")
        return tyro.cli(kind, prog=prog, args=["--help"], description=" ")
    known = flags(kind, places)
    loose = check(known, words, prog)
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    for name in places[len(loose) :]:
        if fields[name].default is dataclasses.MISSING:
            raise CounterpointError(f"{prog}: {called(name, hints[name])} is missing; see {prog} --help")
    if len(loose) > len(places) and not (places and several(hints[places[-1]])):
        raise CounterpointError(f"{prog}: {loose[len(places)]!r} is one word too many; see {prog} --help")
    values = [(flag, known[flag], value) for flag, found in given(known, words) for value in found]
    stand = [(called(name, hints[name]), hints[name], value) for name, value in zip(places, loose)]
    for name, hint, value in (*values, *stand):
        wanted = expected(hint, value)
        if wanted:
            raise CounterpointError(f"{name} is {value!r}, expected {wanted}")
    return tyro.cli(kind, prog=prog, args=words)


def called(name: str, hint: Any) -> str:
    """What help calls the value of a place: its metavar."""
    arguments = getattr(hint, "__metadata__", ())
    found = next((one.metavar for one in arguments if getattr(one, "metavar", None)), name.upper())
    return found.strip("[]").removesuffix(" ...")


def wrapped(text: str) -> str:
    """Paragraphs in lines that fit a terminal of 80 columns, for tyro would make a line of each; lists of settings stay
    lists."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        listed(paragraph, "", 79) if LISTED.match(paragraph) else textwrap.fill(paragraph, 79, break_long_words=False)
        for paragraph in paragraphs
    )


def listed(text: str, indent: str, width: int) -> str:
    """Every setting of a list that stands in a text, in lines that begin below one another."""

    def entry(found: re.Match) -> str:
        first, rest = f"{indent}{found[1]}", " ".join(found[2].split())
        return textwrap.fill(
            rest, width, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False
        )

    return LISTED.sub(entry, text)


def flags(kind: Any, places: Sequence[str] = (), prefix: str = "--") -> dict[str, Any]:
    """Every flag of a dataclass and of those inside it, with the type of its value; yes-or-no has two, without."""
    hints, found = typing.get_type_hints(kind, include_extras=True), {}
    for field in dataclasses.fields(kind):
        if not field.init or field.name in places:
            continue
        hint, name = plain(hints[field.name]), field.name.replace("_", "-")
        if dataclasses.is_dataclass(hint):
            found |= flags(hint, (), f"{prefix}{name}.")
        elif hint is bool:
            found |= {f"{prefix}{name}": None, f"{prefix}no-{name}": None}
        else:
            found[f"{prefix}{name}"] = hint
    return found


def plain(hint: Any) -> Any:
    """A type without its annotations."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def split(word: str) -> tuple[str, str | None]:
    """`--a_b=c` -> ("--a-b", "c")."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-"), value if equals else None


def given(known: dict[str, Any], words: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The flags among `words` with their values: one, or for a tuple as many as follow."""
    found: list[tuple[str, list[str]]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            continue
        name, value = split(word)
        hint = known.get(name)
        values = [] if value is None else [value]
        while rest and hint is not None and (not values or several(hint)) and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        found.append((name, values))
    return found


def several(hint: Any) -> bool:
    """Whether a flag takes one value or more."""
    return typing.get_origin(plain(hint)) is tuple


def check(known: dict[str, Any], words: Sequence[str], prog: str) -> list[str]:
    """The words that belong to no flag. Raises CounterpointError for an unknown flag or one without its value."""
    loose, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or number(word):
            loose.append(word)
            continue
        name, value = split(word)
        if name not in known:
            close = nearest(name, known)
            hint = close if close.startswith("; did") else f"; see {prog} --help"
            raise CounterpointError(f"{prog} takes no {name}{hint}")
        if known[name] is None and value is not None:
            raise CounterpointError(f"{name} takes no value; leave out ={value}")
        if known[name] is not None and value is None:
            if not rest or (rest[0].startswith("--") and split(rest[0])[0] in known):
                raise CounterpointError(f"{name} has no value, expected {describe(known[name])}")
            rest.pop(0)
        while several(known[name]) and rest and number(rest[0]):
            rest.pop(0)
    return loose


def number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def options(hint: Any) -> tuple:
    """The members of a union, or the type alone; for a tuple, those of what it holds."""
    hint = plain(hint)
    hint = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
    return typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)


def expected(hint: Any, value: str) -> str | None:
    """None where `value` can be read as the type, else what could be, in words."""
    return None if any(fits(option, value) for option in options(hint)) else describe(hint)


def fits(option: Any, value: str) -> bool:
    """Whether `value` can be read as a type; True for one that only tyro knows."""
    if option is type(None):
        return value == "None"
    if typing.get_origin(option) is typing.Literal:
        return value in map(str, typing.get_args(option))
    if option not in (int, float):
        return True
    try:
        option(value)
    except ValueError:
        return False
    return True


def describe(hint: Any) -> str:
    """A type in words."""
    words = {int: "a whole number", float: "a number", str: "a word", Path: "a path", type(None): "None"}
    found = []
    for option in options(hint):
        if option is type(None) and str in options(hint):  # a word would be None itself
            continue
        if typing.get_origin(option) is typing.Literal:
            found.append(" or ".join(repr(value) for value in typing.get_args(option)))
        else:
            found.append(words.get(option) or str(option))
    return " or ".join(found)
