"""pool_with_progress from Python: the tasks are C++, in the program pool_with_progress; the script says what to
compute."""
import sys

import baton
from baton import sync

THOUSAND = [7] * 1000


def say(words: object) -> None:
    print(f"[scenario]: {words}", flush=True)


with baton.session() as session:
    console = sync.Keeper(session).lock("console")
    rows = [(index, console.address) for index in range(10)]
    named = [{"prefix": "even" if index % 2 == 0 else "odd"} for index in range(10)]
    with baton.Pool("pool_with_progress", workers=4, session=session, args=["worker", *sys.argv[1:]]) as first:
        for outcome in first.starmap("label", rows, named, errors="collect"):
            say(outcome)
        try:
            first.starmap("label", rows, named[:-1])
        except baton.Refused as error:
            say(f"refused: {error}")

        # A second pool, many more tasks than a byte can count, and a second run of both.
        with baton.Pool("pool_with_progress", workers=2, session=session, args=["worker"]) as second:
            for run in (1, 2):
                for pool in (first, second):
                    say(f"run {run}: {len(pool.map('same', THOUSAND))} results")
