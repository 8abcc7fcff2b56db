"""The members of a test world, and what is between them: commands on their way, replies and failures."""
from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, Protocol, TypeVar, cast

from . import _baton
from ._errors import Error, Refused, TimedOut, error_of
from ._message import Message
from ._protocol import Commands
from ._values import Deadline, Timeout

_C = TypeVar("_C")
KEPT = object()  # what is answered later


def seconds_of(timeout: Timeout) -> float | None:
    """None if it is for ever."""
    return timeout.left() if isinstance(timeout, Deadline) else _baton.seconds_of(timeout)


class Failure:
    """An exception out of a handler of a script that is under test: World.failures has them."""

    def __init__(self, name: str, command: str, error: Exception) -> None:
        self.name = name        #: of the script
        self.command = command  #: the command that it was handling
        self.error = error      #: what it raised

    def __repr__(self) -> str:
        return f"<baton.testing.Failure {self.name}: {self.command}: {self.error!r}>"


@dataclasses.dataclass
class Received(Generic[_C]):
    """A command that came to a peer and nobody has answered: Peer.take() returns it."""

    command: _C       #: as an instance of its dataclass
    message: Message  #: with its sender; message.reply() answers it


class Member:
    """One member of a world: a script under test, or one that the test plays."""

    def __init__(self, ref: _baton.Ref, name: str, program: str, commands: Commands | None) -> None:
        self.ref = ref
        self.name = name
        self.program = program
        self.commands = commands
        self.protocol = _baton.described(("", []) if commands is None else commands._described())
        self.exit: _baton._ExitRow | None = None
        self.is_played = False
        self.is_full = False
        self.is_frozen = False
        self.waiting: list[Message] = []  # until it is thawed
        self.came: list[Message] = []     # to one that is played
        self.kept: list[Message] = []     # of those: not answered, not taken
        self.scripts: dict[str, tuple[Any, float]] = {}
        self.pending: list[WorldPending] = []  # asks to it that are not answered
        self.on_end: Callable[[], object] | None = None


class _World(Protocol):
    """What a reply knows of its world."""

    def _wait(self, done: Callable[[], bool], timeout: Timeout) -> bool: ...


class WorldPending:
    """A reply in a world, as baton.Pending is one."""

    def __init__(self, world: _World, to: Member, command: str) -> None:
        self._world = world
        self._to = to
        self._command = command
        self._outcome: tuple[Any, Error | None] | None = None
        to.pending.append(self)

    def settle(self, value: Any, error: Error | None) -> None:
        if self._outcome is None:
            self._outcome = (value, error)
            self._to.pending.remove(self)

    def ready(self) -> bool:
        return self._outcome is not None

    def cancel(self) -> None:
        self.settle(None, Refused("the reply was cancelled"))

    def get(self, timeout: Timeout = 5.0) -> Any:
        if not self._world._wait(self.ready, timeout):
            raise TimedOut(f"{self._to.name} has not answered {self._command} before the deadline")
        value, error = cast("tuple[Any, Error | None]", self._outcome)
        if error is not None:
            raise error
        return value

    def _finish(self) -> Any:
        """As get(0) of one that is not waited for again."""
        return self.get(0)

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self.get(None)


class WorldAnswer:
    """The way back to the asker, as baton._baton.Answer is one."""

    def __init__(self, by: Member, command: str, pending: WorldPending) -> None:
        self._by = by
        self._command = command
        self._pending = pending

    def _require_open(self) -> None:
        if self._pending.ready():
            raise Refused(f"{self._command} has its answer already")

    def reply(self, value: object) -> None:
        self._require_open()
        self._pending.settle(_baton.carry_reply(self._by.protocol, self._command, value), None)

    def fail(self, text: str, kind: str = "failed", type: str = "", frames: Iterable[str] = ()) -> None:
        self._require_open()
        self._pending.settle(None, error_of(kind, text, type, list(frames)))

    def waits_for(self, whom: _baton.Ref) -> None:
        """Circles of waits are not detected in a world."""
        self._require_open()
