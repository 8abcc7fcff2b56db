"""Rows about pools: trivial tasks through two workers, beside the Pool of Python's multiprocessing."""
import os
import sys
from typing import List

from harness import HERE, Contender, Goal, Row, in_each_way


def rows(scale: float) -> List[Row]:
    repeats = ("--repeats", str(max(3, int(20 * scale))))
    script = (sys.executable, "-B", os.path.join(HERE, "pool_multiprocessing.py"))
    ours = Contender("Baton", ("pool_bench", *repeats))
    return [
        Row("pool_10000_vs_chunk1", "tasks/s", ours, "tasks_per_second",
            Contender("Pool.map(chunksize=1) of Python", (*script, "--repeats", "3", "--chunksize", "1")),
            goal=Goal(">=", 10)),
        *in_each_way(Row("pool_10000_vs_default", "tasks/s", ours, "tasks_per_second",
                         Contender("Pool.map of Python, its own chunks", (*script, *repeats))),
                     {"": Goal(">=", 2), "asleep": Goal(">=", 1.5), "zeromq": Goal(">=", 1)}),
    ]
