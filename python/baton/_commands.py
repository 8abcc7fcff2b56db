"""Commands as a script writes them: by name and fields, as a message object, or as a dataclass."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from . import _baton
from ._errors import Refused
from ._values import DEFAULT_TIMEOUT, Timeout, publish


class _Receiver(Protocol):
    def send(self, command: Command, /, *, timeout: Timeout) -> None: ...
    def ask(self, command: Command, /, *, timeout: Timeout) -> Any: ...
    def request(self, command: Command, /, *, timeout: Timeout) -> _baton.Pending: ...


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class Command:
    """A command and its fields, not sent yet: `alice.HoldThis(number=4)` makes one.

        baton.ask(alice.HoldThis(number=4), timeout=2)      # to her
        bob.ask(alice.HoldThis(number=4), timeout=2)        # the same to somebody else

    Its fields are checked when it is made. There, every keyword is a field, whatever its name.
    """

    def __init__(self, to: _Receiver, protocol: _baton.Protocol, name: str, fields: Mapping[str, Any]) -> None:
        _baton.Session.check_fields(protocol, name, dict(fields))
        self.to = to              #: the Actor that has published it
        self.name = name          #: of the command
        self.fields = dict(fields)  #: by name

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.fields.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and (self.name, self.fields) == (other.name, other.fields)

    __hash__ = None  # type: ignore[assignment]


#: A command's name, a message object, or an instance of a dataclass of that name.
AnyCommand: TypeAlias = str | Command | _Dataclass


def maker(to: _Receiver, protocol: _baton.Protocol, name: str) -> Callable[..., Command]:
    """The value of `alice.HoldThis`: called with the fields, as keywords or as a dict, it makes a Command."""
    def make(fields: Mapping[str, Any] | None = None, /, **named: Any) -> Command:
        return Command(to, protocol, name, named if fields is None else _only(fields, named))

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"{name} as a message object: called with its fields, as keywords or as a dict."
    return make


def spelled(protocols: list[_baton.Protocol], command: AnyCommand, fields: Mapping[str, Any] | None,
            named: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and fields of a command, as the extension's functions take them. `named` are the keywords of a call that
    also has an option `timeout`."""
    if isinstance(command, str):
        if fields is not None:
            return command, _only(fields, named)
        if any(one._has_field(command, "timeout") for one in protocols):
            raise Refused(f"{command} has a field 'timeout', which is the name of an option here: give the fields as a "
                          f"dict, ask('{command}', {{'timeout': ...}}), or as a message object, "
                          f"actor.{command}(timeout=...)")
        return command, named
    if fields is not None or named:
        raise TypeError(f"the fields of {command!r} are in it already")
    if isinstance(command, Command):
        return command.name, command.fields
    if dataclasses.is_dataclass(command) and not isinstance(command, type):
        return type(command).__name__, {one.name: getattr(command, one.name) for one in dataclasses.fields(command)}
    raise TypeError("command must be text (str), a baton.Command or a dataclass, "
                    f"not {type(command).__name__} ({command!r})")


def _only(fields: Mapping[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    if named:
        raise TypeError("fields are given as a dict or as keywords, not both")
    if not hasattr(fields, "keys"):
        raise TypeError(f"fields must be a dict, not {type(fields).__name__} ({fields!r})")
    return dict(fields)


def send(command: Command, *, timeout: Timeout = DEFAULT_TIMEOUT) -> None:
    """Sends a message object to the actor it was made of; see Actor.send()."""
    command.to.send(command, timeout=timeout)


def ask(command: Command, *, timeout: Timeout = DEFAULT_TIMEOUT) -> Any:
    """Asks the actor that a message object was made of; see Actor.ask()."""
    return command.to.ask(command, timeout=timeout)


def request(command: Command, *, timeout: Timeout = DEFAULT_TIMEOUT) -> _baton.Pending:
    """Asks the actor that a message object was made of, and returns a Pending; see Actor.request()."""
    return command.to.request(command, timeout=timeout)


publish(Command, send, ask, request)
