"""Numbers in shared memory, as baton.sync keeps them in a Value or an Array."""
from __future__ import annotations

import struct
from typing import Any

from ._errors import Refused
from ._segments import type_of
from ._wrong_python import numpy_missing

try:
    import numpy
except ImportError:  # all but arrays do without
    numpy = None  # type: ignore[assignment]

# What one number of a type is called, and its letter in the struct module; by type as it travels.
NUMBERS = {"|b1": ("bool", "?"), "|i1": ("int8", "b"), "|u1": ("uint8", "B"), "<i2": ("int16", "h"),
            "<u2": ("uint16", "H"), "<i4": ("int32", "i"), "<u4": ("uint32", "I"), "<i8": ("int64", "q"),
            "<u8": ("uint64", "Q"), "<f4": ("float32", "f"), "<f8": ("float64", "d")}


def packed(kind: str, value: Any) -> bytes:
    """One number of a type of NUMBERS; Refused if the value is of another type or out of its range: 1.5 is not made
    1."""
    name, letter = NUMBERS[kind]
    number = value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value  # one of NumPy's
    taken: tuple[type, ...] = {"b": (bool,), "f": (int, float)}.get(kind[1], (int,))
    if not isinstance(number, taken) or (isinstance(number, bool) and kind[1] != "b"):
        raise Refused(f"expected {name}, got {_shown(value)}")
    try:
        return struct.pack("=" + letter, number)
    except (struct.error, OverflowError):
        raise Refused(f"{_shown(value)} is out of range of {name}") from None


def bits_of(dtype: Any, value: Any) -> int:
    kind = type_of(dtype)
    if kind in NUMBERS:
        return int.from_bytes(packed(kind, value), "little")
    require_numpy(f"a Value of type {kind}")
    bits = numpy.zeros(8, numpy.uint8)
    bits[:numpy.dtype(dtype).itemsize] = numpy.array([value], dtype).view(numpy.uint8)
    return int(bits.view(numpy.uint64)[0])


def require_numpy(what: str) -> None:
    if numpy is None:
        raise ImportError(numpy_missing(what, "there is none"), name="numpy")


def element_type(dtype: Any) -> str:
    kind = type_of(dtype)
    return f"|V{numpy.dtype(dtype).itemsize}" if kind.startswith("[") else kind


def fitting(array: Any, value: Any) -> Any:
    """What that array takes: values of its type, or a smaller one, and in its range; NumPy would make 1 of 1.5. A
    memoryview, in place of NumPy's, refuses the rest itself."""
    if numpy is None:
        return value
    dtype, given = array.dtype, numpy.asarray(value)
    is_long = given.dtype.kind == "O" and all(type(one) is int for one in given.flat)  # beyond 64 bits
    taken = {"i": "iu", "u": "iu", "f": "iuf", "b": "b"}.get(dtype.kind)
    if taken is None:
        return value  # an array of something else: NumPy's own rules
    if given.dtype.kind not in taken and not (is_long and "i" in taken):
        raise Refused(f"expected {dtype}, got {_shown(value)}")
    if dtype.kind in "iu" and given.size:
        limits = numpy.iinfo(dtype)
        if not limits.min <= int(given.min()) or not int(given.max()) <= limits.max:
            raise Refused(f"{_shown(value)} is out of range of {dtype}")
    if dtype.kind == "f":
        with numpy.errstate(over="ignore"):
            if numpy.isinf(given.astype(dtype)).sum() != numpy.isinf(given.astype("f8")).sum():
                raise Refused(f"{_shown(value)} is out of range of {dtype}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
