"""What is offered at the top: every part, and nothing that is not there."""

import importlib

import pytest

import counterpoint as cp


@pytest.mark.parametrize("package", ["bounds", "distributions", "estimators", "inference", "models"])
def test_every_class_of_a_package_of_parts_is_offered_at_the_top(package):
    module = importlib.import_module(f"counterpoint.{package}")
    classes = [name for name in module.__all__ if isinstance(getattr(module, name), type)]
    assert classes
    assert [name for name in classes if getattr(cp, name, None) is not getattr(module, name)] == []


def test_all_that_is_promised_is_there():
    assert [name for name in cp.__all__ if not hasattr(cp, name)] == []
