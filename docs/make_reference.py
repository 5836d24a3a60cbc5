"""Writes docs/modelling/reference.md from the docstrings and signatures of planning.lx: `make docs`."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "modelling" / "reference.md"

GROUPS = {
    "Writing a model": [
        "LXModel", "LXVariable", "LXIndexDimension", "LXLinearExpression", "LXConstraint",
    ],
    "Solving": [
        "LXOptimizer", "SolverOptions", "LXSolution", "LXValues",
        "OPTIMAL", "INFEASIBLE", "UNBOUNDED", "TIME_LIMIT", "INTERRUPTED", "ERROR",
        "Progress", "ProgressCallback", "StopCallback", "LogCallback", "make_solver", "WarmHighs",
    ],
    "Goals": ["LEXICOGRAPHIC", "WEIGHTED", "Level", "with_levels_held", "with_levels_loosened", "solve_by_priority"],
    "What-ifs and scenarios": [
        "LXWhatIfAnalyzer", "LXWhatIfResult", "LXChange", "LXBottleneck", "LXPoint",
        "LXScenario", "LXScenarioAnalyzer", "LXScenarioRow",
    ],
    "Sensitivity and prices": [
        "LXSensitivityAnalyzer", "LXConstraintSensitivity", "LXVariableSensitivity", "LimitPrices",
        "price_limits", "LimitSides", "price_sides", "limits_beyond", "least_of_the_best", "solve_linear",
    ],
    "Why there is no solution": [
        "find_conflict", "LXConflict", "Limits", "least_change", "least_changes", "LXLeastChanges", "endless_direction",
    ],
    "Detached rows": [
        "detach_orm_object", "materialize_and_detach_list", "copy_function_detaching_closure",
        "LXTable", "LXRows", "LXRecord", "LXColumn", "LXLink", "LXManyLink", "MISSING",
        "apply_to_fresh", "FreshRows", "Difference",
    ],
    "Copies": ["dump_model", "load_model", "FORMAT_VERSION"],
    "The compiled model": ["CompiledModel", "compile_model", "with_whole_decisions_held", "write_lp", "write_mps"],
    "Errors": [
        "LXError", "LXModelError", "LXNotLoadedError", "LXDetachError", "LXCopyError", "LXSolverError",
        "LXUnsupportedError", "LXNotNowError",
    ],
}  # fmt: skip

INTRODUCTION = """\
# Reference

Every public name of `planning.lx`. This page is made from the docstrings by `make docs`; to change it, change them.
`Row` is a detached record or an object of your own, `RowFunction` a function of it (of a row of each dimension in a
family over several). `Floats`, `Booleans` and `Positions` are numpy arrays of `float64`, `bool` and `int64`, with one
dimension. Times are in seconds; everything else has the units of your data.
"""


def reference() -> str:
    """Return the page."""
    from planning import lx

    grouped = [name for names in GROUPS.values() for name in names]
    missing, unknown = sorted(set(lx.__all__) - set(grouped)), sorted(set(grouped) - set(lx.__all__))
    parts = [INTRODUCTION]
    groups = GROUPS | ({"More": missing} if missing else {})
    for title, names in groups.items():
        known = [name for name in names if name not in unknown]
        parts.append(f"- [{title}](#{title.lower().replace(' ', '-')}): " + ", ".join(f"`{name}`" for name in known))
    parts.append("")
    for title, names in groups.items():
        parts.append(f"## {title}\n")
        parts += [_entry(name, getattr(lx, name)) for name in names if name not in unknown]
    return "\n".join(parts).rstrip() + "\n"


def _entry(name: str, value: Any) -> str:
    """Return the section of one public name."""
    if inspect.isclass(value):
        return "\n".join(_class(name, value))
    if inspect.isfunction(value):
        return f"### {name}\n\n{_source(value)}\n\n```\n{name}{_signature(value)}\n```\n\n{_doc(value)}\n"
    return f"### {name}\n\n`{name} = {_shown(value)}`\n"


def _class(name: str, value: type) -> Iterator[str]:
    yield f"### {name}\n\n{_source(value)}\n"
    bases = [base.__name__ for base in value.__bases__ if base.__name__.startswith("LX")]
    if issubclass(value, Exception):
        yield f"{_doc(value)}{f' A kind of `{bases[0]}`.' if bases else ''}\n"
        return
    yield f"```\n{name}{_signature(value)}\n```\n\n{_doc(value)}\n"
    if dataclasses.is_dataclass(value):
        yield from _comments(value)
    members = list(_members(value))
    for member, kind, found in members:
        shown = f"{member}{_signature(found, skip_self=True)}" if kind == "method" else member
        yield f"- **`{shown}`**\n\n{textwrap.indent(_doc(found), '  ')}\n"


def _members(value: type) -> Iterator[tuple[str, str, Any]]:
    """Yield the public methods and properties of a class with a docstring, in the order of its source."""
    for member, found in vars(value).items():
        if member.startswith("_"):
            continue
        inner = found.__func__ if isinstance(found, (classmethod, staticmethod)) else found
        if isinstance(inner, property) and inner.__doc__:
            yield member, "property", inner
        elif inspect.isfunction(inner) and inner.__doc__:
            yield member, "method", inner


def _comments(value: type) -> Iterator[str]:
    """Yield the fields of a dataclass that have a comment in its source."""
    fields = {field.name for field in dataclasses.fields(value)}
    written = False
    for line in inspect.getsource(value).splitlines():
        name = line.strip().partition(":")[0]
        _, marked, comment = line.partition("  # ")
        if name in fields and marked and "type: ignore" not in comment:
            written = True
            yield f"- **`{name}`**: {comment}"
    if written:
        yield ""


def _signature(value: Any, *, skip_self: bool = False) -> str:
    try:
        found = inspect.signature(value)
    except ValueError:
        return ""
    parameters = list(found.parameters.values())
    if skip_self and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    plain = [p.replace(default=_Shown(p.default)) if p.default is not p.empty else p for p in parameters]
    return str(found.replace(parameters=plain)).replace("'", "").removesuffix(" -> None")


class _Shown:
    """A default value as it reads on the page: the same in every process."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return _shown(self.value)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float, str, tuple)):
        return repr(value).replace("'", '"')
    if typing.get_args(value):  # a type such as Callable[[Progress], None]
        return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", repr(value)).replace("NoneType", "None")
    return "…"


def _doc(value: Any) -> str:
    """Return a docstring as Markdown; indented code in it is a code block there too."""
    return inspect.getdoc(value) or ""


def _source(value: Any) -> str:
    path = Path(inspect.getsourcefile(inspect.unwrap(value)) or "").resolve().relative_to(ROOT)
    return f"[{path}](../../{path})"


def main() -> None:
    """Write the page."""
    REFERENCE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
