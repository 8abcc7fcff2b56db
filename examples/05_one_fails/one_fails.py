"""one_fails from Python: the tasks are C++, in the program one_fails; the script says what is to be computed."""
import sys

import baton
from baton import sync


def say(words: object) -> None:
    print(f"[scenario]: {words}", flush=True)


with baton.session() as session:
    console = sync.Keeper(session).lock("console")
    rows = [(index, console.address) for index in range(9)]
    with baton.Pool("one_fails", workers=3, session=session, name="worker", args=["worker", *sys.argv[1:]],
                    progress=False) as pool:
        say("== stop at the first error ==")
        try:
            pool.starmap("count", rows)
        except baton.Failed as error:
            say(f"stopped: {str(error).splitlines()[0]}")
        pool.stop()

        say("== collect ==")
        for outcome in pool.starmap("count", rows, errors="collect"):
            say(outcome)
