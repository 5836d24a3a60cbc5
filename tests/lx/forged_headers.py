"""Copies with another header than was written."""

from __future__ import annotations

import json
import struct
from typing import Any


def header_of(data: bytes) -> dict[str, Any]:
    (size,) = struct.unpack("<Q", data[8:16])
    found: dict[str, Any] = json.loads(data[16 : 16 + size])
    return found


def with_header(data: bytes, header: Any) -> bytes:
    """Return the copy with another header and the same arrays."""
    (size,) = struct.unpack("<Q", data[8:16])
    text = header if isinstance(header, bytes) else json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return data[:8] + struct.pack("<Q", len(text)) + text + data[16 + size :]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, item in inner for found in places(item, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value with `new` at `path`."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy
