"""The inside of a test world: its members, its clock, and the commands between them."""
from __future__ import annotations

import asyncio
import heapq
import inspect
import os
from collections.abc import Callable
from typing import Any, Protocol, cast

from . import _baton
from ._errors import Error, Gone, Overloaded, Refused
from ._message import Message
from ._protocol import Commands, _answer, _answer_error, _made_struct
from ._testing_kept import Values
from ._testing_members import KEPT, Failure, Member, WorldAnswer, WorldPending, seconds_of
from ._testing_sync import PROGRAM, Keeper
from ._testing_tasks import Function
from ._values import Exit, Struct, Timeout


class _Core(Protocol):
    """What a world knows of the session of one of its members."""

    _script: Member

    def note_end(self, one: Member) -> None: ...


class Stage:
    """What baton.testing.World is made of; the parts of a world know only this. One thread."""

    _count = 0

    def __init__(self) -> None:
        Stage._count += 1
        self._tag = f"py{Stage._count % 1_000_000:06}"
        self._now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = 0
        self._members: dict[_baton.Ref, Member] = {}
        self._programs: dict[str, Commands] = {}
        self._pools: dict[str, dict[str, Function]] = {}
        self._keepers: list[Keeper] = []
        self._cores: list[_Core] = []  # the first is that of the script under test
        self.failures: list[Failure] = []  #: what handlers of scripts under test have raised, in order
        self._raised_by_test: Exception | None = None

    @property
    def now(self) -> float:
        """The world's clock: seconds since its start."""
        return self._now

    # ---- members

    def _enter(self, name: str, program: str, commands: Commands | None) -> Member:
        if any(one.name == name and one.exit is None for one in self._members.values()):
            raise Refused(f"the name '{name}' is in use in the test world: choose another")
        ref = _baton.Ref(len(self._members) + 2, 1, self._tag)
        self._members[ref] = Member(ref, name, program, commands)
        return self._members[ref]

    def _spawn(self, program: str, name: str) -> Member:
        commands = self._programs.get(program)
        if commands is None and program == PROGRAM:
            return self._spawn_keeper(name)
        if commands is None and program in self._pools:
            raise Refused(f"the test world has '{program}' for pools: baton.Pool('{program}') starts it")
        if commands is None:
            raise Refused(f"the test world has no program '{program}': it starts no processes; say what stands for it "
                          f"with world.provide('{program}', ...)")
        return self._started(program, name, commands)

    def _started(self, program: str, name: str, commands: Commands | None) -> Member:
        number, free = 1, name or program
        while not name and any(one.name == free and one.exit is None for one in self._members.values()):
            number += 1
            free = f"{program}-{number}"
        one = self._enter(free, program, commands)
        one.is_played = True
        return one

    # ---- what baton.sync and baton.Pool start

    def _spawn_keeper(self, name: str) -> Member:
        keeper = Keeper()
        one = self._started(PROGRAM, name, keeper.commands)
        keeper.ref = one.ref
        self._keepers.append(keeper)
        return one

    def _kept_at(self, address: Any) -> Any:
        """The memory of a value or array."""
        for keeper in self._keepers:
            if keeper.ref == address.keeper:
                return keeper.kept_as(Values, address.number)
        raise Gone(f"nobody keeps '{address.name}' in this test world")

    def _spawn_worker(self, program: str, name: str) -> Member:
        return self._started(os.path.basename(program), name, None)

    def _pool_functions(self, program: str) -> dict[str, Function]:
        functions = self._pools.get(os.path.basename(program))
        if functions is None:
            raise Refused(f"the test world has no program '{program}' for a pool: it starts no processes; say what its "
                          f"workers do with world.provide_pool('{program}', ...)")
        return functions

    # ---- ends, time and messages

    def _known(self, ref: _baton.Ref) -> Member:
        one = self._members.get(ref)
        if one is None:
            raise Gone(f"{ref.id} is nobody in this session")
        return one

    def _member(self, ref: _baton.Ref) -> Member:
        one = self._known(ref)
        if one.exit is not None:
            raise Gone(f"{one.name} has exited: {Exit._of(one.exit)}")
        return one

    def _living(self, name: str) -> Member:
        for one in self._members.values():
            if one.name == name and one.exit is None:
                return one
        raise Gone(f"nobody in the test world is called '{name}'")

    def _end(self, one: Member, kind: str, code: int) -> None:
        if one.exit is not None:
            return
        said = f"signal -{code}" if kind == "signalled" else kind
        letters = [(self._known(each.sender_ref).name, each.name, 1) for each in one.waiting]
        one.exit = (one.name, kind, code, "", "", letters, "", "", None, said, {})
        for pending in list(one.pending):
            pending.settle(None, Gone(f"{one.name} has exited: {said}"))
        for core in self._cores:
            core.note_end(one)
        for keeper in self._keepers:
            keeper.bury(one.ref, one.name, f"{one.name} has exited: {said}")
        if one.on_end is not None:
            one.on_end()

    def _at(self, when: float, act: Callable[[], object]) -> None:
        self._order += 1
        heapq.heappush(self._due, (when, self._order, act))

    def _look(self) -> None:
        """Does what is due by now."""
        while self._due and self._due[0][0] <= self._now:
            heapq.heappop(self._due)[2]()

    def _wait(self, done: Callable[[], bool], timeout: Timeout) -> bool:
        """Lets time pass until done() is true; returns False if it is not in time."""
        seconds = seconds_of(timeout)
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

    def _send(self, sender: Member, to: _baton.Ref, protocol: _baton.Protocol | None, command: str,
              fields: dict[str, Any], timeout: Timeout, pending: WorldPending | None) -> None:
        one = self._member(to)
        described = protocol or (None if one.commands is None else one.protocol)
        if described is not None:
            values = _baton.carry(described, command, fields)
        else:
            values = _baton.decode(_baton.encode(fields))
        if one.is_full and not self._wait(lambda: not one.is_full, timeout):
            raise Overloaded(f"{one.name} has not taken what was sent before: a full inbox waited until its deadline")
        answer = None if pending is None else cast(_baton.Answer, WorldAnswer(one, command, pending))
        carried = values if isinstance(values, Struct) else Struct(values)
        message = Message(command, sender.name, sender.ref, carried, answer)
        if one.is_frozen:
            one.waiting.append(message)
        else:
            self._handle(one, message)

    def _request(self, sender: Member, to: _baton.Ref, protocol: _baton.Protocol | None, command: str,
                 fields: dict[str, Any], timeout: Timeout) -> WorldPending:
        pending = WorldPending(self, self._member(to), command)
        try:
            self._send(sender, to, protocol, command, fields, timeout, pending)
        except BaseException:
            pending.cancel()
            raise
        return pending

    def _handle(self, one: Member, message: Message) -> None:
        if one is self._cores[0]._script:
            one.came.append(message)
        elif one.is_played:
            self._play(one, message)
        else:
            self._serve(one, message)

    def _serve(self, one: Member, message: Message) -> None:
        try:
            _answer(message, _completed(cast(Commands, one.commands)._begin(message)))
        except Exception as error:
            if error is self._raised_by_test:
                raise
            self.failures.append(Failure(one.name, message.name, error))
            _answer_error(message, error)

    def _play(self, one: Member, message: Message) -> None:
        one.came.append(message)
        commands = cast(Commands, one.commands)
        script, after = one.scripts.get(message.name, (None, 0.0))
        if script is KEPT:
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
                value = _completed(value)
                if value is not KEPT:
                    _answer(message, value)
            except Error as error:
                if message.is_asked:
                    message._fail_as(error.text, error.kind, error.type, error.frames)
            except Exception as error:
                self._raised_by_test = error  # no handler under test takes it for its own
                raise

        if after > 0:
            self._at(self._now + after, act)
        else:
            act()


def _completed(value: Any) -> Any:
    """What a handler has returned, or returns when its coroutine has ended."""
    if not inspect.isawaitable(value):
        return value

    async def run() -> Any:
        return await value

    return asyncio.run(run())
