"""The signed, compressed model copy beside a run.

The signature (HMAC-SHA256 with a key derived from SECRET_KEY) covers the run's id and the compressed
bytes, and is verified before anything is decompressed. What is read is never unpickled.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib

from django.conf import settings

from planning.lx import FORMAT_VERSION, LXCopyError, LXModel, dump_model, load_model
from planning.models import Run, RunCopy

_SALT = b"planning.runs.copies"
_SIGNATURE_SIZE = 32
_COMPRESSION = 1  # level 6 takes five times as long for a tenth less
_LARGEST_RATIO = 50  # decompressed bytes at most this many times the limit of compressed ones


class CopyTooLarge(ValueError):
    """A model copy over the limit of PLANNING["MAX_COPY_BYTES"]."""


class AlteredCopy(Exception):
    """The stored copy is not the one that was signed for this run."""


def _signature(secret: str, run_id: int, content: bytes) -> bytes:
    key = hashlib.sha256(_SALT + secret.encode()).digest()
    return hmac.new(key, f"{run_id}:".encode() + content, hashlib.sha256).digest()


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
        content=_signature(settings.SECRET_KEY, run.pk, compressed) + compressed,
        sha256=sha256,
        format_version=FORMAT_VERSION,
        size=size,
    )


def read_copy(run: Run) -> bytes:
    """Return the bytes of the run's copy, verified. Raises AlteredCopy."""
    stored = RunCopy.objects.filter(run=run).first()
    if stored is None:
        raise AlteredCopy("The run has no stored copy.")
    content = bytes(stored.content)
    signature, compressed = content[:_SIGNATURE_SIZE], content[_SIGNATURE_SIZE:]
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(signature, _signature(secret, run.pk, compressed)) for secret in secrets):
        raise AlteredCopy("The stored copy was altered: its signature does not match.")
    limit = settings.PLANNING["MAX_COPY_BYTES"] * _LARGEST_RATIO
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(compressed, limit)
    except zlib.error as error:
        raise AlteredCopy("The stored copy was altered: it can't be decompressed.") from error
    if reader.unconsumed_tail or len(data) != stored.size or hashlib.sha256(data).hexdigest() != stored.sha256:
        raise AlteredCopy("The stored copy was altered: its content does not match its checksum.")
    return data


def load_copy(data: bytes) -> LXModel:
    """Return the model of a verified copy. Raises AlteredCopy where the bytes contradict themselves."""
    try:
        return load_model(data)
    except LXCopyError as error:
        raise AlteredCopy(f"The stored copy can't be read: {error}") from error
