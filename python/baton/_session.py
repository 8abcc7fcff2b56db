"""Session: a script's place in a session, from its start to its end."""
from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, NoReturn, Optional, Sequence, Tuple, Union

from . import _baton
from ._actor import DEFAULT_DEADLINE, Actor
from ._errors import Error, Gone, Refused
from ._segments import Bounced, copied_into, memory_bytes
from ._values import ActorRow, Countdown, Exit, Outcomes, Struct, Taken

if TYPE_CHECKING:
    from ._actor import Deadline

KEPT_MAX = 4096  # actors that have ended of which a session still knows, as the roster does (limits::exits_kept_max)
INTERRUPTED = 130  # the exit code of a script that Ctrl-C has ended

# Sessions that are not closed; the guard below closes them at the end of the program.
_open: "set[Session]" = set()


class Message:
    """A command that came to this scenario, from session.collect().

    Its fields are attributes: said.line. A field that is called like something below is in `fields` only.
    The scenario publishes no protocol, so values are as they came over the wire: an enum is its number, a
    duration nanoseconds, a ref a list of its numbers (and its session), which baton.Ref(*ref) makes one.
    """

    def __init__(self, name: str, sender: str, sender_ref: _baton.Ref, fields: Struct, answer: Any) -> None:
        self.name = name                #: of the command
        self.sender = sender            #: the name of the actor that sent it, or its id where that is unknown
        self.sender_ref = sender_ref    #: its address; session.find() makes an Actor of it
        self.fields: Dict[str, Any] = fields._fields if isinstance(fields, Struct) else {}
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.fields:
            return self.fields[name]
        raise AttributeError(f"{self.name} has no field '{name}'; it has {', '.join(self.fields) or 'none'}")

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"<baton.Message {self.name}({fields}) from {self.sender}>"

    @property
    def is_asked(self) -> bool:
        """Whether the sender waits for a reply."""
        return self._answer is not None

    def reply(self, value: Any = None) -> None:
        """Answers the sender, once. Raises Refused when it only sent, or has its answer already."""
        self._require_asked().reply(value)

    def fail(self, text: str) -> None:
        """Answers the sender with an error, which it gets as `failed`. As reply() otherwise."""
        self._require_asked().fail(text)

    def _require_asked(self) -> Any:
        if self._answer is None:
            raise Refused(f"{self.name} from {self.sender} was sent, not asked: nobody waits for a reply")
        return self._answer


class Session:
    """A script's place in a session; baton.session() makes one. See there for how it begins and ends.

    It belongs to the thread that opened it; another thread opens its own. A forked child can't use it.
    Where nothing else is said a `deadline` is seconds, a timedelta, or None for as long as it takes; with 0, or less, what
    can be done at once is done, and nothing is waited for but the word of whoever is asked for it. Every
    function may raise Gone (the session has ended) and Stopping (it is ending).
    """

    def __init__(self, session: Optional[str], name: str, folders: List[str]) -> None:
        self.exits: List[Exit] = []  #: what close() has returned, for after the block
        self._core = _baton.Session(session, name, folders)
        self._thread = threading.current_thread()
        self._known: "weakref.WeakValueDictionary[_baton.Ref, Actor]" = weakref.WeakValueDictionary()
        # Bounded, all three: a script may have had any number of actors.
        self._names: Dict[_baton.Ref, str] = {}  # of those who sent something, the latest last
        self._spawned: List[_baton.Ref] = []     # those that live, and the latest of those that ended
        self._was_interrupted = False
        _open.add(self)

    def __repr__(self) -> str:
        return f"<baton.Session {self.id}{'' if self._core.is_open else ', closed'}>"

    @property
    def id(self) -> str:
        """The session's name, for `baton.session(session=ID)` elsewhere and for the command line."""
        return self._core.id

    @property
    def address(self) -> _baton.Ref:
        """This scenario's own address: given to an actor in a command, what that sends comes to collect()."""
        return self._core.me

    # ---- actors

    def spawn(self, program: str, name: Optional[str] = None, *, names: Optional[Iterable[str]] = None,
              count: Optional[int] = None, args: Sequence[Any] = (), memory: Union[int, str, None] = None,
              deadline: Deadline = 10.0, progress: bool = True) -> Any:
        """Starts a program as an actor and waits until it is ready: an Actor. With `names` or `count` several
        at once, in parallel: a list of Actors, in the order of the names.

        The program is looked for in the folders that session() was given, in those of BATON_PROGRAMS, beside
        the script, beside the coordinator and in PATH. `args` are its arguments. `memory` is what its segments may
        take, bytes or text like "512M"; None: as much as the session has. Several show their progress on stderr,
        unless `progress` is False.
        Raises Refused (a name in use, no such program), Failed (it ended at once), TimedOut (not ready in time;
        it was killed). If one of several fails, none of them lives on.
        """
        if sum(one is not None for one in (name, names, count)) > 1:
            raise TypeError("spawn() takes one of name, names and count")
        if isinstance(names, str) or isinstance(args, (str, bytes)):
            raise TypeError("names and args are lists of strings, not one string")
        _require_count(count)
        if not isinstance(program, (str, os.PathLike)):
            raise TypeError(f"program must be text or a path, not {type(program).__name__} ({program!r})")
        wanted = list(names) if names is not None else [""] * count if count is not None else [name or ""]
        arguments = [os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in args]
        rows = self._core.spawn([(os.fspath(program), one, arguments) for one in wanted], memory_bytes(memory), deadline, progress)
        actors = [self._actor(row) for row in rows]
        self._remember_spawned([row[0] for row in rows])
        return actors[0] if names is None and count is None else actors

    def find(self, name: Union[str, _baton.Ref]) -> Actor:
        """The actor of that name, or behind a Ref that came in a message. Raises Gone where there is none."""
        if isinstance(name, Actor):
            return name
        if isinstance(name, _baton.Ref):
            actor = self._actor(self._core.find(self._core.name_of(name)))
            if actor != name:
                raise Gone(f"{actor.name} ({name.id}) has exited; its name belongs to another actor now ({actor.id})")
            return actor
        return self._actor(self._core.find(name))

    def actors(self, exited: bool = False) -> List[ActorRow]:
        """The roster: one row for each actor of the session, scenarios included; with `exited` also those that
        have ended."""
        return [ActorRow(name, ref.id, pid, ppid, state, inbox_depth, handled, in_hand,
                         None if exit is None else Exit._of(exit), program)
                for ref, name, program, pid, ppid, state, inbox_depth, handled, in_hand, exit in self._core.roster(exited)]

    def stop(self, actors: Optional[Iterable[_baton.Ref]] = None, deadline: Deadline = DEFAULT_DEADLINE,
             drain: bool = False) -> List[Exit]:
        """Ends these actors (None: all that were spawned from here) and returns their exits: each is asked to,
        then SIGTERM, then SIGKILL, in reverse order of start, all within the deadline.

        With `drain` they handle what waits in their inboxes first. One that has ended before has the exit it had; of a
        session with very many exits the oldest are forgotten, and left out here.
        """
        targets = list(self._spawned if actors is None else actors)
        if not targets:
            return []
        ended = self._core.stop(targets, deadline, drain)
        return self._learn_exits(ended)

    # ---- messages to many

    def broadcast(self, actors: Iterable[Actor], command: str, /, **fields: Any) -> Taken:
        """Sends a command to each and returns how many took it; `errors` of that number says by actor why the
        others did not: Gone, Overloaded. A wrong field raises Refused, and then nothing was sent at all.

        `deadline` is for all together. Where the command has a field of this name, it is the field.
        """
        targets = list(actors)
        deadline = self._deadline_of(targets, command, fields)
        results = self._core.broadcast([self._target(one) for one in targets], command, fields, deadline)
        errors = {actor: error for actor, error in zip(targets, results) if error is not None}
        return Taken(len(targets) - len(errors), errors)

    def ask_all(self, actors: Iterable[Actor], command: str, /, **fields: Any) -> Outcomes:
        """Asks all at once and waits for the replies, until the deadline: a list with one outcome for each, in
        their order, its reply or a baton.Error. `answers` and `errors` of the list are the one or the other.

        A wrong field raises Refused, and then nobody was asked. `deadline` as in broadcast().
        """
        targets = list(actors)
        deadline = self._deadline_of(targets, command, fields)
        ends = Countdown(deadline)
        pendings = self._core.request_all([self._target(one) for one in targets], command, fields, deadline, self._known)
        return self.wait_all(pendings, ends.left())

    def wait_all(self, pendings: Iterable[Union[_baton.Pending, Error]],
                 deadline: Deadline = DEFAULT_DEADLINE) -> Outcomes:
        """Waits for these Pendings together: one outcome for each as in ask_all(). Those that have not answered
        in time are TimedOut here, and may be waited for again."""
        pendings = list(pendings)
        self._core.wait_for([one for one in pendings if isinstance(one, _baton.Pending)], deadline)
        outcomes = Outcomes()
        for one in pendings:
            try:
                outcomes.append(one.get(0) if isinstance(one, _baton.Pending) else one)
            except Error as error:
                outcomes.append(error)
        return outcomes

    def sync(self, actors: Optional[Iterable[_baton.Ref]] = None, deadline: Deadline = DEFAULT_DEADLINE) -> None:
        """Waits until these actors (None: all that were spawned from here and live) have handled everything that
        was sent to them from here before. Raises TimedOut, and Gone when one of those named has exited."""
        if actors is not None:
            return self._core.sync(list(actors), deadline)
        ends = Countdown(deadline)
        while True:
            alive = {row[0] for row in self._core.roster(False)}
            targets = [one for one in self._spawned if one in alive]
            try:
                return self._core.sync(targets, ends.left())
            except Gone:
                if alive == {row[0] for row in self._core.roster(False)}:
                    raise

    # ---- segments

    def create(self, nbytes: int, deadline: Deadline = 1.0) -> _baton.Segment:
        """A Segment of so many bytes (uint8), not cleared. Waits for memory to come home where there is too little.

        Raises Refused (no such size) and Overloaded: the memory that the session or the machine may use is used up.
        """
        return self._core.create(nbytes, "uint8", deadline)

    def create_array(self, shape: Any, dtype: Any = "float64", deadline: Deadline = 1.0) -> _baton.Segment:
        """A Segment for an array: create_array((480, 640), "float32"). Not cleared, like numpy.empty().

        The dtype is one of NumPy's: booleans, integers, floats, complex numbers, fixed bytes ("S20"), and records, which
        travel with their fields. A C++ actor sees it as as<float>(), as<std::complex<float>>(), or a struct of its size.
        Raises as create() does; for what means nothing in another process (text, dates, objects) Refused, with the way.
        """
        return self._core.create(shape, dtype, deadline)

    def array_from(self, array: Any, deadline: Deadline = 1.0) -> _baton.Segment:
        """A Segment with a copy of a NumPy array, or of anything that memoryview() takes. Raises as create() does."""
        return copied_into(self.create_array, array, deadline)

    def take_in(self, name: str, shape: Any, dtype: Any = "uint8") -> _baton.Segment:
        """Shared memory from outside, /dev/shm/NAME, as a Segment of this session; the name is gone then.

        What segment.hand_out(name) has left, in this session or another. Raises Refused where it is not there or has
        fewer bytes than such an array.
        """
        return self._core.take_in(name, shape, dtype)

    def publish(self, name: str, lent: _baton.Lent, shared: bool = False) -> None:
        """Others may attach to what is lent by that name; the same as lent.publish(name, shared)."""
        lent.publish(name, shared)

    def attach(self, name: str, deadline: Deadline = 0.0) -> Union[_baton.Lease, _baton.Slice]:
        """What somebody has published under that name: a Lease, or where it is shared a Slice of all of it.

        Its owner is not asked, and may be busy. Waits until something is published; raises Gone when nothing is at the
        deadline.
        """
        return self._core.attach(name, deadline)

    def create_or_attach(self, name: str, shape: Any, dtype: Any = "float64",
                         deadline: Deadline = 1.0) -> Tuple[_baton.Slice, Optional[_baton.Lent]]:
        """The array of that name, to be shared: `counters, lent = session.create_or_attach("counters", 4, "int64")`.

        Of those who want it at the same time one creates it, all zeros, and the others attach to that one. `lent` is
        None where somebody else has created it; for the creator the name and the memory stand as long as `lent` does,
        so keep it. What several write at once is in no order: use a lock of baton.sync. Raises Refused where the one
        that is there has another type or shape.
        """
        return self._core.create_or_attach(name, shape, dtype, deadline)

    def collect_bounced(self, count: Optional[int] = 1, deadline: Deadline = DEFAULT_DEADLINE) -> List[Bounced]:
        """Commands with segments that came back, waiting for them: until there are `count` (None: any number), or the
        deadline has passed. What has come by then is returned.

        A command that was sent or requested comes back when the receiver died before it took it, or refused it. What an
        ask() carried does not: after its exception the segment is still in the object that was given.
        """
        _require_count(count)
        bounced = []
        for command, is_reply, fields, to, why in self._core.collect_bounced(count, deadline, self._known):
            named = {"reply": fields} if is_reply else fields._fields if isinstance(fields, Struct) else {}
            bounced.append(Bounced(command, named, to, why))
        return bounced

    # ---- messages that came

    def collect(self, command: Optional[str] = None, count: Optional[int] = None, quiet: Deadline = None,
                deadline: Deadline = DEFAULT_DEADLINE) -> List[Message]:
        """Commands that came to this scenario's address, in order of arrival, waiting for them: until there are
        `count`, or nothing has come for `quiet`, or the deadline has passed. What has come by then is returned.

        Only those called `command` (None: all); the others stay for a later call.
        """
        _require_count(count)
        rows = self._core.collect(command or "", count, quiet, deadline)
        self._learn_names({row[1] for row in rows})
        return [Message(name, self._name_of(sender), sender, fields, answer) for name, sender, fields, answer in rows]

    # ---- the end

    def close(self, deadline: Deadline = DEFAULT_DEADLINE) -> List[Exit]:
        """Ends everything that this session started, and returns the exits: of all actors of the session when
        it was started here, of those spawned from here when it was joined. Called again, the same list.

        Ctrl-C meanwhile is raised as KeyboardInterrupt at the end; a second one kills what is left at once.
        """
        self._end(False, deadline)
        if self._was_interrupted:
            self._was_interrupted = False
            raise KeyboardInterrupt
        return self.exits

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
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
                    _leave()
                was_interrupted, is_told = True, False
            except Error:
                if error is None:
                    raise
                break
        if self._was_interrupted:
            _leave()

    def _end(self, was_interrupted: bool, deadline: Deadline = DEFAULT_DEADLINE, is_told: bool = True) -> None:
        while self._core.is_open:
            try:
                if not is_told:
                    is_told = True
                    self._say_interrupted()
                ended = self._core.close(deadline, was_interrupted, self._say_interrupted)
                self.exits = self._learn_exits(ended)
            except KeyboardInterrupt:
                # Out of close() it is the second, and all is killed; before it, the first or the second.
                if not self._core.is_open or was_interrupted:
                    self._core.kill_all()
                    raise
                was_interrupted, is_told = True, False
            finally:
                if not self._core.is_open:
                    _open.discard(self)

    def _say_interrupted(self) -> None:
        self._was_interrupted = True
        _say(f"{_script_name()}: interrupted, stopping")

    # ---- inside

    def _actor(self, row: tuple) -> Actor:
        ref, name, pid, protocol = row
        actor = self._known.get(ref)
        if actor is None:
            actor = Actor(self, ref, name, pid, protocol)
            self._known[ref] = actor
        return actor

    def _exit_of(self, actor: Actor) -> Optional[Exit]:
        if actor._exit is not None:
            return actor._exit
        try:
            if self._core.find(actor._name)[0] == actor:
                return None
        except Gone:
            pass
        for row in self._core.roster(True):
            if row[0] == actor:
                if row[-1] is not None:
                    actor._exit = Exit._of(row[-1])
                return actor._exit
        raise Gone(f"{actor._name} ({actor.id}) has exited so long ago that its exit is forgotten")

    @staticmethod
    def _target(actor: Actor) -> tuple:
        if not isinstance(actor, Actor):
            raise TypeError(f"expected an Actor, got {type(actor).__name__}; session.find() makes one of a name or a Ref")
        return actor, actor.protocol, actor.name

    @staticmethod
    def _deadline_of(actors: List[Actor], command: str, fields: Dict[str, Any]) -> Deadline:
        if "deadline" in fields and not any(one._protocol._has_field(command, "deadline") for one in actors):
            return fields.pop("deadline")
        return DEFAULT_DEADLINE

    def _name_of(self, ref: _baton.Ref) -> str:
        actor = self._known.get(ref)
        return self._names.get(ref, ref.id) if actor is None else actor._name

    def _learn_names(self, refs: Iterable[_baton.Ref]) -> None:
        unknown = {ref for ref in refs if ref not in self._known and ref not in self._names}
        for with_exited in (False, True):
            if unknown:
                for row in self._core.roster(with_exited):
                    if row[0] in unknown:
                        unknown.discard(row[0])
                        self._names[row[0]] = row[1]
        while len(self._names) > KEPT_MAX:
            del self._names[next(iter(self._names))]

    def _learn_exits(self, ended: List[tuple]) -> List[Exit]:
        exits = []
        for ref, row in ended:
            exits.append(Exit._of(row))
            actor = self._known.get(ref)
            if actor is not None:
                actor._exit = exits[-1]
        return exits

    def _remember_spawned(self, refs: List[_baton.Ref]) -> None:
        self._spawned.extend(refs)
        if len(self._spawned) <= KEPT_MAX:
            return
        alive = {row[0] for row in self._core.roster(False)}
        ended = [ref for ref in self._spawned if ref not in alive]
        forgotten = set(ended[:max(0, len(self._spawned) - KEPT_MAX // 2)])
        self._spawned = [ref for ref in self._spawned if ref not in forgotten]


def _say(line: str) -> None:
    """A line on stderr, wherever that leads now: it neither raises nor waits for a reader."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.flush()
        is_descriptor = stream.fileno() == 2
    except (AttributeError, OSError, ValueError):
        is_descriptor = False
    if is_descriptor:
        _baton.say(line + "\n")
        return
    try:
        print(line, file=stream, flush=True)
    except (OSError, ValueError):
        pass


def _require_count(count: Optional[int]) -> None:
    if count is not None and not hasattr(count, "__index__"):
        raise TypeError(f"count must be a whole number or None, not {type(count).__name__} ({count!r})")
    if count is not None and count < 0:
        raise ValueError("count can't be negative")


def _leave() -> NoReturn:
    leaving = SystemExit(INTERRUPTED)
    leaving._is_baton_interrupt = True  # type: ignore[attr-defined]  # for a block around this one
    raise leaving from None


def _script_name() -> str:
    name = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""
    return name if name and name != "-c" else "python"


def _actor_name() -> str:
    name = _script_name()
    name = name[:-3] if name.endswith(".py") else name
    return "".join("_" if letter.isspace() or not letter.isprintable() else letter for letter in name)


def _program_folders(given: Sequence[str]) -> List[str]:
    if isinstance(given, (str, bytes)):
        raise TypeError("programs is a list of folders, not one string")
    folders = [os.path.abspath(os.fspath(one)) for one in given]
    folders += [one for one in os.environ.get("BATON_PROGRAMS", "").split(":") if one]
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script:
        folders.append(os.path.dirname(os.path.abspath(script)))
    folders.append(_baton.own_programs())
    return [one for one in folders if one]


def session(session: Optional[str] = None, name: Optional[str] = None,
            programs: Sequence[Union[str, "os.PathLike[str]"]] = ()) -> Session:
    """Joins the session that `session` (an id or a folder) or BATON_SESSION names. Where neither names one it starts a
    session of this script's own, whatever other sessions run.

        with baton.session() as session:
            alice = session.spawn("student", name="Alice")
            print(alice.ask("HoldThis", number=4))

    At the end of the block everything that the session started has stopped, also when the body raises; what it
    raised passes on unchanged. Ctrl-C ends the block in the same way, with one line on stderr and exit code 130;
    a second Ctrl-C ends everything at once. Without `with`, call close(); at the end of the program it is called
    for whoever forgot.

    `name` is the script's own in the roster (default: after its file), `programs` folders in which to look for
    actors' programs first.
    Raises Gone when the session that is named does not run, or no coordinator is installed to start one;
    Overloaded when the system has no room for one more.
    """
    return Session(session, name if name is not None else _actor_name(), _program_folders(programs))


@atexit.register
def _close_all() -> None:
    for one in list(_open):
        if one._core.is_in_child:
            continue  # it is the parent's
        if one._thread is not threading.current_thread():
            if one._thread.is_alive():
                continue  # a daemon thread is in it; its actors end with this process
            one._core.adopt()
        try:
            one._end(False)
        except (Error, KeyboardInterrupt):
            pass  # the session has ended, or was killed: nothing is left to close


for _class in (Session, Message):
    _class.__module__ = "baton"
session.__module__ = "baton"
