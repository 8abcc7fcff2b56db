"""The same from Python: the tasks are C++, in the program one_fails; the script says what is to be computed."""
import baton

with baton.Pool("one_fails", workers=3, args=["worker"], progress=False) as pool:
    try:
        pool.map("count", range(9))
    except baton.Failed as error:
        # Which worker it was is another one each time.
        print(f"stopped: {str(error).partition(', worker')[0]})")

    for outcome in pool.map("count", range(9), errors="collect"):
        print(outcome)
