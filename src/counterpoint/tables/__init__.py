"""Published tables by name: which recipe fills which cell, and what was published there."""

import importlib
import pkgutil

from counterpoint.errors import CounterpointError, nearest
from counterpoint.tables.table import Column, Row, Table

__all__ = ["Column", "Row", "Table", "table", "tables"]


def tables() -> dict[str, Table]:
    """All tables by name: every TABLE of a module in this package."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found = [module.TABLE for module in modules if hasattr(module, "TABLE")]
    return {item.name: item for item in found}


def table(name: str) -> Table:
    """The table of that name, or CounterpointError with the nearest one."""
    known = tables()
    if name not in known:
        raise CounterpointError(f"no table is called {name!r}{nearest(name, known)}")
    return known[name]
