"""Baton: actors as processes, scripted.

    import baton

    with baton.session() as session:
        alice = session.spawn("student", name="Alice")
        print(alice.describe())                       # the commands that she accepts
        print(alice.ask("HoldThis", number=4))        # waits for the reply
        alice.send("GoHome")                          # does not

Every wait has a deadline, and every error is a baton.Error whose class says what can be done about it.
See help(baton.session), help(baton.Session) and help(baton.Actor).
"""
from ._actor import Actor
from ._baton import Pending, Protocol, Ref
from ._baton import version as __version__
from ._errors import (Closed, Corrupt, Error, Failed, Gone, Overloaded, Refused, Stopping, TimedOut,
                      Unsupported)
from ._session import Message, Session, session
from ._values import ActorRow, DeadLetter, Exit, Outcomes, Struct, Taken

__all__ = [
    "session", "Session", "Actor", "Ref", "Pending", "Protocol", "Message",
    "Exit", "DeadLetter", "ActorRow", "Outcomes", "Taken", "Struct",
    "Error", "Refused", "Overloaded", "TimedOut", "Gone", "Unsupported", "Corrupt", "Failed", "Stopping", "Closed",
]
