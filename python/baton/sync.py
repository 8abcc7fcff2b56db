"""Locks, conditions, events, semaphores, barriers, latches, values, arrays, queues and channels for scripts.

    from baton import sync

    with baton.session() as session:
        keeper = sync.Keeper(session)              # spawns the actor that keeps them
        printer = keeper.lock("printer")
        with printer:                              # acquired, and released at the end
            ...
        worker.send("Print", lock=printer.address) # an address travels; sync.Lock(session, address) uses it

What they do, and what happens when somebody dies, is said in actors/sync/*.hpp: these are the same commands. Every wait
has a deadline (seconds, a timedelta, None for as long as it takes; 0: what is to be had at once) and raises TimedOut,
Stopping, Gone (the keeper has exited, or this was removed) or Refused (a deadlock, a broken barrier, a lock that is held
already), with the names in its text. An exception out of a wait, of a signal's handler or Ctrl-C, ends the wait as the
deadline does; out of anything else, `is_held` of a lock says whether it was done.
A script goes to the keeper for each step; C++ takes a lock that is free without a message.
"""
from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Tuple

try:
    import numpy
except ImportError as error:
    from ._wrong_python import numpy_missing
    raise ImportError(numpy_missing("baton.sync", error), name="numpy") from error

from . import _baton
from ._actor import DEFAULT_DEADLINE, Actor
from ._errors import TimedOut
from ._values import Countdown

__all__ = ["Keeper", "Lock", "RecursiveLock", "Condition", "Event", "Semaphore", "Barrier", "Latch", "Value", "Array",
           "JoinableQueue", "Channel"]


class Keeper:
    """Makes primitives. `actor` is the actor that keeps them: one that is there, or a new one."""

    def __init__(self, session: Any, actor: Optional[Actor] = None, name: str = "sync") -> None:
        self.actor = session.spawn("baton-sync", name=name) if actor is None else actor
        self._session = session

    def _make(self, kind: Callable, command: str, **fields: Any) -> Any:
        return kind(self._session, self.actor.ask(command, **fields))

    def lock(self, name: str) -> Lock:
        return self._make(Lock, "MakeLock", name=name)

    def recursive_lock(self, name: str) -> RecursiveLock:
        return self._make(RecursiveLock, "MakeLock", name=name)

    def condition(self, lock: Lock, name: str) -> Condition:
        return Condition(self._session, self.actor.ask("MakeCondition", name=name, lock=lock.address.number), lock)

    def event(self, name: str) -> Event:
        return self._make(Event, "MakeEvent", name=name)

    def semaphore(self, name: str, permits: int = 1, bounded: bool = True) -> Semaphore:
        return self._make(Semaphore, "MakeSemaphore", name=name, permits=permits, is_bounded=bounded)

    def barrier(self, name: str, parties: int = 0, members: Sequence[_baton.Ref] = (),
                action: Optional[Callable[[], Any]] = None) -> Barrier:
        """For so many parties, or for these members, whose death breaks it. With an action each party gives its own."""
        address = self.actor.ask("MakeBarrier", name=name, parties=parties, members=list(members), has_action=action is not None)
        return Barrier(self._session, address, action)

    def latch(self, name: str, count: int = 1) -> Latch:
        return self._make(Latch, "MakeLatch", name=name, count=count)

    def value(self, name: str, initial: Any = 0, dtype: Any = numpy.int64) -> Value:
        bits = numpy.zeros(8, numpy.uint8)
        bits[:numpy.dtype(dtype).itemsize] = numpy.array([_fitting(numpy.dtype(dtype), initial)], dtype).view(numpy.uint8)
        return Value(self._session, self.actor.ask("MakeValue", name=name, initial=int(bits.view(numpy.uint64)[0])), dtype)

    def array(self, name: str, length: int, dtype: Any = numpy.int64) -> Array:
        return self._make(Array, "MakeArray", name=name, type=numpy.dtype(dtype).str, length=length)

    def queue(self, name: str, bound: int = 65_536) -> JoinableQueue:
        return self._make(JoinableQueue, "MakeQueue", name=name, bound=bound)

    def channel(self, name: str, bound: int = 1024) -> Tuple[Channel, Channel]:
        """Its two ends. An end belongs to the process that first uses it: one of them goes elsewhere, as its address."""
        ends = self.actor.ask("MakeChannel", name=name, bound=bound)
        return Channel(self._session, ends.first), Channel(self._session, ends.second)


class _Primitive:
    """What all kinds have. Whatever may be left by an exception (a signal's handler, Ctrl-C) is done in the extension."""

    def _begin(self, session: Any, address: Any) -> Tuple[Any, _baton.Ref, int]:
        self.address = address  #: travels in commands
        self._keeper: Actor = session.find(address.keeper)
        return session._core, address.keeper, address.number

    @property
    def name(self) -> str:
        """What it was called when it was made."""
        return self.address.name

    def __repr__(self) -> str:
        return f"<baton.sync.{type(self).__name__} {self.name!r}>"

    def _ask(self, command: str, **fields: Any) -> Any:
        return self._keeper.ask(command, number=self.address.number, **fields)

    def remove(self) -> None:
        """It is kept no longer: who waits there, or uses it later, is told that it is Gone. Refused for a lock that is
        held, or that has conditions. Of a channel both ends go."""
        self._ask("Remove")

    @property
    def waiting(self) -> int:
        """How many wait at it."""
        return self._ask("Look").waiting

    def _count(self) -> int:
        return self._ask("Look").count


class Lock(_Primitive, _baton.SyncLock):
    """One process at a time: acquire() and release(), or a with block. Releasing what was never acquired is Refused."""

    _nests = False

    def __init__(self, session: Any, address: Any) -> None:
        _baton.SyncLock.__init__(self, *self._begin(session, address), self._nests)


class RecursiveLock(Lock):
    """The same, and its owner may acquire it again."""

    _nests = True


class Condition(_Primitive, _baton.SyncCondition):
    """Wait, holding a lock, until somebody who holds it notifies. Several may share a lock."""

    def __init__(self, session: Any, address: Any, lock: Lock) -> None:
        _baton.SyncCondition.__init__(self, *self._begin(session, address), lock)

    def wait_for(self, holds: Callable[[], Any], deadline: Any = DEFAULT_DEADLINE) -> None:
        """Until holds() is true, which is looked at now, after each notice, and a last time at the deadline of all waits
        together: TimedOut where it does not hold then, and the lock is held."""
        ends = Countdown(deadline)
        while not holds():
            try:
                self.wait(ends.left())
            except TimedOut as late:
                if self.lock.is_held and holds():
                    return
                raise TimedOut(f"{self!r} was waited for, {deadline} s in all, until something holds that does not") from late

    def notify(self, count: int = 1) -> int:
        """How many of those who wait were told."""
        return self._ask("Notify", count=count)

    def notify_all(self) -> int:
        return self.notify(2**64 - 1)


class Event(_Primitive, _baton.SyncEvent):
    """Something has happened, or not yet."""

    def __init__(self, session: Any, address: Any) -> None:
        _baton.SyncEvent.__init__(self, *self._begin(session, address))

    def set(self) -> None:
        self._ask("SetEvent", is_set=True)

    def clear(self) -> None:
        self._ask("SetEvent", is_set=False)

    def is_set(self) -> bool:
        return self._count() == 1


class Semaphore(_Primitive, _baton.SyncSemaphore):
    """So many at a time. Of a bounded one, giving back more than was taken is Refused."""

    def __init__(self, session: Any, address: Any) -> None:
        _baton.SyncSemaphore.__init__(self, *self._begin(session, address))

    @property
    def free(self) -> int:
        return self._count()


class Barrier(_Primitive, _baton.SyncBarrier):
    """Nobody goes on before all have come. Broken, by a death, by a party that gives up or by its action, it is Refused with
    the reason, until reset()."""

    def __init__(self, session: Any, address: Any, action: Optional[Callable[[], Any]] = None) -> None:
        _baton.SyncBarrier.__init__(self, *self._begin(session, address), action)

    def reset(self) -> None:
        """Whole again, for those who are alive."""
        self._ask("ResetBarrier")

    def abort(self) -> None:
        self._ask("AbortBarrier")


class Latch(_Primitive, _baton.SyncLatch):
    """A count that goes down to nothing, once."""

    def __init__(self, session: Any, address: Any) -> None:
        _baton.SyncLatch.__init__(self, *self._begin(session, address))

    def count_down(self, by: int = 1) -> int:
        return self._ask("CountDown", by=by)

    @property
    def left(self) -> int:
        return self._count()


def _fitting(dtype: Any, value: Any) -> Any:
    """The value, where it is of that type, or a smaller one, and in its range; NumPy would make 1 of 1.5."""
    from ._errors import Refused

    given = numpy.asarray(value)
    is_long = given.dtype.kind == "O" and all(type(one) is int for one in given.flat)  # beyond 64 bits
    taken = {"i": "iu", "u": "iu", "f": "iuf", "b": "b"}.get(dtype.kind)
    if taken is None:
        return value  # an array of something else: NumPy's own rules
    if given.dtype.kind not in taken and not (is_long and "i" in taken):
        raise Refused(f"expected {dtype}, got {_shown(value)}")
    if dtype.kind in "iu" and given.size:
        limits = numpy.iinfo(dtype)
        if not limits.min <= int(given.min()) or not int(given.max()) <= limits.max:
            raise Refused(f"{_shown(value)} is out of range of {dtype}")
    if dtype.kind == "f":
        with numpy.errstate(over="ignore"):
            if numpy.isinf(given.astype(dtype)).sum() != numpy.isinf(given.astype("f8")).sum():
                raise Refused(f"{_shown(value)} is out of range of {dtype}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


class Value(Lock):
    """One number in shared memory. `with counter: counter.value += 1` loses nothing; without the block it may."""

    def __init__(self, session: Any, address: Any, dtype: Any = numpy.int64) -> None:
        super().__init__(session, address)
        self._cell = self._ask("Attach").cell
        self._word = self._cell.array[1:2].view(dtype)[:1]

    @property
    def value(self) -> Any:
        return self._word[0].item()

    @value.setter
    def value(self, value: Any) -> None:
        self._word[0] = _fitting(self._word.dtype, value)


class Array(Lock):
    """Many values in shared memory; `array.array` is NumPy's view of them."""

    def __init__(self, session: Any, address: Any) -> None:
        super().__init__(session, address)
        self._elements = self._ask("Attach").elements
        self.array = self._elements.array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        return self.array[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[index] = _fitting(self.array.dtype, value)


class JoinableQueue(_Primitive, _baton.SyncQueue):
    """First in, first out; join() waits until each item that was put is done. What a dead taker had is taken again."""

    def __init__(self, session: Any, address: Any) -> None:
        _baton.SyncQueue.__init__(self, *self._begin(session, address))

    def qsize(self) -> int:
        """Items that nobody has taken."""
        return self._count()

    def empty(self) -> bool:
        return self.qsize() == 0


class Channel(_Primitive, _baton.SyncChannel):
    """What is said at one end is heard at the other. When the other one closes its end or dies, Gone, with its name."""

    def __init__(self, session: Any, address: Any) -> None:
        _baton.SyncChannel.__init__(self, *self._begin(session, address))
