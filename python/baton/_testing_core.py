"""What the extension's Session is to a script, for one member of a test world."""
from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, NoReturn, cast

from . import _baton
from ._errors import Error, Gone, Overloaded, Refused, Stopping, TimedOut
from ._message import Message
from ._place import Place
from ._session import Session
from ._testing_members import Member, WorldPending, seconds_of
from ._testing_pool import WorldPool
from ._testing_stage import Stage
from ._testing_sync import HANDLES
from ._values import Deadline, Struct, Timeout


def no_process(what: str) -> NoReturn:
    raise Refused(f"a test world has no {what}: it runs in this process alone; test this in a real session")


class Core:
    """What the extension's Session is to a script, for the member that it is in a world."""

    handles = HANDLES  # below those of baton.sync
    make_pool = staticmethod(WorldPool)

    def __init__(self, world: Stage, member: Member) -> None:
        self._world = world
        world._cores.append(self)
        self._script = member
        self.is_open = True
        self.is_in_child = False
        self.id = self._script.ref.session
        self._tell: Callable[[_baton.Ref, _baton._ExitRow], object] | None = None
        self._watched: set[_baton.Ref] = set()
        self._told: list[Member] = []
        self._spawned: list[Member] = []
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
        self.is_open = False
        for one in reversed(self._spawned):
            self._world._end(one, "stopped", 0)
        return self.ended

    # ---- actors

    def _turn(self) -> None:
        if not self.is_open:
            raise Gone("the session is closed: nothing can be done with it any more")
        while self._told:
            one = self._told.pop(0)
            if self._tell is not None and one.exit is not None:
                self._tell(one.ref, one.exit)

    def note_end(self, one: Member) -> None:
        if one in self._spawned and one.exit is not None:
            self.ended.append((one.ref, one.exit))
        if one.ref in self._watched:
            self._told.append(one)

    @staticmethod
    def _row(one: Member) -> _baton._SpawnedRow:
        return one.ref, one.name, 0, one.protocol

    def spawn(self, what: list[tuple[str, str, list[str]]], actor: str, memory_bytes: int, spin: Timeout,
              restart: _baton._RestartRow | None, hung_after: Timeout, kill_hung: bool, timeout: Timeout,
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

    def find_life(self, name: str, timeout: Timeout) -> _baton._SpawnedRow:
        return self.find(name)

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
                 "", one.exit, None) for one in self._world._members.values() if exited or one.exit is None]

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
                who: str, known: Any) -> WorldPending:
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
                    known: Any) -> list[WorldPending | Error]:
        for _, protocol, _ in targets:
            _baton.Session.check_fields(protocol, command, fields)
        results: list[WorldPending | Error] = []
        for to, protocol, who in targets:
            try:
                results.append(self.request(to, protocol, command, fields, timeout, who, known))
            except (Gone, Overloaded) as error:
                results.append(error)
        return results

    def wait_for(self, pendings: list[WorldPending], timeout: Timeout) -> None:
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
            lengths = [one for one in (seconds_of(quiet), ends.left()) if one is not None]
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
        if seconds_of(timeout) is None and not self._script.came and not self._world._due:
            raise Stopping("nothing more comes to this script in its test world")
        return self._world._wait(lambda: bool(self._script.came), timeout)

    async def done(self, task: Any) -> None:
        """What `await task` waits for."""
        await asyncio.sleep(0)
        self._world._wait(lambda: bool(task.is_settled), None)

    def tell_turns(self, tells: bool) -> NoReturn:
        no_process("descriptors for asyncio: of what is awaited only replies and tasks")

    # ---- what it has not

    def sentinel(self, actor: _baton.Ref) -> NoReturn:
        no_process("processes, so no sentinels")

    def link(self, one: _baton.Ref, other: _baton.Ref) -> NoReturn:
        no_process("links")

    def unlink(self, one: _baton.Ref, other: _baton.Ref) -> NoReturn:
        no_process("links")

    def create(self, shape: Any, dtype: Any, timeout: Timeout) -> NoReturn:
        no_process("shared memory")

    def import_from(self, name: str, shape: Any, dtype: Any) -> NoReturn:
        no_process("shared memory")

    def attach(self, name: str, timeout: Timeout) -> NoReturn:
        no_process("shared memory")

    def inherited(self, label: str, timeout: Timeout, known: Any) -> NoReturn:
        no_process("shared memory")

    def create_or_attach(self, name: str, shape: Any, dtype: Any, timeout: Timeout) -> NoReturn:
        no_process("shared memory")


class WorldSession(Session):
    def __init__(self, core: Core) -> None:
        self.exits = []
        self._commands = None
        self._core = cast(_baton.Session, core)
        self._place = Place(self._core)
        self._thread = threading.current_thread()
        self._names = {}
        self._spawned = []
        self._was_interrupted = False
