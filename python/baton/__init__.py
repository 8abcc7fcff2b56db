"""Baton: actors as processes, scripted.

    import baton

    with baton.session() as session:
        alice = session.spawn("student", name="Alice")
        print(alice.describe())                       # the commands that she accepts
        print(alice.ask("HoldThis", number=4))        # waits for the reply
        alice.send("GoHome")                          # does not

Big data is handed over instead of copied; see help(baton.Segment):

        photo = session.create_array((480, 640), "float32")
        with photo.view() as array:                   # NumPy's array of the memory itself
            array[:] = 0.5
        alice.ask("Develop", photo=photo, gain=1.5)   # it is hers now, and `photo` is empty

Locks, barriers, queues and so on are in baton.sync.

A pool calls C++ functions by name, one in each worker at a time; see help(baton.Pool):

    with baton.Pool("my_worker", workers=4) as pool:
        print(pool.map("square", range(10)))

A script can answer commands too; see help(baton.Commands). Under asyncio, use
`await alice.request("HoldThis", number=4)`.

Scripts are tested without processes by baton.testing.

Every wait has a timeout, and every error is a baton.Error whose class says what can be done about it.
See help(baton.session), help(baton.Session), help(baton.Actor) and help(baton.Segment).
"""
try:
    from . import _baton
except ImportError as error:
    from ._wrong_python import extension_missing
    raise ImportError(extension_missing(error), name="baton._baton") from error
from ._arguments import name_arguments

# Before anything else is made of them.
name_arguments(*(one for one in vars(_baton).values() if isinstance(one, type)))

from ._actor import Actor
from ._baton import Lease, Loan, Outcome, Pending, Protocol, Ref, Segment, Slice, lease_of, slice_of
from ._baton import version as __version__
from ._commands import Command, ask, request, send
from ._errors import (Cancelled, Closed, Corrupt, Deadlock, Error, Failed, Gone, Overloaded, Refused, Stopping,
                      TimedOut, Unsupported)
from ._message import Message
from ._opening import session
from ._pool import Pool
from ._protocol import Commands
from ._restarts import Named, Restart
from ._segments import Bounced, Inherited
from ._session import Session
from ._tasks import Call, CancelledTasks, Task, Tasks
from ._values import ActorRow, Deadline, DeadLetter, Exit, Outcomes, Restarts, Struct, Taken, Timeout

__all__ = [
    "session", "Session", "Actor", "Ref", "Command", "ask", "send", "request", "Pending", "Protocol", "Commands",
    "Message", "Named", "Restart", "Restarts",
    "Segment", "Loan", "Lease", "Slice", "Bounced", "Inherited",
    "Pool", "Task", "Tasks", "Call", "Outcome", "CancelledTasks", "lease_of", "slice_of",
    "Exit", "DeadLetter", "ActorRow", "Outcomes", "Taken", "Struct", "Deadline", "Timeout",
    "Error", "Refused", "Overloaded", "TimedOut", "Gone", "Unsupported", "Corrupt", "Failed", "Stopping", "Deadlock",
    "Cancelled", "Closed",
]
