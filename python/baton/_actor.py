"""Actor: one actor of a session, seen from a scenario."""
from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from . import _awaiting, _baton
from ._commands import AnyCommand, Command, maker, spelled
from ._errors import Closed, TimedOut
from ._place import Place
from ._values import DEFAULT_TIMEOUT, Exit, Timeout, publish


def _is_readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


class Actor(_baton.Ref):
    """One actor, as session.spawn() and session.find() return it. As a field of a command it is its Ref.

    A command can be written in four ways, which mean the same:

        alice.ask("HoldThis", number=4, timeout=2)
        alice.ask("HoldThis", {"number": 4}, timeout=2)
        alice.ask(alice.HoldThis(number=4), timeout=2)     # a message object; see help(baton.Command)
        alice.ask(HoldThis(number=4), timeout=2)           # an instance of a dataclass of that name

    The fields are checked against the protocol that the actor has published, before anything is sent: a wrong one
    raises Refused and names `Command.field`. `timeout` is an option, never a field: a command that has a field of this
    name is refused if it is written in the first way, and accepted in the others.
    """

    def __init__(self, place: Place, ref: _baton.Ref, name: str, pid: int, protocol: _baton.Protocol) -> None:
        super().__init__(ref.number, ref.incarnation, ref.session)
        self._place = place
        self._name = name
        self._pid = pid
        self._protocol = protocol
        self._is_closed = False
        self._exit: Exit | None = None  # as soon as it is known
        self._sentinel: int | None = None

    def __del__(self) -> None:
        sentinel: int | None = self.__dict__.get("_sentinel")
        if sentinel is not None:
            os.close(sentinel)

    def __getattr__(self, name: str) -> Callable[..., Command]:
        protocol: _baton.Protocol | None = self.__dict__.get("_protocol")
        if protocol is None or name.startswith("_") or name not in protocol.commands:
            known = "" if protocol is None else ", ".join(protocol.commands)
            raise AttributeError(f"an Actor has no attribute {name!r}" if protocol is None or name.startswith("_") else
                                 f"{self._name} has no command or attribute {name!r}; its commands are "
                                 f"{known or 'none'}")
        self._require_open()
        return maker(self, protocol, name)

    def __repr__(self) -> str:
        return f"<baton.Actor {self._name} ({self.id})>"

    def __reduce__(self) -> NoReturn:
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
        """Its commands, their fields and their replies, one per line, for people."""
        return str(self.protocol)

    # ---- messages

    def send(self, command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
             timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> None:
        """Sends a command without waiting for a reply. Commands to one actor arrive in the order in which they were
        sent.

        If the actor's inbox is full, this waits until there is room, at most for `timeout`.
        Raises Refused (a field does not fit), Unsupported (no such command), Overloaded (the inbox stayed full),
        Gone (the actor has exited), Stopping.
        """
        self._require_open()
        name, values = spelled([self._protocol], command, fields, named)
        self._place.core.send(self, self._protocol, name, values, timeout)

    def ask(self, command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
            timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> Any:
        """Sends a command, waits for its reply and returns it.

        In the reply, a struct is an object with attributes, an empty optional None, an enum its name, a timestamp a
        datetime in UTC, a duration a number of seconds, and a ref an Actor or a Ref.
        Raises Failed (the handler threw: type, text, frames), TimedOut, Gone, Stopping, and what send() raises.
        """
        self._require_open()
        name, values = spelled([self._protocol], command, fields, named)
        return self._place.core.ask(self, self._protocol, name, values, timeout, self._place.known)

    def request(self, command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
                timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> _baton.Pending:
        """Sends a command and returns a Pending: call get() for the reply later, or await it. This is the way to ask
        many actors at once.

        `timeout` is for the delivery, as in send(); Pending.get() has its own. Raises what send() raises.
        """
        self._require_open()
        name, values = spelled([self._protocol], command, fields, named)
        return self._place.core.request(self, self._protocol, name, values, timeout, self._name, self._place.known)

    # ---- its end

    def stop(self, timeout: Timeout = DEFAULT_TIMEOUT, drain: bool = False) -> Exit:
        """Ends the actor and returns how it ended: it is asked to stop, then sent SIGTERM, then SIGKILL, all within the
        timeout.

        With `drain` it first handles what waits in its inbox; otherwise those commands become dead letters of its exit.
        """
        self._require_open()
        ended = self._place.stop([self], timeout, drain)
        if ended:
            return ended[0]
        exit = self.exit  # which raises Gone if the exit is forgotten
        if exit is None:
            raise TimedOut(f"{self._name} was asked to stop and still runs: it was not started in this session, which "
                           "may not kill it")
        return exit

    def terminate(self) -> None:
        """Sends SIGTERM, which ends it at once unless its program says otherwise. Does not wait; see join()."""
        self._require_open()
        self._place.core.signal(self, signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL. Does not wait; see join()."""
        self._require_open()
        self._place.core.signal(self, signal.SIGKILL)

    def join(self, timeout: Timeout = DEFAULT_TIMEOUT) -> Exit:
        """Waits until the actor has exited, and returns how. Raises TimedOut if it has not exited in time (None: waits
        for ever)."""
        self._require_open()
        if self._exit is None:
            try:
                self._exit = Exit._of(self._place.core.join(self, timeout))
            except TimedOut:
                raise TimedOut(f"{self._name} has not exited in time") from None
        return self._exit

    async def ended(self) -> Exit:
        """Waits under asyncio until the actor has exited, and returns how: `exit = await alice.ended()`.

        For a limit: `await asyncio.wait_for(alice.ended(), 5)`.
        """
        self._require_open()
        if self._exit is None:
            self._exit = await _awaiting.exit_of(self._place, self)
        return self._exit

    def on_exited(self, callback: Callable[[Actor, Exit], object]) -> None:
        """Calls `callback(actor, exit)` once, when this actor has exited; at once if it has already.

        If an event loop of asyncio is running, the loop calls it. Otherwise it is called between the session's calls:
        at the beginning of the next one, and between two commands in session.serve(). It may use the session.
        """
        self._require_open()

        def tell(exit: Exit) -> None:
            self._exit = exit
            callback(self, exit)

        _awaiting.call_on_exit(self._place, self, tell)

    @property
    def exit(self) -> Exit | None:
        """How the actor ended; None while it lives. Does not wait."""
        self._require_open()
        if self._sentinel is not None and _is_readable(self._sentinel):
            return self.join()  # what is still on its way
        if self._exit is None:
            self._exit = self._place.exit_of(self, self._name)
        return self._exit

    @property
    def exitcode(self) -> int | None:
        """As in multiprocessing: None while it lives, then what main() returned, or minus the signal's number."""
        exit = self.exit
        return None if exit is None else exit.exitcode

    @property
    def sentinel(self) -> int:
        """As in multiprocessing: a descriptor that becomes readable when the actor's process has ended, for
        multiprocessing.connection.wait(), select or an event loop. This object owns it and closes it when it is
        deleted, or in close().

        It refers to that process even if the pid is reused. If the actor has already ended, it is readable at once.
        Raises Gone if the actor is forgotten or the session closed, Refused if nobody knows the actor's process.
        """
        self._require_open()
        if self._sentinel is None:
            self._sentinel = self._place.core.sentinel(self)
        return self._sentinel

    def link(self, other: _baton.Ref) -> None:
        """Links this actor with another one: they end together. When one has ended, in whatever way, the other one is
        stopped, and the text of its exit names the first. If one has ended already, the other is stopped at once.

        A link lasts until unlink(), in this life of both. Raises Refused for a member that no coordinator has started,
        such as a script, Overloaded if this actor names too many others, Gone if one is forgotten.
        """
        self._require_open()
        self._place.core.link(self, other)

    def unlink(self, other: _baton.Ref) -> None:
        """From its return on, neither of the two actors is stopped for the other's sake. Does nothing if they are not
        linked."""
        self._require_open()
        self._place.core.unlink(self, other)

    def is_alive(self) -> bool:
        """True if it has not exited yet."""
        return self.exit is None

    def close(self) -> None:
        """Closes the object of an actor that has exited: every later use raises Closed, which is also a ValueError.

        As in multiprocessing, raises ValueError (Closed) if it is still alive: stop() or join() it first.
        """
        if self._is_closed:
            return
        if self._place.core.is_open and self.is_alive():
            raise Closed(f"{self._name} is still alive and can't be closed: stop() or join() it first")
        self._is_closed = True
        if self._sentinel is not None:
            descriptor, self._sentinel = self._sentinel, None
            os.close(descriptor)

    # ---- inside

    def _require_open(self) -> None:
        if self._is_closed:
            raise Closed(f"{self._name} was closed: nothing can be done with it any more")


publish(Actor)
