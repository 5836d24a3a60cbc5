"""Models as LP and MPS files, for eyes and for other solvers.

Every number is written with all its digits, every variable and row in the order of the matrix, and
under a readable name: `make[Chair,Week 1]` is `make[Chair,Week_1]` in an MPS file, and
`make(Chair,Week_1)` in an LP file, where readers know no brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from .columns import Floats
from .compile import CompiledModel
from .errors import LXModelError
from .index import named
from .model import MAXIMIZE

OBJECTIVE = "objective"
LONGEST_LP_NAME, LONGEST_MPS_NAME = 100, 159  # CBC's readers take no longer ones; others go to 255
_LINE = 400  # characters of terms on a line; LP readers stop at 510


@dataclass(frozen=True)
class ExportNames:
    """The name of each variable and row in a file, in the order of the matrix: each is there once."""

    columns: list[str]
    rows: list[str]


def write_model(compiled: CompiledModel, path: str | Path) -> None:
    """Write the model to a file; its name ends in .lp or .mps."""
    writers = {".lp": write_lp, ".mps": write_mps}
    writer = writers.get(Path(path).suffix.lower())
    if writer is None:
        raise LXModelError(f"{path} has no known format. Give a name that ends in .lp or .mps.")
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        writer(compiled, stream)


# --- names ----------------------------------------------------------------------------------

_LP_STANDS_FOR = str.maketrans({"[": "(", "]": ")", " ": "_", "-": "~"})
_LP_ILLEGAL = re.compile(r"[\x00-\x20%*+/:;<=>\\^|\x7f]")  # after those above; `%` begins the code of another one
_LP_KEYWORD = re.compile(
    r"(bin|binar(y|ies)|bounds?|end|free|gen|generals?|int|integers?|(max|min)(imi[sz]e|imum)?|"
    r"semis?|sin|sos[12]?|s\.t\.|st\.?|subject|such)\Z",
    re.IGNORECASE,
)
_LP_MISREAD = re.compile(r"[\d.]|e\d|inf|nan|$", re.IGNORECASE)  # begins like a number, or is nothing
# a comment, the word 'MARKER', or a line without the name of its section's set
_MPS_MISREAD = re.compile(r"[*$'\"]|(bnd|bounds?|ranges|rhs|rng)?$", re.IGNORECASE)


def lp_names(compiled: CompiledModel) -> ExportNames:
    """Return the names in an LP file: brackets are round, a blank is `_`, a dash `~`, other signs `%` and their code.

    Letters of any script stay.
    """
    return _names(compiled, _lp_name, LONGEST_LP_NAME)


def mps_names(compiled: CompiledModel) -> ExportNames:
    """Return the names in an MPS file: a blank is `_`, the rest stays."""
    return _names(compiled, _mps_name, LONGEST_MPS_NAME)


def _lp_name(name: str) -> str:
    name = _printable(_LP_ILLEGAL.sub(_coded, name.translate(_LP_STANDS_FOR)))
    return f"_{name}" if _LP_MISREAD.match(name) or _LP_KEYWORD.match(name) else name


def _mps_name(name: str) -> str:
    name = _printable(name.replace(" ", "_"))
    return f"_{name}" if _MPS_MISREAD.match(name) else name


def _printable(name: str) -> str:
    return name if name.isprintable() else "".join([c if c.isprintable() else _coded(c) for c in name])


def _coded(found: str | re.Match[str]) -> str:
    character = found if isinstance(found, str) else found[0]
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _names(compiled: CompiledModel, legal: Callable[[str], str], longest: int) -> ExportNames:
    columns, rows = (
        _distinct([legal(named(name, key)) for name, block in blocks.items() for key in block.family.keys], longest)
        for blocks in (compiled.variables, compiled.constraints)
    )
    return ExportNames(columns, rows)


def _distinct(names: list[str], longest: int, others: Iterable[str] = (OBJECTIVE,)) -> list[str]:
    """Return the names with `~2`, `~3`, ... after those that are there already or too long."""
    found, taken, numbers = [], set(others), dict[str, int]()
    for name in names:
        if name in taken or _cut(name, longest) != name:
            stem = _cut(name, longest - 8)
            number = numbers.get(stem, 1) + 1
            while f"{stem}~{number}" in taken:
                number += 1
            numbers[stem] = number
            name = f"{stem}~{number}"  # noqa: PLW2901
        taken.add(name)
        found.append(name)
    return found


def _cut(name: str, longest: int) -> str:
    """Return as much of the name as has so many bytes."""
    return name if len(name) * 4 <= longest else name.encode()[:longest].decode("utf-8", "ignore")


# --- numbers --------------------------------------------------------------------------------


def _digits(values: Floats) -> list[str]:
    """Return each number with all its digits; whole ones without a point."""
    return [text[:-2] if text.endswith(".0") else text for text in map(repr, values.tolist())]


def _refuse_rows_without_limits(compiled: CompiledModel) -> None:
    endless = np.flatnonzero(np.isinf(compiled.row_lower) & np.isinf(compiled.row_upper))
    if len(endless):
        raise LXModelError(f"{compiled.row_name(int(endless[0]))} has no limit on either side. Take the row away.")


# --- LP -------------------------------------------------------------------------------------


def write_lp(compiled: CompiledModel, stream: TextIO, names: ExportNames | None = None) -> None:
    """Write the model in LP format.

    A row with two different limits becomes two rows, the second one with `~upper` after its name:
    readers disagree about `2 <= x <= 5`. CBC 2.10 leaves the constant of a minimum out.
    """
    _refuse_rows_without_limits(compiled)
    names = names or lp_names(compiled)
    sense = "Maximize" if compiled.sense == MAXIMIZE else "Minimize"
    stream.write(f"\\ {_lp_name(compiled.model.name)}\n{sense}\n")
    width = max(1, _LINE // (max(map(len, names.columns), default=1) + 28))  # terms on a line
    # every variable stands in the objective, so that each reader takes them in this order
    objective = _terms(_digits(compiled.cost), names.columns)
    if compiled.offset:
        objective.append(_signed(_digits(np.array([compiled.offset]))[0]))
    stream.write(f" {OBJECTIVE}: {_wrapped(objective, width)}\nSubject To\n")
    stream.writelines(_lp_rows(compiled, names, width))
    stream.write("Bounds\n")
    stream.writelines(_lp_bounds(compiled, names))
    binary = compiled.integer & (compiled.lower == 0.0) & (compiled.upper == 1.0)
    for title, members in (("Generals", compiled.integer & ~binary), ("Binaries", binary)):
        if members.any():
            stream.write(f"{title}\n")
            stream.writelines(f" {names.columns[i]}\n" for i in np.flatnonzero(members).tolist())
    stream.write("End\n")


def _signed(number: str) -> str:
    return f"- {number[1:]}" if number[0] == "-" else f"+ {number}"


def _terms(numbers: list[str], columns: Iterable[str]) -> list[str]:
    return [
        f"+ {x}" if number == "1" else f"- {x}" if number == "-1" else f"{_signed(number)} {x}"
        for number, x in zip(numbers, columns, strict=True)
    ]


def _wrapped(terms: list[str], width: int) -> str:
    """Return the sum of the terms, so many of them on a line."""
    if len(terms) > width:
        lines = [" ".join(terms[at : at + width]) for at in range(0, len(terms), width)]
        return "\n  ".join(lines).removeprefix("+ ")
    return " ".join(terms).removeprefix("+ ")


def _lp_rows(compiled: CompiledModel, names: ExportNames, width: int) -> Iterator[str]:
    x = names.columns
    terms = _terms(_digits(compiled.values), [x[column] for column in compiled.columns.tolist()])
    starts, nothing = compiled.starts.tolist(), f"0 {x[0]}" if x else ""
    lowers, uppers = _digits(compiled.row_lower), _digits(compiled.row_upper)
    double = (
        np.isfinite(compiled.row_lower) & np.isfinite(compiled.row_upper) & (compiled.row_lower != compiled.row_upper)
    )
    seconds = [f"{names.rows[row]}~upper" for row in np.flatnonzero(double).tolist()]
    second_names = iter(_distinct(seconds, LONGEST_LP_NAME, [*names.rows, OBJECTIVE]))
    for row, (name, lower, upper) in enumerate(zip(names.rows, lowers, uppers, strict=True)):
        left = _wrapped(terms[starts[row] : starts[row + 1]], width) or nothing
        if lower == upper:
            yield f" {name}: {left} = {upper}\n"
            continue
        if lower != "-inf":
            yield f" {name}: {left} >= {lower}\n"
        if upper != "inf":
            yield f" {name if lower == '-inf' else next(second_names)}: {left} <= {upper}\n"


def _lp_bounds(compiled: CompiledModel, names: ExportNames) -> Iterator[str]:
    """Yield the bounds that are not the usual ones, 0 and infinite; a binary variable has none of its own."""
    lower, upper = compiled.lower, compiled.upper
    usual = (lower == 0.0) & ((upper == np.inf) | (compiled.integer & (upper == 1.0)))
    places = np.flatnonzero(~usual)
    for i, low, high in zip(places.tolist(), _digits(lower[places]), _digits(upper[places]), strict=True):
        x = names.columns[i]
        if low == high:
            yield f" {x} = {low}\n"
        elif high == "inf":
            yield f" {x} free\n" if low == "-inf" else f" {x} >= {low}\n"
        elif low == "0":
            yield f" {x} <= {high}\n"
        else:
            yield f" {low} <= {x} <= {high}\n"


# --- MPS ------------------------------------------------------------------------------------


def write_mps(compiled: CompiledModel, stream: TextIO, names: ExportNames | None = None) -> None:
    """Write the model in free MPS format, its sense in a section OBJSENSE.

    CBC 2.10 reads that section and does not act on it: give it `-max`. Of a row with two different limits
    the lower one may differ in its last digit.
    """
    _refuse_rows_without_limits(compiled)
    names = names or mps_names(compiled)
    if compiled.sense == MAXIMIZE:
        stream.write("* A maximum, as OBJSENSE says. CBC wants to be told: cbc FILE -max -solve\n")
    sense = "MAX" if compiled.sense == MAXIMIZE else "MIN"
    stream.write(f"NAME {_mps_name(compiled.model.name)} FREE\nOBJSENSE\n    {sense}\nROWS\n N {OBJECTIVE}\n")
    lower, upper = compiled.row_lower, compiled.row_upper
    kinds = np.where(lower == upper, "E", np.where(upper == np.inf, "G", "L")).tolist()
    stream.writelines(f" {kind} {name}\n" for kind, name in zip(kinds, names.rows, strict=True))
    stream.write("COLUMNS\n")
    stream.writelines(_mps_columns(compiled, names))
    stream.write("RHS\n")
    if compiled.offset:
        stream.write(f" RHS {OBJECTIVE} {-float(compiled.offset)!r}\n")
    right = np.where(upper == np.inf, lower, upper)
    filled = np.flatnonzero(right)
    stream.writelines(
        f" RHS {names.rows[i]} {value}\n" for i, value in zip(filled.tolist(), _digits(right[filled]), strict=True)
    )
    both = np.flatnonzero(np.isfinite(lower) & np.isfinite(upper) & (lower != upper))
    if len(both):
        stream.write("RANGES\n")
        widths = _digits(upper[both] - lower[both])
        stream.writelines(f" RNG {names.rows[i]} {value}\n" for i, value in zip(both.tolist(), widths, strict=True))
    stream.write("BOUNDS\n")
    stream.writelines(_mps_bounds(compiled, names))
    stream.write("ENDATA\n")


def _mps_columns(compiled: CompiledModel, names: ExportNames) -> Iterator[str]:
    """Yield one line an entry, column by column, the objective's first; whole variables stand between markers."""
    count = compiled.column_count
    entries = np.bincount(compiled.columns, minlength=count)
    priced = np.flatnonzero((compiled.cost != 0.0) | (entries == 0))  # a column without any entry is named there too
    columns = np.concatenate([priced, compiled.columns])
    row_of_entry = np.repeat(np.arange(compiled.row_count), np.diff(compiled.starts))
    rows = np.concatenate([np.full(len(priced), compiled.row_count), row_of_entry])
    order = np.argsort(columns, kind="stable")
    row_names, x = [*names.rows, OBJECTIVE], names.columns
    lines = [
        f" {x[column]} {row_names[row]} {number}\n"
        for column, row, number in zip(
            columns[order].tolist(),
            rows[order].tolist(),
            _digits(np.concatenate([compiled.cost[priced], compiled.values])[order]),
            strict=True,
        )
    ]
    if not count:
        return
    at, inside = 0, bool(compiled.integer[0])
    last_of_its_kind = [*np.flatnonzero(np.diff(compiled.integer)).tolist(), count - 1]
    for end in np.searchsorted(columns[order], last_of_its_kind, side="right").tolist():
        if inside:
            yield " MARKER 'MARKER' 'INTORG'\n"
        yield from lines[at:end]
        if inside:
            yield " MARKER 'MARKER' 'INTEND'\n"
        at, inside = end, not inside


def _mps_bounds(compiled: CompiledModel, names: ExportNames) -> Iterator[str]:
    """Yield the bounds that are not 0 and infinite, and those of every whole variable: readers differ about these."""
    lower, upper = compiled.lower, compiled.upper
    places = np.flatnonzero((lower != 0.0) | (upper != np.inf) | compiled.integer)
    for i, low, high in zip(places.tolist(), _digits(lower[places]), _digits(upper[places]), strict=True):
        x = names.columns[i]
        if low == high:
            yield f" FX BND {x} {low}\n"
        elif (low, high) == ("-inf", "inf"):
            yield f" FR BND {x}\n"
        else:
            if low != "0":
                yield f" MI BND {x}\n" if low == "-inf" else f" LO BND {x} {low}\n"
            yield f" PL BND {x}\n" if high == "inf" else f" UP BND {x} {high}\n"
