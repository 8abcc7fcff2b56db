"""How a script ends its sessions: at the end of a block, of the program, and when it is interrupted."""
from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn, Protocol

from . import _baton
from ._errors import Error

INTERRUPTED = 130  # the exit code of a script that Ctrl-C has ended


class _Open(Protocol):
    _core: _baton.Session
    _thread: threading.Thread

    def _end(self, was_interrupted: bool) -> None: ...


# Sessions that are not closed; the guard below closes them at the end of the program.
open_sessions: set[_Open] = set()


def leave() -> NoReturn:
    """Ends the script as Ctrl-C ends a program."""
    leaving = SystemExit(INTERRUPTED)
    leaving._is_baton_interrupt = True  # type: ignore[attr-defined]  # for a block around this one
    raise leaving from None


def script_name() -> str:
    """The file of this script, for people."""
    name = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""
    return name if name and name != "-c" else "python"


def say(line: str) -> None:
    """Prints a line on stderr, wherever that leads now; neither raises nor waits for a reader."""
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


@atexit.register
def _close_all() -> None:
    for one in list(open_sessions):
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
