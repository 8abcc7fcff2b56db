"""Tasks of a pool in a test world: functions of the test, and what the extension's Task, Tasks and so on are to
baton.Pool."""
from __future__ import annotations

import datetime
import inspect
import re
import typing
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from . import _baton
from ._errors import Cancelled, Error, Refused
from ._protocol import made, type_of
from ._testing_members import Member
from ._values import Deadline, Timeout

_DAY_ONE = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
Row = tuple[tuple[Any, ...], dict[str, Any]]


class Function:
    """One function that the test provides for a pool. What its hints say is checked as for a C++ function; a parameter
    or result without a hint, or with one of a type that does not travel, is passed on as it is."""

    def __init__(self, name: str, call: Callable[..., Any], seconds: float) -> None:
        self.name = name
        self.call = call
        self.seconds = seconds  # that a task takes
        self._signature = inspect.signature(call)
        self._hints = typing.get_type_hints(call, include_extras=True)
        self._typed = {one: kind for one in self._signature.parameters if (kind := self._type(one)) is not None}
        self._result = self._type("return")
        parts: list[Any] = [(one, kind, ()) for one, kind in self._typed.items()]
        self.protocol = _baton.described(("", [(name, ("struct", name, 0, parts), self._result)]))

    def _type(self, name: str) -> Any:
        try:
            return type_of(self._hints[name], name) if name in self._hints else None
        except TypeError:
            return None

    @property
    def text(self) -> str:
        shown = [f"{one}: {self._said(self._typed[one])}" if one in self._typed else one
                 for one in self._signature.parameters]
        result = "" if self._result is None else f" -> {self._said(self._result)}"
        return f"{self.name}({', '.join(shown)}){result}"

    @staticmethod
    def _said(kind: Any) -> str:
        return str(kind[1] or kind[0])  # "Point", or "int64"

    def bound(self, row: Row) -> dict[str, Any]:
        """The arguments by name, checked. Raises Refused."""
        try:
            bound = self._signature.bind(*row[0], **row[1])
        except TypeError as error:
            raise Refused(f"{self.name}: {error}; it is {self.text}") from None
        bound.apply_defaults()
        named = dict(bound.arguments)
        try:
            values = _baton.carry(self.protocol, self.name, {one: named[one] for one in self._typed})
        except Refused as error:
            raise Refused(re.sub(rf"^{self.name}\.(\w+)", rf"{self.name}(\1)", error.text)) from None
        for one, value in getattr(values, "_fields", {}).items():
            named[one] = made(self._hints[one], value)
        return named

    def run(self, named: dict[str, Any]) -> Any:
        value = self.call(**named)
        return value if self._result is None else _baton.carry_reply(self.protocol, self.name, value)


class Outcome:
    """What became of one task, with the words of baton.Outcome."""

    def __init__(self, task: State) -> None:
        self._task = task

    @property
    def id(self) -> int:
        return self._task.id

    @property
    def function(self) -> str:
        return self._task.function.name

    @property
    def arguments(self) -> tuple[Any, ...]:
        return tuple(self._task.named.values())

    @property
    def worker(self) -> str:
        return self._task.worker_name

    @property
    def started(self) -> datetime.datetime:
        return _DAY_ONE + datetime.timedelta(seconds=self._task.started)

    @property
    def finished(self) -> datetime.datetime:
        return _DAY_ONE + datetime.timedelta(seconds=self._task.finished)

    @property
    def ok(self) -> bool:
        return self._task.error is None

    @property
    def was_cancelled(self) -> bool:
        return isinstance(self._task.error, Cancelled)

    @property
    def error(self) -> Error | None:
        told: Any = self._task.error
        if told is not None:
            told.function, told.arguments, told.worker = self.function, self.arguments, self.worker
        return self._task.error

    @property
    def value(self) -> Any:
        if self.error is not None:
            raise self.error
        return self._task.value

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.arguments))
        said = f"Result: {self._task.value}" if self.ok else f"Error: {self._task.error}"
        return f"Call to {self.function}({shown}) --> {said}"

    def __repr__(self) -> str:
        return f"<baton.Outcome: {self}>"


class State:
    """One task, from the call to its outcome."""

    def __init__(self, id: int, function: Function, named: dict[str, Any], limit: float | None, retries: int) -> None:
        self.id = id
        self.function = function
        self.named = named
        self.limit = limit      # of seconds in a worker's hands
        self.retries = retries  # that are left
        self.worker: Member | None = None  # that runs it
        self.worker_name = ""
        self.deaths = 0
        self.started = self.finished = 0.0
        self.value: Any = None
        self.error: Error | None = None
        self.place = 0  # among those that are done, in the order of their ends; 0: not done

    @property
    def is_done(self) -> bool:
        return self.place > 0


class _Pool(Protocol):
    """What a task knows of its pool."""

    def look(self) -> None: ...
    def wait(self, done: Callable[[], bool], timeout: Timeout) -> None: ...
    def forget(self, states: list[State]) -> None: ...
    def cancel_state(self, state: State) -> str | None: ...


class Task:
    """As the extension's Task."""

    def __init__(self, pool: _Pool, state: State) -> None:
        self._pool = pool
        self.states = [state]
        self.collects = True

    def __del__(self) -> None:
        self._pool.forget(self.states)

    @property
    def id(self) -> int:
        return self.states[0].id

    @property
    def is_settled(self) -> bool:
        return self.states[0].is_done

    def ready(self) -> bool:
        self._pool.look()
        return self.is_settled

    def outcome(self, timeout: Timeout) -> Outcome:
        self._pool.wait(lambda: self.is_settled, timeout)
        return Outcome(self.states[0])

    def cancel(self) -> str | None:
        return self._pool.cancel_state(self.states[0])


class Tasks:
    """As the extension's Tasks."""

    def __init__(self, pool: _Pool, states: list[State], collects: bool) -> None:
        self._pool = pool
        self.states = states
        self.collects = collects

    def __del__(self) -> None:
        self._pool.forget(self.states)

    def __len__(self) -> int:
        return len(self.states)

    @property
    def ids(self) -> list[int]:
        return [one.id for one in self.states]

    @property
    def unfinished(self) -> int:
        return sum(not one.is_done for one in self.states)

    @property
    def _failed(self) -> State | None:
        return None if self.collects else next((one for one in self.states if one.error is not None), None)

    @property
    def is_settled(self) -> bool:
        return self.unfinished == 0 or self._failed is not None

    def ready(self) -> bool:
        self._pool.look()
        return self.is_settled

    def get(self, timeout: Timeout) -> list[Any]:
        self._pool.wait(lambda: self.is_settled, timeout)
        failed = self._failed
        if failed is not None:
            self._pool.forget(self.states)
            return [Outcome(failed).value]
        return [Outcome(one) if self.collects else one.value for one in self.states]

    def cancel(self) -> tuple[int, int, int]:
        how = [self._pool.cancel_state(one) for one in self.states]
        return how.count("withdrawn"), how.count("ended"), how.count(None)


class Completed:
    """As the extension's Completed."""

    def __init__(self, pool: _Pool, tasks: Sequence[Task | Tasks], timeout: Timeout) -> None:
        self._pool = pool
        self._left = [(state, one) for one in tasks for state in one.states]
        self._ends = Deadline(timeout)

    def next(self) -> Outcome | None:
        if not self._left:
            return None
        self._pool.wait(lambda: any(state.is_done for state, _ in self._left), self._ends)
        first = min((one for one in self._left if one[0].is_done), key=lambda one: one[0].place)
        self._left.remove(first)
        if first[0].error is not None and not first[1].collects:
            self._pool.forget(first[1].states)
            raise first[0].error
        return Outcome(first[0])
