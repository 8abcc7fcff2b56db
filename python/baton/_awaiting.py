"""Waiting under asyncio: for replies, for the ends of actors and for commands, without holding up the event loop.

An event loop can't wait as the runtime does. So it watches, in one epoll, the descriptors that the runtime would look
at, and lets the session look whenever one of them is readable, or when the runtime would look by itself. No threads
are involved: code that awaits runs in the session's own thread.
"""
from __future__ import annotations

import asyncio
import select
import weakref
from collections.abc import Callable
from typing import Any

from . import _baton
from ._place import Place
from ._values import Exit

_watchers: weakref.WeakKeyDictionary[_baton.Session, _Watcher] = weakref.WeakKeyDictionary()


class _Watcher:
    """What one event loop awaits of one session. It is removed when nothing is awaited any more."""

    def __init__(self, core: _baton.Session, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._core = core
        self._replies: dict[asyncio.Future[None], _baton.Pending] = {}
        self._mail: list[asyncio.Future[None]] = []
        self._tasks: dict[asyncio.Future[None], _baton.Task | _baton.Tasks] = {}
        self._exits: set[asyncio.Future[Exit]] = set()
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._next: asyncio.Handle | None = None
        # Readable after every other call of the session: it may have taken what came.
        self._epoll.register(core.tell_turns(True), select.EPOLLIN)
        loop.add_reader(self._epoll.fileno(), self.look)
        _watchers[core] = self

    def close(self) -> None:
        """Nothing is watched any more."""
        if self._epoll.closed:
            return
        if _watchers.get(self._core) is self:
            del _watchers[self._core]
            self._core.tell_turns(False)
        if self._next is not None:
            self._next.cancel()
        if not self.loop.is_closed():
            self.loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def look(self) -> None:
        """Lets the session look at what has come, and tells those who await it."""
        if self._epoll.closed:
            return
        if self._next is not None:
            self._next.cancel()
            self._next = None
        try:
            settled, watched, seconds, has_mail = self._core.look(list(self._replies.values()), bool(self._mail))
        except Exception as error:
            self._fail(error)
            return
        for future, is_settled in zip(list(self._replies), settled):
            if is_settled and not future.done():
                future.set_result(None)
        for future, task in list(self._tasks.items()):
            if task.is_settled and not future.done():
                future.set_result(None)
        if has_mail:
            for mail in self._mail:
                if not mail.done():
                    mail.set_result(None)
        self._watch(set(watched))
        if seconds is not None:
            self._next = self.loop.call_later(seconds, self.look)

    def _watch(self, watched: set[int]) -> None:
        for one in self._watched - watched:
            try:
                self._epoll.unregister(one)
            except OSError:
                pass  # it was closed
        for one in watched:  # even those watched before: a number may be another descriptor's by now
            try:
                self._epoll.register(one, select.EPOLLIN)
            except FileExistsError:
                pass
        self._watched = watched

    def _fail(self, error: Exception) -> None:
        futures: list[asyncio.Future[Any]] = [*self._replies, *self._mail, *self._tasks, *self._exits]
        for future in futures:
            if not future.done():
                future.set_exception(error)
        if not futures:
            self.loop.call_exception_handler({"message": "baton: the session can't be watched", "exception": error})
            self.close()

    def _close_if_idle(self) -> None:
        if not (self._replies or self._mail or self._tasks or self._exits):
            self.close()

    async def settled(self, pending: _baton.Pending) -> None:
        """Returns when the reply is there, or an error in its place."""
        future = self.loop.create_future()
        self._replies[future] = pending
        try:
            self.look()
            await future
        finally:
            del self._replies[future]
            self._close_if_idle()

    async def done(self, task: _baton.Task | _baton.Tasks) -> None:
        """Returns when the outcome of that task, or of all these tasks, is there."""
        future = self.loop.create_future()
        self._tasks[future] = task
        try:
            task.attend()
            self.look()
            await future
        finally:
            del self._tasks[future]
            self._close_if_idle()

    async def mail(self) -> None:
        """Returns when a command has come to this script."""
        future = self.loop.create_future()
        self._mail.append(future)
        try:
            self.look()
            await future
        finally:
            self._mail.remove(future)
            self._close_if_idle()

    async def ended(self, place: Place, ref: _baton.Ref) -> Exit:
        """Returns how that actor ended, as soon as it has."""
        future: asyncio.Future[Exit] = self.loop.create_future()
        self._exits.add(future)

        def tell(exit: Exit) -> None:
            if not future.done():
                future.set_result(exit)

        try:
            place.on_exited(ref, tell)
            self.look()
            return await future
        finally:
            place.forget(ref, tell)
            self._exits.remove(future)
            self._close_if_idle()

    def tell_later(self, place: Place, ref: _baton.Ref, tell: Callable[[Exit], object]) -> None:
        """Calls the function from the event loop when that actor has ended."""
        future: asyncio.Future[Exit] = self.loop.create_future()
        self._exits.add(future)

        def done(exit: Exit) -> None:
            self._exits.discard(future)
            self.loop.call_soon(tell, exit)  # what it raises is the event loop's
            self.loop.call_soon(self._close_if_idle)

        place.on_exited(ref, done)
        self.look()


def _watcher_of(core: _baton.Session) -> _Watcher:
    loop = asyncio.get_running_loop()
    watcher = _watchers.get(core)
    if watcher is not None and watcher.loop is not loop:
        watcher.close()  # of an event loop that has ended
        watcher = None
    return watcher if watcher is not None else _Watcher(core, loop)


def is_in_event_loop() -> bool:
    """True if this is called from a task or a callback of asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def reply_of(pending: _baton.Pending) -> Any:
    """What `await pending` does."""
    try:
        await _watcher_of(pending._core).settled(pending)
    except asyncio.CancelledError:
        pending.cancel()
        raise
    return pending.get(0)


async def outcome_of(core: _baton.Session, task: _baton.Task | _baton.Tasks) -> None:
    """Returns when a pool's tasks are done: what `await task` does."""
    done = getattr(core, "done", None)  # of a test world (baton.testing)
    await (_watcher_of(core).done(task) if done is None else done(task))


async def exit_of(place: Place, ref: _baton.Ref) -> Exit:
    """What `await actor.ended()` does."""
    return await _watcher_of(place.core).ended(place, ref)


async def mail_of(core: _baton.Session) -> None:
    """Returns when a command has come to this script."""
    await _watcher_of(core).mail()


def call_on_exit(place: Place, ref: _baton.Ref, tell: Callable[[Exit], object]) -> None:
    """Calls the function once, when that actor has ended: from the event loop if one is running, otherwise as
    Place.on_exited() says."""
    if is_in_event_loop():
        _watcher_of(place.core).tell_later(place, ref, tell)
    else:
        place.on_exited(ref, tell)
