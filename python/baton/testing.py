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

What needs a real session raises Refused with a text that says so: segments, pools, baton.sync, sentinels, and what
asyncio awaits besides replies. Actors written in C++ are tested with <baton/testing.hpp>.
"""
from __future__ import annotations

import asyncio
import dataclasses
import heapq
import inspect
import os
import signal as signals
import types
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, NoReturn, TypeVar, cast

from . import _baton, _opening, _values
from ._actor import Actor
from ._commands import AnyCommand, spelled
from ._ending import open_sessions
from ._errors import Error, Gone, Overloaded, Refused, Stopping, TimedOut, error_of
from ._message import Message
from ._place import Place
from ._protocol import Commands, _answer, _answer_error, _made_struct
from ._session import Session
from ._values import Deadline, Exit, Struct, Timeout

__all__ = ["World", "Peer", "Received", "Failure"]

_C = TypeVar("_C")
_KEPT = object()  # a script that answers later


def _seconds(timeout: Timeout) -> float | None:
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


class _Member:
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
        self.pending: list[_Pending] = []  # asks to it that are not answered


class _Pending:
    """A reply in a world, as baton.Pending is one."""

    def __init__(self, world: World, to: _Member, command: str) -> None:
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


class _Answer:
    """The way back to the asker, as baton._baton.Answer is one."""

    def __init__(self, by: _Member, command: str, pending: _Pending) -> None:
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


def _no_process(what: str) -> NoReturn:
    raise Refused(f"a test world has no {what}: it runs in this process alone; test this in a real session")


class _Core:
    """What the extension's Session is to a script, of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._script = world._enter("script", "", None)
        self.is_open = True
        self.is_in_child = False
        self.id = self._script.ref.session
        self._tell: Callable[[_baton.Ref, _baton._ExitRow], object] | None = None
        self._watched: set[_baton.Ref] = set()
        self._told: list[_Member] = []
        self._spawned: list[_Member] = []
        self.ended: list[tuple[_baton.Ref, _baton._ExitRow]] = []

    @property
    def me(self) -> _baton.Ref:
        return self._script.ref

    @property
    def protocol(self) -> _baton.Protocol | None:
        return None if self._script.commands is None else self._script.protocol

    def adopt(self) -> None:
        pass

    def kill_all(self) -> None:
        self.is_open = False

    def close(self, timeout: Timeout, was_interrupted: bool,
              on_interrupt: Callable[[], object]) -> list[tuple[_baton.Ref, _baton._ExitRow]]:
        for one in reversed(self._spawned):
            self._world._end(one, "stopped", 0)
        self.is_open = False
        return self.ended

    # ---- actors

    def _turn(self) -> None:
        if not self.is_open:
            raise Gone("the session is closed: nothing can be done with it any more")
        while self._told:
            one = self._told.pop(0)
            if self._tell is not None and one.exit is not None:
                self._tell(one.ref, one.exit)

    def note_end(self, one: _Member) -> None:
        if one in self._spawned and one.exit is not None:
            self.ended.append((one.ref, one.exit))
        if one.ref in self._watched:
            self._told.append(one)

    @staticmethod
    def _row(one: _Member) -> _baton._SpawnedRow:
        return one.ref, one.name, 0, one.protocol

    def spawn(self, what: list[tuple[str, str, list[str]]], memory_bytes: int, timeout: Timeout,
              progress: bool) -> list[_baton._SpawnedRow]:
        self._turn()
        started = []
        for program, name, _ in what:
            started.append(self._world._spawn(os.path.basename(program), name))
            self._spawned.append(started[-1])
        return [self._row(one) for one in started]

    def find(self, name: str) -> _baton._SpawnedRow:
        self._turn()
        return self._row(self._world._living(name))

    def name_of(self, ref: _baton.Ref) -> str:
        return self._world._member(ref).name

    def watch(self, actor: _baton.Ref) -> str:
        one = self._world._member(actor)
        self._watched.add(actor)
        return one.name

    def on_exited(self, tell: Callable[[_baton.Ref, _baton._ExitRow], object]) -> None:
        self._tell = tell

    def roster(self, exited: bool) -> list[_baton._RosterRow]:
        self._turn()
        return [(one.ref, one.name, one.program, 0, 0, "ready" if one.exit is None else "exited", len(one.waiting), 0,
                 "", one.exit) for one in self._world._members.values() if exited or one.exit is None]

    def stop(self, actors: list[_baton.Ref], timeout: Timeout,
             drain: bool) -> list[tuple[_baton.Ref, _baton._ExitRow]]:
        self._turn()
        for ref in actors:
            self._world._end(self._world._known(ref), "stopped", 0)
        ends = ((ref, self._world._known(ref).exit) for ref in actors)
        return [(ref, row) for ref, row in ends if row is not None]

    def join(self, actor: _baton.Ref, timeout: Timeout) -> _baton._ExitRow:
        self._turn()
        one = self._world._known(actor)
        if not self._world._wait(lambda: one.exit is not None, timeout) or one.exit is None:
            raise TimedOut(f"{one.name} has not exited in time")
        return one.exit

    def signal(self, actor: _baton.Ref, number: int) -> None:
        self._turn()
        self._world._end(self._world._member(actor), "signalled", number)

    def sync(self, actors: list[_baton.Ref], timeout: Timeout) -> None:
        self._turn()
        for ref in actors:
            one = self._world._member(ref)
            if not self._world._wait(lambda one=one: not one.waiting, timeout):  # type: ignore[misc]
                raise TimedOut(f"{one.name} has not handled what was sent to it before the deadline")

    # ---- messages

    def send(self, to: _baton.Ref, protocol: _baton.Protocol, command: str, fields: dict[str, Any],
             timeout: Timeout) -> None:
        self._turn()
        self._world._send(self._script, to, protocol, command, fields, timeout, None)

    def request(self, to: _baton.Ref, protocol: _baton.Protocol, command: str, fields: dict[str, Any], timeout: Timeout,
                who: str, known: Any) -> _Pending:
        self._turn()
        return self._world._request(self._script, to, protocol, command, fields, timeout)

    def ask(self, to: _baton.Ref, protocol: _baton.Protocol, command: str, fields: dict[str, Any], timeout: Timeout,
            known: Any) -> Any:
        ends = Deadline(timeout)
        return self.request(to, protocol, command, fields, ends, "", known).get(ends)

    def send_all(self, targets: list[_baton._Target], command: str, fields: dict[str, Any],
                 timeout: Timeout) -> list[Error | None]:
        for _, protocol, _ in targets:
            _baton.Session.check_fields(protocol, command, fields)
        results: list[Error | None] = []
        for to, protocol, _ in targets:
            try:
                self.send(to, protocol, command, fields, timeout)
                results.append(None)
            except (Gone, Overloaded) as error:
                results.append(error)
        return results

    def request_all(self, targets: list[_baton._Target], command: str, fields: dict[str, Any], timeout: Timeout,
                    known: Any) -> list[_Pending | Error]:
        for _, protocol, _ in targets:
            _baton.Session.check_fields(protocol, command, fields)
        results: list[_Pending | Error] = []
        for to, protocol, who in targets:
            try:
                results.append(self.request(to, protocol, command, fields, timeout, who, known))
            except (Gone, Overloaded) as error:
                results.append(error)
        return results

    def wait_for(self, pendings: list[_Pending], timeout: Timeout) -> None:
        self._turn()
        self._world._wait(lambda: all(one.ready() for one in pendings), timeout)

    # ---- what comes to the script

    def _rows(self, command: str) -> list[Message]:
        return [one for one in self._script.came if not command or one.name == command]

    def collect(self, command: str, count: int | None, quiet: Timeout, timeout: Timeout,
                known: Any) -> list[tuple[str, _baton.Ref, Any, Any]]:
        self._turn()
        ends = Deadline(timeout)
        while count is None or len(self._rows(command)) < count:
            before = len(self._script.came)
            # Not longer than it is quiet, nor than there is time.
            lengths = [one for one in (_seconds(quiet), ends.left()) if one is not None]
            if not lengths and not self._world._due:
                break
            if not self._world._wait(lambda: len(self._script.came) > before,  # noqa: B023
                                     min(lengths) if lengths else None):
                break
        taken = self._rows(command)[:count]
        for one in taken:
            self._script.came.remove(one)
        return [(one.name, one.sender_ref, Struct(one.fields), one._answer) for one in taken]

    def collect_bounced(self, count: int | None, timeout: Timeout, known: Any) -> list[Any]:
        return []  # no command of this world carries a segment

    def wait_for_mail(self, timeout: Timeout) -> bool:
        self._turn()
        if _seconds(timeout) is None and not self._script.came and not self._world._due:
            raise Stopping("nothing more comes to this script in its test world")
        return self._world._wait(lambda: bool(self._script.came), timeout)

    def tell_turns(self, tells: bool) -> NoReturn:
        _no_process("descriptors for asyncio: of what is awaited only replies")

    # ---- what it has not

    def sentinel(self, actor: _baton.Ref) -> NoReturn:
        _no_process("processes, so no sentinels")

    def create(self, shape: Any, dtype: Any, timeout: Timeout) -> NoReturn:
        _no_process("shared memory")

    def import_from(self, name: str, shape: Any, dtype: Any) -> NoReturn:
        _no_process("shared memory")

    def attach(self, name: str, timeout: Timeout) -> NoReturn:
        _no_process("shared memory")

    def create_or_attach(self, name: str, shape: Any, dtype: Any, timeout: Timeout) -> NoReturn:
        _no_process("shared memory")


class _WorldSession(Session):
    def __init__(self, core: _Core) -> None:
        import threading
        self.exits = []
        self._commands = None
        self._core = cast(_baton.Session, core)
        self._place = Place(self._core)
        self._thread = threading.current_thread()
        self._names = {}
        self._spawned = []
        self._was_interrupted = False


class Peer:
    """An actor that the test plays: World.peer() makes one, and so does a spawn of what World.provide() has named.

    It does what the handlers of its baton.Commands do, unless the test says otherwise with replies(), fails() or
    keeps().
    """

    def __init__(self, world: World, member: _Member) -> None:
        self._world = world
        self._member = member

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
        self._script(command, _KEPT, 0.0)

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


class World:
    """A world in which scripts run in a test; see help(baton.testing). Use it as `with baton.testing.World() as
    world:`.

    Within the block every call of baton.session() returns World.session. One thread.
    """

    _count = 0

    def __init__(self) -> None:
        World._count += 1
        self._tag = f"py{World._count % 1_000_000:06}"
        self._now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = 0
        self._members: dict[_baton.Ref, _Member] = {}
        self._programs: dict[str, Commands] = {}
        self.failures: list[Failure] = []  #: what handlers of scripts under test have raised, in order
        self._core = _Core(self)
        self._session = _WorldSession(self._core)
        self._outer: tuple[Any, Any] | None = None
        self._raised_by_test: Exception | None = None

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

    @property
    def now(self) -> float:
        """The world's clock: seconds since its start."""
        return self._now

    # ---- members

    def start(self, commands: Commands, name: str | None = None) -> Actor:
        """A script under test, which answers by the handlers of these commands; the Actor to ask it.

        Handlers that are coroutine functions are run to their end. What a handler raises is the asker's error, and is
        kept in World.failures.
        """
        return self._session._actor(_Core._row(self._enter(name or commands.name, "", commands)))

    def peer(self, name: str, commands: Commands) -> Peer:
        """An actor that the test plays: it does what these handlers do, unless the test says otherwise."""
        return self._played(self._enter(name, "", commands))

    def provide(self, program: str, commands: Commands) -> None:
        """From here on session.spawn(program) makes a peer that does what these handlers do. A program that is not
        named here is Refused."""
        commands._described()
        self._programs[os.path.basename(program)] = commands

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

    # ---- inside

    def _open(self, name: str, protocol: Commands | None) -> Session:
        """What baton.session() does in this world."""
        self._core.is_open = True
        self._core._script.commands = self._session._commands = protocol
        self._core._script.name = name
        if protocol is not None:
            self._core._script.protocol = _baton.described(protocol._described())
        return self._session

    def _enter(self, name: str, program: str, commands: Commands | None) -> _Member:
        if any(one.name == name and one.exit is None for one in self._members.values()):
            raise Refused(f"the name '{name}' is in use in the test world: choose another")
        ref = _baton.Ref(len(self._members) + 2, 1, self._tag)
        self._members[ref] = _Member(ref, name, program, commands)
        return self._members[ref]

    def _played(self, one: _Member) -> Peer:
        one.is_played = True
        return Peer(self, one)

    def _spawn(self, program: str, name: str) -> _Member:
        commands = self._programs.get(program)
        if commands is None:
            raise Refused(f"the test world has no program '{program}': it starts no processes; say what stands for it "
                          f"with world.provide('{program}', ...)")
        number, free = 1, name or program
        while not name and any(one.name == free and one.exit is None for one in self._members.values()):
            number += 1
            free = f"{program}-{number}"
        one = self._enter(free, program, commands)
        one.is_played = True
        return one

    def _known(self, ref: _baton.Ref) -> _Member:
        one = self._members.get(ref)
        if one is None:
            raise Gone(f"{ref.id} is nobody in this session")
        return one

    def _member(self, ref: _baton.Ref) -> _Member:
        one = self._known(ref)
        if one.exit is not None:
            raise Gone(f"{one.name} has exited: {one.exit[7]}")
        return one

    def _living(self, name: str) -> _Member:
        for one in self._members.values():
            if one.name == name and one.exit is None:
                return one
        raise Gone(f"nobody in the test world is called '{name}'")

    def _end(self, one: _Member, kind: str, code: int) -> None:
        if one.exit is not None:
            return
        said = f"signal -{code}" if kind == "signalled" else kind
        letters = [(self._known(each.sender_ref).name, each.name, 1) for each in one.waiting]
        one.exit = (one.name, kind, code, "", "", letters, "", said)
        for pending in list(one.pending):
            pending.settle(None, Gone(f"{one.name} has exited: {said}"))
        self._core.note_end(one)

    def _wait(self, done: Callable[[], bool], timeout: Timeout) -> bool:
        """Lets time pass until done() is true; returns False if it is not in time."""
        seconds = _seconds(timeout)
        end = None if seconds is None else self._now + seconds
        while not done():
            if self._due and (end is None or self._due[0][0] <= end):
                at, _, act = heapq.heappop(self._due)
                self._now = max(self._now, at)
                act()
            elif end is None:
                raise RuntimeError("a wait without a timeout, which nothing in this test world can end")
            else:
                self._now = end
                return done()
        return True

    def _send(self, sender: _Member, to: _baton.Ref, protocol: _baton.Protocol | None, command: str,
              fields: dict[str, Any], timeout: Timeout, pending: _Pending | None) -> None:
        one = self._member(to)
        described = protocol or (None if one.commands is None else one.protocol)
        if described is not None:
            values = _baton.carry(described, command, fields)
        else:
            values = _baton.decode(_baton.encode(fields))
        if one.is_full and not self._wait(lambda: not one.is_full, timeout):
            raise Overloaded(f"{one.name} has not taken what was sent before: a full inbox waited until its deadline")
        answer = None if pending is None else cast(_baton.Answer, _Answer(one, command, pending))
        carried = values if isinstance(values, Struct) else Struct(values)
        message = Message(command, sender.name, sender.ref, carried, answer)
        if one.is_frozen:
            one.waiting.append(message)
        else:
            self._handle(one, message)

    def _request(self, sender: _Member, to: _baton.Ref, protocol: _baton.Protocol | None, command: str,
                 fields: dict[str, Any], timeout: Timeout) -> _Pending:
        pending = _Pending(self, self._member(to), command)
        try:
            self._send(sender, to, protocol, command, fields, timeout, pending)
        except BaseException:
            pending.cancel()
            raise
        return pending

    def _handle(self, one: _Member, message: Message) -> None:
        if one is self._core._script:
            one.came.append(message)
        elif one.is_played:
            self._play(one, message)
        else:
            self._serve(one, message)

    def _serve(self, one: _Member, message: Message) -> None:
        try:
            _answer(message, _completed(cast(Commands, one.commands)._begin(message)))
        except Exception as error:
            if error is self._raised_by_test:
                raise
            self.failures.append(Failure(one.name, message.name, error))
            _answer_error(message, error)

    def _play(self, one: _Member, message: Message) -> None:
        one.came.append(message)
        commands = cast(Commands, one.commands)
        script, after = one.scripts.get(message.name, (None, 0.0))
        if script is _KEPT:
            one.kept.append(message)
            return

        def act() -> None:
            if one.exit is not None:
                return
            try:
                if script is None:
                    value = commands._begin(message)
                else:
                    value = script(_made_struct(commands._all[message.name].command, message.fields))
                _answer(message, _completed(value))
            except Error as error:
                if message.is_asked:
                    message._fail_as(error.text, error.kind, error.type, error.frames)
            except Exception as error:
                self._raised_by_test = error  # no handler under test takes it for its own
                raise

        if after > 0:
            self._order += 1
            heapq.heappush(self._due, (self._now + after, self._order, act))
        else:
            act()


def _completed(value: Any) -> Any:
    """What a handler has returned, or returns when its coroutine has ended."""
    if not inspect.isawaitable(value):
        return value

    async def run() -> Any:
        return await value

    return asyncio.run(run())


for _class in (World, Peer, Received, Failure):
    _class.__module__ = "baton.testing"
