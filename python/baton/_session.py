"""Session: a script's place in a session, from its start to its end."""
from __future__ import annotations

import os
import threading
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

from . import _awaiting, _baton
from ._actor import Actor
from ._commands import AnyCommand, spelled
from ._ending import leave, open_sessions, say, script_name
from ._errors import Error, Gone, Refused, Stopping
from ._message import Message
from ._place import Place
from ._protocol import Commands
from ._restarts import Named, Restart
from ._segments import Bounced, Inherited, copied_into, memory_bytes
from ._values import (DEFAULT_TIMEOUT, ActorRow, Deadline, Exit, Outcomes, Restarts, Struct, Taken, Timeout, publish,
                       require_count)

KEPT_MAX = 4096  # actors that have ended of which a session still knows, as the roster does (limits::exits_kept_max)


def _outcomes_of(pendings: Iterable[_baton.Pending | Error], outcome: Callable[[_baton.Pending], Any]) -> Outcomes:
    outcomes = Outcomes()
    for one in pendings:
        try:
            outcomes.append(one if isinstance(one, Error) else outcome(one))
        except Error as error:
            outcomes.append(error)
    return outcomes


class Session:
    """A script's place in a session, made by baton.session(); see there for how it begins and ends.

    It belongs to the thread that opened it; another thread opens its own. A forked child can't use it.
    A `timeout` is the longest time to wait: seconds, a timedelta, a baton.Deadline if several waits share one end, or
    None for no limit. With 0 or less, a call does what can be done at once, and waits for nothing but the answer of the
    member that it asks. Every function may raise Gone (the session has ended) and Stopping (it is ending).
    """

    def __init__(self, join: str | None, name: str, folders: list[str], protocol: Commands | None = None) -> None:
        self.exits: list[Exit] = []  #: what close() has returned, for after the block
        self._commands = protocol
        self._core = _baton.Session(join, name, folders, None if protocol is None else protocol._described())
        self._place = Place(self._core)
        self._thread = threading.current_thread()
        # Bounded, both: a script may have had any number of actors.
        self._names: dict[_baton.Ref, str] = {}  # of those who sent something, the latest last
        self._spawned: list[_baton.Ref] = []     # those that live, and the latest of those that ended
        self._was_interrupted = False
        open_sessions.add(self)

    def __repr__(self) -> str:
        return f"<baton.Session {self.id}{'' if self._core.is_open else ', closed'}>"

    @property
    def id(self) -> str:
        """The session's name, for `baton.session(join=ID)` elsewhere and for the command line."""
        return self._core.id

    @property
    def address(self) -> _baton.Ref:
        """This scenario's own address: given to an actor in a command, what that sends comes to collect()."""
        return self._core.me

    # ---- actors

    @overload
    def spawn(self, program: str | os.PathLike[str], name: str | None = None, *, args: Sequence[Any] = (),
              actor: str | None = None, memory: int | str | None = None, spin: float | None = None,
              restart: Restart | None = None, hung_after: Timeout = None, kill_hung: bool = False,
              timeout: Timeout = 10.0, progress: bool = True) -> Actor: ...
    @overload
    def spawn(self, program: str | os.PathLike[str], *, names: Iterable[str], args: Sequence[Any] = (),
              actor: str | None = None, memory: int | str | None = None, spin: float | None = None,
              restart: Restart | None = None, hung_after: Timeout = None, kill_hung: bool = False,
              timeout: Timeout = 10.0, progress: bool = True) -> list[Actor]: ...
    @overload
    def spawn(self, program: str | os.PathLike[str], *, count: int, args: Sequence[Any] = (),
              actor: str | None = None, memory: int | str | None = None, spin: float | None = None,
              restart: Restart | None = None, hung_after: Timeout = None, kill_hung: bool = False,
              timeout: Timeout = 10.0, progress: bool = True) -> list[Actor]: ...

    def spawn(self, program: str | os.PathLike[str], name: str | None = None, *, names: Iterable[str] | None = None,
              count: int | None = None, args: Sequence[Any] = (), actor: str | None = None,
              memory: int | str | None = None, spin: float | None = None, restart: Restart | None = None,
              hung_after: Timeout = None, kill_hung: bool = False, timeout: Timeout = 10.0,
              progress: bool = True) -> Actor | list[Actor]:
        """Starts a program as an actor, waits until it is ready and returns the Actor. With `names` or `count` it
        starts several at once, in parallel, and returns a list of Actors in the order of the names.

        The program is looked for in the folders that session() was given, in those of BATON_PROGRAMS, beside
        the script, beside the coordinator and in PATH. `args` are its arguments; `actor` says which one, of a program
        that contains several. `memory` is how much memory its segments may take, in bytes or as text like "512M";
        None: as much as the session has. `spin` is for how many seconds it looks for messages before it sleeps, at
        most (0: never; None: as BATON_SPIN says, or 20e-6). `restart` says whether and how it is started again when it
        has failed (None: it is not). An actor that handles one command for longer than `hung_after` is hung: the log
        and the roster say so, and with `kill_hung` it is killed. If several are started, their progress is shown on
        stderr unless `progress` is False.
        Raises Refused (a name in use, no such program), Failed (it ended at once), TimedOut (it was not ready in time,
        and was killed). If one of several fails, the others are stopped again.
        """
        if sum(one is not None for one in (name, names, count)) > 1:
            raise TypeError("spawn() takes one of name, names and count")
        if isinstance(names, str) or isinstance(args, (str, bytes)):
            raise TypeError("names and args are lists of strings, not one string")
        require_count(count)
        if not isinstance(program, (str, os.PathLike)):
            raise TypeError(f"program must be text or a path, not {type(program).__name__} ({program!r})")
        wanted = list(names) if names is not None else [""] * count if count is not None else [name or ""]
        arguments = [os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in args]
        what = [(os.fspath(program), one, arguments) for one in wanted]
        rows = self._core.spawn(what, actor or "", memory_bytes(memory), spin,
                                None if restart is None else restart._row(), hung_after, kill_hung, timeout, progress)
        actors = [self._actor(row) for row in rows]
        self._remember_spawned([row[0] for row in rows])
        return actors[0] if names is None and count is None else actors

    def find(self, name: str | _baton.Ref) -> Actor:
        """Returns the actor of that name, or the actor of a Ref that came in a message. Raises Gone if there is
        none."""
        if isinstance(name, Actor):
            return name
        if isinstance(name, _baton.Ref):
            actor = self._actor(self._core.find(self._core.name_of(name)))
            if actor != name:
                raise Gone(f"{actor.name} ({name.id}) has exited; its name belongs to another actor now ({actor.id})")
            return actor
        return self._actor(self._core.find(name))

    def named(self, name: str) -> Named:
        """Returns the actor of that name across its lives: see help(baton.Named). Asks nobody; an actor that does not
        exist is found out when something is sent to it."""
        return Named(lambda wanted, timeout: self._actor(self._core.find_life(wanted, timeout)), name)

    def actors(self, exited: bool = False) -> list[ActorRow]:
        """The roster: one row for each actor of the session, scenarios included; with `exited`, those that have
        ended as well."""
        return [ActorRow(name, ref.id, pid, ppid, state, inbox_depth, handled, in_hand,
                         None if exit is None else Exit._of(exit), program,
                         None if restarts is None else Restarts(*restarts))
                for ref, name, program, pid, ppid, state, inbox_depth, handled, in_hand, exit, restarts
                in self._core.roster(exited)]

    def stop(self, actors: Iterable[_baton.Ref] | None = None, timeout: Timeout = DEFAULT_TIMEOUT,
             drain: bool = False) -> list[Exit]:
        """Ends these actors (None: all that were spawned from here) and returns their exits. Each is asked to stop,
        then sent SIGTERM, then SIGKILL, in reverse order of start, all within the timeout.

        With `drain` they handle what waits in their inboxes first. For an actor that had ended before, its exit is
        returned. In a session with very many exits the oldest are forgotten, and are left out here.
        """
        return self._place.stop(self._spawned if actors is None else actors, timeout, drain)

    # ---- messages to many

    def send_all(self, actors: Iterable[Actor], command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
                 timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> Taken:
        """Sends a command to each and returns how many took it. The `errors` of that number say, by actor, why the
        others did not (Gone, Overloaded). A wrong field raises Refused, and then nothing was sent at all.

        The command is written as in Actor.ask(). `timeout` is for all of them together.
        """
        targets = [self._target(one) for one in actors]
        name, values = spelled([one[1] for one in targets], command, fields, named)
        results = self._core.send_all(targets, name, values, timeout)
        errors: dict[_baton.Ref, Error] = {to[0]: error for to, error in zip(targets, results) if error is not None}
        return Taken(len(targets) - len(errors), errors)

    def ask_all(self, actors: Iterable[Actor], command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
                timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> Outcomes:
        """Asks all at once and waits for the replies, until the timeout: a list with one outcome for each, in
        their order, its reply or a baton.Error. `answers` and `errors` of the list are the one or the other. What has
        not been answered by then is given up; `withdrawn` of its TimedOut says whether it is certain not to run.

        A wrong field raises Refused, and then nobody was asked. Command and `timeout` are as in send_all().
        """
        ends = Deadline(timeout)
        targets = [self._target(one) for one in actors]
        name, values = spelled([one[1] for one in targets], command, fields, named)
        pendings = self._core.request_all(targets, name, values, ends, self._place.known)
        self._core.wait_for([one for one in pendings if not isinstance(one, Error)], ends)
        return _outcomes_of(pendings, lambda one: one._finish())

    def wait_all(self, pendings: Iterable[_baton.Pending | Error], timeout: Timeout = DEFAULT_TIMEOUT) -> Outcomes:
        """Waits for these Pendings together, and returns one outcome for each, as ask_all() does. The outcome of one
        that has not been answered in time is TimedOut; it may be waited for again."""
        pendings = list(pendings)
        self._core.wait_for([one for one in pendings if not isinstance(one, Error)], timeout)
        return _outcomes_of(pendings, lambda one: one.get(0))

    def sync(self, actors: Iterable[_baton.Ref] | None = None, timeout: Timeout = DEFAULT_TIMEOUT) -> None:
        """Waits until these actors (None: all that were spawned from here and live) have handled everything that
        was sent to them from here before. Raises TimedOut, and Gone if one of the given actors has exited."""
        if actors is not None:
            return self._core.sync(list(actors), timeout)
        ends = Deadline(timeout)
        while True:
            alive = {row[0] for row in self._core.roster(False)}
            targets = [one for one in self._spawned if one in alive]
            try:
                return self._core.sync(targets, ends)
            except Gone:
                if alive == {row[0] for row in self._core.roster(False)}:
                    raise

    # ---- segments

    def create_segment(self, nbytes: int, timeout: Timeout = 1.0) -> _baton.Segment:
        """Makes a Segment of `nbytes` bytes (uint8), not cleared. If memory is short, waits for segments to be
        released.

        Raises Refused (no such size) and Overloaded (the session or the machine has no more memory to give).
        """
        return self._core.create(nbytes, "uint8", timeout)

    def create_array(self, shape: _baton._Shape, dtype: Any = "float64", timeout: Timeout = 1.0) -> _baton.Segment:
        """Makes a Segment for an array: create_array((480, 640), "float32"). Not cleared, like numpy.empty().

        The dtype is one of NumPy's: booleans, integers, floats, complex numbers, fixed bytes ("S20"), and records,
        which travel with their fields. A C++ actor sees it as as<float>(), as<std::complex<float>>(), or a struct of
        its size. Raises what create_segment() raises. For a type that means nothing in another process (text, dates,
        objects) Refused says what to use instead.
        """
        return self._core.create(shape, dtype, timeout)

    def array_from(self, array: Any, timeout: Timeout = 1.0) -> _baton.Segment:
        """Makes a Segment with a copy of a NumPy array, or of anything that memoryview() takes. Raises what
        create_segment() raises."""
        segment: _baton.Segment = copied_into(self.create_array, array, timeout)
        return segment

    def import_from(self, name: str, shape: _baton._Shape, dtype: Any = "uint8") -> _baton.Segment:
        """Makes shared memory from outside, /dev/shm/NAME, a Segment of this session; the name is then gone.

        It is what segment.export_as(name) left, in this session or another. Raises Refused if there is no such memory,
        or if it has fewer bytes than such an array.
        """
        return self._core.import_from(name, shape, dtype)

    def publish(self, name: str, loan: _baton.Loan, shared: bool = False) -> None:
        """Lets others attach to the loan by that name; the same as loan.publish(name, shared)."""
        if not isinstance(loan, _baton.Loan):
            hint = "; lend it and keep the loan, loan = segment.lend()" if isinstance(loan, _baton.Segment) else ""
            raise TypeError(f"publish(): loan must be a Loan, not {type(loan).__name__}{hint}")
        loan.publish(name, shared)

    def attach(self, name: str, timeout: Timeout = 0.0) -> _baton.Lease | _baton.Slice:
        """Attaches to what is published under that name: returns a Lease, or a Slice of all of it if it is shared.

        The owner is not asked, so it may be busy. Waits until something is published; raises Gone if nothing is in
        time.
        """
        return self._core.attach(name, timeout)

    def create_or_attach(self, name: str, shape: _baton._Shape, dtype: Any = "float64",
                         timeout: Timeout = 1.0) -> tuple[_baton.Slice, _baton.Loan | None]:
        """The shared array of that name: `counters, loan = session.create_or_attach("counters", 4, "int64")`.

        If several members ask for it at the same time, one creates it, all zeros, and the others attach to that one.
        `loan` is None unless this member has created the array. The name and the memory exist as long as the creator's
        `loan`, so keep it. Writes of several members are in no order: use a lock of baton.sync. Raises Refused if the
        existing array has another type or shape.
        """
        return self._core.create_or_attach(name, shape, dtype, timeout)

    def inherited(self, label: str = "", timeout: Timeout = 0.0) -> Inherited:
        """Returns what an actor that has died has left to this script under that label, or under any; the oldest first.

        Waits until something has come; raises TimedOut if nothing has in time. An actor, or another script, names this
        one as an heir with segment.name_heirs().
        """
        return Inherited(*self._core.inherited(label, timeout, self._place.known))

    def collect_bounced(self, count: int | None = 1, timeout: Timeout = DEFAULT_TIMEOUT) -> list[Bounced]:
        """Returns commands with segments that came back. Waits until there are `count` of them (None: no limit), or the
        timeout has passed, and returns what has come by then.

        A command that was sent or requested comes back if the receiver died before it took it, or refused it. What an
        ask() carried does not come back: after its exception the segment is still in the object that was given.
        """
        require_count(count)
        bounced: list[Bounced] = []
        for command, is_reply, fields, to, why in self._core.collect_bounced(count, timeout, self._place.known):
            named = {"reply": fields} if is_reply else fields._fields if isinstance(fields, Struct) else {}
            bounced.append(Bounced(command, named, to, why))
        return bounced

    # ---- messages that came

    def collect(self, command: str | None = None, count: int | None = None, quiet: Timeout = None,
                timeout: Timeout = DEFAULT_TIMEOUT) -> list[Message]:
        """Returns commands that came to this scenario, in order of arrival. Waits until there are `count` of them, or
        nothing has come for `quiet`, or the timeout has passed, and returns what has come by then.

        It takes only commands named `command` (None: all); the others stay for a later call.
        """
        require_count(count)
        rows = self._core.collect(command or "", count, quiet, timeout, self._place.known)
        self._learn_names({row[1] for row in rows})
        return [Message(name, self._name_of(sender), sender, fields, answer) for name, sender, fields, answer in rows]

    def serve(self, count: int | None = None, timeout: Timeout = None) -> int:
        """Handles commands that come to this script, one at a time, with the handlers of its protocol: until `count`
        have been handled, the timeout has passed, the script is asked to stop, or the session ends. Returns how many it
        has handled.

        Handlers may use the session. If a handler raises, the asker gets the error; if the command was only sent, it is
        printed on stderr. Raises Refused if session() was given no protocol.
        """
        commands = self._required_commands(count)
        ends = Deadline(timeout)
        handled = 0
        while count is None or handled < count:
            has_mail = self._wait_for_mail(ends)
            if has_mail is None:
                break
            if has_mail:
                message, = self.collect(count=1, timeout=0)
                commands._serve(message)
                handled += 1
            elif ends.has_passed():
                break
        return handled

    async def serving(self, count: int | None = None) -> int:
        """serve() for asyncio: handles commands while other tasks of the event loop run, until `count` have been
        handled, the script is asked to stop, the session ends, or the task is cancelled. A handler may be a coroutine
        function; the next command is handled when it has returned."""
        commands = self._required_commands(count)
        handled = 0
        while count is None or handled < count:
            await _awaiting.mail_of(self._core)
            has_mail = self._wait_for_mail(0)
            if has_mail is None:
                break
            if has_mail:
                message, = self.collect(count=1, timeout=0)
                await commands._serve_async(message)
                handled += 1
        return handled

    # ---- the end

    def close(self, timeout: Timeout = DEFAULT_TIMEOUT) -> list[Exit]:
        """Ends everything that was started from here, and returns the exits: those of all actors if the session was
        started here, those of the actors spawned from here if it was joined. Called again, it returns the same list.

        Ctrl-C during the call is raised as KeyboardInterrupt at its end; a second one kills what is left at once.
        """
        self._end(False, timeout)
        if self._was_interrupted:
            self._was_interrupted = False
            raise KeyboardInterrupt
        return self.exits

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        if self._core.is_in_child:
            return  # the parent's block is still open
        # The block around an inner one is interrupted too, and need not say so again.
        is_told = not isinstance(error, KeyboardInterrupt)
        was_interrupted = not is_told or getattr(error, "_is_baton_interrupt", False)
        while True:
            try:
                self._end(was_interrupted, is_told=is_told)
                break
            except KeyboardInterrupt:
                # Just before _end() could take it, it is the first.
                if was_interrupted or self._was_interrupted or not self._core.is_open:
                    self._core.kill_all()
                    leave()
                was_interrupted, is_told = True, False
            except Error:
                if error is None:
                    raise
                break
        if self._was_interrupted:
            leave()

    def _end(self, was_interrupted: bool, timeout: Timeout = DEFAULT_TIMEOUT, is_told: bool = True) -> None:
        while self._core.is_open:
            try:
                if not is_told:
                    is_told = True
                    self._say_interrupted()
                ended = self._core.close(timeout, was_interrupted, self._say_interrupted)
                self.exits = self._place.learn_exits(ended)
            except KeyboardInterrupt:
                # Out of close() it is the second, and all is killed; before it, the first or the second.
                if not self._core.is_open or was_interrupted:
                    self._core.kill_all()
                    raise
                was_interrupted, is_told = True, False
            finally:
                if not self._core.is_open:
                    open_sessions.discard(self)

    def _say_interrupted(self) -> None:
        self._was_interrupted = True
        say(f"{script_name()}: interrupted, stopping")

    # ---- inside

    def _actor(self, row: _baton._SpawnedRow) -> Actor:
        ref, name, pid, protocol = row
        actor: Actor | None = self._place.known.get(ref)
        if actor is None:
            actor = Actor(self._place, ref, name, pid, protocol)
            self._place.known[ref] = actor
        return actor

    @staticmethod
    def _target(actor: Actor) -> _baton._Target:
        if not isinstance(actor, Actor):
            raise TypeError(f"expected an Actor, got {type(actor).__name__}; session.find() makes one of a name or a "
                            "Ref")
        return actor, actor.protocol, actor.name

    def _wait_for_mail(self, timeout: Timeout) -> bool | None:
        """Tells whether a command has come; None if none will."""
        try:
            return self._core.wait_for_mail(timeout)
        except Stopping:
            return None
        except Gone:
            if not self._core.is_open:
                raise  # closed by this script itself
            return None

    def _required_commands(self, count: int | None) -> Commands:
        require_count(count)
        if self._commands is None:
            raise Refused("this script answers no commands: give session() a protocol, a baton.Commands")
        return self._commands

    def _name_of(self, ref: _baton.Ref) -> str:
        actor: Actor | None = self._place.known.get(ref)
        return self._names.get(ref, ref.id) if actor is None else actor._name

    def _learn_names(self, refs: Iterable[_baton.Ref]) -> None:
        unknown = {ref for ref in refs if ref not in self._place.known and ref not in self._names}
        for with_exited in (False, True):
            if unknown:
                for row in self._core.roster(with_exited):
                    if row[0] in unknown:
                        unknown.discard(row[0])
                        self._names[row[0]] = row[1]
        while len(self._names) > KEPT_MAX:
            del self._names[next(iter(self._names))]

    def _remember_spawned(self, refs: list[_baton.Ref]) -> None:
        self._spawned.extend(refs)
        if len(self._spawned) <= KEPT_MAX:
            return
        alive = {row[0] for row in self._core.roster(False)}
        ended = [ref for ref in self._spawned if ref not in alive]
        forgotten = set(ended[:max(0, len(self._spawned) - KEPT_MAX // 2)])
        self._spawned = [ref for ref in self._spawned if ref not in forgotten]


publish(Session)
