"""The primitives that the keeper of a test world keeps, each as a value, as actors/sync/kept has them in C++.

A wait is a message that is answered when the wait ends; a client has at most one at each primitive.
"""
from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from . import _baton
from ._errors import Error, Refused, error_of
from ._message import Message

try:
    import numpy
except ImportError:  # all but records do without
    numpy = None  # type: ignore[assignment]


@dataclasses.dataclass
class Granted:
    """What a wait is answered with."""

    dead_owner: str
    index: Annotated[int, "uint64"]
    runs_action: bool
    item: bytes


def grant(wait: Message, dead_owner: str = "", index: int = 0, runs_action: bool = False, item: bytes = b"") -> None:
    """The wait ends as it should."""
    wait.reply(Granted(dead_owner, index, runs_action, item))


def end(wait: Message, error: Error) -> None:
    """The wait ends with that error."""
    wait._fail_as(error.text, error.kind, error.type, error.frames)


class Kept:
    """What all kinds have."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.lines: list[list[Message]] = []  # of those that wait, each in order

    @property
    def text(self) -> str:
        return f"{self.kind} '{self.name}'"

    def waits(self) -> list[Message]:
        return [wait for line in self.lines for wait in line]

    def count(self) -> int:
        return 0

    def require_unused(self) -> None:
        pass

    def leave(self, who: _baton.Ref) -> bool:
        """It does not wait here any more; returns whether it did."""
        had = len(self.waits())
        for line in self.lines:
            line[:] = [wait for wait in line if wait.sender_ref != who]
        return len(self.waits()) < had

    def withdraw(self, by: Message) -> None:
        self.leave(by.sender_ref)

    def bury(self, who: _baton.Ref, name: str, how: str) -> None:
        self.leave(who)

    def end_all(self, kind: str, text: str) -> None:
        for line in self.lines:
            for wait in line:
                end(wait, error_of(kind, text, "", []))
            line.clear()


class Lock(Kept):
    def __init__(self, kind: str, name: str) -> None:
        super().__init__(kind, name)
        self.owner: Message | None = None  # the one that acquired it
        self._dead_owner = ""
        self._line: list[Message] = []
        self.lines = [self._line]

    def count(self) -> int:
        return 0 if self.owner is None else 1

    def is_held_by(self, who: _baton.Ref) -> bool:
        return self.owner is not None and self.owner.sender_ref == who

    def require_unused(self) -> None:
        if self.owner is not None:
            raise Refused(f"{self.text} is not removed: {self.owner.sender} holds it")

    def acquire(self, by: Message) -> None:
        if self.is_held_by(by.sender_ref):
            raise Refused(f"{self.text} is held already by the client that wants it")
        self._line.append(by)
        self.pass_on()

    def pass_on(self) -> None:
        if self.owner is None and self._line:
            self.owner = self._line.pop(0)
            dead, self._dead_owner = self._dead_owner, ""
            grant(self.owner, dead_owner=dead)

    def release(self, by: Message) -> None:
        if not self.is_held_by(by.sender_ref):
            raise Refused(f"{self.text} is not held by the client that releases it")
        self.owner = None
        self.pass_on()

    def bury(self, who: _baton.Ref, name: str, how: str) -> None:
        super().bury(who, name, how)
        if self.is_held_by(who):
            self.owner, self._dead_owner = None, name
            self.pass_on()


class Condition(Kept):
    def __init__(self, name: str, lock: Lock) -> None:
        super().__init__("condition", name)
        self.lock = lock
        self._line: list[Message] = []
        self._notified: list[Message] = []  # of those that may be in the lock's line
        self.lines = [self._line]

    def count(self) -> int:
        return len(self._line)

    def _require_lock(self, by: Message, what: str) -> None:
        if not self.lock.is_held_by(by.sender_ref):
            raise Refused(f"{self.text} can only be {what} while holding its {self.lock.text}")

    def wait(self, by: Message) -> None:
        self._require_lock(by, "waited for")
        self._line.append(by)
        self.lock.release(by)

    def notify(self, by: Message, count: int) -> int:
        self._require_lock(by, "notified")
        moved = self._line[:count]
        del self._line[:count]
        self._notified = [one for one in self._notified if one in self.lock.waits()] + moved
        for wait in moved:
            self.lock.acquire(wait)
        return len(moved)

    def leave(self, who: _baton.Ref) -> bool:
        if super().leave(who):
            return True
        # Of one that waits for the lock after a notice, the notice is the next one's.
        noticed = [one for one in self._notified if one.sender_ref == who and one in self.lock.waits()]
        if not noticed:
            return False
        self._notified.remove(noticed[0])
        self.lock.leave(who)
        for wait in self._line[:1]:
            self._line.remove(wait)
            self._notified.append(wait)
            self.lock.acquire(wait)
        return True


class Event(Kept):
    def __init__(self, name: str) -> None:
        super().__init__("event", name)
        self._is_set = False
        self._line: list[Message] = []
        self.lines = [self._line]

    def count(self) -> int:
        return int(self._is_set)

    def wait(self, by: Message) -> None:
        self._line.append(by)
        self._go_on()

    def set(self, by: Message, is_set: bool) -> None:
        self._is_set = is_set
        self._go_on()

    def _go_on(self) -> None:
        while self._is_set and self._line:
            grant(self._line.pop(0))


class Semaphore(Kept):
    def __init__(self, name: str, permits: int, is_bounded: bool) -> None:
        super().__init__("semaphore", name)
        self._permits = self._free = permits
        self._is_bounded = is_bounded
        self._holders: list[_baton.Ref] = []
        self._line: list[Message] = []
        self.lines = [self._line]

    def count(self) -> int:
        return self._free

    def acquire(self, by: Message) -> None:
        self._line.append(by)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._free and self._line:
            self._free -= 1
            wait = self._line.pop(0)
            self._holders.append(wait.sender_ref)
            grant(wait)

    def release(self, by: Message) -> None:
        if by.sender_ref in self._holders:
            self._holders.remove(by.sender_ref)
        elif self._holders:
            self._holders.pop(0)
        elif self._is_bounded:
            raise Refused(f"{self.text} has all of its {self._permits} permits: there is none to give back")
        self._free += 1
        self._pass_on()

    def bury(self, who: _baton.Ref, name: str, how: str) -> None:
        super().bury(who, name, how)
        left = [one for one in self._holders if one != who]
        self._free += len(self._holders) - len(left)
        self._holders = left
        self._pass_on()


class Latch(Kept):
    def __init__(self, name: str, count: int) -> None:
        super().__init__("latch", name)
        self._left = count
        self._line: list[Message] = []
        self.lines = [self._line]

    def count(self) -> int:
        return self._left

    def count_down(self, by: Message, number: int) -> int:
        if number > self._left:
            raise Refused(f"{self.text} can't be counted down by {number}: {self._left} is left")
        self._left -= number
        self._go_on()
        return self._left

    def wait(self, by: Message) -> None:
        self._line.append(by)
        self._go_on()

    def _go_on(self) -> None:
        while self._left == 0 and self._line:
            grant(self._line.pop(0))


class Barrier(Kept):
    def __init__(self, name: str, parties: int, members: list[_baton.Ref], has_action: bool) -> None:
        super().__init__("barrier", name)
        if not parties and not members:
            raise Refused(f"{self.text} needs at least one party or member")
        self._members = list(members)
        self._parties = len(members) or parties
        self._has_action = has_action
        self._broken = ""
        self._dead: list[_baton.Ref] = []
        self._runner: Message | None = None
        self._come: list[Message] = []
        self._early: list[Message] = []  # while the action runs
        self.lines = [self._come, self._early]

    def count(self) -> int:
        return len(self._come)

    def wait(self, by: Message) -> None:
        if self._broken:
            raise Refused(self._broken)
        if self._members and by.sender_ref not in self._members:
            raise Refused(f"{by.sender} is not a member of {self.text}")
        if self._runner is not None:
            self._early.append(by)
            return
        self._come.append(by)
        self._open_when_full()

    def _open_when_full(self) -> None:
        if len(self._come) < self._parties:
            return
        if self._has_action:
            self._runner = self._come[-1]
            grant(self._runner, index=len(self._come) - 1, runs_action=True)
        else:
            self._open()

    def _open(self) -> None:
        come, runner = list(self._come), self._runner
        self._come[:], self._early[:], self._runner = list(self._early), [], None
        for index, wait in enumerate(come):
            if wait is not runner:
                grant(wait, index=index)
        self._open_when_full()

    def action_done(self, by: Message, error: str) -> None:
        if self._runner is None or self._runner.sender_ref != by.sender_ref:
            raise Refused(self._broken or f"{by.sender} does not run the action of {self.text}")
        if error:
            self._break(f"its action failed in {by.sender}: {error}")
        else:
            self._open()

    def reset(self, by: Message) -> None:
        self._refuse_all(f"{self.text} was reset by {by.sender}")
        self._broken = ""
        if self._members:
            self._members = [one for one in self._members if one not in self._dead]
            self._dead = []
            self._parties = len(self._members)
            if not self._members:
                self._broken = f"{self.text} has no member that is alive"

    def abort(self, by: Message) -> None:
        self._break(f"{by.sender} aborted it")

    def _break(self, why: str) -> None:
        self._broken = f"{self.text} is broken: {why}"
        self._refuse_all(self._broken)

    def _refuse_all(self, text: str) -> None:
        waits, runner = self.waits(), self._runner
        self._come.clear()
        self._early.clear()
        self._runner = None
        for wait in waits:
            if wait is not runner:
                end(wait, Refused(text))

    def withdraw(self, by: Message) -> None:
        if self.leave(by.sender_ref):
            self._break(f"{by.sender} gave up waiting")

    def bury(self, who: _baton.Ref, name: str, how: str) -> None:
        is_member = who in self._members
        if is_member:
            self._dead.append(who)
        if (self.leave(who) or is_member) and not self._broken:
            self._break(how)


class Memory(bytearray):
    """Memory of a value or array, as a slice of it is in a session: a buffer with an array."""

    kind = "<u8"

    @property
    def array(self) -> Any:
        """NumPy's view of it, or a memoryview if there is no NumPy."""
        if numpy is not None:
            return numpy.frombuffer(self, numpy.dtype(self.kind))
        letters = {"|b1": "?", "|i1": "b", "|u1": "B", "<i2": "h", "<u2": "H", "<i4": "i", "<u4": "I", "<i8": "q",
                   "<u8": "Q", "<f4": "f", "<f8": "d"}
        return memoryview(self).cast(letters[self.kind])


class Values(Lock):
    """A value or an array: a lock with memory."""

    def __init__(self, kind: str, name: str, type: str, length: int, initial: int = 0) -> None:
        super().__init__(kind, name)
        self.cell = Memory(64)
        self.cell[8:16] = initial.to_bytes(8, "little")
        size = int(type[2:]) if len(type) > 2 and type[2:].isdigit() else 8
        self.elements = Memory(length * size)
        self.elements.kind = type
