"""session(): how a script joins or starts a session."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from . import _baton
from ._ending import script_name
from ._protocol import Commands
from ._session import Session
from ._values import publish


# Opens sessions in a test world instead (baton.testing).
opener: Callable[[str, Commands | None], Session] | None = None


def _actor_name() -> str:
    name = script_name()
    name = name[:-3] if name.endswith(".py") else name
    return "".join("_" if letter.isspace() or not letter.isprintable() else letter for letter in name)


def _program_folders(given: Sequence[str | os.PathLike[str]]) -> list[str]:
    if isinstance(given, (str, bytes)):
        raise TypeError("programs is a list of folders, not one string")
    folders = [os.path.abspath(os.fspath(one)) for one in given]
    folders += [one for one in os.environ.get("BATON_PROGRAMS", "").split(":") if one]
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script:
        folders.append(os.path.dirname(os.path.abspath(script)))
    folders.append(_baton.own_programs())
    return [one for one in folders if one]


def session(join: str | None = None, name: str | None = None, programs: Sequence[str | os.PathLike[str]] = (), *,
            protocol: Commands | None = None) -> Session:
    """Joins the session that `join` (an id or a folder) or BATON_SESSION names. If neither is given, starts a session
    of this script's own, whatever other sessions are running.

        with baton.session() as session:
            alice = session.spawn("student", name="Alice")
            print(alice.ask("HoldThis", number=4))

    At the end of the block everything that the session started has been stopped, even if the body raised; the
    exception passes on unchanged. Ctrl-C ends the block in the same way, with one line on stderr and exit code 130;
    a second Ctrl-C ends everything at once. Without `with`, call close(). If you forget, it is called at the end of
    the program.

    `name` is the script's own name in the roster (default: that of its file). `programs` are folders in which to look
    for actors' programs first. With a `protocol` the script is an actor itself, which others can find and ask; see
    help(baton.Commands) and Session.serve().
    Raises Gone if the named session is not running, or if no coordinator is installed to start one; Overloaded if the
    system has no room for one more.
    """
    if opener is not None:
        return opener(name if name is not None else _actor_name(), protocol)
    return Session(join, name if name is not None else _actor_name(), _program_folders(programs), protocol)


publish(session)
