"""Commands: the commands that a script answers, as dataclasses with a handler for each, and how they are published."""
from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import inspect
import os
import traceback
import types
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from . import _baton
from ._ending import say, script_name
from ._errors import Error, Overloaded, Refused, Unsupported
from ._message import Message
from ._values import publish

_Handler = TypeVar("_Handler", bound=Callable[..., Any])

_PLAIN: dict[Any, str] = {bool: "bool", int: "int64", float: "float64", str: "string", bytes: "bytes",
                          type(None): "nothing", datetime.datetime: "timestamp", datetime.timedelta: "duration",
                          _baton.Ref: "ref", _baton.Segment: "segment", _baton.Lease: "lease", _baton.Slice: "slice"}
_WIDTHS = {int: ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
           float: ("float32", "float64")}


def _plain(kind: str, name: str = "", count: int = 0,
           parts: list[tuple[str, _baton._Type, tuple[Any, ...]]] | None = None) -> _baton._Type:
    return kind, name, count, parts or []


def _of(kind: str, *parts: _baton._Type, count: int = 0) -> _baton._Type:
    return _plain(kind, count=count, parts=[("", one, ()) for one in parts])


def type_of(hint: Any, where: str, outer: tuple[type, ...] = ()) -> _baton._Type:
    """The type of a field or a reply as it is published. Raises TypeError if it can't be described to others."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN if isinstance(hint, type) or hint is None else False:
        return _plain(_PLAIN[hint])
    if hint is None:
        return _plain("nothing")
    if origin is typing.Annotated:
        if typing.get_origin(arguments[0]) is tuple and "tuple" in arguments[1:]:
            return _tuple(arguments[0], where, outer)
        widths = [one for one in arguments[1:] if one in _WIDTHS.get(arguments[0], ())]
        return _plain(widths[0]) if widths else type_of(arguments[0], where, outer)
    if origin in (typing.Union, types.UnionType):
        some = [one for one in arguments if one is not type(None)]
        if len(some) == 1 and len(arguments) == 2:
            return _of("optional", type_of(some[0], where, outer))
    if origin in (list, collections.deque) or (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis):
        return _of("list", type_of(arguments[0], f"{where}[]", outer))
    if origin in (set, frozenset):
        return _of("set", type_of(arguments[0], f"{where}[]", outer))
    if origin is tuple and len(set(arguments)) == 1:
        return _of("array", type_of(arguments[0], f"{where}[]", outer), count=len(arguments))
    if origin is tuple:
        return _tuple(hint, where, outer)
    if origin is dict:
        return _of("map", *(type_of(one, f"{where}[]", outer) for one in arguments))
    if isinstance(hint, type) and issubclass(hint, _baton.Ref):
        return _plain("ref")
    if isinstance(hint, type) and issubclass(hint, enum.Enum) and all(isinstance(one.value, int) for one in hint):
        return _plain("enum", hint.__name__, parts=[(one.name, _plain("", count=one.value), ()) for one in hint])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _plain("same", hint.__name__) if hint in outer else _struct(hint, where, outer)
    raise TypeError(f"{where}: {_named(hint)} is not a type that travels; bool, int, float, str, bytes, datetime, "
                    "timedelta, lists, tuples, sets, dicts, X | None, enums of integers, dataclasses, "
                    "baton.Ref, Segment, Lease and Slice do, and Annotated[int, 'uint8'] where another width than 64 "
                    "bits is wanted")


def _tuple(hint: Any, where: str, outer: tuple[type, ...]) -> _baton._Type:
    return _of("tuple", *(type_of(one, f"{where}[{index}]", outer) for index, one in enumerate(typing.get_args(hint))))


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _struct(of: type, where: str, outer: tuple[type, ...] = ()) -> _baton._Type:
    hints = typing.get_type_hints(of, include_extras=True)
    parts = []
    for one in dataclasses.fields(of):
        type_ = type_of(hints[one.name], f"{where}.{one.name}", (*outer, of))
        parts.append((one.name, type_, _default_of(one, type_)))
    return _plain("struct", of.__name__, parts=parts)


def _default_of(field: dataclasses.Field[Any], type_: _baton._Type) -> tuple[Any, ...]:
    """The default that is published, alone in a tuple; an empty tuple if there is none."""
    if field.default_factory is not dataclasses.MISSING:
        return (field.default_factory(),)
    if field.default is dataclasses.MISSING or (type_[0] == "optional" and field.default is None):
        return ()
    return (field.default,)


def made(hint: Any, value: Any) -> Any:
    """Turns a value that has come, which is of the published type, into what the hint says."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin is typing.Annotated:
        return made(arguments[0], value)
    if origin in (typing.Union, types.UnionType):
        return made(next(one for one in arguments if one is not type(None)), value)
    if origin in (list, set, frozenset, collections.deque):
        return origin(made(arguments[0], one) for one in value)
    if origin is tuple:
        hints = arguments[:1] * len(value) if arguments[1:] == (Ellipsis,) else arguments
        return tuple(made(one_hint, one) for one_hint, one in zip(hints, value))
    if origin is dict:
        return {made(arguments[0], key): made(arguments[1], one) for key, one in value.items()}
    if hint is datetime.timedelta:
        return datetime.timedelta(seconds=value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint[value]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _made_struct(hint, value._fields)
    return value


def _made_struct(of: type, fields: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(of, include_extras=True)
    return of(**{name: made(hints[name], value) for name, value in fields.items()})


class _One(NamedTuple):
    command: type
    handler: Callable[..., Any]
    takes_message: bool
    reply: _baton._Type | None


class Commands:
    """The commands that a script answers: a dataclass for each, and a handler.

        @dataclasses.dataclass
        class Deposit:
            cents: int

        bank = baton.Commands("bank")

        @bank.on
        def deposit(command: Deposit) -> int:
            ...

        with baton.session(protocol=bank, name="bank") as session:
            session.serve()

    The dataclass is the command, its type hints are the types of its fields, and what the handler returns is the reply.
    A field with a default may be left out. Others find the script by its name, read the protocol (`baton describe
    bank`) and ask it, in C++ too. A field that is wrong, missing or unknown is refused with its name before the handler
    is called. An exception out of a handler is the asker's error: Refused, Overloaded and Unsupported as they are,
    anything else as Failed, with its type and where it was raised.
    """

    def __init__(self, name: str) -> None:
        self.name = name  #: of the protocol, as a namespace is in C++
        self._all: dict[str, _One] = {}

    def __repr__(self) -> str:
        return f"<baton.Commands {self.name}: {', '.join(self._all) or 'none'}>"

    @typing.overload
    def on(self, handler: _Handler) -> _Handler: ...
    @typing.overload
    def on(self, *, answers: bool = True) -> Callable[[_Handler], _Handler]: ...

    def on(self, handler: Any = None, *, answers: bool = True) -> Any:
        """Decorates a function, which then handles the command that its first parameter is annotated with.

        The return annotation is the type of the reply; with `-> None` the reply is empty. `@commands.on(answers=False)`
        is for a command that can be sent but not asked. A second parameter gets the baton.Message, with its sender.
        Raises TypeError if the first parameter is not a dataclass, or a type can't travel.
        """
        if handler is None:
            return lambda function: self._add(function, answers)
        return self._add(handler, answers)

    def _add(self, handler: _Handler, answers: bool) -> _Handler:
        name = getattr(handler, "__qualname__", repr(handler))
        parameters = list(inspect.signature(handler).parameters)
        hints = typing.get_type_hints(handler, include_extras=True)
        command = hints.get(parameters[0]) if parameters else None
        if not (isinstance(command, type) and dataclasses.is_dataclass(command)):
            raise TypeError(f"{name}(): its first parameter must be annotated with a dataclass, which is the command")
        if answers and "return" not in hints:
            raise TypeError(f"{name}(): it must be annotated with what it returns, the reply to {command.__name__}")
        if command.__name__ in self._all:
            raise TypeError(f"{name}(): {command.__name__} has a handler already, "
                            f"{self._all[command.__name__].handler.__qualname__}()")
        reply = type_of(hints["return"], f"the reply to {command.__name__}") if answers else None
        _struct(command, command.__name__)
        self._all[command.__name__] = _One(command, handler, len(parameters) > 1, reply)
        return handler

    # ---- for Session

    def _described(self) -> _baton._Described:
        if not self._all:
            raise Refused(f"the protocol {self.name} has no commands: give it a handler with @{self.name}.on")
        return self.name, [(name, _struct(one.command, name), one.reply) for name, one in self._all.items()]

    def _begin(self, message: Message) -> Any:
        one = self._all[message.name]
        command = _made_struct(one.command, message.fields)
        return one.handler(command, message) if one.takes_message else one.handler(command)

    def _serve(self, message: Message) -> None:
        """Calls the handler, and answers with what it returns or raises."""
        try:
            value = self._begin(message)
            if inspect.iscoroutine(value):
                value.close()
                raise TypeError(f"the handler of {message.name} is a coroutine function: session.serving() runs those, "
                                "serve() does not")
            _answer(message, value)
        except Exception as error:
            _answer_error(message, error)

    async def _serve_async(self, message: Message) -> None:
        """Does the same for a handler that may be a coroutine function."""
        try:
            value = self._begin(message)
            _answer(message, await value if inspect.isawaitable(value) else value)
        except Exception as error:
            _answer_error(message, error)


def _answer(message: Message, value: Any) -> None:
    if message.is_asked:
        try:
            message.reply(value)
        except Refused as error:  # a value of another type: not what the asker did is wrong
            raise TypeError(error.text) from error


def _answer_error(message: Message, error: Exception) -> None:
    if not message.is_asked:
        say(f"{script_name()}: {message!r} was not handled: {type(error).__name__}: {error}")
    elif isinstance(error, (Refused, Overloaded, Unsupported)):
        message._fail_as(error.text, error.kind, error.type, error.frames)
    elif isinstance(error, Error):
        message._fail_as(error.text, "failed", error.type, error.frames)
    else:
        message._fail_as(str(error), "failed", type(error).__qualname__, _frames_of(error))


def _frames_of(error: Exception) -> list[str]:
    """Where the error was raised, innermost first, in the form of Error.frames."""
    package = os.path.dirname(os.path.abspath(__file__))
    frames = [one for one in traceback.extract_tb(error.__traceback__)
              if os.path.dirname(os.path.abspath(one.filename)) != package]
    return [f"{one.name} ({os.path.basename(one.filename)}:{one.lineno})" for one in reversed(frames)][:3]


publish(Commands)
