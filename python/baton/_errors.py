"""The errors of Baton. The class of an error says what the caller can do about it."""
from __future__ import annotations

from collections.abc import Sequence


class Error(Exception):
    """The base of all errors that the functions of baton raise when something could not be done.

    kind    "refused", "overloaded", ...: the same word as on the wire and in the logs
    text    what was tried, on what, and why it failed
    type    of the C++ exception that a handler raised ("std::runtime_error"), else ""
    frames  where it was thrown, innermost first, at most three
    withdrawn  of an ask that was given up (TimedOut, Deadlock, Stopping). True: its command had not begun and never
            will, so it can be repeated. False: it may have begun, and may still finish
    """

    kind = "failed"

    def __init__(self, text: str = "", type: str = "", frames: Sequence[str] = (), withdrawn: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.type = type
        self.frames = list(frames)
        self.withdrawn = withdrawn

    def __str__(self) -> str:
        said = f"{self.type}: {self.text}" if self.type else self.text
        return "\n".join([said, *(f"    at {frame}" for frame in self.frames)])

    def __reduce__(self) -> tuple[type[Error], tuple[str, str, list[str], bool]]:
        return (self.__class__, (self.text, self.type, self.frames, self.withdrawn))


class Refused(Error):
    """The request was understood and rejected: change it. A field that does not fit is `Command.field: ...`."""

    kind = "refused"


class Overloaded(Error):
    """A limit was reached: try later, not at once."""

    kind = "overloaded"


class TimedOut(Error, TimeoutError):
    """The time was over. `withdrawn` says whether it is certain that the command does not run."""

    kind = "timed_out"


class Gone(Error):
    """The actor has exited or never existed, or the session has ended: choose another."""

    kind = "gone"


class Unsupported(Error):
    """The actor does not know this command."""

    kind = "unsupported"


class Corrupt(Error):
    """The bytes do not parse."""

    kind = "corrupt"


class Failed(Error):
    """The handler of the command raised an exception; the actor lives on. See type, text and frames."""

    kind = "failed"


class Stopping(Error):
    """This scenario or the actor is ending: finish what you are doing."""

    kind = "stopping"


class Deadlock(Error):
    """The wait could never end, as actors wait for each other: release what you hold, then try again. The text names
    the actors and what each of them waits for."""

    kind = "deadlock"


class Cancelled(Refused):
    """The task of a pool was cancelled by this script; the text says whether it had begun."""


class Closed(Refused, ValueError):
    """An Actor was used after its close()."""


_CLASSES = {one.kind: one for one in
            (Refused, Overloaded, TimedOut, Gone, Unsupported, Corrupt, Failed, Stopping, Deadlock)}

for _class in (Error, Cancelled, Closed, *_CLASSES.values()):
    _class.__module__ = "baton"


def error_of(kind: str, text: str, type: str = "", frames: Sequence[str] = (), withdrawn: bool = False) -> Error:
    """An error of that kind, as the extension raises it."""
    return _CLASSES.get(kind, Failed)(text, type, frames, withdrawn)
