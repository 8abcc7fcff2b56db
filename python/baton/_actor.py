"""Actor: one actor of a session, seen from a scenario."""
from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Any, Dict, Optional, Union

from . import _baton
from ._errors import Closed, TimedOut
from ._values import Exit

if TYPE_CHECKING:
    import datetime

    from ._session import Session

    Deadline = Union[float, datetime.timedelta, None]

#: Seconds, where a script names none.
DEFAULT_DEADLINE = 5.0


def _is_readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


class Actor(_baton.Ref):
    """One actor: what session.spawn() and session.find() return. As a field of a command it is its Ref.

    The fields of a command are keyword arguments and are checked against the protocol that the actor has
    published, before anything is sent: a wrong one raises Refused and names `Command.field`.

    `deadline` is no field but when the wait ends (seconds, a timedelta, or None for as long as it takes). For
    a command that has a field of this name it is the field, and with_deadline() says the other.
    """

    def __init__(self, session: Session, ref: _baton.Ref, name: str, pid: int, protocol: _baton.Protocol) -> None:
        super().__init__(ref.number, ref.incarnation, ref.session)
        self._session = session
        self._name = name
        self._pid = pid
        self._protocol = protocol
        self._is_closed = False
        self._exit: Optional[Exit] = None  # as soon as it is known
        self._sentinel: Optional[int] = None

    def __del__(self) -> None:
        if getattr(self, "_sentinel", None) is not None:
            os.close(self._sentinel)

    def __repr__(self) -> str:
        return f"<baton.Actor {self._name} ({self.id})>"

    def __reduce__(self):
        raise TypeError(f"{self!r} can't be pickled: it belongs to one session of one process; in a command it "
                        "travels as it is, and its name can be found elsewhere")

    # ---- facts

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return self._name

    @property
    def pid(self) -> int:
        """Its process."""
        self._require_open()
        return self._pid

    @property
    def protocol(self) -> _baton.Protocol:
        """The commands that it accepts."""
        self._require_open()
        return self._protocol

    def describe(self) -> str:
        """Its commands, their fields and their replies, one a line, for people."""
        return str(self.protocol)

    # ---- messages

    def send(self, command: str, /, **fields: Any) -> None:
        """Delivers a command without a reply, in order behind what was sent to this actor before.

        While the actor is behind this waits (back-pressure), until the deadline.
        Raises Refused (a field does not fit), Unsupported (no such command), Overloaded (a full inbox until
        the deadline), Gone (the actor has exited), Stopping.
        """
        self._send(command, fields, self._deadline_of(command, fields))

    def ask(self, command: str, /, **fields: Any) -> Any:
        """Delivers a command and waits for its reply.

        A struct becomes an object with attributes, an empty optional None, an enum its name, a timestamp a
        datetime in UTC, a duration seconds, a ref an Actor or Ref.
        Raises Failed (the handler threw: type, text, frames), TimedOut, Gone, Stopping, and what send() raises.
        """
        return self._ask(command, fields, self._deadline_of(command, fields))

    def request(self, command: str, /, **fields: Any) -> _baton.Pending:
        """Delivers a command and returns a Pending to get() the reply from later: the way to ask many at once.

        `deadline` is for the delivery, as in send(); Pending.get() has its own. Raises what send() raises.
        """
        return self._request(command, fields, self._deadline_of(command, fields))

    def with_deadline(self, deadline: Deadline) -> Timed:
        """The same actor with a deadline for what follows: alice.with_deadline(2.0).ask("HoldThis", number=4).

        Every keyword there is a field, also one that is called deadline.
        """
        self._require_open()
        return Timed(self, deadline)

    # ---- its end

    def stop(self, deadline: Deadline = DEFAULT_DEADLINE, drain: bool = False) -> Exit:
        """Ends the actor and returns how it ended: asked, then by SIGTERM, then by SIGKILL, within the deadline.

        With `drain` it handles what waits in its inbox first; else that becomes dead letters of its exit.
        """
        self._require_open()
        ended = self._session.stop([self], deadline=deadline, drain=drain)
        if not ended and self.is_alive():  # which raises Gone where the exit is forgotten
            raise TimedOut(f"{self._name} was asked to stop and still runs: it was not started in this session, which may "
                           "not kill it")
        return ended[0] if ended else self.exit

    def terminate(self) -> None:
        """Sends SIGTERM, which ends it at once unless its program says otherwise. Does not wait; see join()."""
        self._require_open()
        self._session._core.signal(self, signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL. Does not wait; see join()."""
        self._require_open()
        self._session._core.signal(self, signal.SIGKILL)

    def join(self, deadline: Deadline = DEFAULT_DEADLINE) -> Exit:
        """Waits for the exit. Raises TimedOut when it has not come by the deadline (None: waits for ever)."""
        self._require_open()
        if self._exit is None:
            try:
                self._exit = Exit._of(self._session._core.join(self, deadline))
            except TimedOut:
                raise TimedOut(f"{self._name} has not exited before the deadline") from None
        return self._exit

    @property
    def exit(self) -> Optional[Exit]:
        """How it ended; None while it lives. Does not wait for it."""
        self._require_open()
        if self._sentinel is not None and _is_readable(self._sentinel):
            return self.join()  # what is still on its way
        return self._session._exit_of(self)

    @property
    def exitcode(self) -> Optional[int]:
        """As in multiprocessing: None while it lives, what main() returned, or minus the signal's number."""
        exit = self.exit
        return None if exit is None else exit.exitcode

    @property
    def sentinel(self) -> int:
        """As in multiprocessing: a descriptor that becomes readable when the actor's process has ended, for
        multiprocessing.connection.wait(), select or an event loop. It is this object's, and ends with it or with close().

        It stays that process's, also when its pid is used again; of one that has ended it is readable at once. Raises Gone
        for an actor that is forgotten and when the session is closed, Refused for one whose process nobody knows.
        """
        self._require_open()
        if self._sentinel is None:
            self._sentinel = self._session._core.sentinel(self)
        return self._sentinel

    def is_alive(self) -> bool:
        """Whether it has not exited yet."""
        return self.exit is None

    def close(self) -> None:
        """Lets go of an actor that has exited: every later use raises Closed, which is a ValueError too.

        As in multiprocessing, raises ValueError (Closed) while it is still alive: stop() or join() it first.
        """
        if self._is_closed:
            return
        if self._session._core.is_open and self.is_alive():
            raise Closed(f"{self._name} is still alive and can't be closed: stop() or join() it first")
        self._is_closed = True
        if self._sentinel is not None:
            descriptor, self._sentinel = self._sentinel, None
            os.close(descriptor)

    # ---- inside

    def _require_open(self) -> None:
        if self._is_closed:
            raise Closed(f"{self._name} was closed: nothing can be done with it any more")

    def _deadline_of(self, command: str, fields: Dict[str, Any]) -> Deadline:
        if "deadline" in fields and not self._protocol._has_field(command, "deadline"):
            return fields.pop("deadline")
        return DEFAULT_DEADLINE

    def _send(self, command: str, fields: Dict[str, Any], deadline: Deadline) -> None:
        self._require_open()
        self._session._core.send(self, self._protocol, command, fields, deadline)

    def _ask(self, command: str, fields: Dict[str, Any], deadline: Deadline) -> Any:
        self._require_open()
        return self._session._core.ask(self, self._protocol, command, fields, deadline, self._session._known)

    def _request(self, command: str, fields: Dict[str, Any], deadline: Deadline) -> _baton.Pending:
        self._require_open()
        session = self._session
        return session._core.request(self, self._protocol, command, fields, deadline, self._name, session._known)


class Timed:
    """An actor and a deadline, from Actor.with_deadline(). send, ask and request are those of the Actor."""

    def __init__(self, actor: Actor, deadline: Deadline) -> None:
        self._actor = actor
        self._deadline = deadline

    def send(self, command: str, /, **fields: Any) -> None:
        """Actor.send() with this deadline."""
        self._actor._send(command, fields, self._deadline)

    def ask(self, command: str, /, **fields: Any) -> Any:
        """Actor.ask() with this deadline."""
        return self._actor._ask(command, fields, self._deadline)

    def request(self, command: str, /, **fields: Any) -> _baton.Pending:
        """Actor.request() with this deadline."""
        return self._actor._request(command, fields, self._deadline)


Actor.__module__ = "baton"
