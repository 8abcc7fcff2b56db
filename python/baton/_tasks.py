"""Tasks: what a script gives to a pool, and how it waits for what becomes of that."""
from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from . import _baton
from ._awaiting import outcome_of
from ._place import Place
from ._values import DEFAULT_TIMEOUT, Timeout, publish

HowCancelled: TypeAlias = Literal["withdrawn", "ended"]


class Call:
    """A call of a function of a pool, not given to it yet: for calls that have rules of their own.

        pool.submit(baton.Call("power", 2, exponent=10), id=7, timeout=1.0, retries=0)

    Every keyword is an argument of the function, whatever its name.
    """

    def __init__(self, function: str, /, *args: Any, **named: Any) -> None:
        self.function = function  #: its name
        self.args = args          #: by position
        self.named = named        #: by name

    def __repr__(self) -> str:
        given = [repr(one) for one in self.args] + [f"{name}={value!r}" for name, value in self.named.items()]
        return f"baton.Call({', '.join([repr(self.function), *given])})"


class CancelledTasks(NamedTuple):
    """What Tasks.cancel() did, by how many tasks."""

    withdrawn: int  #: had not begun, and never run
    ended: int      #: were running: their workers were killed, and are replaced
    too_late: int   #: had their outcome already


class Later:
    """Functions to call when tasks of a pool are done, between the script's calls."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Task | Tasks, Callable[[Any], object]]] = []
        self._tells = False

    def add(self, task: Task | Tasks, callback: Callable[[Any], object]) -> None:
        self._waiting.append((task, callback))

    def tell(self) -> None:
        """Calls those whose tasks are done. What one raises leaves the call that the script has made."""
        if self._tells:  # from within one
            return
        self._tells = True
        try:
            while (found := next((one for one in self._waiting if one[0]._core.is_settled), None)) is not None:
                self._waiting.remove(found)
                found[1](found[0])
        finally:
            self._tells = False


class _Pool(Protocol):
    """What a task knows of its baton.Pool."""

    _later: Later
    _place: Place


class Task:
    """One task, from Pool.submit(), until its outcome has come and after. Under asyncio `await task` is its result.

    If the script drops it, a task that has not begun never runs; one that runs goes on, and its outcome is lost.
    """

    def __init__(self, core: _baton.Task, pool: _Pool) -> None:
        self._core = core
        self._pool = pool

    def __repr__(self) -> str:
        return f"<baton.Task {self.id}, {'done' if self._core.is_settled else 'not done'}>"

    @property
    def id(self) -> int:
        """The task's id, for Pool.find() and Pool.cancel()."""
        return self._core.id

    def get(self, timeout: Timeout = DEFAULT_TIMEOUT) -> Any:
        """Waits for the result and returns it. May be called again, and returns the same then.

        Raises the task's error, which knows function, arguments and worker. Raises TimedOut if the result has not come
        in time; get() may be called again then.
        """
        return self.outcome(timeout).value

    def outcome(self, timeout: Timeout = DEFAULT_TIMEOUT) -> _baton.Outcome:
        """Waits for the end of the task, and returns all that is known about it. Raises TimedOut as get() does."""
        outcome = self._core.outcome(timeout)
        self._pool._later.tell()
        return outcome

    def ready(self) -> bool:
        """Tells whether the outcome is there. Looks once, without waiting."""
        is_ready = self._core.ready()
        self._pool._later.tell()
        return is_ready

    def cancel(self) -> HowCancelled | None:
        """Ends the task, and tells how; get() raises Cancelled then.

        "withdrawn": it had not begun, and never runs. "ended": it was running, so its worker was killed and is
        replaced; tasks that the worker had beside it run elsewhere. None: it is done, and nothing was changed.
        """
        how = self._core.cancel()
        self._pool._later.tell()
        return how

    def then(self, callback: Callable[[Task], object]) -> None:
        """Calls `callback(task)` once when the outcome is there; immediately if it is there already.

        It is called in this thread, at the end of a call of this pool or of one of its tasks, never within one; so it
        may use the pool and the session. The task is kept until then.
        """
        self._pool._later.add(self, callback)
        self._pool._later.tell()

    def __await__(self) -> Generator[Any, None, Any]:
        yield from outcome_of(self._pool._place.core, self._core).__await__()
        return self.get(0)


class Tasks:
    """The tasks of one Pool.map_async(). len() says how many. Under asyncio `await tasks` is what get() returns.

    If the script drops it, tasks that have not begun never run.
    """

    def __init__(self, core: _baton.Tasks, pool: _Pool) -> None:
        self._core = core
        self._pool = pool

    def __repr__(self) -> str:
        return f"<baton.Tasks, {self.unfinished} of {len(self)} not done>"

    def __len__(self) -> int:
        return len(self._core)

    @property
    def ids(self) -> list[int]:
        """The tasks' ids, in the order of the arguments, for Pool.find() and Pool.cancel()."""
        return self._core.ids

    @property
    def unfinished(self) -> int:
        """How many have no outcome yet, as far as is known: ready(), get() and as_completed() look."""
        return self._core.unfinished

    def ready(self) -> bool:
        """Tells whether all outcomes are there, or the first error if that is enough. Looks once, without waiting."""
        is_ready = self._core.ready()
        self._pool._later.tell()
        return is_ready

    def get(self, timeout: Timeout = DEFAULT_TIMEOUT) -> list[Any]:
        """Waits for all, and returns what map() returns. Raises TimedOut if they have not come in time; get() may be
        called again then."""
        results = self._core.get(timeout)
        self._pool._later.tell()
        return results

    def cancel(self) -> CancelledTasks:
        """Ends all of them, as Task.cancel() ends one, and tells how many in which way."""
        how = CancelledTasks(*self._core.cancel())
        self._pool._later.tell()
        return how

    def then(self, callback: Callable[[Tasks], object]) -> None:
        """Calls `callback(tasks)` once when all outcomes are there; see Task.then()."""
        self._pool._later.add(self, callback)
        self._pool._later.tell()

    def __await__(self) -> Generator[Any, None, list[Any]]:
        yield from outcome_of(self._pool._place.core, self._core).__await__()
        return self.get(0)


publish(Call, CancelledTasks, Task, Tasks)
