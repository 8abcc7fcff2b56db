"""Message: a command that came to a script."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _baton
from ._errors import Refused
from ._values import Struct, publish


class Message:
    """A command that came to this scenario, from session.collect().

    Its fields are attributes: said.line. A field with the name of an attribute below is in `fields` only.
    A scenario that publishes no protocol gets values as they came over the wire: an enum is its number, a duration a
    number of nanoseconds, and a ref a list of its numbers (and its session), from which baton.Ref(*ref) makes a Ref.
    """

    def __init__(self, name: str, sender: str, sender_ref: _baton.Ref, fields: Any,
                 answer: _baton.Answer | None) -> None:
        self.name = name                #: of the command
        self.sender = sender            #: the name of the actor that sent it, or its id if that is unknown
        self.sender_ref = sender_ref    #: its address; session.find() makes an Actor of it
        self.fields: dict[str, Any] = fields._fields if isinstance(fields, Struct) else {}  #: by name
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.fields:
            return self.fields[name]
        raise AttributeError(f"{self.name} has no field '{name}'; it has {', '.join(self.fields) or 'none'}")

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"<baton.Message {self.name}({fields}) from {self.sender}>"

    @property
    def is_asked(self) -> bool:
        """True if the sender waits for a reply."""
        return self._answer is not None

    def reply(self, value: Any = None) -> None:
        """Answers the sender, once. Raises Refused if the command was only sent, or has been answered already."""
        self._require_asked().reply(value)

    def fail(self, text: str) -> None:
        """Answers the sender with an error, which it gets as `failed`. Otherwise like reply()."""
        self._require_asked().fail(text)

    def waits_for(self, actor: _baton.Ref) -> None:
        """Says that this message, which is kept, can't be answered before that actor has done something, such as give
        back what the sender wants. If that actor waits for the sender in turn, one of their waits ends as Deadlock with
        all names, and not at a deadline.

        It holds until the next command comes to this script, which may be what was waited for: say it again after
        having looked at that. Of several messages of one sender only the last that was told about counts. After a
        command has come during a wait for tasks of a pool, this has no effect any more: such waits end at their
        deadlines.
        """
        self._require_asked().waits_for(actor)

    def _fail_as(self, text: str, kind: str, type: str, frames: Sequence[str]) -> None:
        self._require_asked().fail(text, kind, type, list(frames))

    def _require_asked(self) -> _baton.Answer:
        if self._answer is None:
            raise Refused(f"{self.name} from {self.sender} was sent, not asked: nobody waits for a reply")
        return self._answer


publish(Message)
