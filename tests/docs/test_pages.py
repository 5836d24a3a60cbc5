"""Every example of the documentation runs, in order, and prints what the page shows."""

from __future__ import annotations

import code
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from planning.exchange import import_plan
from planning.exchange.sample import SAMPLE
from tests.docs.pages import DOCS, printed, python_blocks, same

PAGES = sorted(page for page in DOCS.rglob("*.md") if "```python" in page.read_text(encoding="utf-8"))
LINKED = sorted(DOCS.rglob("*.md"))


def run(page: Path) -> None:
    """Run a page's blocks in one namespace, on the sample plant."""
    import_plan(SAMPLE)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in python_blocks(page):
        found = printed(block, page, names)
        assert same(found, block.shown), f"{page.name}:{block.line} prints\n{found}\nand shows\n{block.shown}"


@pytest.mark.django_db
@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "timetable"], ids=lambda page: page.stem)
def test_the_examples_run_and_print_what_is_shown(page: Path) -> None:
    run(page)


@pytest.mark.django_db(transaction=True)
def test_the_timetable_runs_on_tables_of_its_own() -> None:
    before = connection.introspection.table_names()
    run(DOCS / "modelling" / "timetable.md")
    assert connection.introspection.table_names() == before
    del apps.all_models["timetable"]
    apps.clear_cache()


class Console(code.InteractiveConsole):
    """Python's own shell, which takes a block line by line and notes what it can't read."""

    def runcode(self, code: Any) -> None:
        """Run nothing."""

    def showsyntaxerror(self, filename: str | None = None, **options: Any) -> None:
        raise AssertionError("A shell can't read this block line by line: is there a blank line in an indented block?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_can_be_pasted_into_a_shell(page: Path) -> None:
    for block in python_blocks(page):
        console = Console()
        for line in [*block.code.splitlines(), ""]:
            waits = console.push(line)
        assert not waits, f"{page.name}:{block.line} is not complete"


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(DOCS)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    words = re.sub(
        r"```.*?```|`[^`]*`|^    [^\n]*$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for path in re.findall(r"\]\((?!http|#)([^)#\s]+)", words):
        assert (page.parent / path).exists(), path


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        if page.parent.name != "decisions" and page != DOCS / "README.md":
            assert str(page.relative_to(DOCS)) in index, page
