"""Parts by name: the package's own, and those that other packages offer as entry points.

A package adds a part with, for example,

    [project.entry-points."counterpoint.models"]
    mine = "my_package:MyConfig"

where MyConfig is a frozen dataclass with a `name` and a `build`; the groups are those of GROUPS.
"""

import dataclasses
import importlib
import re
import types
import typing
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from counterpoint.errors import CounterpointError, nearest

GROUPS = {"p": "models", "q": "inference", "bound": "bounds", "estimator": "estimators"}
NAME = re.compile(r'^    name: ClassVar\[str\] = "(\w+)"$', re.MULTILINE)


def parts(role: str) -> dict[str, type]:
    """The configurations of a role ("p", "q", "bound" or "estimator") by name."""
    group = GROUPS[role]
    module = importlib.import_module(f"counterpoint.{group}")
    found = {}
    for item in (getattr(module, name) for name in module.__all__):
        if dataclasses.is_dataclass(item) and hasattr(item, "build") and isinstance(getattr(item, "name", None), str):
            found[item.name] = item  # pyright: ignore[reportAttributeAccessIssue]
    for entry in entry_points(group=f"counterpoint.{group}"):
        try:
            config = entry.load()
        except Exception as error:
            raise CounterpointError(f"entry point {entry.name} = {entry.value} does not load: {error}") from None
        name = getattr(config, "name", None)
        if name != entry.name or name in found:
            raise CounterpointError(
                f"entry point {entry.name} = {entry.value}: its configuration is named {name!r}; give both one name,"
                " which no other part has"
            )
        found[entry.name] = config
    return found


def names(role: str) -> list[str]:
    """The names that `parts` has, read without importing what bears them: a help does not wait for JAX."""
    folder = Path(__file__).parent / GROUPS[role]
    own = {name for path in folder.glob("*.py") for name in NAME.findall(path.read_text("utf-8"))}
    return sorted(own | {entry.name for entry in entry_points(group=f"counterpoint.{GROUPS[role]}")})


def part(role: str, name: str) -> type:
    """The configuration of that name, or CounterpointError with the nearest one."""
    known = parts(role)
    if name not in known:
        raise CounterpointError(f"no {role} is called {name!r}{nearest(name, known)}")
    return known[name]


def to_json(config: Any) -> dict:
    """A configuration as plain JSON: its fields, and the name that tells its type."""
    out = {"name": config.name} if isinstance(getattr(type(config), "name", None), str) else {}
    for field in dataclasses.fields(config):
        if not field.init:
            continue
        value = getattr(config, field.name)
        out[field.name] = to_json(value) if dataclasses.is_dataclass(value) else value
    return out


def from_json(kind: type, values: dict, where: str) -> Any:
    """A configuration of `kind` from JSON. An unknown key is an error that names the nearest one."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    found = {}
    for key, value in values.items():
        if key == "name" and key not in fields:
            continue
        if key not in fields:
            raise CounterpointError(f"{where}: {key!r} is no setting of {kind.__name__}{nearest(key, fields)}")
        found[key] = _value(hints[key], value, f"{where}: {key}")
    return kind(**found)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return from_json(hint, value, where)  # pyright: ignore[reportArgumentType]
    options = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    for option in options:
        if typing.get_origin(option) is typing.Literal:
            if value in typing.get_args(option):
                return value
        elif option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        elif typing.get_origin(option) is tuple and isinstance(value, list):
            return tuple(value)
        elif isinstance(option, type) and isinstance(value, option) and (option is bool or not isinstance(value, bool)):
            return value
    wanted = " or ".join(getattr(o, "__name__", str(o)) for o in options)
    raise CounterpointError(f"{where} is {value!r}, expected {wanted}")
