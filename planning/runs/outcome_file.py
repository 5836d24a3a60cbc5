"""What a solver process leaves for the process that watches it: the outcome, or the best plan so far.

Files of arrays and JSON, written under another name and renamed, so that a half-written one is never
seen. Nothing in them is unpickled.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.formulation import Plan, Prices

from .solve import Outcome

_PARTS: dict[str, type[Any]] = {"plan": Plan, "machine_prices": Prices, "material_prices": Prices}


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write the outcome of a solve."""
    plain: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, value in vars(outcome).items():
        if name not in _PARTS:
            plain[name] = value
        elif value is not None:
            plain[name] = {key: part for key, part in vars(value).items() if not isinstance(part, np.ndarray)}
            arrays |= {f"{name}.{key}": part for key, part in vars(value).items() if isinstance(part, np.ndarray)}
    _write(path, plain, arrays)


def read_outcome(path: Path) -> Outcome:
    """Return the outcome in a file."""
    plain, arrays = _read(path)
    for name, kind in _PARTS.items():
        if name in plain:
            own = {
                field.name: arrays[f"{name}.{field.name}"] for field in fields(kind) if f"{name}.{field.name}" in arrays
            }
            plain[name] = kind(**plain[name], **own)
    return Outcome(**plain)


def write_values(path: Path, values: npt.NDArray[np.float64]) -> None:
    """Write the values of the best plan so far."""
    _write(path, {}, {"values": values})


def read_values(path: Path) -> npt.NDArray[np.float64] | None:
    """Return the values of the best plan so far; None where there is none."""
    return _read(path)[1]["values"] if path.exists() else None


def write_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Write arrays by name."""
    _write(path, {}, arrays)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays in a file by name."""
    return _read(path)[1]


def _write(path: Path, plain: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> None:
    held: dict[str, Any] = {"plain": np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8), **arrays}
    fresh = path.with_suffix(".fresh")
    with fresh.open("wb") as file:
        np.savez(file, **held)
    os.replace(fresh, path)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    with np.load(path, allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    return json.loads(arrays.pop("plain").tobytes()), arrays
