"""Values that come out of a session: structs, exits, rows of the roster, outcomes."""
from __future__ import annotations

import dataclasses
import time
import types
from typing import Any, List, NamedTuple, Optional, Tuple

from . import _baton
from ._errors import Error


class Struct:
    """A C++ struct that came in a message: its fields are attributes.

    A field whose name is no attribute of Python's (a keyword) is struct["class"]; struct._fields is all of
    them as a dict. Two are equal when their fields are. It can be sent again wherever a struct is wanted.
    """

    __iter__ = None  # neither names nor values are the obvious choice

    def __init__(self, fields: Optional[dict] = None, /, **more: Any) -> None:
        self.__dict__.update(fields or {}, **more)

    @property
    def _fields(self) -> dict:
        return dict(self.__dict__)

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __len__(self) -> int:
        return len(self.__dict__)

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if isinstance(other, Struct) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items()) + "}"


def fields_of(value: object) -> Optional[dict]:
    """What the extension sends as a struct or map; None for anything else."""
    if isinstance(value, (Struct, types.SimpleNamespace)):
        return dict(value.__dict__)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return {key: value[key] for key in value.keys()}
    return None


class Countdown:
    """What is left of a deadline that several waits share."""

    def __init__(self, deadline: Any) -> None:
        seconds = _baton.seconds_of(deadline)
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> Optional[float]:
        return None if self._end is None else max(0.0, self._end - time.monotonic())


class DeadLetter(NamedTuple):
    """Commands that were sent to an actor and never handled."""

    sender: str   #: the sender's name
    command: str  #: "" where only the number is known, as after a kill
    count: int


@dataclasses.dataclass(frozen=True)
class Exit:
    """Why and how an actor ended. str() says it in words."""

    name: str     #: of the actor
    kind: str     #: "stopped", "returned", "signalled", "failed_check" or "left"
    code: int     #: what main() returned, or the number of the signal
    text: str     #: last words
    in_hand: str  #: the command that it was handling when it ended unasked, else ""
    dead_letters: Tuple[DeadLetter, ...]  #: what it never handled
    held: str = ""  #: of the session's memory when it ended, in words
    _said: str = dataclasses.field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return self._said

    @property
    def exitcode(self) -> int:
        """As multiprocessing counts: what main() returned, or minus the signal's number."""
        return -self.code if self.kind == "signalled" else self.code

    @classmethod
    def _of(cls, row: tuple) -> Exit:
        name, kind, code, text, in_hand, letters, held, said = row
        return cls(name, kind, code, text, in_hand, tuple(DeadLetter(*letter) for letter in letters), held, said)


class ActorRow(NamedTuple):
    """One actor in the roster, at one moment. Scenarios are actors too; they have no program."""

    name: str
    id: str             #: "3.1"
    pid: int
    ppid: int
    state: str          #: "starting", "ready", "busy", "frozen", "stopping", "exited"
    inbox_depth: int    #: commands sent to it and not yet taken
    handled: int        #: commands handled so far
    in_hand: str        #: the command that it is handling, else ""
    exit: Optional[Exit]  #: None while it lives
    program: str


class Outcomes(list):
    """One outcome for each that was asked, in their order: its reply, or a baton.Error."""

    @property
    def errors(self) -> List[Error]:
        """Those that are errors."""
        return [one for one in self if isinstance(one, Error)]

    @property
    def answers(self) -> List[Any]:
        """Those that are replies."""
        return [one for one in self if not isinstance(one, Error)]


class Taken(int):
    """How many took a broadcast; `errors` says by actor why the others did not."""

    errors: dict

    def __new__(cls, count: int, errors: dict) -> Taken:
        taken = super().__new__(cls, count)
        taken.errors = errors
        return taken


for _class in (Struct, DeadLetter, Exit, ActorRow, Outcomes, Taken):
    _class.__module__ = "baton"
