"""Pools in a test world: what the extension's Pool is to baton.Pool.

A task runs a function of the test, in its thread and at the world's clock. It occupies a worker from its beginning on,
and calls the function at its end, so a worker that dies in between has done nothing.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ._errors import Cancelled, Error, Failed, Gone, Refused, Stopping, TimedOut
from ._protocol import _frames_of
from ._testing_members import Member, seconds_of
from ._testing_stage import Stage
from ._testing_tasks import Completed, Function, Outcome, Row, State, Task, Tasks
from ._values import Exit, Timeout

WORKERS = 4  # of a pool that does not say how many it wants


class _Core(Protocol):
    """What a pool knows of its session."""

    _world: Stage
    _spawned: list[Member]
    is_open: bool

    def _turn(self) -> None: ...


class WorldPool:
    """As the extension's Pool."""

    def __init__(self, core: _Core, known: object, program: str, workers: int, name: str, arguments: list[str],
                 retries: int, progress: bool, start_timeout: Timeout) -> None:
        self._core = core
        self._world: Stage = core._world
        self._program = program
        self._count = workers or WORKERS
        self._name = name
        self._retries = retries
        self._workers: list[Member] = []
        self._started = 0  # workers, ever
        self._states: dict[int, State] = {}
        self._waiting: list[State] = []
        self._added: list[State] = []
        self._added_early: list[tuple[int, tuple[Any, ...]]] = []  # before start(), with their ids
        self._last_id = 0
        self._done = 0

    # ---- its life

    def start(self) -> None:
        self._functions()
        while len(self._workers) < self._count:
            self._hire()
        for id, (function, positional, named, task_timeout, retries) in self._added_early:
            self._added.append(self._enqueue(function, positional, named, task_timeout, retries, id))
        self._added_early = []
        self._give_out()

    def stop(self, timeout: Timeout) -> None:
        for one in self._states.values():
            if not one.is_done:
                self._finish(one, None, Stopping("the pool was stopped"))
        self._waiting = []
        workers, self._workers = self._workers, []
        for worker in reversed(workers):
            worker.on_end = None
            self._world._end(worker, "stopped", 0)

    def functions(self) -> list[str]:
        self.start()
        return [one.text for one in self._functions().values()]

    def _functions(self) -> Mapping[str, Function]:
        self._core._turn()
        return self._world._pool_functions(self._program)

    def _hire(self) -> None:
        self._started += 1
        worker = self._world._spawn_worker(self._program, f"{self._name}-{self._started}" if self._name else "")
        worker.on_end = lambda: self._lose(worker)
        self._core._spawned.append(worker)
        self._workers.append(worker)

    # ---- tasks come and go

    def _enqueue(self, function: str, positional: tuple[Any, ...], named: dict[str, Any], task_timeout: Timeout,
                 retries: int | None, id: int) -> State:
        functions = self._functions()
        if function not in functions:
            raise Refused(f"'{self._program}' has no task '{function}'; it has {', '.join(functions)}")
        arguments = functions[function].bound((positional, named))
        limit = seconds_of(task_timeout)
        state = State(id, functions[function], arguments, limit, self._retries if retries is None else retries)
        self._states[id] = state
        self._waiting.append(state)
        return state

    def _fresh_id(self, wanted: int | None) -> int:
        if wanted is not None and (wanted in self._states or any(wanted == id for id, _ in self._added_early)):
            raise Refused(f"the id {wanted} is taken by another task of this pool")
        while wanted is None:
            self._last_id += 1
            wanted = self._last_id if self._last_id not in self._states else None
        return wanted

    def _give_out(self) -> None:
        """Each free worker begins with the next task."""
        for worker in list(self._workers):
            busy = any(one.worker is worker for one in self._states.values())
            if not busy and self._waiting and not worker.is_frozen:
                self._begin(self._waiting.pop(0), worker)

    def _begin(self, state: State, worker: Member) -> None:
        state.worker, state.worker_name, state.started = worker, worker.name, self._world.now
        seconds = state.function.seconds
        is_late = state.limit is not None and seconds > state.limit

        def finish() -> None:
            if state.worker is not worker:  # it has died, or the task was cancelled
                return
            if is_late:
                late = TimedOut(f"it has not ended within {state.limit:g} s in the hands of {worker.name}")
                self._finish(state, None, late)
                self._world._end(worker, "signalled", 9)
                return
            try:
                self._finish(state, state.function.run(state.named), None)
            except Error as error:
                self._finish(state, None, error)
            except Exception as error:
                failed: Error = Failed(str(error))
                failed.type, failed.frames = type(error).__qualname__, _frames_of(error)
                self._finish(state, None, failed)
            self._give_out()

        self._world._at(self._world.now + (min(seconds, state.limit or 0.0) if is_late else seconds), finish)

    def _finish(self, state: State, value: Any, error: Error | None) -> None:
        self._done += 1
        state.worker, state.value, state.error, state.place = None, value, error, self._done
        state.finished = self._world.now

    def _lose(self, worker: Member) -> None:
        """A worker has died: its task is tried again, by another or by the one in its place."""
        self._workers.remove(worker)
        for state in self._states.values():
            if state.worker is not worker:
                continue
            state.worker, state.deaths, state.retries = None, state.deaths + 1, state.retries - 1
            if state.retries >= 0:
                self._waiting.insert(0, state)
                continue
            times = f"{state.deaths} time{'' if state.deaths == 1 else 's'}"
            said = str(Exit._of(worker.exit)) if worker.exit is not None else ""
            self._finish(state, None, Gone(f"worker gone: {worker.name} has exited: {said} (tried {times})"))
        if self._core.is_open:
            self._hire()
            self._give_out()

    def forget(self, states: list[State]) -> None:
        """Nobody waits for them: those that have not begun never run."""
        for one in states:
            if one in self._waiting:
                self.cancel_state(one)

    def cancel_state(self, state: State) -> str | None:
        if state.is_done:
            return None
        worker = state.worker
        self._finish(state, None, Cancelled("the task was cancelled"))
        if worker is None:
            self._waiting.remove(state)
            return "withdrawn"
        self._world._end(worker, "signalled", 9)
        return "ended"

    def look(self) -> None:
        self._core._turn()
        self._world._look()

    def wait(self, done: Callable[[], bool], timeout: Timeout) -> None:
        self._core._turn()
        if not self._world._wait(done, timeout):
            raise TimedOut("the task has no outcome yet: it had not ended before the deadline")

    # ---- what baton.Pool calls

    def _submitted(self, function: str, positional: tuple[Any, ...], named: dict[str, Any], id: int | None,
                   task_timeout: Timeout, retries: int | None) -> State:
        self.start()
        state = self._enqueue(function, positional, named, task_timeout, retries, self._fresh_id(id))
        self._give_out()
        return state

    def submit(self, function: str, positional: tuple[Any, ...], named: dict[str, Any], id: int | None,
               task_timeout: Timeout, retries: int | None) -> Task:
        return Task(self, self._submitted(function, positional, named, id, task_timeout, retries))

    def map_async(self, function: str, rows: list[Row], collects: bool, task_timeout: Timeout,
                  retries: int | None) -> Tasks:
        self.start()
        functions = self._functions()
        if function in functions:
            for row in rows:  # all are checked before one begins
                functions[function].bound(row)
        states = [self._enqueue(function, *row, task_timeout, retries, self._fresh_id(None)) for row in rows]
        self._give_out()
        return Tasks(self, states, collects)

    def map(self, function: str, rows: list[Row], collects: bool, timeout: Timeout, task_timeout: Timeout,
            retries: int | None) -> list[Any]:
        return self.map_async(function, rows, collects, task_timeout, retries).get(timeout)

    def as_completed(self, tasks: Sequence[Task | Tasks], timeout: Timeout) -> Completed:
        return Completed(self, tasks, timeout)

    def add(self, function: str, positional: tuple[Any, ...], named: dict[str, Any], id: int | None,
            task_timeout: Timeout, retries: int | None) -> int:
        if self._workers:
            self._added.append(self._submitted(function, positional, named, id, task_timeout, retries))
            return self._added[-1].id
        fresh = self._fresh_id(id)
        self._added_early.append((fresh, (function, positional, named, task_timeout, retries)))
        self._last_id = max(self._last_id, fresh) if id is None else self._last_id
        return fresh

    def execute(self, collects: bool, timeout: Timeout) -> list[Outcome]:
        self.start()
        states = self._added
        self.wait(lambda: all(one.is_done for one in states) or
                  (not collects and any(one.error is not None for one in states)), timeout)
        self._added = []
        if not collects:
            for one in states:
                if one.error is not None:
                    self.forget(states)
                    raise one.error
        return [Outcome(one) for one in states]

    def _known(self, id: int) -> State:
        if id not in self._states:
            raise Refused(f"no task of this pool has the id {id}")
        return self._states[id]

    def find(self, id: int) -> Outcome | None:
        self.look()
        state = self._known(id)
        return Outcome(state) if state.is_done else None

    def cancel(self, id: int) -> str | None:
        return self.cancel_state(self._known(id))

    def pending(self) -> list[int]:
        self.look()
        return sorted(id for id, one in self._states.items() if not one.is_done)
