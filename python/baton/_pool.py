"""Pool: calls of C++ functions, run by worker actors."""
from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from . import _baton
from ._actor import DEFAULT_DEADLINE
from ._session import Session, session as open_session

if TYPE_CHECKING:
    from ._actor import Deadline


class Task:
    """The outcome to come of one task, from Pool.submit(). Who lets it go cancels the task."""

    def __init__(self, core: Any) -> None:
        self._core = core

    @property
    def id(self) -> int:
        return self._core.id

    def get(self, deadline: Deadline = DEFAULT_DEADLINE) -> Any:
        """Waits for the result and returns it; again and again the same one.

        Raises the task's error, which knows function, arguments and worker; TimedOut when it has not come by the
        deadline (seconds, timedelta or None), and then one may ask again.
        """
        return self._core.outcome(deadline).value

    def outcome(self, deadline: Deadline = DEFAULT_DEADLINE) -> _baton.Outcome:
        """Waits for the end of the task, and says all about it. Raises TimedOut as get()."""
        return self._core.outcome(deadline)

    def ready(self) -> bool:
        """Whether the outcome is there."""
        return self._core.ready()

    def cancel(self) -> None:
        """A task that has not begun never runs; its outcome is an error then."""
        self._core.cancel()


class Pool:
    """Calls of C++ functions, run by worker actors: as many at once as there are workers.

        with baton.Pool("my_worker", workers=4) as pool:
            print(pool.map("square", range(10)))
            print(pool.submit("power", 2, exponent=10).get(deadline=1.0))

    `program` is one whose main() runs a baton::pool::Worker; see pool.functions() for what it has. `workers` (None: as many
    as there are processors that this process may use, by its affinity and the quotas of its cgroups) start
    with the block, start() or the first call, and end with the block or stop(); then the pool may be started again.
    Functions are called by name with Python's values, which are checked against their C++ types before anything is sent.

    A worker that dies holds nobody up: its tasks are tried again, at most `retries` times where it had only one in
    hand, and a new worker takes its place. Short tasks travel many at a time without being told to.

    numpy arrays travel as segments: a Segment is given to the task, of a Lent it gets a lease, of slice_of(lent, first,
    count) a slice; a task's own Segment is its result, and outlives the worker.

    Where a method takes `deadline`, it is when the wait ends (seconds, timedelta, or None for as long as it takes), and
    `task_deadline` how long one task may be in a worker's hands: who takes longer is killed, its task TimedOut.
    Errors: Refused (no such function, a value that does not fit), what keeps workers from starting, Stopping.
    """

    def __init__(self, program: str, workers: Optional[int] = None, *, session: Optional[Session] = None,
                 name: Optional[str] = None, args: Sequence[Any] = (), retries: int = 2, progress: bool = True,
                 start_deadline: Deadline = 10.0) -> None:
        if workers is not None and workers < 1:
            raise ValueError("a pool has at least one worker")
        self._own_session = open_session() if session is None else None
        place = session if session is not None else self._own_session
        self._core = _baton.Pool(place._core, place._known, program, workers or 0, name or "", [str(one) for one in args],
                                 retries, progress, start_deadline)
        self._program = program
        self._ahead = 16 * (workers or _baton.usable_cores())

    def __repr__(self) -> str:
        return f"<baton.Pool of {self._program}>"

    # ---- its life

    def start(self) -> None:
        """Waits until the workers are ready."""
        self._core.start()

    def stop(self, deadline: Deadline = DEFAULT_DEADLINE) -> None:
        """Ends the workers, and waits until the last of them has ended. Tasks that were not done have failed."""
        self._core.stop(deadline)

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

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        # After Ctrl-C the session ends everything, with one line.
        try:
            if not isinstance(error, KeyboardInterrupt):
                self.stop()
        finally:
            if self._own_session is not None:
                self._own_session.__exit__(kind, error, trace)

    def functions(self) -> List[str]:
        """What the workers can run, with the C++ types: 'power(base: int64, exponent: int64) -> int64'."""
        return self._core.functions()

    # ---- one task

    def submit(self, function: str, /, *args: Any, **named: Any) -> Task:
        """Begins one call, without waiting. submit_with() takes an id, a deadline and retries too."""
        return self.submit_with(function, args, named)

    def submit_with(self, function: str, args: Iterable[Any] = (), named: Optional[Dict[str, Any]] = None, *,
                    id: Optional[int] = None, task_deadline: Deadline = None, retries: Optional[int] = None) -> Task:
        """The same with rules for this task. Raises Refused for an id that is taken."""
        return Task(self._core.submit(function, tuple(args), named or {}, id, task_deadline, retries))

    # ---- many tasks of one function

    def map(self, function: str, values: Iterable[Any], *, errors: str = "raise", deadline: Deadline = None,
            task_deadline: Deadline = None, retries: Optional[int] = None) -> List[Any]:
        """Calls the function with each value, waits, and returns the results in their order.

        errors="raise": the first error is raised, and tasks that have not begun never run.
        errors="collect": all are run, and what is returned are Outcomes, whichever way they went.
        """
        return self._map(function, [((value,), {}) for value in values], errors, deadline, task_deadline, retries)

    def starmap(self, function: str, rows: Optional[Iterable[Iterable[Any]]] = None,
                named: Optional[Iterable[Dict[str, Any]]] = None, *, errors: str = "raise", deadline: Deadline = None,
                task_deadline: Deadline = None, retries: Optional[int] = None) -> List[Any]:
        """The same with several arguments each: rows of them, rows of named ones (dicts), or both.

        Raises Refused where there are not as many of one as of the other.
        """
        positional = None if rows is None else [tuple(row) for row in rows]
        keywords = None if named is None else [dict(row) for row in named]
        if positional is not None and keywords is not None:
            _baton.require_same_length(function, len(positional), len(keywords))
        count = len(positional if positional is not None else keywords or [])
        both = zip(positional if positional is not None else [()] * count, keywords if keywords is not None else [{}] * count)
        return self._map(function, list(both), errors, deadline, task_deadline, retries)

    def imap(self, function: str, values: Iterable[Any], *, errors: str = "raise", ahead: Optional[int] = None,
             deadline: Deadline = None, task_deadline: Deadline = None, retries: Optional[int] = None) -> Iterator[Any]:
        """The results one after the other, as they are looked at; values are taken as that goes on.

        At most `ahead` values (from 1; None: sixteen a worker) are taken whose results have not been looked at. `errors` as
        in map(). `deadline` is for each wait; after TimedOut one may go on. What `values` raises, and a value that does not fit,
        is raised behind the results of the values before it.
        """
        if ahead is not None and not (isinstance(ahead, int) and ahead >= 1):
            raise ValueError(f"imap() takes at least one value ahead, as a whole number: ahead={ahead!r} would give no results")

        def begin(value: Any) -> Task:
            return self.submit_with(function, (value,), task_deadline=task_deadline, retries=retries)

        return _Results(begin, iter(values), self._ahead if ahead is None else ahead, self._collects(errors), deadline)

    # ---- step by step

    def add(self, function: str, /, *args: Any, **named: Any) -> int:
        """One more task for execute(), before start() or after; its id. add_with() takes rules too."""
        return self.add_with(function, args, named)

    def add_with(self, function: str, args: Iterable[Any] = (), named: Optional[Dict[str, Any]] = None, *,
                 id: Optional[int] = None, task_deadline: Deadline = None, retries: Optional[int] = None) -> int:
        """The same with rules for this task. Before start() only the id is checked; execute() tells the rest."""
        return self._core.add(function, tuple(args), named or {}, id, task_deadline, retries)

    def execute(self, *, errors: str = "collect", deadline: Deadline = None) -> List[_baton.Outcome]:
        """Waits for all tasks that were added; their Outcomes in that order. `errors` as in map()."""
        return self._core.execute(self._collects(errors), deadline)

    # ---- by id, whichever way a task was given

    def find(self, id: int) -> Optional[_baton.Outcome]:
        """The Outcome of the task with that id, without waiting; None as long as there is none.

        Raises Refused for an id that no task has, and where nobody holds what the call returned any more.
        """
        return self._core.find(id)

    def pending(self) -> List[int]:
        """The ids of all tasks that have no outcome yet, in order."""
        return self._core.pending()

    # ---- inside

    @staticmethod
    def _collects(errors: str) -> bool:
        if errors not in ("raise", "collect"):
            raise ValueError(f"errors is 'raise' or 'collect', not {errors!r}")
        return errors == "collect"

    def _map(self, function: str, rows: List[Tuple[tuple, dict]], errors: str, deadline: Deadline, task_deadline: Deadline,
             retries: Optional[int]) -> List[Any]:
        return self._core.map(function, rows, self._collects(errors), deadline, task_deadline, retries)


class _Results:
    """What Pool.imap() returns: the results one after the other."""

    def __init__(self, begin: Callable[[Any], Task], values: Iterator[Any], ahead: int, collects: bool, deadline: Deadline) -> None:
        self._begin = begin
        self._values = values
        self._ahead = ahead
        self._collects = collects
        self._deadline = deadline
        self._pending: Deque[Task] = collections.deque()
        self._is_over = False  # no further value is taken
        self._trouble: Optional[Exception] = None  # why, to be raised behind the results before it

    def __iter__(self) -> _Results:
        return self

    def __next__(self) -> Any:
        self._take_values()
        if not self._pending:
            trouble, self._trouble = self._trouble, None
            raise StopIteration if trouble is None else trouble
        outcome = self._pending[0].outcome(self._deadline)  # after TimedOut one may ask again
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


for _class in (Pool, Task):
    _class.__module__ = "baton"
