"""Restart and Named: actors that are started again when they have failed, and how to reach them all the same."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from . import _baton
from ._actor import Actor
from ._commands import AnyCommand
from ._errors import Gone, TimedOut
from ._values import DEFAULT_TIMEOUT, Deadline, Timeout, publish

Outcome = TypeVar("Outcome")
Policy = Literal["never", "on_failure", "always"]
Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]

# Between two looks for the next life of an actor whose end the coordinator has not heard of.
GONE_INTERVAL = 0.005


@dataclasses.dataclass(frozen=True)
class Restart:
    """How an actor is started again when it has ended: `session.spawn("stage", restart=baton.Restart())`.

    It is restarted under its name, by the same program with the same arguments, unless it, or the member that has
    spawned it, was asked to stop. If it has to be restarted more than `restarts_max` times within `period`, it is given
    up. That is a failure of the actor that has spawned it; if a script has, the session fails, and closing it raises
    Failed.
    """

    policy: Policy = "on_failure"  #: "never", "on_failure" or "always" (after an end in good order too)
    restarts_max: int = 5          #: within `period`; at most 32
    period: float = 10.0           #: seconds
    back_off_first: float = 0.1    #: seconds before the first restart, doubled for each that follows in the period
    back_off_most: float = 5.0     #: seconds
    group: str = ""                #: actors of one spawner that name the same group; "": it belongs to none
    #: which others of the group are ended and restarted with it: "one_for_one" (none), "one_for_all",
    #: "rest_for_one" (those that were spawned after it)
    strategy: Strategy = "one_for_one"

    def _row(self) -> _baton._RestartRow:
        return (self.policy, self.restarts_max, self.period, self.back_off_first, self.back_off_most, self.group,
                self.strategy)


class Named:
    """An actor by its name, across its lives, as session.named() returns it. An Actor is one life: if that has ended,
    so has the Actor.

    What is sent or asked goes to the life that has the name now. That is remembered, so it costs no message more than
    an Actor does; when it has ended the next one is looked up. While there is none a command waits for it, as long as
    the call may wait. An ask that a life has taken is never given to another one: if that life ends, it raises Gone.
    """

    def __init__(self, find: Callable[[str, Timeout], Actor], name: str) -> None:
        self._find = find
        self._name = name
        self._life: Actor | None = None

    def __repr__(self) -> str:
        return f"<baton.Named {self._name}>"

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def last(self) -> Actor | None:
        """The life that was used last; None before the first use."""
        return self._life

    def send(self, command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
             timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> None:
        """As Actor.send()."""
        ends = Deadline(timeout)
        self._with_life(ends, lambda life: life.send(command, fields, timeout=ends, **named))

    def ask(self, command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
            timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> Any:
        """As Actor.ask()."""
        ends = Deadline(timeout)
        return self._with_life(ends, lambda life: life.request(command, fields, timeout=ends, **named)).get(ends)

    def request(self, command: AnyCommand, fields: Mapping[str, Any] | None = None, /, *,
                timeout: Timeout = DEFAULT_TIMEOUT, **named: Any) -> _baton.Pending:
        """As Actor.request()."""
        ends = Deadline(timeout)
        return self._with_life(ends, lambda life: life.request(command, fields, timeout=ends, **named))

    # Tried again with the next life as long as it raises Gone: then the command was not taken.
    def _with_life(self, ends: Deadline, begin: Callable[[Actor], Outcome]) -> Outcome:
        gone: Actor | None = None
        while True:
            life = self._life
            if life is None:
                life = self._find(self._name, ends)
                if life == gone:  # the coordinator is about to hear of its end
                    try:
                        life.join(min(GONE_INTERVAL, ends.left() or 0.0) if ends.left() is not None else GONE_INTERVAL)
                    except TimedOut:
                        if ends.has_passed():
                            raise Gone(f"{self._name} has ended, and there is no next life of it yet") from None
                    continue
                self._life = life
            try:
                return begin(life)
            except Gone:
                gone, self._life = life, None


publish(Restart, Named)
