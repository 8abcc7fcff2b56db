"""Queues and channels that the keeper of a test world keeps; see _testing_kept."""
from __future__ import annotations

import collections

from . import _baton
from ._errors import Gone, Refused
from ._message import Message
from ._testing_kept import Kept, end, grant

TAKERS_MAX = 3  # that die with an item in hand; then it is given up


class Queue(Kept):
    def __init__(self, name: str, bound: int) -> None:
        super().__init__("queue", name)
        self._bound = bound
        self._items: collections.deque[tuple[bytes, int]] = collections.deque()  # with how many takers have died
        self._taken: dict[_baton.Ref, list[tuple[bytes, int]]] = {}
        self._putting: list[Message] = []
        self._getting: list[Message] = []
        self._joining: list[Message] = []
        self.lines = [self._putting, self._getting, self._joining]

    def count(self) -> int:
        return len(self._items)

    def put(self, by: Message, item: bytes) -> None:
        self._putting.append(by)
        self._move_on()

    def get(self, by: Message) -> None:
        self._getting.append(by)
        self._move_on()

    def join(self, by: Message) -> None:
        self._joining.append(by)
        self._move_on()

    def _move_on(self) -> None:
        while True:
            if self._putting and len(self._items) < self._bound:
                wait = self._putting.pop(0)
                self._items.append((bytes(wait.fields["item"]), 0))
                grant(wait)
            elif self._getting and self._items:
                wait, item = self._getting.pop(0), self._items.popleft()
                self._taken.setdefault(wait.sender_ref, []).append(item)
                grant(wait, item=item[0])
            elif self._joining and not self._items and not any(self._taken.values()):
                grant(self._joining.pop(0))
            else:
                return

    def task_done(self, by: Message) -> None:
        taken = self._taken.get(by.sender_ref)
        if not taken:
            raise Refused(f"{by.sender} has no item of {self.text} that is not finished: each that was taken is "
                          "finished once")
        taken.pop(0)
        self._move_on()

    def bury(self, who: _baton.Ref, name: str, how: str) -> None:
        super().bury(who, name, how)
        for item, died in reversed(self._taken.pop(who, [])):
            if died + 1 < TAKERS_MAX:
                self._items.appendleft((item, died + 1))
        self._move_on()


class End(Kept):
    """One end of a channel."""

    other: End

    def __init__(self, name: str, bound: int) -> None:
        super().__init__("channel end", name)
        self._bound = bound
        self._owner: Message | None = None  # the first that used it
        self._closed = ""
        self._items: collections.deque[bytes] = collections.deque()  # to be received here
        self._sending: list[Message] = []
        self._receiving: list[Message] = []
        self.lines = [self._sending, self._receiving]

    def count(self) -> int:
        return len(self._items)

    def _claim(self, by: Message) -> None:
        if self._closed:
            raise Refused(f"{self.text} is closed: {self._closed}")
        self._owner = self._owner or by
        if self._owner.sender_ref != by.sender_ref:
            raise Refused(f"{self.text} belongs to {self._owner.sender}")

    def send(self, by: Message, item: bytes) -> None:
        self._claim(by)
        self._sending.append(by)
        self.other._move_on()

    def receive(self, by: Message) -> None:
        self._claim(by)
        self._receiving.append(by)
        self._move_on()

    poll = receive  # whose name is in the message

    def _move_on(self) -> None:
        sending = self.other._sending
        while True:
            if sending and self._closed:
                end(sending.pop(0), Gone(f"nobody receives at the other end of {self.text}: {self._closed}"))
            elif sending and len(self._items) < self._bound:
                wait = sending.pop(0)
                self._items.append(bytes(wait.fields["item"]))
                grant(wait)
            elif self._receiving and self._items:
                wait = self._receiving.pop(0)
                grant(wait, item=b"" if wait.name == "Poll" else self._items.popleft())
            elif self._receiving and self.other._closed:
                end(self._receiving.pop(0), Gone(f"nothing more will come through {self.text}: {self.other._closed}"))
            else:
                return

    def close(self, by: Message) -> None:
        self._claim(by)
        self._end(f"{by.sender} has closed its end")

    def _end(self, why: str) -> None:
        self._closed = why
        self._items.clear()
        self._move_on()
        self.other._move_on()

    def bury(self, who: _baton.Ref, name: str, how: str) -> None:
        super().bury(who, name, how)
        if self._owner is not None and self._owner.sender_ref == who and not self._closed:
            self._end(how)
