"""The reference is what the docstrings say, and every public name has one."""

from __future__ import annotations

import inspect
import runpy
from typing import Any

import pytest

from planning import lx
from tests.docs.pages import DOCS

MADE = runpy.run_path(str(DOCS / "make_reference.py"))


def test_the_committed_page_is_current() -> None:
    committed = MADE["REFERENCE"].read_text(encoding="utf-8")
    assert committed == MADE["reference"](), "The reference is not what the docstrings say. Run: make docs"


@pytest.mark.parametrize("name", lx.__all__)
def test_every_public_name_is_on_it_once(name: str) -> None:
    assert MADE["reference"]().count(f"\n### {name}\n") == 1


@pytest.mark.parametrize(
    "name", [name for name in lx.__all__ if inspect.isroutine(getattr(lx, name)) or inspect.isclass(getattr(lx, name))]
)
def test_every_public_name_has_a_docstring_and_so_have_its_methods(name: str) -> None:
    value: Any = getattr(lx, name)
    assert value.__doc__
    assert not value.__doc__.startswith(f"{name}("), "the docstring that a dataclass makes up"
    for member, found in vars(value).items() if inspect.isclass(value) else ():
        if not member.startswith("_") and (inspect.isfunction(found) or isinstance(found, property)):
            assert found.__doc__, f"{name}.{member}"
