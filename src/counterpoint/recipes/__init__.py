"""Recipes: published experiments by name, each with its parts and settings."""

import importlib
import pkgutil
from importlib.metadata import entry_points

from counterpoint.errors import CounterpointError, nearest
from counterpoint.recipes.recipe import Recipe, from_dict

__all__ = ["Recipe", "from_dict", "recipe", "recipes"]


def recipes() -> dict[str, Recipe]:
    """All recipes by name: every list RECIPES in this package, and entry points of the group "counterpoint.recipes"."""
    found = []
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        found += getattr(importlib.import_module(module.name), "RECIPES", [])
    found += [entry.load() for entry in entry_points(group="counterpoint.recipes")]
    return {item.name: item for item in found}


def recipe(name: str) -> Recipe:
    """The recipe of that name, or CounterpointError with the nearest one."""
    known = recipes()
    if name not in known:
        raise CounterpointError(f"no recipe is called {name!r}{nearest(name, known)} (all: counterpoint recipes)")
    return known[name]
