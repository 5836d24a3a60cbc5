"""One contestant in one process: prepares, then does its leg once for each line on standard input.

    python benchmarks/worker.py by_lx.build 100000

answers each line with the seconds as JSON: processor and clock time of the leg. Rubbish is collected
before each one, and the collector is on, as it is in any program.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import problem


def memory(name: str) -> float:
    """Return VmHWM (the most so far) or VmRSS (now) in megabytes; nan where the system has no /proc."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    return float("nan")


def processor_seconds() -> float:
    """Return the processor time of this process and of the solvers that it ran as children."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def copy_leg(kind: str, data: Any) -> Callable[[], Any]:
    """Return a leg of the model copy: dump, load ready to solve, or either with compression."""
    import by_lx

    from planning.lx import compile_model, dump_model, load_model

    model = by_lx.model_of(data)
    content = dump_model(model)
    packed = zlib.compress(content, 1)
    legs: dict[str, Callable[[], Any]] = {
        "dump": lambda: dump_model(model),
        "load": lambda: compile_model(load_model(content)),
        "dump_packed": lambda: zlib.compress(dump_model(model), 1),
        "load_packed": lambda: compile_model(load_model(zlib.decompress(packed))),
    }
    leg = legs[kind]
    leg.facts = {"bytes": len(content), "packed": len(packed)}  # type: ignore[attr-defined]
    return leg


def prepared(name: str, size: int) -> tuple[Callable[[], Any], Callable[[Any], str] | None]:
    """Return the leg of that name, and what tells the problem that it built."""
    module_name, _, kind = name.partition(".")
    if module_name == "database":
        return getattr(importlib.import_module("database_legs"), kind)(size), None
    if module_name == "solver":
        return importlib.import_module("solver_legs").prepared(kind, size), None
    module = importlib.import_module(module_name if module_name != "copy" else "by_lx")
    plant = problem.plant(size)
    data = module.prepare(plant)
    if module_name == "copy":
        return copy_leg(kind, data), None
    functions = kind.removeprefix("build_and_")  # what the functions of a row do beside reading fields
    options = () if functions == "build" else (functions,)
    return partial(module.build, data, *options), lambda built: module.matrix(built, plant).digest()


def main() -> None:
    """Prepare the leg, say so, and do it once for each line; `digest` tells the problem instead."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # some peers and solvers print
    leg, digest = prepared(sys.argv[1], int(sys.argv[2]))
    print(json.dumps({"ready": True} | getattr(leg, "facts", {})), file=answers, flush=True)
    gc.collect()
    before = memory("VmRSS")
    first = True
    for line in sys.stdin:
        if line.strip() == "digest":
            print(json.dumps({"digest": digest(leg()) if digest else None}), file=answers, flush=True)
            continue
        gc.collect()
        clock, processor = time.perf_counter(), processor_seconds()
        result = leg()
        answer = {"cpu": processor_seconds() - processor, "wall": time.perf_counter() - clock}
        if first:
            answer["peak"] = memory("VmHWM") - before
            first = False
        print(json.dumps(answer), file=answers, flush=True)
        del result
        getattr(leg, "undo", lambda: None)()


if __name__ == "__main__":
    main()
