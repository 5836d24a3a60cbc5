"""The table and the picture of the benchmark."""

from __future__ import annotations

import math
from typing import Any

Medians = dict[str, dict[str, float]]
HAND = "by hand: numpy + passModel"

_HEAD = """# Speed beside peers

Made by `python benchmarks/run.py`; the problem is in `benchmarks/problem.py`.

- **Same problem.** Make, sell and stock products over ten periods; each takes 3 machines and 5 materials. What every
  solver holds is brought to the same order of rows and variables and compared bit by bit; where it differs, nothing
  is printed. LumiX has one bound for a whole family: it gets the limits of `sell` and `stock` as rows.
- **Same conditions.** Each contestant has a process of its own; they take turns, A B C A B C, and the medians count.
  One thread. Python's garbage collector is on, and rubbish is collected before each turn. The data are in memory in
  the form that the contestant wants. Seconds are processor time; for the solver and the database, clock time.
- **By hand** takes any recipes in any order and checks nothing. *For this layout only* breaks as soon as a product has
  a fourth machine: it is the floor. `planning.lx` looks up keys, proves them distinct, and refuses numbers that
  solvers drop.

Measured on: {machine}.

## Without solver: build the problem and pass it

![Seconds to build and pass, by size](images/benchmarks.svg)

"""


_NOTES = {
    "100 scenarios, without solver": (
        "Each scenario multiplies all machine hours, sets the room for every stock and a product's demand in a week.\n"
        "A model of its own is written, changed, compiled and passed to HiGHS. `LXScenarioAnalyzer` looks the changes\n"
        "up, tells them to a solved HiGHS, reads what it says and takes them back; its `run` is left out. Both come\n"
        "to the same matrix, bit by bit.\n\n"
    ),
    "functions that choose": (
        "A coefficient is `hours * WORN if machine.is_worn else hours`. It is proven, and called on columns,\n"
        "once for the rows of each choice. The loop has the same line in its body.\n\n"
    ),
    "functions that must run row by row": (
        "A coefficient is `max(hours * WORN, LEAST) if machine.is_worn else hours`. What `max` does is not proven:\n"
        "the function is called for each row. The loop has the same line in its body.\n\n"
    ),
}


def page(
    builds: dict[int, Medians],
    kept: dict[int, Medians],
    others: dict[str, Medians],
    solved: tuple[dict[str, Medians], dict[str, Medians]],
    machine: str,
) -> str:
    """Return the page of the documentation."""
    parts = [_HEAD.format(machine=machine), _builds(builds), "\n", _kept(kept)]
    for title, medians in others.items():
        if not medians:
            parts.append(f"\n## {title[0].upper()}{title[1:]}\n\nLeft out: PostgreSQL is not installed here.\n")
            continue
        size = int(next(iter(medians.values()))["size"])
        unit = "rows" if "rows" in title else "variables"
        parts.append(f"\n## {title[0].upper()}{title[1:]}: {size:,} {unit}\n\n{_NOTES.get(title, '')}")
        parts.append(_copy(medians) if title == "model copy" else _others(medians, per_row=unit == "rows"))
        if "PostgreSQL" in title:
            parts.append("\nA server on the same machine, through a socket, that waits for no disk (`fsync=off`).\n")
    cold, what_ifs = solved
    return "".join([*parts, _cold(cold), _what_ifs(what_ifs)])


def _builds(builds: dict[int, Medians]) -> str:
    lines = [
        "| variables | contestant | seconds | of by hand | peak memory, MB | of by hand |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for size, medians in builds.items():
        base = medians[HAND]
        for title, found in medians.items():
            lines.append(
                f"| {size:,} | {title} | {_seconds(found['cpu'])} | {_ratio(found['cpu'], base['cpu'])} "
                f"| {found['peak']:.1f} | {_ratio(found['peak'], base['peak']) if size >= 100_000 else '–'} |"
            )
    return "\n".join(lines) + "\n\nPeak memory is what the first build adds to the process with the data in it.\n"


def _kept(kept: dict[int, Medians]) -> str:
    lines = [
        "## Without solver, in a process that keeps its memory\n",
        "A part of the seconds above is the system's, which hands out fresh pages on each turn. With the C library",
        "told to give nothing back, the work alone counts.\n",
        "| variables | contestant | seconds | of by hand |",
        "|---:|---|---:|---:|",
    ]
    for size, medians in kept.items():
        for title, found in medians.items():
            ratio = _ratio(found["cpu"], medians[HAND]["cpu"])
            lines.append(f"| {size:,} | {title} | {_seconds(found['cpu'])} | {ratio} |")
    return "\n".join(lines) + "\n"


def _others(medians: Medians, *, per_row: bool) -> str:
    clock = "wall" if per_row else "cpu"
    base = next(iter(medians.values()))[clock]
    lines = [
        "| | seconds |" + (" µs a row |" if per_row else "") + " of the first |",
        "|---|---:|---:|" + "---:|" * per_row,
    ]
    for title, found in medians.items():
        row = f" {found[clock] / found['size'] * 1e6:.2f} |" if per_row else ""
        lines.append(f"| {title} | {_seconds(found[clock])} |{row} {_ratio(found[clock], base)} |")
    return "\n".join(lines) + "\n"


def _cold(cold: dict[str, Medians]) -> str:
    lines = [
        "\n## With solver: a plan from nothing, 10,000 variables\n",
        "From the data to the values; processor time of one thread, CBC's process included. *Half a year* has 26",
        "weeks, 20 machines and 40 materials instead of ten periods, 11 machines and 22 materials. `planning.lx`",
        "takes the interior point method with crossover from 2,000 variables on, unless there are so few entries that",
        "the simplex method stays ahead (`python benchmarks/simplex_or_ipx.py` measures that).\n",
        "| plant | contestant | seconds | of planning.lx |",
        "|---|---|---:|---:|",
    ]
    for plant, medians in cold.items():
        base = next(iter(medians.values()))["cpu"]
        for title, found in medians.items():
            lines.append(f"| {plant} | {title} | {_seconds(found['cpu'])} | {_ratio(found['cpu'], base)} |")
    return "\n".join(lines) + "\n"


def _what_ifs(kinds: dict[str, Medians]) -> str:
    lines = [
        "\n## With solver, and without: 200 what-ifs, 10,000 variables\n",
        "Half a year's plan, solved once. Each what-if changes one machine's hours in a week (right side), one",
        "product's demand in a week (bound) or its price (cost) by a tenth, up or down in turns, asks for the best",
        "objective and takes the change back. All find the same. Processor time, CBC's included; PuLP does one",
        "what-if, and 200 are that times 200. *Without solver* is the same work with HiGHS' `run` left out.\n",
        "| change | contestant | ms each | 200 of them, s | of by hand | planning.lx is faster |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for kind, medians in kinds.items():
        each = {title: found["cpu"] / found["what_ifs"] for title, found in medians.items()}
        for title, seconds in each.items():
            alone = title.endswith("without solver")
            hand = each["by hand, without solver" if alone else "by hand: warm HiGHS"]
            faster = _ratio(seconds, each["planning.lx"]) if title.startswith("PuLP") else ""
            lines.append(
                f"| {kind.replace('_', ' ')} | {title} | {_milliseconds(seconds)} | {_seconds(seconds * 200)} "
                f"| {_ratio(seconds, hand)} | {faster} |"
            )
    return "\n".join(lines) + "\n"


def _copy(medians: Medians) -> str:
    lines = ["| | seconds | MB |", "|---|---:|---:|"]
    for title, found in medians.items():
        size = found["packed" if "compressed" in title else "bytes"] / 2**20
        lines.append(f"| {title} | {_seconds(found['cpu'])} | {size:.1f} |")
    return "\n".join(lines) + "\n\nCompressed with zlib at level 1, as runs keep their copies.\n"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.0f}" if seconds >= 1 else f"{seconds * 1e3:.3g}"


def _seconds(value: float) -> str:
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def _ratio(value: float, base: float) -> str:
    if not base or math.isnan(value) or math.isnan(base):
        return "–"
    ratio = value / base
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"


_COLOURS = {
    HAND: "#555555",
    "by hand, for this layout only": "#bbbbbb",
    "planning.lx": "#0b6e4f",
    "pyoptinterface": "#8e5ea2",
    "linopy": "#2f6db5",
    "PuLP": "#d9822b",
    "LumiX": "#c23b3b",
}


def picture(builds: dict[int, Medians]) -> str:
    """Return a line for every contestant, seconds by number of variables, both logarithmic, as SVG."""
    width, height, left, right, top, bottom = 760, 420, 70, 210, 24, 48
    sizes = list(builds)
    values = [found["cpu"] for medians in builds.values() for found in medians.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(size: float) -> float:
        span = math.log10(sizes[-1]) - math.log10(sizes[0])
        return left + (width - left - right) * (math.log10(size) - math.log10(sizes[0])) / span

    def y(seconds: float) -> float:
        return top + (height - top - bottom) * (high - math.log10(seconds)) / (high - low)

    parts: list[str] = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{height - bottom + 20}" text-anchor="middle">{size:,}</text>')
    middle = (left + width - right) / 2
    parts.append(
        f'<text x="{middle}" y="{height - 8}" text-anchor="middle">variables; build and pass, no solver</text>'
    )
    labels: list[tuple[float, str, float]] = []
    for title, colour in _COLOURS.items():
        points = [(x(size), y(medians[title]["cpu"])) for size, medians in builds.items() if title in medians]
        if not points:
            continue
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        thick = 3 if title == "planning.lx" else 1.5
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{thick}"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        labels.append((points[-1][1], title, points[-1][0]))
    parts += _labels(labels, width - right + 16)
    return "\n".join([*parts, "</svg>\n"])


def _labels(labels: list[tuple[float, str, float]], left: float) -> list[str]:
    """Return the contestants' names beside the ends of their lines, none over another."""
    parts: list[Any] = []
    at = 0.0
    for height, title, end in sorted(labels):
        at = max(height + 4, at + 17)
        colour = _COLOURS[title]
        parts.append(
            f'<line x1="{end:.1f}" x2="{left - 4}" y1="{height:.1f}" y2="{at - 4:.1f}"'
            f' stroke="{colour}" stroke-dasharray="2 3"/>'
        )
        parts.append(f'<text x="{left}" y="{at:.1f}" fill="{colour}">{title}</text>')
    return parts
