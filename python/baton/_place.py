"""Place: what a session and its actors both use: the extension's session, the known actors, and how actors ended."""
from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from . import _baton
from ._errors import Gone
from ._values import DEFAULT_TIMEOUT, Exit, Timeout


class _Known(Protocol):
    _exit: Exit | None


class Place:
    """A script's place in a session. Actors keep it alive; it keeps no actor alive."""

    def __init__(self, core: _baton.Session) -> None:
        self.core = core
        self.known: weakref.WeakValueDictionary[_baton.Ref, Any] = weakref.WeakValueDictionary()  # Actors
        self._listeners: dict[_baton.Ref, list[Callable[[Exit], object]]] = {}
        self._listens = False

    # ---- exits

    def stop(self, actors: Iterable[_baton.Ref], timeout: Timeout, drain: bool) -> list[Exit]:
        """Ends these actors; returns the exits that are known."""
        targets = list(actors)
        return self.learn_exits(self.core.stop(targets, timeout, drain)) if targets else []

    def learn_exits(self, ended: list[tuple[_baton.Ref, _baton._ExitRow]]) -> list[Exit]:
        """Returns the exits in these rows; from here on the actors know them."""
        exits = []
        for ref, row in ended:
            exits.append(Exit._of(row))
            actor: _Known | None = self.known.get(ref)
            if actor is not None:
                actor._exit = exits[-1]
        return exits

    def exit_of(self, ref: _baton.Ref, name: str) -> Exit | None:
        """How that actor ended; None while it lives. Raises Gone if that has been forgotten."""
        try:
            if self.core.find(name)[0] == ref:
                return None
        except Gone:
            pass
        for row in self.core.roster(True):
            if row[0] == ref:
                return None if row[9] is None else Exit._of(row[9])
        raise Gone(f"{name} ({ref.id}) exited long ago, and its exit has been forgotten")

    def on_exited(self, ref: _baton.Ref, tell: Callable[[Exit], object]) -> None:
        """Calls `tell` once, at the beginning of one of the session's calls after that actor has ended; at once if it
        has ended already."""
        if not self._listens:
            told = weakref.WeakMethod(self._told)
            self.core.on_exited(lambda ref, row: _call(told(), ref, row))
            self._listens = True
        self._listeners.setdefault(ref, []).append(tell)
        try:
            self.core.watch(ref)
        except Gone:
            if self.forget(ref, tell):
                tell(Exit._of(self.core.join(ref, DEFAULT_TIMEOUT)))
        except BaseException:
            self.forget(ref, tell)
            raise

    def forget(self, ref: _baton.Ref, tell: Callable[[Exit], object]) -> bool:
        """Takes the listener off, so that it is not called any more. False if it has been called already."""
        listeners = self._listeners.get(ref, [])
        if tell not in listeners:
            return False
        listeners.remove(tell)
        if not listeners:
            del self._listeners[ref]
        return True

    def _told(self, ref: _baton.Ref, row: _baton._ExitRow) -> None:
        exit = Exit._of(row)
        raised: BaseException | None = None
        for tell in self._listeners.pop(ref, []):
            try:
                tell(exit)
            except BaseException as error:
                raised = raised or error  # the others are told nevertheless
        if raised is not None:
            raise raised


def _call(told: Callable[..., None] | None, ref: _baton.Ref, row: _baton._ExitRow) -> None:
    if told is not None:
        told(ref, row)
