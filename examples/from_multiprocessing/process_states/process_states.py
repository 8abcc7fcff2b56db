"""process_states from Python, where an actor has what a Process has; the actor is that of the C++ program."""
from multiprocessing.connection import wait

import baton


def say(words: str) -> None:
    print(f"[scenario]: {words}", flush=True)


def print_info(actor: baton.Actor | None) -> None:
    if actor is None:
        say("Is alive?: false")
        say("Process not started yet")
        say("Exit code: None")
        return
    try:
        say(f"Is alive?: {str(actor.is_alive()).lower()}")
        say(f"Sentinel: {'readable' if wait([actor.sentinel], 0) else 'not readable'}")
        say(f"Exit code: {actor.exitcode}")
    except ValueError:
        say("The process is closed")


with baton.session() as session:
    say("== before start ==")
    print_info(None)

    say("== start ==")
    sleeper = session.spawn("process_states", name="sleeper", args=["actor"])
    sleeper.ask("Sleep")
    print_info(sleeper)

    say("== terminate ==")
    sleeper.terminate()
    wait([sleeper.sentinel], 10)
    print_info(sleeper)

    say("== stop ==")
    other = session.spawn("process_states", name="other", args=["actor"])
    other.ask("Sleep")
    other.stop()

    say("== close ==")
    sleeper.close()
    print_info(sleeper)
