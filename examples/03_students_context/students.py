"""The same class with a context manager: what students say goes to an audience, which is this scenario.

    coordinator students.py        or        python3 students.py
"""
from contextlib import contextmanager

import baton

HEADERS = {
    "HoldThis": "HOLD_THIS",
    "WhatsYourNumber": "WHATS_YOUR_NUMBER",
    "ThanksForHelping": "THANKS_FOR_HELPING",
}


def command(student, name, **fields):
    numbers = "".join(f" {value}" for value in fields.values())
    print(f"[Teacher]  {student.name}, {HEADERS[name]}{numbers}", flush=True)
    student.send(name, **fields)


def listen(session, count):
    """Hears until `count` of them have spoken; sorted, as they speak at the same time."""
    for said in sorted(session.collect("Said", count=count, deadline=5), key=lambda said: said.line):
        print(said.line, flush=True)


@contextmanager
def demonstration(session, names):
    students = session.spawn("student", names=names, progress=False)
    session.broadcast(students, "SpeakTo", audience=session.address)
    try:
        yield students
    finally:
        print("[Teacher]  And that's about it!")
        for student in students:
            command(student, "ThanksForHelping")
        listen(session, len(students))


with baton.session() as session, \
        demonstration(session, ["Alice", "Bob", "Charlie"]) as (alice, bob, charlie):
    command(alice, "HoldThis", number=4)
    command(bob, "HoldThis", number=5)
    listen(session, 2)

    command(charlie, "WhatsYourNumber")
    listen(session, 1)

    command(alice, "HoldThis", number=3)
    listen(session, 1)
