"""What travels through Redis: a run, an attempt and a number of seconds, as signed JSON. Nothing is ever unpickled."""

from __future__ import annotations

import json
from typing import Any

from .signatures import SIZE, holds, sign

LARGEST = 4096  # bytes of a job's data, before and after decompression; ours have about 200


class ForeignMessage(ValueError):
    """Bytes in Redis that this site did not sign."""


class SignedJSON:
    """RQ's serializer: JSON behind a signature that is verified before anything is parsed."""

    @staticmethod
    def dumps(value: Any, /) -> bytes:
        """Return the value as signed JSON."""
        text = json.dumps(value).encode()
        return sign("messages", text) + text

    @staticmethod
    def loads(data: bytes, /) -> Any:
        """Return the value. Raises ForeignMessage for anything but what `dumps` made on this site."""
        signature, text = bytes(data[:SIZE]), bytes(data[SIZE:])
        if not holds(signature, "messages", text):
            raise ForeignMessage("It is not signed by this site.")
        return json.loads(text)
