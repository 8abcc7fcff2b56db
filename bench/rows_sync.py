"""Rows about locks, values and barriers, beside those of Python's multiprocessing."""
import os
import sys
from typing import List, Optional

from harness import HERE, Contender, Goal, Row, in_each_way

PYTHON = "multiprocessing"


def row(name: str, unit: str, mode: str, processes: int, ours: int, theirs: int, goal: Optional[Goal] = None,
        their_mode: str = "") -> Row:
    """Each process does it `ours` or `theirs` times: the faster one needs more of them to be measured."""
    def options(count: int, mode: str = mode) -> tuple:
        return mode, "--processes", str(processes), "--count", str(max(10, count))
    return Row(name, unit, Contender("Baton", ("sync_bench", *options(ours))), "per_second",
               Contender(PYTHON,
                         (sys.executable, os.path.join(HERE, "python_sync.py"), *options(theirs, their_mode or mode))),
               goal=goal)


def rows(scale: float) -> List[Row]:
    """`scale` is 1, or less for a quick look."""
    def scaled(count: int) -> int:
        return int(count * scale)
    return [
        row("lock_1", "locks/s", "lock", 1, scaled(5_000_000), scaled(500_000), Goal(">=", 10)),
        row("lock_1_vs_bare", "locks/s", "lock", 1, scaled(5_000_000), scaled(500_000), their_mode="bare_lock"),
        row("lock_2", "locks/s", "lock", 2, scaled(2_000_000), scaled(200_000)),
        row("value_increment_4x100000", "increments/s", "increment", 4, 100_000, 100_000, Goal(">=", 10)),
        *in_each_way(row("barrier_8", "rounds/s", "barrier", 8, scaled(2_000), scaled(2_000)),
                     {"": Goal(">=", 1), "asleep": Goal(">=", 1), "zeromq": None}),
    ]
