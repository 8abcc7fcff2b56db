"""Runs scripts in a test without processes, at a time that the test sets. Works with unittest, pytest or plain assert.

    import baton
    import baton.testing

    with baton.testing.World() as world:
        # The handlers of a script, asked as others ask them:
        account = world.start(bank)                            # a baton.Commands
        assert account.ask("Deposit", cents=10) == 10

        # A script that starts actors and asks them: they are played by the test.
        world.provide("student", student)                      # a baton.Commands, which says what students do
        main()                                                 # its baton.session() is the world's
        alice = world.find_peer("Alice")
        assert alice.received(HoldThis) == [HoldThis(number=4)]

What is sent is checked and converted as between processes: a wrong field is Refused with its name, a timestamp comes
back as a datetime in UTC, an exception of a handler is Failed with its type and text. Only processes, messages and the
coordinator are missing. Every command is handled at once, in the thread of the test, before send() or ask() returns.

Time stands still except in World.advance() and in waits: an ask that nobody answers is TimedOut at once, and the
world's clock advances by that timeout. baton.Deadline counts by that clock. A wait without a timeout that nothing can
end raises RuntimeError.

baton.Pool and baton.sync work in a world too. The tasks of a pool call functions of the test (World.provide_pool), and
the primitives of a keeper are shared by the script and the peers (Peer.session). World.after() lets something happen in
the middle of a wait.

What needs a real session raises Refused with a text that says so: segments, sentinels, links, and what asyncio awaits
besides replies and tasks. Actors written in C++ are tested with <baton/testing.hpp>.
"""
from __future__ import annotations

import os
import types
from collections.abc import Callable, Mapping
from typing import Any

from . import _baton, _opening, _values
from ._actor import Actor
from ._ending import open_sessions
from ._protocol import Commands
from ._session import Session
from ._testing_core import Core, WorldSession
from ._testing_members import Failure, Member, Received
from ._testing_peer import Peer
from ._testing_stage import Stage
from ._testing_tasks import Function

__all__ = ["World", "Peer", "Received", "Failure"]


class World(Stage):
    """A world in which scripts run in a test; see help(baton.testing). Use it as `with baton.testing.World() as
    world:`.

    Within the block every call of baton.session() returns World.session. One thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._core = Core(self, self._enter("script", "", None))
        self._session = WorldSession(self._core)
        self._outer: tuple[Any, Any] | None = None

    def __repr__(self) -> str:
        return f"<baton.testing.World, {self._now:g} s old>"

    def __enter__(self) -> World:
        self._outer = (_opening.opener, _values.monotonic)
        _opening.opener = self._open
        _values.monotonic = lambda: self._now
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        if self._outer is not None:
            _opening.opener, _values.monotonic = self._outer
        open_sessions.discard(self._session)

    @property
    def session(self) -> Session:
        """The session of the script under test: its spawn() makes peers."""
        return self._session

    # ---- members

    def start(self, commands: Commands, name: str | None = None) -> Actor:
        """A script under test, which answers by the handlers of these commands; the Actor to ask it.

        Handlers that are coroutine functions are run to their end. What a handler raises is the asker's error, and is
        kept in World.failures.
        """
        return self._session._actor(Core._row(self._enter(name or commands.name, "", commands)))

    def peer(self, name: str, commands: Commands) -> Peer:
        """An actor that the test plays: it does what these handlers do, unless the test says otherwise."""
        return self._played(self._enter(name, "", commands))

    def provide(self, program: str, commands: Commands) -> None:
        """From here on session.spawn(program) makes a peer that does what these handlers do. A program that is not
        named here is Refused."""
        commands._described()
        self._programs[os.path.basename(program)] = commands

    def provide_pool(self, program: str, *functions: Callable[..., Any],
                     takes: float | Mapping[str, float] = 0.0) -> None:
        """From here on baton.Pool(program) works, and its tasks call these functions, by their names.

        Their type hints are what the C++ types are in a session. A task takes `takes` seconds of the world's clock, or
        as many as that says for the function's name, and calls the function at the end of that time. The workers are
        peers that can be killed: find_peer(program), and so on.
        """
        by_name = takes if isinstance(takes, Mapping) else dict.fromkeys((one.__name__ for one in functions), takes)
        self._pools[os.path.basename(program)] = {
            one.__name__: Function(one.__name__, one, by_name.get(one.__name__, 0.0)) for one in functions}

    def find_peer(self, name: str) -> Peer:
        """The peer of that name, however it was made. Raises KeyError if there never was one."""
        for one in reversed(self._members.values()):
            if one.name == name and one.is_played:
                return Peer(self, one)
        raise KeyError(f"the test world has no peer called {name!r}")

    # ---- time

    def advance(self, seconds: float) -> None:
        """Lets that time pass. Replies that become due are given at their time."""
        self._wait(lambda: False, seconds)

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Calls the function when that time has passed: in advance(), or in the middle of a wait of the script. So it
        can do what another member would, such as release a lock or kill a peer."""
        self._at(self._now + seconds, act)

    # ---- inside

    def _open(self, name: str, protocol: Commands | None) -> Session:
        """What baton.session() does in this world."""
        self._core.is_open = True
        self._core._script.commands = self._session._commands = protocol
        self._core._script.name = name
        if protocol is not None:
            self._core._script.protocol = _baton.described(protocol._described())
        return self._session

    def _played(self, one: Member) -> Peer:
        one.is_played = True
        return Peer(self, one)


for _class in (World, Peer, Received, Failure):
    _class.__module__ = "baton.testing"
