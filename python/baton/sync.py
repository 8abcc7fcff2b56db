"""Locks, conditions, events, semaphores, barriers, latches, values, arrays, queues and channels for scripts.

    from baton import sync

    with baton.session() as session:
        keeper = sync.Keeper(session)              # starts the actor that keeps them
        printer = keeper.lock("printer")
        with printer:                              # acquired, and released at the end
            ...
        worker.send("Print", lock=printer.address) # an address travels; sync.Lock(session, address) uses it

The C++ headers <baton/sync/*.hpp> say what each of them does, and what happens when somebody dies: both send the same
commands. Every wait has a timeout (seconds, a timedelta, a baton.Deadline, None for as long as it takes; 0: only what
is to be had at once) and raises TimedOut, Stopping, Gone (the keeper has exited, or this was removed), Deadlock
(everybody in a circle waits for the next; the text names them) or Refused (a broken barrier, a lock that is held
already). A circle through the locks of two keepers, or through a message that is kept without a word about it
(Message.waits_for), is not found: these waits end as TimedOut. An exception that a signal's handler raises in a wait
(Ctrl-C too) ends the wait as its timeout would; if it interrupts any other step of a lock, `is_held` says whether that
was done.

A script asks the keeper for each step; C++ takes a lock that is free without a message.
"""
from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from . import _baton
from ._actor import Actor
from ._errors import Refused, TimedOut
from ._numbers import NUMBERS, bits_of, element_type, fitting, packed, require_numpy
from ._segments import type_of
from ._session import Session
from ._values import DEFAULT_TIMEOUT, Deadline, Timeout

__all__ = ["Keeper", "Lock", "RecursiveLock", "Condition", "Event", "Semaphore", "BoundedSemaphore",
           "Barrier", "Latch", "Value", "Array", "JoinableQueue", "Channel"]

_Number = TypeVar("_Number")


class Keeper:
    """Makes primitives. `actor` is the actor that keeps them: an existing one, or a new one of that name."""

    def __init__(self, session: Session, actor: Actor | None = None, name: str = "sync") -> None:
        self.actor: Actor = session.spawn("baton-sync", name=name) if actor is None else actor  #: that keeps them
        self._session = session

    def _ask(self, command: str, **fields: Any) -> Any:
        return self.actor.ask(command, fields)

    def lock(self, name: str) -> Lock:
        """A Lock."""
        return Lock(self._session, self._ask("MakeLock", name=name))

    def recursive_lock(self, name: str) -> RecursiveLock:
        """A RecursiveLock."""
        return RecursiveLock(self._session, self._ask("MakeLock", name=name))

    def condition(self, lock: Lock, name: str) -> Condition:
        """A Condition of that lock."""
        return Condition(self._session, self._ask("MakeCondition", name=name, lock=lock.address.number), lock)

    def event(self, name: str) -> Event:
        """An Event, which has not happened."""
        return Event(self._session, self._ask("MakeEvent", name=name))

    def semaphore(self, name: str, permits: int = 1) -> Semaphore:
        """A Semaphore with `permits` permits."""
        return Semaphore(self._session, self._ask("MakeSemaphore", name=name, permits=permits, is_bounded=False))

    def bounded_semaphore(self, name: str, permits: int = 1) -> BoundedSemaphore:
        """A BoundedSemaphore with `permits` permits, which never has more."""
        return BoundedSemaphore(self._session, self._ask("MakeSemaphore", name=name, permits=permits, is_bounded=True))

    def barrier(self, name: str, parties: int = 0, members: Sequence[_baton.Ref] = (),
                action: Callable[[], object] | None = None, has_action: bool = False) -> Barrier:
        """A Barrier for `parties` parties, or for these members; it breaks when a member dies. If it has an action,
        each party gives one to its own handle; has_action=True says so if this script has none."""
        address = self._ask("MakeBarrier", name=name, parties=parties, members=list(members),
                            has_action=has_action or action is not None)
        return Barrier(self._session, address, action)

    def latch(self, name: str, count: int = 1) -> Latch:
        """A Latch to be counted down `count` times."""
        return Latch(self._session, self._ask("MakeLatch", name=name, count=count))

    @overload
    def value(self, name: str) -> Value[int]: ...
    @overload
    def value(self, name: str, initial: _Number, dtype: Any = "int64") -> Value[_Number]: ...

    def value(self, name: str, initial: Any = 0, dtype: Any = "int64") -> Any:
        """A Value: one number of that type, which takes 8 bytes at most."""
        return Value(self._session, self._ask("MakeValue", name=name, initial=bits_of(dtype, initial)), dtype)

    def array(self, name: str, length: int, dtype: Any = "int64") -> Array:
        """An Array of `length` zeros of that type."""
        return Array(self._session, self._ask("MakeArray", name=name, type=element_type(dtype), length=length))

    def queue(self, name: str, bound: int = 65_536) -> JoinableQueue:
        """A JoinableQueue that holds at most `bound` items that nobody has taken."""
        return JoinableQueue(self._session, self._ask("MakeQueue", name=name, bound=bound))

    def channel(self, name: str, bound: int = 1024) -> tuple[Channel, Channel]:
        """The two ends of a Channel, with at most `bound` items on the way to each. An end belongs to the process that
        first uses it; the address of one or both is sent elsewhere."""
        ends = self._ask("MakeChannel", name=name, bound=bound)
        return Channel(self._session, ends.first), Channel(self._session, ends.second)

    def remove(self, address: Any) -> None:
        """Does what remove() of a handle does, for a primitive of which this script has only the address. Refused for a
        primitive of another keeper."""
        if (address.keeper.number, address.keeper.incarnation) != (self.actor.number, self.actor.incarnation):
            raise Refused(f"'{address.name}' is kept by another keeper: remove it there")
        self._ask("Remove", number=address.number)


if TYPE_CHECKING:
    _Kind = type
else:
    class _Kind(type(_baton.Primitive)):
        """Makes handles: in a session on the extension's classes, in a test world (baton.testing) on those that the
        world has in their places."""

        _in_worlds = {}  # by class

        def __call__(cls, session, *args, **named):
            handles = getattr(session._core, "handles", None)
            return super().__call__(session, *args, **named) if handles is None else \
                cls._of_world(handles)(session, *args, **named)

        def __instancecheck__(cls, one):
            return super().__instancecheck__(one) or issubclass(getattr(type(one), "_stands_for", type(None)), cls)

        def _of_world(cls, handles):
            """The same class with a base of the world's instead of the extension's."""
            if cls not in _Kind._in_worlds:
                bases = [base._of_world(handles) if type(base) is _Kind else handles[base]
                         for base in cls.__bases__ if type(base) is _Kind or base in handles]
                body = {name: one for name, one in vars(cls).items() if name not in ("__dict__", "__weakref__")}
                body["_stands_for"] = cls
                body.pop("__orig_bases__", None)
                bases += [] if any(issubclass(base, _Primitive) for base in bases) else [_Primitive]
                _Kind._in_worlds[cls] = type(cls.__name__, tuple(bases), body)
            return _Kind._in_worlds[cls]


class _Primitive:
    """What all kinds have. Whatever may be left by an exception (a signal's handler, Ctrl-C) is done in the
    extension."""

    def _start(self, session: Session, address: Any, *more: Any) -> None:
        self.address: Any = address  #: travels in commands
        self._keeper: Actor = session.find(address.keeper)
        super().__init__(session._core, address.keeper, address.number, *more)  # type: ignore[call-arg]

    def _attached(self) -> Any:
        return self._ask("Attach")

    @property
    def name(self) -> str:
        """What it was called when it was made."""
        return str(self.address.name)

    def __repr__(self) -> str:
        return f"<baton.sync.{type(self).__name__} {self.name!r}>"

    def _ask(self, command: str, **fields: Any) -> Any:
        return self._keeper.ask(command, {"number": self.address.number, **fields})

    def remove(self) -> None:
        """Removes it from its keeper, which frees its memory. Clients that wait there, or use it later, get Gone with
        its name and that of the client that removed it. Refused for a lock, value or array that somebody holds, and for
        a lock that still has conditions. Of a channel both ends are removed."""
        self._ask("Remove")

    @property
    def waiting(self) -> int:
        """How many clients wait at it."""
        return int(self._ask("Look").waiting)

    def _count(self) -> int:
        return int(self._ask("Look").count)


class Lock(_Primitive, _baton.SyncLock, metaclass=_Kind):
    """One process at a time: acquire() and release(), or a with block. Releasing what was never acquired is Refused."""

    _nests = False

    def __init__(self, session: Session, address: Any) -> None:
        self._start(session, address, self._nests)

    @property
    def owner_died(self) -> bool:
        """While it is held: did its last owner die with it, so that what it guards may be half done?"""
        return self.dead_owner != ""


class RecursiveLock(Lock):
    """A Lock that its owner may acquire again."""

    _nests = True


class Condition(_Primitive, _baton.SyncCondition, metaclass=_Kind):
    """Wait, while holding a lock, until somebody who holds it notifies. Several conditions may share a lock."""

    def __init__(self, session: Session, address: Any, lock: Lock) -> None:
        self._start(session, address, lock)

    def wait_for(self, predicate: Callable[[], object], timeout: Timeout = DEFAULT_TIMEOUT) -> None:
        """Waits until predicate() is true. It is called now, after each notice, and a last time when the time is over.
        `timeout` is for all waits together; after TimedOut the lock is held."""
        ends, seconds = Deadline(timeout), _baton.seconds_of(timeout)
        while not predicate():
            try:
                self.wait(ends)
            except TimedOut as late:
                if self.lock.is_held and predicate():
                    return
                raise TimedOut(f"{self!r} was waited for, {seconds} s in all, until something holds that does "
                               "not") from late

    def notify(self, count: int = 1) -> int:
        """Wakes the first `count` that wait; returns how many there were. Refused without the lock."""
        return int(self._ask("Notify", count=count))

    def notify_all(self) -> int:
        """Wakes all that wait; returns how many there were."""
        return self.notify(2**64 - 1)

    @property
    def waiting(self) -> int:
        """How many wait for a notice; those that have it and wait for the lock are not counted."""
        return self._count()


class Event(_Primitive, _baton.SyncEvent, metaclass=_Kind):
    """Something has happened, or not yet."""

    def __init__(self, session: Session, address: Any) -> None:
        self._start(session, address)

    def set(self) -> None:
        """It has happened: all that wait go on."""
        self._ask("SetEvent", is_set=True)

    def clear(self) -> None:
        """It has not happened, from here on."""
        self._ask("SetEvent", is_set=False)

    def is_set(self) -> bool:
        """Tells whether it has happened."""
        return self._count() == 1


class Semaphore(_Primitive, _baton.SyncSemaphore, metaclass=_Kind):
    """As many processes at a time as it has permits. A permit belongs to the process that acquired it, and is released
    if that process dies."""

    def __init__(self, session: Session, address: Any) -> None:
        self._start(session, address)

    @property
    def free(self) -> int:
        """How many permits are free."""
        return self._count()


class BoundedSemaphore(Semaphore):
    """A Semaphore for which releasing more permits than were acquired is Refused."""


class Barrier(_Primitive, _baton.SyncBarrier, metaclass=_Kind):
    """Nobody goes on before all have arrived. Once it is broken, by a death, by a party that gives up or by its action,
    every wait is Refused with the reason, until reset()."""

    def __init__(self, session: Session, address: Any, action: Callable[[], object] | None = None) -> None:
        self._start(session, address, action)

    def reset(self) -> None:
        """Makes it whole again, for those that are alive; those that wait get Refused."""
        self._ask("ResetBarrier")

    def abort(self) -> None:
        """Breaks it: those that wait get Refused."""
        self._ask("AbortBarrier")


class Latch(_Primitive, _baton.SyncLatch, metaclass=_Kind):
    """A count that goes down to zero, once."""

    def __init__(self, session: Session, address: Any) -> None:
        self._start(session, address)

    def count_down(self, by: int = 1) -> int:
        """Counts down; returns what is left."""
        return int(self._ask("CountDown", by=by))

    @property
    def left(self) -> int:
        """How many times it is still to be counted down."""
        return self._count()


class Value(Lock, Generic[_Number]):
    """One number in shared memory. `with counter: counter.value += 1` loses nothing; without the block it may."""

    def __init__(self, session: Session, address: Any, dtype: Any = "int64") -> None:
        Lock.__init__(self, session, address)
        self._cell = self._attached().cell
        self._kind = type_of(dtype)
        if self._kind in NUMBERS:
            word = memoryview(self._cell).cast("B")[8:]
            letter: Any = NUMBERS[self._kind][1]
            self._word: Any = word[:struct.calcsize("=" + letter)].cast(letter)
        else:
            require_numpy(f"a Value of type {self._kind}")
            self._word = self._cell.array[1:2].view(dtype)[:1]

    @property
    def value(self) -> _Number:
        """The number, as Python's own."""
        number: _Number = self._word[0] if self._kind in NUMBERS else self._word[0].item()
        return number

    @value.setter
    def value(self, value: _Number) -> None:
        if self._kind in NUMBERS:
            letter: Any = NUMBERS[self._kind][1]
            self._word[0], = struct.unpack("=" + letter, packed(self._kind, value))
        else:
            self._word[0] = value

    def update(self, change: Callable[[_Number], _Number], timeout: Timeout = DEFAULT_TIMEOUT) -> _Number:
        """Sets the number to change(number), with the lock held; returns what it is then. Refused if this process holds
        the lock already."""
        self.acquire(timeout)
        try:
            self.value = change(self.value)
            return self.value
        finally:
            self.release()


class Array(Lock):
    """Many values in shared memory; `array.array` is NumPy's view of them, or a memoryview if there is no NumPy."""

    def __init__(self, session: Session, address: Any) -> None:
        Lock.__init__(self, session, address)
        self._elements = self._attached().elements
        self.array: Any = self._elements.array  #: the memory itself

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Any:
        return self.array[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[index] = fitting(self.array, value)


class JoinableQueue(_Primitive, _baton.SyncQueue, metaclass=_Kind):
    """First in, first out. join() waits until every item is finished, as task_done() says. Items whose taker died are
    taken again."""

    def __init__(self, session: Session, address: Any) -> None:
        self._start(session, address)

    def size(self) -> int:
        """How many items nobody has taken."""
        return self._count()

    def is_empty(self) -> bool:
        """Tells whether nobody could take an item now."""
        return self.size() == 0


class Channel(_Primitive, _baton.SyncChannel, metaclass=_Kind):
    """What is sent at one end is received at the other. When the other process closes its end or dies, this one
    receives the rest, and then gets Gone with its name."""

    def __init__(self, session: Session, address: Any) -> None:
        self._start(session, address)
