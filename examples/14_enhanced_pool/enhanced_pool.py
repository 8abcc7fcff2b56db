"""The same from Python: the tasks are C++, in the program enhanced_pool; the script says what is to be computed."""
import baton

ROWS = [(index,) for index in range(10)]
NAMED = [{"prefix": "even" if index % 2 == 0 else "odd"} for index in range(10)]
THOUSAND = [(7, "number")] * 1000

with baton.session() as session:
    with baton.Pool("enhanced_pool", workers=4, session=session, args=["worker"]) as first:
        for outcome in first.starmap("label", ROWS, NAMED, errors="collect"):
            print(outcome)
        try:
            first.starmap("label", ROWS, NAMED[:-1])
        except baton.Refused as error:
            print(f"refused: {error}")

        # A second pool, many more tasks than a byte can count, and a second run of both.
        with baton.Pool("enhanced_pool", workers=2, session=session, args=["worker"]) as second:
            for run in (1, 2):
                for pool in (first, second):
                    print(f"run {run}: {len(pool.starmap('label', THOUSAND))} results")
