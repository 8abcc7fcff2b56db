"""The Python side of segments: NumPy, if there is one, and commands that came back."""
from __future__ import annotations

import ast
import inspect
import sys
from typing import Any, NamedTuple

from ._errors import Corrupt, Error, Refused
from ._values import publish

# What NumPy's names mean if there is no NumPy.
_TYPES = {"bool": "|b1", "int8": "|i1", "uint8": "|u1", "bytes": "|u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4",
          "uint32": "<u4", "int64": "<i8", "uint64": "<u8", "int": "<i8", "float16": "<f2", "float32": "<f4",
          "float64": "<f8", "float": "<f8", "complex64": "<c8", "complex128": "<c16", "complex": "<c16"}


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def type_of(dtype: Any) -> str:
    """The element type as it travels: "<f4" for numpy.float32, "float32", float, ...; a record with its fields.

    Raises Refused for a type that means nothing in another process, and says what to use instead.
    """
    numpy = _numpy()
    if numpy is not None:
        return _text_of(numpy.dtype(dtype))
    name = dtype.__name__ if isinstance(dtype, type) else str(dtype)
    if name in _TYPES:
        return _TYPES[name]
    if len(name) == 2 and name[1].isdigit():  # "f4"
        name = f"{'|' if name[1] == '1' else '<'}{name}"
    return name


_INSTEAD = {
    "O": "holds Python objects, which only this process knows: make it an array of numbers or bytes, or send the "
         "objects as fields of a command",
    "M": "has its own clock: array.view('int64') travels, and is array.view('{dtype}') again at the other end",
    "m": "has its own unit: array.view('int64') travels, and is array.view('{dtype}') again at the other end",
    "U": "is NumPy's own text: numpy.char.encode(array, 'utf-8') makes bytes of it, which travel (S), and "
         "numpy.char.decode text again",
    "T": "is NumPy's own text: numpy.char.encode(array.astype('U'), 'utf-8') makes bytes of it, which travel (S)",
}


def _text_of(dtype: Any, field: str = "") -> str:
    what = f"the field '{field}' of type {dtype}" if field else f"an array of {dtype}"
    if dtype.kind in _INSTEAD:
        raise Refused(f"{what} can't be shared: it " + _INSTEAD[dtype.kind].format(dtype=dtype))
    if dtype.names is not None:
        return _record_text(dtype)
    if dtype.subdtype is not None:
        raise Refused(f"{what} can't be shared: a type with a shape is for fields; give the shape of the array itself")
    if dtype.str[0] == ">":
        raise Refused(f"{what} can't be shared: it is big-endian; session.array_from(array) copies it as "
                      f"{dtype.newbyteorder('<')}, array.astype('{dtype.newbyteorder('<').str}') is one")
    if dtype.itemsize == 0:
        raise Refused(f"{what} can't be shared: its elements have no bytes; '{dtype.kind}20' has 20")
    if dtype.kind not in "biufcSV":
        raise Refused(f"{what} can't be shared: booleans, integers, floats, complex numbers, bytes and records of them "
                      "can")
    return str(dtype.str)


def _record_text(dtype: Any) -> str:
    fields = []
    end = 0
    for name in dtype.names:
        of, offset = dtype.fields[name][:2]
        if offset < end:
            raise Refused(f"a record whose fields overlap or stand in another order than their memory can't be shared: "
                          f"{dtype}; numpy.lib.recfunctions.repack_fields(array) has them in order")
        if not name.isprintable() or "'" in name or "\\" in name:
            raise Refused(f"a record can't be shared with the field {name!r}: a name has no quote, backslash or "
                          "control character")
        if offset > end:
            fields.append(f"('','|V{offset - end}')")
        base, shape = of.subdtype or (of, ())
        text = _text_of(base, name)
        lengths = f",({','.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else ""
        fields.append(f"('{name}',{text if base.names is not None else repr(text)}{lengths})")
        end = offset + of.itemsize
    if dtype.itemsize > end:
        fields.append(f"('','|V{dtype.itemsize - end}')")
    text = f"[{','.join(fields)}]"
    if not dtype.names or len(text.encode()) > 4096:
        raise Refused(f"a record of {len(dtype.names)} fields can't be shared with all their names: its type has more "
                      f"than 4096 bytes, or no field; array.view('V{dtype.itemsize}') travels, and is "
                      "array.view(dtype) again at the other end")
    return text


def dtype_of(type: str) -> Any:
    """numpy.dtype of it, or the name itself without NumPy."""
    numpy = _numpy()
    if numpy is None:
        return type
    if not type.startswith("["):
        return numpy.dtype(type)
    try:
        return _record_of(numpy, ast.literal_eval(type))
    except (ValueError, TypeError, SyntaxError) as error:
        raise Corrupt(f"the segment is of a type that NumPy does not take, {type[:200]}: {error}") from None


def _record_of(numpy: Any, fields: Any) -> Any:
    names, formats, offsets, end = [], [], [], 0
    for name, of, *shape in fields:
        inner = _record_of(numpy, of) if isinstance(of, list) else numpy.dtype(of)
        if shape:
            inner = numpy.dtype((inner, tuple(shape[0])))
        if name:
            names.append(name)
            formats.append(inner)
            offsets.append(end)
        end += inner.itemsize
    return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": end})


def array_of(held: Any) -> Any:
    """An array of that memory. It is a view: the memory is not copied, and counts as viewed until the array is gone."""
    numpy = _numpy()
    if numpy is None:
        return memoryview(held)
    array = numpy.asarray(memoryview(held))
    return array if array.dtype == held.dtype else array.view(held.dtype)


def copied_into(create_array: Any, source: Any, timeout: Any) -> Any:
    """Makes a segment with create_array() and copies an array into it."""
    numpy = _numpy()
    if numpy is None:
        flat = memoryview(source)
        if not flat.c_contiguous:
            format_of_each: Any = flat.format
            flat = memoryview(flat.tobytes()).cast("B").cast(format_of_each, flat.shape or ())
        segment = create_array(flat.shape, _type_of_format(flat), timeout)
        if flat.nbytes:
            memoryview(segment).cast("B")[:] = flat.cast("B")
        return segment
    array = numpy.asarray(memoryview(source) if isinstance(source, (bytes, bytearray)) else source)
    segment = create_array(array.shape, array.dtype.newbyteorder("<"), timeout)
    view = segment.array
    view[...] = array
    return segment


def _type_of_format(view: memoryview) -> str:
    letter = view.format[-1:]
    kind = "b" if letter == "?" else "f" if letter in "efdg" else "i" if letter in "bhilqn" else "u"
    return f"{'|' if view.itemsize == 1 else '<'}{kind}{view.itemsize}"


class Viewing:
    """What view() returns: an array for a `with` block, detached from the memory at its end.

    In Python the name behind `as` outlives its block, and the view would too. So at the end the array is detached from
    its memory and has no elements any more. If something else still refers to it, or to a part of it, it remains a
    view and is counted.
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
    fields: dict[str, Any]  #: as they were sent; of a reply that nobody took, {"reply": what it was}
    to: Any                 #: the Actor or Ref that did not take it
    why: Error              #: Gone, or what its handler refused it with


class Inherited(NamedTuple):
    """What an owner that has died has left to this script (Segment.name_heirs), from session.inherited()."""

    segment: Any       #: it is yours now
    label: str         #: as its owner has given it
    was_written: bool  #: its owner died while it could write: what it did last may be half done
    owner: Any         #: the Actor or Ref whose it was
    owner_name: str    #: that one's name


_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def memory_bytes(memory: int | str | None) -> int:
    """A number of bytes, from a number or a text like "512M"; 0 for None."""
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
            raise Refused(f"memory={memory!r} is not a number of bytes, such as 536870912, '512M' or '2G'")
        return int(number)
    if isinstance(memory, bool) or not 1 <= memory < 2**63:
        raise Refused(f"memory={memory!r} is not a positive number of bytes, such as 536870912, '512M' or '2G'")
    return int(memory)


publish(Bounced)
publish(Inherited)
