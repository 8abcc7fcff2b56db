"""Peer: an actor that the test plays."""
from __future__ import annotations

import signal as signals
from typing import Any, NoReturn, TypeVar, cast

from . import _baton
from ._commands import AnyCommand, spelled
from ._errors import Error
from ._protocol import _made_struct
from ._session import Session
from ._testing_core import Core, WorldSession
from ._testing_members import KEPT, Member, Received
from ._testing_stage import Stage
from ._values import Exit

_C = TypeVar("_C")


class Peer:
    """An actor that the test plays: World.peer() makes one, and so does a spawn of what World.provide() has named.

    It does what the handlers of its baton.Commands do, unless the test says otherwise with replies(), fails() or
    keeps().
    """

    def __init__(self, world: Stage, member: Member) -> None:
        self._world = world
        self._member = member
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"<baton.testing.Peer {self.name}>"

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return self._member.name

    @property
    def ref(self) -> _baton.Ref:
        """Its address, for a field of a command."""
        return self._member.ref

    @property
    def exit(self) -> Exit | None:
        """How it ended; None while it lives."""
        return None if self._member.exit is None else Exit._of(self._member.exit)

    @property
    def session(self) -> Session:
        """What the peer's own script would have: with it, the peer is a client of baton.sync."""
        if self._session is None:
            self._session = WorldSession(Core(self._world, self._member))
        return self._session

    # ---- what came

    def received(self, command: type[_C]) -> list[_C]:
        """All commands of that dataclass that came, in order, since the start or the last clear()."""
        return [_made_struct(command, one.fields) for one in self._member.came if one.name == command.__name__]

    def received_names(self) -> list[str]:
        """The names of all commands that came, in order."""
        return [one.name for one in self._member.came]

    def take(self, command: type[_C]) -> Received[_C] | None:
        """The oldest command of that dataclass that keeps() has kept and nobody has taken; None if there is none."""
        for one in self._member.kept:
            if one.name == command.__name__:
                self._member.kept.remove(one)
                return Received(_made_struct(command, one.fields), one)
        return None

    def clear(self) -> None:
        """Forgets what came."""
        self._member.came.clear()

    # ---- what it does with the next command of that kind, and those after it

    def replies(self, command: type[_C], reply: Any, after: float = 0.0) -> None:
        """Replies with that value, or with what a function of the command returns or raises.

        With `after` it does so that many seconds later. A baton.Error that the function raises is the asker's error;
        anything else is raised in the test.
        """
        self._script(command, reply if callable(reply) else lambda _: reply, after)

    def fails(self, command: type[_C], error: Error, after: float = 0.0) -> None:
        """Answers with that error: peer.fails(HoldThis, baton.Refused("my hands are full"))."""
        def fail(_: _C) -> NoReturn:
            raise error

        self._script(command, fail, after)

    def keeps(self, command: type[_C]) -> None:
        """Answers nothing until the test takes it: peer.take(HoldThis).message.reply("thanks")."""
        self._script(command, KEPT, 0.0)

    def _script(self, command: type, script: Any, after: float) -> None:
        if command.__name__ not in self._member.protocol.commands:
            raise TypeError(f"{self.name} has no command {command.__name__}; its commands are "
                            f"{', '.join(self._member.protocol.commands)}")
        self._member.scripts[command.__name__] = (script, after)

    # ---- what it says itself

    def send(self, to: _baton.Ref, command: AnyCommand, fields: dict[str, Any] | None = None, /, **named: Any) -> None:
        """Sends a command to an Actor of World.start(), to another peer, or to World.session.address, whose script
        collects or serves it."""
        name, values = spelled([], command, fields, named)
        self._world._send(self._member, to, None, name, values, 5.0, None)

    def request(self, to: _baton.Ref, command: AnyCommand, fields: dict[str, Any] | None = None, /,
                **named: Any) -> _baton.Pending:
        """Sends it as send() does, and returns a Pending for the reply."""
        name, values = spelled([], command, fields, named)
        return cast(_baton.Pending, self._world._request(self._member, to, None, name, values, 5.0))

    # ---- what happens to it

    def kill(self, signal: int = signals.SIGKILL) -> None:
        """It dies as if by that signal: asks to it are Gone, and members that watch it are told."""
        self._world._end(self._member, "signalled", int(signal))

    def stop(self) -> None:
        """It ends as if it had been asked to stop."""
        self._world._end(self._member, "stopped", 0)

    def freeze(self) -> None:
        """It does nothing with what comes until thaw(), as if stopped by SIGSTOP."""
        self._member.is_frozen = True

    def thaw(self) -> None:
        """It goes on, and first handles what has come in the meantime."""
        self._member.is_frozen = False
        while self._member.waiting and not self._member.is_frozen:
            self._world._handle(self._member, self._member.waiting.pop(0))

    def fill_inbox(self) -> None:
        """Until empty_inbox(), there is no room for commands to it: send() is Overloaded when its time is over."""
        self._member.is_full = True

    def empty_inbox(self) -> None:
        """There is room again."""
        self._member.is_full = False
