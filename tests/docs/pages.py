"""Pages of documentation as programs: their Python blocks in order, and the output that each must give."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Block:
    """A block of Python, and what the page says that it prints."""

    line: int
    code: str
    shown: str = ""


def python_blocks(page: Path) -> list[Block]:
    """Return the Python blocks of a page; a ```text block right after one is what it prints."""
    text = page.read_text(encoding="utf-8")
    blocks: list[Block] = []
    end_of_code = -1
    for fence in _FENCE.finditer(text):
        language, content = fence.groups()
        line = text.count("\n", 0, fence.start()) + 2
        if language == "python":
            blocks.append(Block(line, content))
            end_of_code = fence.end()
        elif language == "text":
            assert text[end_of_code : fence.start()].strip() == "", f"{page.name}:{line}: output without its code"
            blocks[-1].shown = content
    return blocks


def printed(block: Block, page: Path, names: dict[str, Any]) -> str:
    """Run a block and return what it prints; where the page shows an error, its last line is the error that came."""
    output = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.code, str(page), "exec", dont_inherit=True)
    with contextlib.redirect_stdout(output):
        try:
            exec(code, names)  # noqa: S102 - our own words
        except Exception as error:
            wanted = f"{type(error).__name__}: "
            if wanted not in block.shown:
                raise
            return output.getvalue() + wanted + str(error)
    return output.getvalue()


def same(printed: str, shown: str) -> bool:
    """Whether a page shows what is printed; a long message may be broken into lines."""
    if re.search(r"^\w+(Error|Refused): ", shown, re.MULTILINE):
        return printed.split() == shown.split()
    return printed.rstrip() == shown.rstrip()
