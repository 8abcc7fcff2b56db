"""Rows about bulk data: a CSV file as columns, by the same number of processes, beside what Python has for it."""
import os
import sys
from typing import List

from harness import BIN, HERE, Contender, Goal, Row

ROWS = 930_000  # about 100 MB


def contender(name: str, program: str, scale: float) -> Contender:
    """columns_compared.py runs it, and fails where two programs have not read the same."""
    script = os.path.join(HERE, "columns_compared.py")
    folder = os.path.normpath(os.path.join(BIN, ".."))
    return Contender(name,
                     (sys.executable, "-B", script, program, "--rows", str(int(ROWS * scale)), "--folder", folder))


def rows(scale: float) -> List[Row]:
    ours = contender("Baton", "baton", scale)
    return [
        Row("columns_vs_multiprocessing", "MB/s", ours, "megabytes_per_second",
            contender("multiprocessing, csv and shared_memory of Python", "multiprocessing", scale),
            goal=Goal(">=", 5)),
        Row("columns_vs_pandas", "MB/s", ours, "megabytes_per_second",
            contender("pandas.read_csv", "pandas", scale), goal=Goal(">=", 1)),
    ]
