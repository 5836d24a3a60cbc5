"""The bytes of a model copy: a header of JSON and raw arrays of four types.

They are read by this module and never unpickled. Each length is checked against the bytes that are
there before memory is taken, and each array has one place, so that a header can't multiply memory.
"""

from __future__ import annotations

import datetime
import json
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import LXColumn
from .errors import LXCopyError

MAGIC = b"LXMODEL\n"
FORMAT_VERSION = 1
_ARRAY_TYPES = {"f": "<f8", "i": "<i8", "b": "|b1", "t": "|u1"}
_CODES = {np.dtype(np.float64): "f", np.dtype(np.int64): "i", np.dtype(np.bool_): "b", np.dtype(np.uint8): "t"}


class Writer:
    """Collects arrays; each is named in the header by its number."""

    def __init__(self) -> None:
        self.described: list[list[Any]] = []
        self.parts: list[bytes] = []

    def array(self, values: npt.NDArray[Any]) -> int:
        code = _CODES[values.dtype]
        raw = np.ascontiguousarray(values, dtype=_ARRAY_TYPES[code]).tobytes()
        self.described.append([code, len(values)])
        self.parts.append(raw + b"\0" * (-len(raw) % 8))
        return len(self.parts) - 1

    def texts(self, values: list[str]) -> dict[str, int]:
        joined = "".join(values)
        sized = values if joined.isascii() else [value.encode("utf-8") for value in values]  # a character is a byte
        lengths = np.fromiter(map(len, sized), dtype=np.int64, count=len(values))
        text = np.frombuffer(joined.encode("utf-8"), dtype=np.uint8)
        return {"lengths": self.array(lengths), "text": self.array(text)}

    def column(self, column: LXColumn) -> dict[str, Any]:
        written: dict[str, Any] = {}
        if column.nulls is not None and column.nulls.any():
            written["nulls"] = self.array(column.nulls)
        held = LXColumn.of(column.values).values if column.values.dtype != object else column.values
        if held.dtype != object:
            return written | {"values": self.array(held)}
        values = held.tolist()
        if set(map(type, values)) <= {str}:
            return written | {"texts": self.texts(values)}
        return written | {"tagged": self.texts([_tagged(value) for value in values])}

    def bytes(self, content: dict[str, Any]) -> bytes:
        header = json.dumps(
            {"version": FORMAT_VERSION, "arrays": self.described, "content": content},
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode("utf-8")
        header += b" " * (-len(header) % 8)
        return b"".join([MAGIC, struct.pack("<Q", len(header)), header, *self.parts])


class Reader:
    """Gives the arrays of a byte string after checking every length; each array has one place and is given once."""

    def __init__(self, data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray)):
            raise LXCopyError(f"A model copy is bytes; this is {type(data).__name__}.")
        view = memoryview(data)
        if len(view) < 16 or bytes(view[:8]) != MAGIC:
            raise LXCopyError("These bytes are no model copy.")
        (size,) = struct.unpack("<Q", view[8:16])
        if size > len(view) - 16:
            raise LXCopyError("The model copy is cut off in its header.")
        try:
            header = json.loads(bytes(view[16 : 16 + size]).decode("utf-8"))
            version, described, self.content = header["version"], header["arrays"], header["content"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise LXCopyError("The header of the model copy can't be read.") from error
        if type(version) is not int or version != FORMAT_VERSION:
            raise LXCopyError(
                f"The model copy has format version {version}; this program reads version {FORMAT_VERSION}. "
                "Start the run again to make a new copy."
            )
        self._arrays = self._read(view, 16 + size, described)

    def _read(self, view: memoryview, position: int, described: Any) -> list[npt.NDArray[Any] | None]:
        arrays: list[npt.NDArray[Any] | None] = []
        for entry in described if isinstance(described, list) else [described]:
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is str and type(entry[1]) is int):
                raise LXCopyError("The header of the model copy can't be read.")
            code, count = entry
            if code not in _ARRAY_TYPES or count < 0:
                raise LXCopyError("The model copy holds an array of a type that is not allowed.")
            dtype = np.dtype(_ARRAY_TYPES[code])
            size = count * dtype.itemsize
            if size > len(view) - position:
                raise LXCopyError("The model copy is cut off.")
            if code == "b" and np.frombuffer(view[position : position + size], dtype=np.uint8).max(initial=0) > 1:
                raise LXCopyError("The model copy holds a yes or no that is neither.")
            arrays.append(np.frombuffer(view[position : position + size], dtype=dtype).copy())
            position += size + (-size % 8)
        if position != len(view):
            raise LXCopyError("The model copy has bytes after its end.")
        return arrays

    def array(self, number: Any, codes: str) -> npt.NDArray[Any]:
        """Return an array of one of the types `codes`."""
        array = self._arrays[checked_index(number, len(self._arrays))]
        if array is None:
            raise LXCopyError("The model copy uses an array twice.")
        if all(array.dtype != np.dtype(_ARRAY_TYPES[code]) for code in codes):
            raise LXCopyError("The model copy holds an array of the wrong type.")
        self._arrays[number] = None
        return array

    def finite(self, number: Any) -> npt.NDArray[Any]:
        """Return an array of finite numbers."""
        array = self.array(number, "f")
        if not np.isfinite(array).all():
            raise LXCopyError("The model copy holds a number that is not finite.")
        return array

    def check_end(self) -> None:
        """Raise where an array has no place."""
        if any(array is not None for array in self._arrays):
            raise LXCopyError("The model copy holds an array that nothing uses.")

    def texts(self, described: dict[str, Any]) -> list[str]:
        lengths = self.array(described["lengths"], "i")
        blob = self.array(described["text"], "t").tobytes()
        if len(lengths) and (lengths.min() < 0 or lengths.max() > len(blob)):  # so that the sum can't overflow
            raise LXCopyError("The model copy holds texts of the wrong length.")
        if lengths.sum() != len(blob):
            raise LXCopyError("The model copy holds texts of the wrong length.")
        ends = np.cumsum(lengths)
        spans = map(slice, (ends - lengths).tolist(), ends.tolist())
        if blob.isascii():
            return list(map(blob.decode("ascii").__getitem__, spans))
        return [blob[span].decode("utf-8") for span in spans]

    def column(self, described: dict[str, Any]) -> LXColumn:
        nulls = self.array(described["nulls"], "b") if "nulls" in described else None
        if "values" in described:
            values = self.array(described["values"], "fib")
        else:
            texts = self.texts(described["texts" if "texts" in described else "tagged"])
            held: list[Any] = texts if "texts" in described else [_untagged(text) for text in texts]
            values = np.fromiter(held, dtype=object, count=len(held))
        if nulls is not None and len(nulls) != len(values):
            raise LXCopyError("The model copy holds a column of the wrong length.")
        return LXColumn(values, nulls)


def checked_index(number: Any, count: int) -> int:
    """Return the number of an array or a table after checking that there is one."""
    if type(number) is not int or not 0 <= number < count:
        raise LXCopyError("The model copy names something that it does not hold.")
    return number


def checked_text(value: Any) -> str:
    """Return a name after checking that it is text."""
    if type(value) is not str:
        raise LXCopyError("The model copy holds a name that is no text.")
    return value


def _tagged(value: Any) -> str:
    """Return a plain value as JSON that says its type."""
    kind = type(value)
    if value is None or kind in (str, bool, int):
        return json.dumps(value, ensure_ascii=False)
    if kind is float:
        return json.dumps({"float": value.hex()})
    if kind in (datetime.date, datetime.datetime, datetime.time):
        return json.dumps({kind.__name__: value.isoformat()})
    if kind is Decimal:
        return json.dumps({"decimal": str(value)})
    if kind in (list, dict):
        return json.dumps({"json": value}, ensure_ascii=False, sort_keys=True)
    raise LXCopyError(f"A value of type {kind.__name__} can't travel with a model copy: {value!r}.")


def _untagged(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    readers: dict[str, Any] = {
        "float": float.fromhex,
        "date": datetime.date.fromisoformat,
        "datetime": datetime.datetime.fromisoformat,
        "time": datetime.time.fromisoformat,
        "decimal": Decimal,
        "json": lambda held: held,
    }
    return readers[kind](held)
