"""Pool: calls of C++ functions, run by worker actors."""
from __future__ import annotations

import collections
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, overload

from . import _baton
from ._opening import session as open_session
from ._session import Session
from ._tasks import Call, HowCancelled, Later, Task, Tasks
from ._values import DEFAULT_TIMEOUT, Timeout, publish

_Errors: TypeAlias = Literal["raise", "collect"]


class Pool:
    """Calls of C++ functions, run by worker actors: as many at once as there are workers.

        with baton.Pool("my_worker", workers=4) as pool:
            print(pool.map("square", range(10)))
            print(pool.submit("power", 2, exponent=10).get(timeout=1.0))
            for outcome in pool.as_completed(pool.map_async("square", range(10))):
                print(outcome)                            # the quickest first

    The main() of `program` runs a baton::pool::Worker; pool.functions() says what it has. `workers` (None: as many as
    there are processors that this process may use, by its affinity and the quotas of its cgroups) start with the block,
    start() or the first call, and end with the block or stop(); then the pool may be started again. Functions are
    called by name with Python's values, which are checked against their C++ types before anything is sent.

    A worker that dies is replaced, and its tasks are tried again; a task that was the only one in its worker's hands is
    tried again at most `retries` times. Short tasks are sent in batches, without being asked to.

    NumPy arrays travel as segments. An argument that is a Segment is given to the task; for a Loan the task gets a
    lease of all of it, for lease_of(loan, first, count) a lease of these rows, for slice_of(loan, first, count) a slice
    of them. A Segment that a task returns is its result, and outlives the worker.

    Where a method waits, `timeout` is how long at most (seconds, a timedelta, a baton.Deadline, or None for as long as
    it takes). `task_timeout` is how long one task may run: a worker that takes longer is killed, and the task is
    TimedOut. Errors: Refused (no such function, a value that does not fit), any error that keeps workers from starting,
    and Stopping.
    """

    def __init__(self, program: str, workers: int | None = None, *, session: Session | None = None,
                 name: str | None = None, args: Sequence[Any] = (), retries: int = 2, progress: bool = True,
                 start_timeout: Timeout = 10.0) -> None:
        if workers is not None and workers < 1:
            raise ValueError("a pool has at least one worker")
        self._own_session = open_session() if session is None else None
        self._place = (session or self._own_session)._place  # type: ignore[union-attr]  # one of them is there
        self._later = Later()
        # A session of a test world has pools of its own (baton.testing).
        make: Callable[..., _baton.Pool] = getattr(self._place.core, "make_pool", _baton.Pool)
        self._core = make(self._place.core, self._place.known, program, workers or 0, name or "",
                          [str(one) for one in args], retries, progress, start_timeout)
        self._program = program
        self._ahead = 16 * (workers or _baton.usable_cores())

    def __repr__(self) -> str:
        return f"<baton.Pool of {self._program}>"

    # ---- its life

    def start(self) -> None:
        """Waits until the workers are ready."""
        self._core.start()

    def stop(self, timeout: Timeout = DEFAULT_TIMEOUT) -> None:
        """Ends the workers, and waits until the last of them has ended. Tasks that are not done fail as Stopping."""
        self._core.stop(timeout)
        self._later.tell()

    def __enter__(self) -> Pool:
        if self._own_session is None:
            self.start()
            return self
        try:
            self.start()
        except BaseException:
            self._own_session.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        # After Ctrl-C the session ends everything, with one line.
        try:
            if not isinstance(error, KeyboardInterrupt):
                self.stop()
        finally:
            if self._own_session is not None:
                self._own_session.__exit__(kind, error, trace)

    def functions(self) -> list[str]:
        """What the workers can run, with the C++ types: 'power(base: int64, exponent: int64) -> int64'."""
        return self._core.functions()

    # ---- one task

    @overload
    def submit(self, function: str, /, *args: Any, **named: Any) -> Task: ...
    @overload
    def submit(self, call: Call, /, *, id: int | None = None, timeout: Timeout = None,
               retries: int | None = None) -> Task: ...

    def submit(self, function: str | Call, /, *args: Any, **named: Any) -> Task:
        """Begins one call, without waiting: submit("power", 2, exponent=10). All keywords are the function's.

        For a baton.Call the keywords are the rules of its task: its `id` (Refused for one that is taken), the `timeout`
        that it may run, and `retries`: submit(baton.Call("power", 2, exponent=10), id=7, timeout=1.0).
        """
        task = Task(self._core.submit(*_spelled(function, args, named)), self)
        self._later.tell()
        return task

    # ---- many tasks of one function

    def map(self, function: str, values: Iterable[Any], *, errors: _Errors = "raise", timeout: Timeout = None,
            task_timeout: Timeout = None, retries: int | None = None) -> list[Any]:
        """Calls the function with each value, waits, and returns the results in their order.

        errors="raise": the first error is raised, and tasks that have not begun never run.
        errors="collect": all are run, and their Outcomes are returned, whether they succeeded or failed.
        """
        return self._map(function, [((value,), {}) for value in values], errors, timeout, task_timeout, retries)

    def starmap(self, function: str, rows: Iterable[Iterable[Any]] | None = None,
                named: Iterable[Mapping[str, Any]] | None = None, *, errors: _Errors = "raise", timeout: Timeout = None,
                task_timeout: Timeout = None, retries: int | None = None) -> list[Any]:
        """Like map(), with several arguments for each task: rows of them, rows of named ones (dicts), or both.

        Raises Refused if the two differ in length.
        """
        return self._map(function, _both(function, rows, named), errors, timeout, task_timeout, retries)

    def map_async(self, function: str, values: Iterable[Any], *, errors: _Errors = "raise",
                  task_timeout: Timeout = None, retries: int | None = None) -> Tasks:
        """Begins what map() does and returns at once; Tasks.get() waits."""
        return self._map_async(function, [((value,), {}) for value in values], errors, task_timeout, retries)

    def starmap_async(self, function: str, rows: Iterable[Iterable[Any]] | None = None,
                      named: Iterable[Mapping[str, Any]] | None = None, *, errors: _Errors = "raise",
                      task_timeout: Timeout = None, retries: int | None = None) -> Tasks:
        """Begins what starmap() does and returns at once; Tasks.get() waits."""
        return self._map_async(function, _both(function, rows, named), errors, task_timeout, retries)

    def as_completed(self, tasks: Tasks | Iterable[Task | Tasks],
                     timeout: Timeout = None) -> Iterator[_baton.Outcome]:
        """The Outcomes of these tasks of the pool, in the order in which they come.

        `timeout` is for all of them together, from now on: at its end TimedOut is raised, after everything that has
        come in time. For Tasks with errors="raise" the first error of a task is raised, and tasks that have not begun
        never run.
        """
        return _Completed(self, [tasks] if isinstance(tasks, Tasks) else list(tasks), timeout)

    def imap(self, function: str, values: Iterable[Any], *, errors: _Errors = "raise", ahead: int | None = None,
             timeout: Timeout = None, task_timeout: Timeout = None, retries: int | None = None) -> Iterator[Any]:
        """Yields the results one after the other, in the order of the values, which are taken as that goes on.

        At most `ahead` values (1 or more; None: sixteen per worker) are taken whose results have not been read.
        `errors` as in map(). `timeout` is for each wait; after TimedOut the iteration may go on. What `values` raises,
        and the error of a value that does not fit, is raised after the results of the values before it.
        """
        if ahead is not None and not (isinstance(ahead, int) and ahead >= 1):
            raise ValueError("imap() takes at least one value ahead, as a whole number: "
                             f"ahead={ahead!r} would give no results")

        def begin(value: Any) -> Task:
            return Task(self._core.submit(function, (value,), {}, None, task_timeout, retries), self)

        return _Results(begin, iter(values), self._ahead if ahead is None else ahead, self._collects(errors), timeout)

    # ---- step by step

    @overload
    def add(self, function: str, /, *args: Any, **named: Any) -> int: ...
    @overload
    def add(self, call: Call, /, *, id: int | None = None, timeout: Timeout = None,
            retries: int | None = None) -> int: ...

    def add(self, function: str | Call, /, *args: Any, **named: Any) -> int:
        """Adds a task for execute(), before start() or after, and returns its id. Takes what submit() takes.

        Before start() only the id is checked; execute() reports any other mistake.
        """
        return self._core.add(*_spelled(function, args, named))

    def execute(self, *, errors: _Errors = "collect", timeout: Timeout = None) -> list[_baton.Outcome]:
        """Waits for all tasks that were added, and returns their Outcomes in that order. `errors` as in map()."""
        outcomes = self._core.execute(self._collects(errors), timeout)
        self._later.tell()
        return outcomes

    # ---- by id, however the task was submitted

    def find(self, id: int) -> _baton.Outcome | None:
        """The Outcome of the task with that id, without waiting; None as long as there is none.

        Raises Refused for an id that no task has, and if nobody holds what the call returned any more.
        """
        outcome = self._core.find(id)
        self._later.tell()
        return outcome

    def cancel(self, id: int) -> HowCancelled | None:
        """Ends that task as Task.cancel() does; it may be one of a map_async(). Raises Refused as find() does."""
        how = self._core.cancel(id)
        self._later.tell()
        return how

    def pending(self) -> list[int]:
        """The ids of all tasks that have no outcome yet, in order."""
        ids = self._core.pending()
        self._later.tell()
        return ids

    # ---- inside

    @staticmethod
    def _collects(errors: str) -> bool:
        if errors not in ("raise", "collect"):
            raise ValueError(f"errors is 'raise' or 'collect', not {errors!r}")
        return errors == "collect"

    def _map(self, function: str, rows: list[tuple[tuple[Any, ...], dict[str, Any]]], errors: str, timeout: Timeout,
             task_timeout: Timeout, retries: int | None) -> list[Any]:
        results = self._core.map(function, rows, self._collects(errors), timeout, task_timeout, retries)
        self._later.tell()
        return results

    def _map_async(self, function: str, rows: list[tuple[tuple[Any, ...], dict[str, Any]]], errors: str,
                   task_timeout: Timeout, retries: int | None) -> Tasks:
        tasks = Tasks(self._core.map_async(function, rows, self._collects(errors), task_timeout, retries), self)
        self._later.tell()
        return tasks


def _spelled(function: str | Call, args: tuple[Any, ...],
             named: dict[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any], int | None, Timeout, int | None]:
    """Function, arguments and rules, as the extension's functions want them."""
    if not isinstance(function, Call):
        return function, args, named, None, None, None
    if args or not named.keys() <= {"id", "timeout", "retries"}:
        raise TypeError(f"beside {function!r} only its rules are given: id, timeout and retries")
    return function.function, function.args, function.named, named.get("id"), named.get("timeout"), named.get("retries")


def _both(function: str, rows: Iterable[Iterable[Any]] | None,
          named: Iterable[Mapping[str, Any]] | None) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The arguments of each task of a starmap()."""
    positional = None if rows is None else [tuple(row) for row in rows]
    keywords = None if named is None else [dict(row) for row in named]
    if positional is not None and keywords is not None:
        _baton.require_same_length(function, len(positional), len(keywords))
    count = len(positional or keywords or [])
    nothing: list[tuple[Any, ...]] = [()] * count
    return list(zip(nothing if positional is None else positional, [{}] * count if keywords is None else keywords))


class _Completed:
    """What Pool.as_completed() returns."""

    def __init__(self, pool: Pool, tasks: list[Task | Tasks], timeout: Timeout) -> None:
        self._pool = pool
        self._core = pool._core.as_completed([one._core for one in tasks], timeout)
        self._tasks = tasks  # which Python would drop otherwise

    def __iter__(self) -> _Completed:
        return self

    def __next__(self) -> _baton.Outcome:
        outcome = self._core.next()
        self._pool._later.tell()
        if outcome is None:
            raise StopIteration
        return outcome


class _Results:
    """What Pool.imap() returns: the results one after the other."""

    def __init__(self, begin: Callable[[Any], Task], values: Iterator[Any], ahead: int, collects: bool,
                 timeout: Timeout) -> None:
        self._begin = begin
        self._values = values
        self._ahead = ahead
        self._collects = collects
        self._timeout = timeout
        self._pending: collections.deque[Task] = collections.deque()
        self._is_over = False  # no further value is taken
        self._trouble: Exception | None = None  # why, to be raised behind the results before it

    def __iter__(self) -> _Results:
        return self

    def __next__(self) -> Any:
        self._take_values()
        if not self._pending:
            trouble, self._trouble = self._trouble, None
            if trouble is not None:
                raise trouble
            raise StopIteration
        outcome = self._pending[0].outcome(self._timeout)  # after TimedOut one may ask again
        self._pending.popleft()
        if self._collects:
            return outcome
        try:
            return outcome.value
        except Exception:
            self._is_over, self._trouble = True, None
            self._pending.clear()
            raise

    def _take_values(self) -> None:
        while not self._is_over and len(self._pending) < self._ahead:
            try:
                value = next(self._values)
            except StopIteration:
                self._is_over = True
                return
            except Exception as error:
                self._is_over, self._trouble = True, error
                return
            try:
                self._pending.append(self._begin(value))
            except Exception as error:
                self._is_over, self._trouble = True, error


publish(Pool)
