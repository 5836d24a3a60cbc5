"""The signed, compressed model copy beside a run.

The signature covers the run's id and the compressed
bytes, and is verified before anything is decompressed. What is read is never unpickled.
"""

from __future__ import annotations

import hashlib
import zlib

from django.conf import settings

from planning.lx import FORMAT_VERSION, LXCopyError, LXModel, dump_model, load_model
from planning.models import Run, RunCopy

from .signatures import SIZE, holds, sign

_COMPRESSION = 1  # level 6 takes eight times as long for 7 % less
_LARGEST_RATIO = 50  # decompressed bytes at most this many times the limit of compressed ones


class CopyTooLarge(ValueError):
    """A model copy over the limit of PLANNING["MAX_COPY_BYTES"]."""


class AlteredCopy(Exception):
    """The stored copy is not the one that was signed for this run."""


class OutdatedCopy(Exception):
    """The stored copy was made by another version of the program."""


def _signed(run_id: int, compressed: bytes) -> bytes:
    return f"{run_id}:".encode() + compressed


def pack(model: LXModel) -> tuple[bytes, str, int]:
    """Return the compressed copy, its SHA-256 and its size before compression. Raises CopyTooLarge."""
    data = dump_model(model)
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
        content=sign("copies", _signed(run.pk, compressed)) + compressed,
        sha256=sha256,
        format_version=FORMAT_VERSION,
        size=size,
    )


def read_copy(run: Run) -> bytes:
    """Return the bytes of the run's copy, verified. Raises AlteredCopy, or OutdatedCopy after an upgrade."""
    stored = RunCopy.objects.filter(run=run).first()
    if stored is None:
        raise AlteredCopy("The run has no stored copy.")
    content = bytes(stored.content)
    signature, compressed = content[:SIZE], content[SIZE:]
    if not holds(signature, "copies", _signed(run.pk, compressed)):
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
