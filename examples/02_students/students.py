"""Three students and a teacher: commands one way, answers back, everybody goes home.

    baton run students.py        or        python3 students.py
"""
import baton

HEADERS = {
    "HoldThis": "HOLD_THIS",
    "WhatsYourNumber": "WHATS_YOUR_NUMBER",
    "ThanksForHelping": "THANKS_FOR_HELPING",
}


def command(student: baton.Actor, name: str, **fields: int) -> baton.Pending:
    """The teacher says it aloud; what the student answers is heard later."""
    numbers = "".join(f" {value}" for value in fields.values())
    print(f"[Teacher]  {student.name}, {HEADERS[name]}{numbers}", flush=True)
    return student.request(name, fields)


def hear(*answers: baton.Pending) -> None:
    for answer in answers:
        print(answer.get(timeout=5), flush=True)


with baton.session() as session:
    alice, bob, charlie = students = session.spawn(
        "student", names=["Alice", "Bob", "Charlie"], progress=False)

    # All three work at the same time; they are heard in the order in which they were asked.
    hear(command(alice, "HoldThis", number=4),
         command(bob, "HoldThis", number=5),
         command(charlie, "WhatsYourNumber"))
    hear(command(alice, "HoldThis", number=3))

    print("[Teacher]  And that's about it!")
    for student in students:
        hear(command(student, "ThanksForHelping"))
        student.join(timeout=5)
