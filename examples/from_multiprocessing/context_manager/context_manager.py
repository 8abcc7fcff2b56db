"""The same class with a context manager: what students say goes to an audience, which is this scenario. It listens
until it has been quiet for a moment.

    baton run context_manager.py [SECONDS]        or        python3 context_manager.py [SECONDS]

The moment lasts 0.2 s, as in the story.
"""
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import baton

QUIET = float(sys.argv[1]) if len(sys.argv) > 1 else 0.2
HEADERS = {
    "HoldThis": "HOLD_THIS",
    "WhatsYourNumber": "WHATS_YOUR_NUMBER",
    "ThanksForHelping": "THANKS_FOR_HELPING",
}


def command(student: baton.Actor, name: str, **fields: int) -> None:
    numbers = "".join(f" {value}" for value in fields.values())
    print(f"[Teacher]  {student.name}, {HEADERS[name]}{numbers}", flush=True)
    student.send(name, fields)


def listen(session: baton.Session) -> None:
    for said in session.collect("Said", quiet=QUIET, timeout=None):
        print(said.line, flush=True)


@contextmanager
def demonstration(session: baton.Session, names: list[str]) -> Iterator[list[baton.Actor]]:
    students = session.spawn("student", names=names, progress=False)
    session.send_all(students, "SpeakTo", audience=session.address)
    try:
        yield students
    finally:
        print("[Teacher]  And that's about it!")
        for student in students:
            command(student, "ThanksForHelping")
        listen(session)


with baton.session() as session, \
        demonstration(session, ["Alice", "Bob", "Charlie"]) as (alice, bob, charlie):
    command(alice, "HoldThis", number=4)
    command(bob, "HoldThis", number=5)
    listen(session)

    command(charlie, "WhatsYourNumber")
    listen(session)

    command(alice, "HoldThis", number=3)
    listen(session)
