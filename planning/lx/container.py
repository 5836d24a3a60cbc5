"""The bytes of a model copy: a header of JSON and raw arrays.

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

from .columns import LXColumn, Positions
from .errors import LXCopyError
from .terms import Places

MAGIC = b"LXMODEL\n"
FORMAT_VERSION = 3
_BETWEEN = "\0"  # stands between texts
_WIDTHS = {f"i{width}": np.dtype(f"<i{width}") for width in (1, 2, 4, 8)}
_DTYPES = {"f8": np.dtype("<f8"), "b1": np.dtype("|b1"), "u1": np.dtype("|u1")} | _WIDTHS
_RANGES = {code: (np.iinfo(dtype).min, np.iinfo(dtype).max) for code, dtype in _WIDTHS.items()}


class Writer:
    """Collects arrays; each is named in the header by its number."""

    def __init__(self) -> None:
        self.described: list[list[Any]] = []
        self.parts: list[Any] = []

    def array(self, values: npt.NDArray[Any]) -> int:
        """Add an array of float64, bool, uint8 or integers; these take as few bytes each as hold them all."""
        code = _code_of(values)
        raw = np.ascontiguousarray(values, dtype=_DTYPES[code])
        self.described.append([code, len(raw)])
        self.parts += (raw, bytes(-raw.nbytes % 8))
        return len(self.described) - 1

    def _texts(self, values: list[str]) -> dict[str, int] | None:
        """Add texts with a NUL between each and the next; None where a text holds one."""
        joined = _BETWEEN.join(values)
        if joined.count(_BETWEEN) != max(len(values) - 1, 0):
            return None
        try:
            text = np.frombuffer(joined.encode("utf-8"), dtype=np.uint8)
        except UnicodeEncodeError as error:
            near = joined[max(error.start - 20, 0) : error.end + 20]
            raise LXCopyError(f"A text is no Unicode, and can't travel with a model copy: {near!r}.") from error
        return {"count": len(values), "text": self.array(text)}

    def column(self, column: LXColumn) -> dict[str, Any]:
        """Add a column."""
        written: dict[str, Any] = {}
        if column.nulls is not None and column.nulls.any():
            written["nulls"] = self.array(column.nulls)
        held = LXColumn.of(column.values).values if column.values.dtype != object else column.values
        if held.dtype != object:
            return written | {"values": self.array(held)}
        values = held.tolist()
        texts = self._texts(values) if set(map(type, values)) <= {str} else None
        if texts is not None:
            return written | {"texts": texts}
        return written | {"tagged": self._texts([_tagged(value) for value in values])}  # JSON holds no NUL

    def bytes(self, content: dict[str, Any]) -> bytes:
        """Return the bytes of the header and all arrays."""
        header = json.dumps(
            {"version": FORMAT_VERSION, "arrays": self.described, "content": content},
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode("utf-8")
        header += b" " * (-len(header) % 8)
        return b"".join([MAGIC, struct.pack("<Q", len(header)), header, *self.parts])


def _code_of(values: npt.NDArray[Any]) -> str:
    """Return the code of the type in which an array is written."""
    if values.dtype.kind != "i":
        return {np.dtype(np.float64): "f8", np.dtype(np.bool_): "b1", np.dtype(np.uint8): "u1"}[values.dtype]
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    return next(code for code, (least, most) in _RANGES.items() if least <= low and high <= most)


class Reader:
    """Gives the arrays of a byte string after checking every length; each array has one place and is given once."""

    def __init__(self, data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray)):
            raise LXCopyError(f"A model copy is bytes; this is {type(data).__name__}.")
        view = memoryview(bytes(data))  # bytes never change
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
        # one piece of memory for positions: the system gives it in fewer steps than many small ones, as it is used
        self._wide = np.empty(sum(len(a) for a in self._arrays if a is not None and a.dtype.kind == "i"), np.int64)
        self._used = 0

    def _read(self, view: memoryview, position: int, described: Any) -> list[npt.NDArray[Any] | None]:
        """Return the arrays as views of the bytes."""
        arrays: list[npt.NDArray[Any] | None] = []
        for entry in described if isinstance(described, list) else [described]:
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is str and type(entry[1]) is int):
                raise LXCopyError("The header of the model copy can't be read.")
            code, count = entry
            if code not in _DTYPES or count < 0:
                raise LXCopyError("The model copy holds an array of a type that is not allowed.")
            dtype = _DTYPES[code]
            size = count * dtype.itemsize
            if size > len(view) - position:
                raise LXCopyError("The model copy is cut off.")
            if code == "b1" and np.frombuffer(view, np.uint8, count, position).max(initial=0) > 1:
                raise LXCopyError("The model copy holds a yes or no that is neither.")
            arrays.append(np.frombuffer(view, dtype, count, position))
            position += size + (-size % 8)
        if position != len(view):
            raise LXCopyError("The model copy has bytes after its end.")
        return arrays

    def _take(self, number: Any, kinds: str) -> npt.NDArray[Any]:
        """Return an array of one of the kinds (f, i, b or u) as a view of the bytes."""
        array = self._arrays[checked_index(number, len(self._arrays))]
        if array is None:
            raise LXCopyError("The model copy uses an array twice.")
        if array.dtype.kind not in kinds:
            raise LXCopyError("The model copy holds an array of the wrong type.")
        self._arrays[number] = None
        return array

    def array(self, number: Any, kinds: str) -> npt.NDArray[Any]:
        """Return an array of one of the kinds (f, i, b or u), which shares nothing with the bytes."""
        array = self._take(number, kinds)
        return array.astype(np.int64 if array.dtype.kind == "i" else array.dtype.newbyteorder("="))

    def finite(self, number: Any) -> npt.NDArray[Any]:
        """Return an array of finite numbers."""
        array = self.array(number, "f")
        if not np.isfinite(array).all():
            raise LXCopyError("The model copy holds a number that is not finite.")
        return array

    def positions(self, number: Any, limit: int, count: int | None = None, *, least: int = 0) -> Positions:
        """Return `count` positions from `least` to below `limit`."""
        places = self.places(number, limit, count, least=least)
        wide = self._wide[self._used : self._used + len(places)]
        self._used += len(places)
        wide[:] = places
        return wide

    def places(self, number: Any, limit: int, count: int | None = None, *, least: int = 0) -> Places:
        """Return positions as the bytes hold them: in few bytes each, and read-only."""
        array = self._take(number, "i")
        if count is not None and len(array) != count:
            raise LXCopyError("The model copy holds positions of the wrong length.")
        if len(array) and not (least <= array.min() and array.max() < limit):
            raise LXCopyError("The model copy points to a row that it does not hold.")
        return array.astype(array.dtype.newbyteorder("="), copy=False)

    def check_end(self) -> None:
        """Raise where an array has no place."""
        if any(array is not None for array in self._arrays):
            raise LXCopyError("The model copy holds an array that nothing uses.")

    def texts(self, described: dict[str, Any]) -> list[str]:
        """Return texts."""
        text = self._take(described["text"], "u").tobytes().decode("utf-8")
        found = text.split(_BETWEEN) if text or described["count"] else []
        if len(found) != described["count"]:
            raise LXCopyError("The model copy holds texts of the wrong length.")
        return found

    def column(self, described: dict[str, Any]) -> LXColumn:
        """Return a column."""
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
