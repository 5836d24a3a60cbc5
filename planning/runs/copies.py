"""The signed, compressed model copy beside a run, or beside a set whose runs are variations of it.

The signature covers the number of the run (or set) and the compressed bytes, and is verified before
anything is decompressed. A variation has a signature of its own over its number, its changes, its set
and the checksum of the set's copy. What is read is never unpickled.
"""

from __future__ import annotations

import copy
import hashlib
import zlib
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from planning.lx import FORMAT_VERSION, LXCopyError, LXModel, LXTable, dump_model, load_model
from planning.models import Run, RunCopy, RunSet, SetCopy
from planning.snapshot import Change, Snapshot, apply_changes, base_tables

from .signatures import SIZE, holds, sign
from .variations import WHOSE, BadVariation, canonical, parse, varied

_COMPRESSION = 1  # level 6 takes eight times as long for 7 % less
_LARGEST_RATIO = 50  # decompressed bytes at most this many times the limit of compressed ones


class CopyTooLarge(ValueError):
    """A model copy over the limit of PLANNING["MAX_COPY_BYTES"]."""


class AlteredCopy(Exception):
    """The stored copy is not the one that was signed for this run."""


class OutdatedCopy(Exception):
    """The stored copy was made by another version of the program."""


_RUN, _SET, _VARIATION = "copies", "copies of sets", "variations"  # one kind's signature is none of another's


def _signed(number: int, compressed: bytes) -> bytes:
    return f"{number}:".encode() + compressed


def pack(model: LXModel) -> tuple[bytes, str, int]:
    """Return the compressed copy, its SHA-256 and its size before compression. Raises CopyTooLarge."""
    return repack(dump_model(model))


def repack(data: bytes) -> tuple[bytes, str, int]:
    """Return the bytes of a copy as `pack` does. Raises CopyTooLarge."""
    compressed = zlib.compress(data, _COMPRESSION)
    limit = settings.PLANNING["MAX_COPY_BYTES"]
    if len(compressed) > limit:
        raise CopyTooLarge(
            f"The model copy has {len(compressed) / 2**20:.0f} MB compressed, and the limit is {limit / 2**20:.0f} MB. "
            'Plan fewer periods or products at once, or raise PLANNING["MAX_COPY_BYTES"] in the settings.'
        )
    return compressed, hashlib.sha256(data).hexdigest(), len(data)


def store_copy(run: Run, compressed: bytes, sha256: str, size: int) -> RunCopy:
    """Store the copy beside its run, signed for it."""
    return RunCopy.objects.create(
        run=run,
        content=sign(_RUN, _signed(run.pk, compressed)) + compressed,
        sha256=sha256,
        format_version=FORMAT_VERSION,
        size=size,
    )


def store_shared_copy(run_set: RunSet, runs: Iterable[Run], compressed: bytes, sha256: str, size: int) -> SetCopy:
    """Store the copy beside the set, signed for it, and bind each run with its variation to it."""
    shared = SetCopy.objects.create(
        run_set=run_set,
        content=sign(_SET, _signed(run_set.pk, compressed)) + compressed,
        sha256=sha256,
        format_version=FORMAT_VERSION,
        size=size,
    )
    RunCopy.objects.bulk_create(
        RunCopy(
            run=run,
            shared=shared,
            content=sign(_VARIATION, _bound(run, shared)),
            sha256=_checksum(run, shared),
            format_version=FORMAT_VERSION,
            size=size,
        )
        for run in runs
    )
    return shared


def _bound(run: Run, shared: SetCopy) -> bytes:
    """Return what a variation's signature covers."""
    return f"{run.pk}:{shared.pk}:{shared.sha256}:".encode() + canonical(parse(run.variation))


def _checksum(run: Run, shared: SetCopy) -> str:
    """Return the checksum of a variation's problem: of the shared copy's and the changes."""
    return hashlib.sha256(f"{shared.sha256}:".encode() + canonical(parse(run.variation))).hexdigest()


def read_copy(run: Run) -> bytes:
    """Return the bytes of the run's copy, verified; of a variation those that its set shares.

    Raises AlteredCopy, or OutdatedCopy after an upgrade.
    """
    stored = RunCopy.objects.select_related("shared").filter(run=run).first()
    if stored is None:
        raise AlteredCopy("The run has no stored copy.")
    if stored.shared is not None:
        _verify_variation(run, stored, stored.shared)
        return _opened(stored.shared, _SET, stored.shared.pk)
    if run.variation is not None:
        raise AlteredCopy("The run has changes that its copy was not signed with.")
    return _opened(stored, _RUN, run.pk)


def _verify_variation(run: Run, stored: RunCopy, shared: SetCopy) -> None:
    """Raise AlteredCopy unless the run, its changes and its set are those that were signed."""
    try:
        bound, checksum = _bound(run, shared), _checksum(run, shared)
    except BadVariation as error:
        raise AlteredCopy("Its changes can't be read.") from error
    if run.run_set_id != shared.pk or not holds(bytes(stored.content), _VARIATION, bound):
        raise AlteredCopy("Its signature does not match.")
    if (stored.sha256, stored.size) != (checksum, shared.size):
        raise AlteredCopy("Its content does not match its checksum.")


def _opened(stored: RunCopy | SetCopy, purpose: str, number: int) -> bytes:
    """Return the bytes before compression, verified."""
    content = bytes(stored.content)
    signature, compressed = content[:SIZE], content[SIZE:]
    if not holds(signature, purpose, _signed(number, compressed)):
        raise AlteredCopy("Its signature does not match.")
    if stored.format_version != FORMAT_VERSION:
        raise OutdatedCopy(
            f"The run was queued by another version of the program, whose copies have format {stored.format_version}; "
            f"this one reads format {FORMAT_VERSION}. Run the scenario again."
        )
    limit = settings.PLANNING["MAX_COPY_BYTES"] * _LARGEST_RATIO
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(compressed, limit)
    except zlib.error as error:
        raise AlteredCopy("It can't be decompressed.") from error
    if reader.unconsumed_tail or len(data) != stored.size or hashlib.sha256(data).hexdigest() != stored.sha256:
        raise AlteredCopy("Its content does not match its checksum.")
    return data


def load_copy(data: bytes) -> LXModel:
    """Return the model of a verified copy. Raises AlteredCopy where the bytes contradict themselves."""
    try:
        return load_model(data)
    except LXCopyError as error:
        raise AlteredCopy(f"It can't be read: {error}") from error


def varied_snapshot(data: bytes, variation: Any) -> Snapshot:
    """Return the data of a verified copy as a run's variation has them.

    Raises AlteredCopy as `load_copy` does, DataProblems where the changes allow no plan.
    """
    try:
        return varied(data, parse(variation))
    except LXCopyError as error:
        raise AlteredCopy(f"It can't be read: {error}") from error
    except BadVariation as error:
        raise AlteredCopy("Its changes can't be read.") from error


def snapshot_in(data: bytes, run: Run) -> Snapshot:
    """Return the data of a run's verified copy that were solved: as its variation has them, where it is one."""
    return Snapshot(load_copy(data).tables) if run.variation is None else varied_snapshot(data, run.variation)


def solved_snapshot(run: Run) -> Snapshot:
    """Return the data that a run was solved with. Raises what `read_copy` and `varied_snapshot` do."""
    return snapshot_in(read_copy(run), run)


def base_copy(run: Run) -> dict[str, LXTable]:
    """Return the tables of the plan format in a run's copy, as its scenario has them, before any variation."""
    return base_tables(load_copy(read_copy(run)).tables)


def planned_tables(run: Run) -> tuple[dict[str, LXTable], tuple[Change, ...]]:
    """Return the tables of the plan format as a run planned them, and the changes of its variation.

    The changes of its scenario and of its variation stand in the values. Raises what `read_copy` does.
    """
    tables = base_copy(run)
    if run.variation is None:
        return tables, ()
    changes = parse(run.variation)
    tables = copy.deepcopy(tables)
    apply_changes(tables, changes, WHOSE)
    return tables, changes
