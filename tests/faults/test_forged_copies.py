"""Whoever can write to the database changes the stored copy: the run fails and says so, to the operator too."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planning.models import Plant, Run, RunCopy
from planning.runs.copies import read_copy
from planning.runs.signatures import SIZE, sign
from tests.faults.nursery import Nursery
from tests.faults.truth import assert_a_new_run_works, assert_ended, states

Forge = Callable[[bytes, int], bytes]


def flipped(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def signed_by(secret: bytes, run_id: int, content: bytes) -> bytes:
    key = hmac.new(secret, b"planning.runs.copies", hashlib.sha256).digest()
    return hmac.new(key, f"{run_id}:".encode() + content[SIZE:], hashlib.sha256).digest() + content[SIZE:]


FORGED: dict[str, Forge] = {
    "not signed": lambda content, _: content[SIZE:],
    "with an empty signature": lambda content, _: bytes(SIZE) + content[SIZE:],
    "cut at its end": lambda content, _: content[:-1],
    "cut to nothing": lambda *_: b"",
    "changed in its signature": lambda content, _: flipped(content, 0),
    "changed in its middle": lambda content, _: flipped(content, len(content) // 2),
    "signed with another key": lambda content, run: signed_by(b"another site's key", run, content),
    "signed for another run": lambda content, run: (
        sign("copies", f"{run + 1}:".encode() + content[SIZE:]) + content[SIZE:]
    ),
    "signed for another purpose": lambda content, run: (
        sign("messages", f"{run}:".encode() + content[SIZE:]) + content[SIZE:]
    ),
}


def assert_refused(run: Run, nursery: Nursery) -> None:
    process = nursery.start("execute_run", run.pk, 1)
    assert process.wait() == 0
    assert_ended(run, "failed", "The stored copy was altered.")
    assert states(run) == ["queued 1", "running 1", "failed 1"]
    assert f"ERROR planning.runs run {run.pk}: the stored copy was altered" in process.log


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_copy_that_is_not_ours(forge: Forge, run: Run, furniture: Plant, nursery: Nursery) -> None:
    content = bytes(run.copy.content)
    RunCopy.objects.update(content=forge(content, run.pk))
    assert_refused(run, nursery)
    assert_a_new_run_works(furniture)


def test_a_pickle_is_not_unpickled(run: Run, nursery: Nursery, tmp_path: Path) -> None:
    """Even where whoever wrote it holds the key."""

    class Bomb:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "exploded"),)

    data = pickle.dumps(Bomb())
    store(run, data)
    assert_refused(run, nursery)
    assert not (tmp_path / "exploded").exists()


def test_a_copy_that_contradicts_itself(run: Run, nursery: Nursery) -> None:
    """Even where whoever wrote it holds the key; the solver's process reads it, and says so."""
    data = read_copy(run)
    store(run, data[:-8])
    assert_refused(run, nursery)


def store(run: Run, data: bytes) -> None:
    """Store the bytes as the run's copy, well signed."""
    compressed = zlib.compress(data)
    signature = sign("copies", f"{run.pk}:".encode() + compressed)
    sha256 = hashlib.sha256(data).hexdigest()
    RunCopy.objects.update(content=signature + compressed, sha256=sha256, size=len(data))
