"""Values that come out of a session: structs, exits, rows of the roster, outcomes; and Deadline, which goes into it."""
from __future__ import annotations

import dataclasses
import datetime
import time
import types
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from . import _baton
from ._errors import Error

#: The clock of all deadlines. A test world has one of its own (baton.testing).
monotonic = time.monotonic

#: In seconds, for scripts that name no timeout.
DEFAULT_TIMEOUT = 5.0


class Deadline:
    """A point in time, for several waits that share one end: pass it instead of a `timeout`.

        ends = baton.Deadline(10.0)                        # ten seconds from now
        alice.ask("HoldThis", number=4, timeout=ends)
        bob.join(timeout=ends)                             # waits for what is left of the ten seconds
    """

    def __init__(self, timeout: Timeout) -> None:
        seconds = _baton.seconds_of(timeout)
        self._end = None if seconds is None else monotonic() + seconds

    def __repr__(self) -> str:
        left = self.left()
        return "<baton.Deadline, never>" if left is None else f"<baton.Deadline in {left:.3g} s>"

    def left(self) -> float | None:
        """The seconds that are left: 0.0 when it has passed, None when it never does."""
        return None if self._end is None else max(0.0, self._end - monotonic())

    def has_passed(self) -> bool:
        """True if no time is left."""
        return self.left() == 0.0


#: How long a wait may last: seconds, a timedelta, a Deadline, or None for as long as it takes.
Timeout: TypeAlias = float | datetime.timedelta | Deadline | None


class Struct:
    """A C++ struct that came in a message: its fields are attributes.

    A field whose name can't be an attribute in Python (a keyword) is struct["class"]; struct._fields has all of
    them as a dict. Two structs are equal if their fields are. It can be sent again wherever a struct is wanted.
    """

    __iter__: Any = None  # neither names nor values are the obvious choice

    def __init__(self, fields: dict[str, Any] | None = None, /, **more: Any) -> None:
        self.__dict__.update(fields or {}, **more)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the struct has no field '{name}'; it has {', '.join(self.__dict__) or 'none'}")

    @property
    def _fields(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __len__(self) -> int:
        return len(self.__dict__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Struct):
            return NotImplemented
        return self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items()) + "}"


def fields_of(value: object) -> dict[str, Any] | None:
    """The fields of a value that the extension sends as a struct or map; None for any other value."""
    if isinstance(value, (Struct, types.SimpleNamespace)):
        return dict(value.__dict__)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return {key: value[key] for key in value.keys()}
    return None


class DeadLetter(NamedTuple):
    """Commands that were sent to an actor and never handled."""

    sender: str   #: the sender's name
    command: str  #: "" if only the number is known, as after a kill
    count: int    # type: ignore[assignment]  #: how many


@dataclasses.dataclass(frozen=True)
class Exit:
    """Why and how an actor ended. str() says it in words."""

    name: str     #: of the actor
    kind: str     #: "stopped", "returned", "signalled", "failed_check", "left" or "children_failed"
    code: int     #: what main() returned, or the number of the signal
    text: str     #: last words; of one that was stopped for a link, whose end that was
    in_hand: str  #: the command that it was handling, if it ended without being asked to; else ""
    dead_letters: tuple[DeadLetter, ...]  #: what it never handled
    held: str = ""  #: of the session's memory when it ended, in words
    unclaimed: str = ""  #: what it had left to heirs and none has received, in words; found out later than its end
    restarts_in: float | None = None  #: seconds until it is started again under its name; None: it is not
    _said: str = dataclasses.field(default="", repr=False, compare=False)
    #: by receiver, how many commands were lost with it; known only when its receivers have taken what came
    lost: Mapping[str, int] = dataclasses.field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self._said

    @property
    def exitcode(self) -> int:
        """As multiprocessing counts: what main() returned, or minus the signal's number."""
        return -self.code if self.kind == "signalled" else self.code

    @classmethod
    def _of(cls, row: _baton._ExitRow) -> Exit:
        name, kind, code, text, in_hand, letters, held, unclaimed, restarts_in, said, lost = row
        return cls(name, kind, code, text, in_hand, tuple(DeadLetter(*letter) for letter in letters), held, unclaimed,
                   restarts_in, said, lost)


class Restarts(NamedTuple):
    """What the roster says of an actor that may be restarted; see baton.Restart."""

    policy: str           #: as in Restart
    restarts: int         #: ever
    recent: int           #: within the period
    restarts_max: int     #: as in Restart
    period: float         #: seconds
    due_in: float | None  #: seconds until the next life begins, if the actor is between two lives
    group: str            #: as in Restart
    strategy: str         #: as in Restart
    failure: str          #: how the last life ended that did not end well, in words


class ActorRow(NamedTuple):
    """One actor in the roster, at one moment. Scenarios are actors too; they have no program."""

    name: str           #: of the actor
    id: str             #: "3.1"
    pid: int            #: its process
    ppid: int           #: the parent of its process
    #: "starting", "ready", "busy", "hung", "frozen", "stopping", "exited", "restarting" (between two lives)
    state: str
    inbox_depth: int    #: commands sent to it and not yet taken
    handled: int        #: commands handled so far
    in_hand: str        #: the command that it is handling, else ""
    exit: Exit | None   #: None while it lives
    program: str        #: "" for a scenario
    restarts: Restarts | None = None  #: of one that may be restarted


class Outcomes(list[Any]):
    """One outcome for each actor that was asked, in their order: its reply, or a baton.Error."""

    @property
    def errors(self) -> list[Error]:
        """The outcomes that are errors."""
        return [one for one in self if isinstance(one, Error)]

    @property
    def answers(self) -> list[Any]:
        """The outcomes that are replies."""
        return [one for one in self if not isinstance(one, Error)]


class Taken(int):
    """How many actors took a command that was sent to all of them; `errors` says by actor why the others did not."""

    errors: dict[_baton.Ref, Error]

    def __new__(cls, count: int, errors: dict[_baton.Ref, Error]) -> Taken:
        """Made by Session.send_all()."""
        taken = super().__new__(cls, count)
        taken.errors = errors
        return taken


def require_count(count: object) -> None:
    """Raises TypeError or ValueError unless `count` is None or a whole number that is not negative."""
    if count is not None and not hasattr(count, "__index__"):
        raise TypeError(f"count must be a whole number or None, not {type(count).__name__} ({count!r})")
    if count is not None and count.__index__() < 0:
        raise ValueError("count can't be negative")


def publish(*classes: Any) -> None:
    """Makes these classes known as baton.NAME, whichever file they are in."""
    for one in classes:
        one.__module__ = "baton"


publish(Deadline, Struct, DeadLetter, Exit, Restarts, ActorRow, Outcomes, Taken)
