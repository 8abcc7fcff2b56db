"""What Segments need of Python: NumPy where there is one, and what came back."""
from __future__ import annotations

import inspect
import sys
from typing import Any, Dict, NamedTuple, Union

from ._errors import Error, Refused

# What NumPy's names mean where there is no NumPy.
_TYPES = {"bool": "|b1", "int8": "|i1", "uint8": "|u1", "bytes": "|u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4",
          "uint32": "<u4", "int64": "<i8", "uint64": "<u8", "int": "<i8", "float16": "<f2", "float32": "<f4",
          "float64": "<f8", "float": "<f8"}


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def type_of(dtype: Any) -> str:
    """The element type as it travels: "<f4" for numpy.float32, "float32", float, ..."""
    numpy = _numpy()
    if numpy is not None:
        return numpy.dtype(dtype).str
    name = dtype.__name__ if isinstance(dtype, type) else str(dtype)
    if name in _TYPES:
        return _TYPES[name]
    if len(name) == 2 and name[1].isdigit():  # "f4"
        name = f"{'|' if name[1] == '1' else '<'}{name}"
    return name


def dtype_of(type: str) -> Any:
    """numpy.dtype of it, or the name itself without NumPy."""
    numpy = _numpy()
    return type if numpy is None else numpy.dtype(type)


def array_of(held: Any) -> Any:
    """An array of that memory, which is a view: the memory is not copied, and is looked at until the array goes."""
    numpy = _numpy()
    if numpy is None:
        return memoryview(held)
    array = numpy.asarray(memoryview(held))
    return array if array.dtype == held.dtype else array.view(held.dtype)


def copied_into(create_array: Any, source: Any, deadline: Any) -> Any:
    """A segment that create_array() makes, with what an array holds."""
    numpy = _numpy()
    if numpy is None:
        flat = memoryview(source)
        if not flat.c_contiguous:
            flat = memoryview(flat.tobytes()).cast("B").cast(flat.format, flat.shape)
        segment = create_array(flat.shape, _type_of_format(flat), deadline)
        if flat.nbytes:
            memoryview(segment).cast("B")[:] = flat.cast("B")
        return segment
    array = numpy.asarray(memoryview(source) if isinstance(source, (bytes, bytearray)) else source)
    segment = create_array(array.shape, array.dtype.newbyteorder("<"), deadline)
    segment.array[...] = array
    return segment


def _type_of_format(view: memoryview) -> str:
    letter = view.format[-1:]
    kind = "b" if letter == "?" else "f" if letter in "efdg" else "i" if letter in "bhilqn" else "u"
    return f"{'|' if view.itemsize == 1 else '<'}{kind}{view.itemsize}"


class Viewing:
    """What view() returns: the array in a block, and let go at its end.

    The name behind `as` outlives its block in Python, and so would the view. So the array is taken from its memory
    at the end, and is an array of no elements then; unless somebody else has it too, or something of it, which
    stays a view that is counted.
    """

    def __init__(self, held: Any) -> None:
        self._held = held
        self._base: Any = None
        self._array: Any = None

    def __enter__(self) -> Any:
        self._base = array_of(self._held)
        if isinstance(self._base, memoryview):
            return self._base
        # What is cut out of the array refers to its base, and so keeps that alive when the array has gone from it.
        self._array = self._base.view()
        return self._array

    def __exit__(self, *_: Any) -> None:
        base, array = self._base, self._array
        self._base = self._array = None
        if array is None:
            try:
                base.release()
            except BufferError:
                pass  # something looks through it, and is counted
            return
        # Besides us only a variable of the block knows the array: nothing else (a memoryview of it, say) relies on
        # where its elements lie.
        if sys.getrefcount(array) == 3 and _is_a_variable(array, sys._getframe(1)):
            array.__setstate__((1, (0,), array.dtype, False, b""))


def _is_a_variable(array: Any, frame: Any) -> bool:
    variables = frame.f_locals
    is_one = any(value is array for scope in (variables, frame.f_globals) for value in scope.values())
    if frame.f_code.co_flags & inspect.CO_OPTIMIZED and type(variables) is dict:
        variables.clear()  # a copy, which would keep everything that is in it until the function returns
    return is_one


class Bounced(NamedTuple):
    """A command that came back with its segments, from session.collect_bounced(): they are yours again.

    bob.send(one.command, **one.fields) sends it to somebody else.
    """

    command: str            #: its name
    fields: Dict[str, Any]  #: as they were sent; of a reply that nobody took, {"reply": what it was}
    to: Any                 #: the Actor or Ref that did not take it
    why: Error              #: Gone, or what its handler refused it with


_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def memory_bytes(memory: Union[int, str, None]) -> int:
    """Bytes, from a number or text like "512M"; 0 for None."""
    if memory is None:
        return 0
    if isinstance(memory, str):
        text = memory.strip().upper()
        for ending in ("IB", "B"):
            if text.endswith(ending):
                text = text[:-len(ending)]
                break
        unit = text[-1:] if text[-1:] in ("K", "M", "G", "T") else ""
        try:
            number = float(text[:-1] if unit else text) * 1024 ** _UNITS[unit]
        except ValueError:
            number = -1.0
        if not 1 <= number < 2**63:
            raise Refused(f"memory={memory!r} is no number of bytes: 536870912, '512M', '2G'")
        return int(number)
    if isinstance(memory, bool) or not 1 <= memory < 2**63:
        raise Refused(f"memory={memory!r} is no number of bytes from 1: 536870912, '512M', '2G'")
    return int(memory)


for _class in (Bounced,):
    _class.__module__ = "baton"
