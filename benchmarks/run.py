"""Speed beside peers: one command makes the table and the picture in docs/.

    python benchmarks/run.py            # about ten minutes
    python benchmarks/run.py --quick    # smaller sizes, fewer rounds, nothing written

The first time it makes a virtual environment from benchmarks/requirements.txt in benchmarks/.venv.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
NEEDED = ("django", "highspy", "linopy", "lumix", "ortools", "pulp", "pyoptinterface", "scipy")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
HAND = "by hand: numpy + passModel"


class Contestant:
    """A worker process: prepared once, measured when asked."""

    def __init__(self, title: str, leg: str, size: int, settings: dict[str, str]) -> None:
        self.title, self.leg, self.size = title, leg, size
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.peak = float("nan")
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), leg, str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | ONE_THREAD | {"PYTHONHASHSEED": "0"} | settings,
        )
        self.facts = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(
                f"{self.leg} at {self.size} died. Run `python benchmarks/worker.py {self.leg} {self.size}`."
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def measure(self, *, warm_up: bool = False) -> None:
        """Do the leg once. The first time, which pays for imports, only tells the memory."""
        answer = self._ask("once")
        if warm_up:
            self.peak = answer["peak"]
        else:
            self.cpu.append(answer["cpu"])
            self.wall.append(answer["wall"])

    def digest(self) -> str | None:
        """Return what tells the problem that the solver holds."""
        found: str | None = self._ask("digest")["digest"]
        return found

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def side_by_side(
    contestants: list[tuple[str, str]], size: int, rounds: int, settings: dict[str, str] | None = None
) -> dict[str, dict[str, float]]:
    """Measure A B C A B C ... and return the medians; who builds must build the same problem, or nothing counts."""
    running = [Contestant(title, leg, size, settings or {}) for title, leg in contestants]
    try:
        for contestant in running:
            contestant.measure(warm_up=True)
        for _ in range(rounds):
            for contestant in running:
                contestant.measure()
        digests = {contestant.title: contestant.digest() for contestant in running}
        if len({digest for digest in digests.values() if digest}) > 1:
            raise SystemExit(f"The problems differ at {size}: {digests}")
        return {
            c.title: {"cpu": median(c.cpu), "wall": median(c.wall), "peak": c.peak, "size": size}
            | {name: float(value) for name, value in c.facts.items()}
            for c in running
        }
    finally:
        for contestant in running:
            contestant.close()


def on_postgresql(contestants: list[tuple[str, str]], size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Measure on a private PostgreSQL server; nothing where PostgreSQL is not installed."""
    from tests.private_postgresql import private_postgresql, programs

    if programs() is None:
        return {}
    with private_postgresql() as server:
        return side_by_side(contestants, size, rounds, {"BENCHMARK_SERVER": server.folder})


WRITERS = [("the writer of plans", "database.written"), ("bulk_create", "database.bulk_create")]
LIMIT = [
    (HAND, "by_hand.build"),
    ("by hand, for this layout only", "by_layout.build"),
    ("planning.lx", "by_lx.build"),
]
KEPT = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "8589934592"}  # glibc gives nothing back


def kept_legs(quick: bool) -> dict[int, dict[str, dict[str, float]]]:
    """Build and pass where the process keeps freed memory, so that no turn waits for fresh pages."""
    sizes = [10_000] if quick else [10_000, 100_000, 1_000_000]
    return {size: side_by_side(LIMIT, size, 3 if quick else 7, KEPT) for size in sizes}


def build_legs(quick: bool) -> dict[int, dict[str, dict[str, float]]]:
    """Build and pass, by size."""
    small = [
        ("pyoptinterface", "by_pyoptinterface.build"),
        ("linopy", "by_linopy.build"),
        ("PuLP", "by_pulp.build"),
        ("LumiX", "by_lumix.build"),
    ]
    peers = {1_000: small, 10_000: small, 100_000: small[:3], 1_000_000: []}
    sizes = [1_000, 10_000] if quick else list(peers)
    rounds = {1_000: 11, 10_000: 7, 100_000: 5, 1_000_000: 5}
    return {size: side_by_side(LIMIT + peers[size], size, 3 if quick else rounds[size]) for size in sizes}


def other_legs(quick: bool) -> dict[str, dict[str, dict[str, float]]]:
    """Every other comparison; the first of each is what the others are held against."""
    size, rows, rounds = (10_000, 10_000, 3) if quick else (100_000, 100_000, 5)
    return {
        "functions that choose": side_by_side(
            [("tuned loop over slots", "by_loop.build_and_choose"), ("planning.lx", "by_lx.build_and_choose")],
            size,
            rounds,
        ),
        "functions that must run row by row": side_by_side(
            [("tuned loop over slots", "by_loop.build_and_call"), ("planning.lx", "by_lx.build_and_call")], size, rounds
        ),
        "reading rows from SQLite": side_by_side(
            [
                ("values_list", "database.values_list"),
                ("planning.lx, detached", "database.detached"),
                ("model instances", "database.instances"),
            ],
            rows,
            rounds,
        ),
        "a copy of rows that were read": side_by_side(
            [
                ("deepcopy of instances", "database.deepcopied"),
                ("planning.lx, detached", "database.detached_instances"),
            ],
            rows,
            rounds,
        ),
        "writing result rows to SQLite": side_by_side(
            [("executemany", "database.executemany"), *WRITERS], rows, rounds
        ),
        "writing result rows to PostgreSQL": on_postgresql([("COPY", "database.copied"), *WRITERS], rows, rounds),
        "100 scenarios, without solver": side_by_side(
            [
                ("100 models, built and passed", "solver.builds_by_lx"),
                ("100 scenarios of one model", "solver.scenarios_by_lx"),
            ],
            10_000,
            rounds,
        ),
        "model copy": side_by_side(
            [
                ("dump", "copy.dump"),
                ("load, ready to solve", "copy.load"),
                ("dump, compressed", "copy.dump_packed"),
                ("load, ready to solve, compressed", "copy.load_packed"),
            ],
            size,
            rounds,
        ),
    }


SOLVED = [
    ("planning.lx", "solver.cold_by_lx"),
    ("by hand, with the same method", "solver.cold_by_hand"),
    ("by hand, with HiGHS' own choice", "solver.cold_by_highs_defaults"),
    ("PuLP with its defaults (CBC)", "solver.cold_by_pulp"),
]
PLANTS = ("ten periods", "half a year")


def cold_legs(quick: bool) -> dict[str, dict[str, dict[str, float]]]:
    """A plan from nothing, by plant."""
    rounds = 1 if quick else 3
    return {plant: side_by_side(SOLVED, 10_000, rounds, {"BENCHMARK_PLANT": plant}) for plant in PLANTS}


def what_if_legs(quick: bool) -> dict[str, dict[str, dict[str, float]]]:
    """What-ifs on the plant that is hard to solve, by kind of change; the last two without the solver."""
    return {
        kind: side_by_side(
            [
                ("by hand: warm HiGHS", f"solver.what_ifs_by_hand/{kind}"),
                ("planning.lx", f"solver.what_ifs_by_lx/{kind}"),
                ("PuLP, built and solved again", f"solver.what_ifs_by_pulp/{kind}"),
                ("by hand, without solver", f"solver.what_ifs_by_hand/{kind}/without"),
                ("planning.lx, without solver", f"solver.what_ifs_by_lx/{kind}/without"),
            ],
            10_000,
            1 if quick else 3,
            {"BENCHMARK_PLANT": "half a year"},
        )
        for kind in ("right_side", "bound", "cost")
    }


def main() -> None:
    """Measure everything; print the table, and write it unless it is a quick run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds, nothing written")
    quick = parser.parse_args().quick
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise SystemExit(_again_in_own_environment())
    sys.path.insert(0, str(HERE.parent))
    from report import page, picture

    builds, kept, others = build_legs(quick), kept_legs(quick), other_legs(quick)
    solved = cold_legs(quick), what_if_legs(quick)
    text = page(builds, kept, others, solved, _machine())
    print(text)
    if not quick:
        (DOCS / "benchmarks.md").write_text(text, encoding="utf-8")
        (DOCS / "images" / "benchmarks.svg").write_text(picture(builds), encoding="utf-8")


def _again_in_own_environment() -> int:
    """Run the same command in benchmarks/.venv, made if it is not there; return its exit code."""
    folder = HERE / ".venv"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if Path(sys.prefix).resolve() == folder.resolve():
        print("benchmarks/.venv lacks packages. Remove it and start again.", file=sys.stderr)
        return 2
    if not python.exists():
        print("Making benchmarks/.venv ...", file=sys.stderr)
        venv.create(folder, with_pip=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "-r"]
        subprocess.run([*pip, str(HERE / "requirements.txt")], check=True)
    return subprocess.run([str(python), *sys.argv], check=False).returncode


def _machine() -> str:
    return f"{platform.system()}, {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
