"""Locks, queues and so on in a test world: their keeper, and the handles through which scripts and peers use them.

The keeper is asked with the commands that the real one is asked with (baton::sync::Protocol), so a handle of baton.sync
does not know the difference; only what the extension does for it in a session is done here, by HANDLES. Everything
happens at once or at the world's clock, so nothing is granted to a wait that has just been given up.
"""
from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Annotated, Any

from . import _baton
from ._actor import Actor
from ._errors import Gone, Refused, TimedOut
from ._message import Message
from ._protocol import Commands
from ._testing_kept import Barrier, Condition, Event, Granted, Kept, Latch, Lock, Semaphore, Values
from ._testing_members import KEPT, seconds_of
from ._testing_queues import End, Queue
from ._values import Timeout

PROGRAM = "baton-sync"
Number = Annotated[int, "uint32"]
Count = Annotated[int, "uint64"]


# ---- the commands, as actors/sync/include/baton/sync/protocol.hpp has them

@dataclasses.dataclass
class Address:
    keeper: _baton.Ref
    number: Number
    name: str


@dataclasses.dataclass
class Ends:
    first: Address
    second: Address


@dataclasses.dataclass
class Looked:
    kind: str
    name: str
    count: Count
    waiting: Count


def _made(name: str, *fields: tuple[str, Any]) -> type:
    kind = dataclasses.make_dataclass(name, fields)
    kind.__module__ = __name__
    return kind


_NAME, _OF = ("name", str), ("number", Number)
_MAKERS: dict[type, Any] = {
    _made("MakeLock", _NAME): lambda by, one: Lock("lock", one.name),
    _made("MakeCondition", _NAME, ("lock", Number)): lambda by, one: Condition(one.name, by.kept_as(Lock, one.lock)),
    _made("MakeEvent", _NAME): lambda by, one: Event(one.name),
    _made("MakeSemaphore", _NAME, ("permits", Count), ("is_bounded", bool)):
        lambda by, one: Semaphore(one.name, one.permits, one.is_bounded),
    _made("MakeBarrier", _NAME, ("parties", Count), ("members", list[_baton.Ref]), ("has_action", bool)):
        lambda by, one: Barrier(one.name, one.parties, one.members, one.has_action),
    _made("MakeLatch", _NAME, ("count", Count)): lambda by, one: Latch(one.name, one.count),
    _made("MakeValue", _NAME, ("initial", Count)): lambda by, one: Values("value", one.name, "<u8", 1, one.initial),
    _made("MakeArray", _NAME, ("type", str), ("length", Count)):
        lambda by, one: Values("array", one.name, one.type, one.length),
    _made("MakeQueue", _NAME, ("bound", Count)): lambda by, one: Queue(one.name, one.bound),
}
MakeChannel = _made("MakeChannel", _NAME, ("bound", Count))
# The waits, each with what it does at the primitive.
_WAITS: dict[type, tuple[type[Kept], Callable[..., None]]] = {
    _made("Acquire", _OF): (Lock, Lock.acquire),
    _made("WaitCondition", _OF): (Condition, Condition.wait),
    _made("WaitEvent", _OF): (Event, Event.wait),
    _made("AcquirePermit", _OF): (Semaphore, Semaphore.acquire),
    _made("WaitBarrier", _OF): (Barrier, Barrier.wait),
    _made("WaitLatch", _OF): (Latch, Latch.wait),
    _made("Put", _OF, ("item", bytes)): (Queue, Queue.put),
    _made("Get", _OF): (Queue, Queue.get),
    _made("Join", _OF): (Queue, Queue.join),
    _made("Send", _OF, ("item", bytes)): (End, End.send),
    _made("Receive", _OF): (End, End.receive),
    _made("Poll", _OF): (End, End.poll),
}
# What is answered at once, with nothing or a count.
_STEPS: dict[type, tuple[type[Kept], Callable[..., Any], Any]] = {
    _made("Release", _OF): (Lock, Lock.release, None),
    _made("Notify", _OF, ("count", Count)): (Condition, Condition.notify, Count),
    _made("SetEvent", _OF, ("is_set", bool)): (Event, Event.set, None),
    _made("ReleasePermit", _OF): (Semaphore, Semaphore.release, None),
    _made("ActionDone", _OF, ("error", str)): (Barrier, Barrier.action_done, None),
    _made("ResetBarrier", _OF): (Barrier, Barrier.reset, None),
    _made("AbortBarrier", _OF): (Barrier, Barrier.abort, None),
    _made("CountDown", _OF, ("by", Count)): (Latch, Latch.count_down, Count),
    _made("TaskDone", _OF): (Queue, Queue.task_done, None),
    _made("Close", _OF): (End, End.close, None),
}
Look, Remove, Withdraw = _made("Look", _OF), _made("Remove", _OF), _made("Withdraw", _OF)


# ---- the keeper

class Keeper:
    """Keeps the primitives of one actor `baton-sync` of a world."""

    def __init__(self) -> None:
        self.ref: _baton.Ref | None = None  # known once it is in the world
        self.kept: dict[int, Kept] = {}
        self._removed: dict[int, str] = {}
        self._last = 0
        self.commands = Commands("sync")
        for command, make in _MAKERS.items():
            self._on(command, Address, functools.partial(self._make, make))
        self._on(MakeChannel, Ends, self._make_channel)
        for command, (kind, wait) in _WAITS.items():
            self._on(command, Granted, functools.partial(self._wait, kind, wait))
        for command, (kind, step, reply) in _STEPS.items():
            self._on(command, reply, functools.partial(self._step, kind, step))
        self._on(Look, Looked, self._look)
        self._on(Remove, None, self._remove)
        self._on(Withdraw, None, self._withdraw, answers=False)

    def _on(self, command: type, reply: Any, handler: Callable[[Any, Message], Any], answers: bool = True) -> None:
        def handle(one: Any, message: Message) -> Any:
            return handler(one, message)

        handle.__annotations__ = {"one": command, "return": reply}
        self.commands.on(answers=answers)(handle)

    def kept_as(self, kind: type[Kept], number: int) -> Any:
        found = self.kept.get(number)
        if isinstance(found, kind):
            return found
        if found is not None:
            raise Refused(f"{found.text} is no {kind.__name__.lower()}")
        raise self._gone(number)

    def _gone(self, number: int) -> Gone:
        return Gone(self._removed.get(number, f"nothing is kept under the number {number}"))

    def _keep(self, one: Kept) -> Address:
        self._last += 1
        self.kept[self._last] = one
        assert self.ref is not None
        return Address(self.ref, self._last, one.name)

    def _make(self, make: Callable[[Keeper, Any], Kept], one: Any, message: Message) -> Address:
        return self._keep(make(self, one))

    def _make_channel(self, one: Any, message: Message) -> Ends:
        first, second = End(one.name, one.bound), End(one.name, one.bound)
        first.other, second.other = second, first
        return Ends(self._keep(first), self._keep(second))

    @staticmethod
    def _more(one: Any) -> list[Any]:
        return [getattr(one, field.name) for field in dataclasses.fields(one)[1:]]

    def _wait(self, kind: type[Kept], wait: Callable[..., None], one: Any, message: Message) -> Any:
        wait(self.kept_as(kind, one.number), message, *self._more(one))
        return KEPT

    def _step(self, kind: type[Kept], step: Callable[..., Any], one: Any, message: Message) -> Any:
        return step(self.kept_as(kind, one.number), message, *self._more(one))

    def _look(self, one: Any, message: Message) -> Looked:
        kept = self.kept_as(Kept, one.number)
        return Looked(kept.kind, kept.name, kept.count(), len(kept.waits()))

    def _withdraw(self, one: Any, message: Message) -> None:
        if one.number in self.kept:
            self.kept[one.number].withdraw(message)

    def _remove(self, one: Any, message: Message) -> None:
        kept = self.kept_as(Kept, one.number)
        others = [other for other in self.kept.values() if isinstance(other, Condition) and other.lock is kept]
        if others:
            raise Refused(f"{kept.text} is not removed: {others[0].text} is a condition of it")
        kept.require_unused()
        for number, other in list(self.kept.items()):
            if other is kept or (isinstance(kept, End) and other is kept.other):
                self._removed[number] = f"{other.text} was removed by {message.sender}"
                del self.kept[number]
                other.end_all("gone", self._removed[number])

    def bury(self, ref: _baton.Ref, name: str, how: str) -> None:
        """A member of the world has ended."""
        for one in list(self.kept.values()):
            one.bury(ref, name, how)


# ---- the handles

class _Handle:
    """What a handle does with the extension's help in a session."""

    _keeper: Actor
    address: Any

    def _start(self, session: Any, address: Any, *more: Any) -> None:
        self.address = address
        self._keeper = session.find(address.keeper)
        self._world: Any = session._core._world
        self._set_up(*more)

    def _set_up(self, *more: Any) -> None:
        pass

    def _attached(self) -> Any:
        """The memory of a value or array, which in a world is this process's own."""
        return self._world._kept_at(self.address)

    def _tell(self, command: str, **fields: Any) -> None:
        self._keeper.ask(command, {"number": self.address.number, **fields})

    def _wait(self, command: str, timeout: Timeout, **fields: Any) -> Any:
        seconds = seconds_of(timeout)
        pending = self._keeper.request(command, {"number": self.address.number, **fields})
        try:
            return pending.get(timeout)
        except TimedOut:
            self._keeper.send("Withdraw", number=self.address.number)
            raise TimedOut(f"waited {seconds or 0:g} s for {self!r}, in vain") from None


class _Lock(_Handle):
    def _set_up(self, *more: Any) -> None:
        self._nests_here = bool(more[0])
        self._depth = 0
        self._dead_owner = ""

    def acquire(self, timeout: Timeout = 5.0) -> None:
        """Waits until the lock is this process's. Refused if it is already."""
        if self._depth and not self._nests_here:
            raise Refused(f"{self!r} is held already: this would wait for itself")
        if not self._depth:
            self._dead_owner = self._wait("Acquire", timeout).dead_owner
        self._depth += 1

    def release(self) -> None:
        """Passes it to the next. Refused if this process does not hold it."""
        if self._depth <= 1:
            self._tell("Release")
            self._dead_owner = ""
        self._depth = max(self._depth - 1, 0)

    @property
    def is_held(self) -> bool:
        """True if this process holds it."""
        return self._depth > 0

    @property
    def dead_owner(self) -> str:
        """While it is held: the name of its last owner, if that died with it; otherwise ''."""
        return self._dead_owner

    def __enter__(self) -> Any:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        if self.is_held:
            self.release()

    def _wait_without(self, wait: Callable[[], Any]) -> None:
        """Waits with the lock released, and holds it as many times as before afterwards."""
        depth, self._depth = self._depth, 0
        late: TimedOut | None = None
        try:
            granted = wait()
        except TimedOut as error:
            late, granted = error, self._wait("Acquire", 5.0)
        self._depth, self._dead_owner = depth, granted.dead_owner
        if late is not None:
            raise late


class _Condition(_Handle):
    def _set_up(self, *more: Any) -> None:
        self._lock = more[0]

    @property
    def lock(self) -> Any:
        """This process's handle of its lock."""
        return self._lock

    def wait(self, timeout: Timeout = 5.0) -> None:
        """Releases the lock in the meantime. After TimedOut it is held again; after any other error lock.is_held
        tells."""
        if not self._lock.is_held:
            raise Refused(f"{self!r} is waited for without holding {self._lock!r}")
        self._lock._wait_without(lambda: self._wait("WaitCondition", timeout))


class _Semaphore(_Handle):
    def acquire(self, timeout: Timeout = 5.0) -> None:
        """Waits for a permit."""
        self._wait("AcquirePermit", timeout)

    def release(self) -> None:
        """Releases one."""
        self._tell("ReleasePermit")

    def __enter__(self) -> Any:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


class _Barrier(_Handle):
    def _set_up(self, *more: Any) -> None:
        self._action: Callable[[], object] | None = more[0]

    def wait(self, timeout: Timeout = 5.0) -> int:
        """Returns how many had arrived before. The last that arrives runs the action first."""
        granted = self._wait("WaitBarrier", timeout)
        if granted.runs_action:
            if self._action is None:
                why = "this process has given its handle no action"
                self._tell("ActionDone", error=why)
                raise Refused(f"{self!r} is broken: {why}, and it was the last to come, which runs it")
            try:
                self._action()
            except BaseException as error:
                self._tell("ActionDone", error=str(error) or type(error).__name__)
                raise
            self._tell("ActionDone", error="")
        return int(granted.index)


class _Event(_Handle):
    def wait(self, timeout: Timeout = 5.0) -> None:
        """Waits until it is set."""
        self._wait("WaitEvent", timeout)


class _Latch(_Handle):
    def wait(self, timeout: Timeout = 5.0) -> None:
        """Waits until the count is zero."""
        self._wait("WaitLatch", timeout)


class _Queue(_Handle):
    def put(self, value: object, timeout: Timeout = 5.0) -> None:
        """Waits while the queue is full."""
        self._wait("Put", timeout, item=_baton.encode(value))

    def get(self, timeout: Timeout = 5.0) -> Any:
        """Waits for an item and takes it."""
        return _baton.decode(self._wait("Get", timeout).item)

    def task_done(self) -> None:
        """The oldest item that this process has taken is finished."""
        self._tell("TaskDone")

    def join(self, timeout: Timeout = 5.0) -> None:
        """Waits until every item that was put is finished."""
        self._wait("Join", timeout)


class _Channel(_Handle):
    def send(self, value: object, timeout: Timeout = 5.0) -> None:
        """Waits while too much of what was sent has not been received."""
        self._wait("Send", timeout, item=_baton.encode(value))

    def receive(self, timeout: Timeout = 5.0) -> Any:
        """Waits for an item from the other end."""
        return _baton.decode(self._wait("Receive", timeout).item)

    def poll(self, timeout: Timeout = 0.1) -> bool:
        """True if there is something to receive, or will be in time."""
        try:
            self._wait("Poll", timeout)
        except TimedOut:
            return False
        return True

    def close(self) -> None:
        """Nothing more is sent or received at this end."""
        self._tell("Close")


# What takes the place of the extension's classes below those of baton.sync.
HANDLES: dict[type, type] = {
    _baton.SyncLock: _Lock, _baton.SyncCondition: _Condition, _baton.SyncSemaphore: _Semaphore,
    _baton.SyncBarrier: _Barrier, _baton.SyncEvent: _Event, _baton.SyncLatch: _Latch, _baton.SyncQueue: _Queue,
    _baton.SyncChannel: _Channel,
}
