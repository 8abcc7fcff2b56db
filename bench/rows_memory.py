"""Rows about memory that is handed over: how long it takes, what it costs the kernel, and who gives it back."""
import os
import sys
from typing import List

from harness import HERE, Contender, Goal, Row, in_each_way

NAMES = "pooled POSIX shared memory, its name by raw ZeroMQ"
BYTES = "the bytes by raw ZeroMQ"
QUEUE = "numpy by multiprocessing.Queue"
ATTACH = "Python shared_memory by name"
FRESH = "shm_open, ftruncate, mmap, touch, munmap, unlink"
UNLINK = "unlinking as many shared objects"
SWAP = "a bare compare-and-swap loop"

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
# Size, hand-overs before those that count, how many count, and what the ratio should be: usually, and never spinning.
SIZES = [("1KiB", KIB, 500, 5000, 0.15, 0.65), ("1MiB", MIB, 100, 1500, 0.65, 0.65),
         ("64MiB", 64 * MIB, 5, 30, 0.9, 0.9), ("1GiB", GIB, 5, 50, 0.9, 0.9)]


def python(mode: str, *options: str) -> Contender:
    name = QUEUE if mode == "queue" else ATTACH
    return Contender(name, (sys.executable, os.path.join(HERE, "python_handover.py"), mode, *options))


def handovers(scale: float) -> List[Row]:
    against_names, beside = [], []
    for size, size_bytes, warm_up, count, usual, asleep in SIZES:
        count = max(5, int(count * scale))
        options = ("--bytes", str(size_bytes), "--warm-up", str(warm_up), "--count", str(count))
        ours = Contender("Baton", ("memory_bench", "hand-over", *options))
        row = Row(f"handover_{size}", "us", ours, "median_us", Contender(NAMES, ("raw_memory", "names", *options)),
                  p99_key="p99_us")
        against_names += in_each_way(row, {"": Goal("<=", usual), "asleep": Goal("<=", asleep),
                                           "zeromq": Goal("<=", 1.25)})
        if size_bytes > 64 * MIB:
            continue  # copies of a gibibyte take seconds, and say nothing new
        fewer = ("--bytes", str(size_bytes), "--warm-up", "3", "--count",
                 str(min(count, 200 if size_bytes < 64 * MIB else 8)))
        is_goal = size_bytes == 64 * MIB
        for suffix, other, goal in (("bytes", Contender(BYTES, ("raw_memory", "bytes", *fewer)),
                                     Goal(">=", 300) if is_goal else None),
                                    ("queue", python("queue", *fewer), None),
                                    ("attach", python("attach", *fewer), None)):
            beside.append(Row(f"handover_{size}_vs_{suffix}", "us", ours, "median_us", other, goal=goal,
                              is_speedup=True))
    return against_names + beside


def rows(scale: float) -> List[Row]:
    """`scale` is 1, or less for a quick look."""
    cycles = ("--bytes", str(64 * MIB), "--count", str(max(5, int(40 * scale))))
    rows_kept = ("--bytes", "4096", "--count", "10000")
    out = handovers(scale)
    out.append(Row("handover_syscalls", "calls + faults", Contender("Baton", (
        sys.executable, os.path.join(HERE, "count_memory_calls.py"), str(max(100, int(1000 * scale))))), "per_handover",
                   goal=Goal("<=", 0)))
    out.append(Row("pool_cycle_64MiB", "us", Contender("Baton", ("memory_bench", "pool", *cycles)), "median_us",
                   Contender(FRESH, ("raw_memory", "fresh", *cycles)), p99_key="p99_us", goal=Goal(">=", 20),
                   is_speedup=True))
    for name, processes in (("ledger_transition", 1), ("ledger_transition_2", 2)):
        swaps = ("--count", str(int(20_000_000 * scale)), "--processes", str(processes))
        out.append(Row(name, "transitions/s", Contender("Baton", ("memory_bench", "transitions", *swaps)),
                       "transitions_per_second", Contender(SWAP, ("raw_memory", "swap", *swaps))))
    # Linear: each of a million costs what each of ten thousand does.
    def alive(count: int) -> Contender:
        return Contender(f"Baton, {count:,} alive", ("memory_bench", "alive", "--bytes", "64", "--count", str(count)))
    out.append(Row("segments_1000000", "ns each", alive(max(20_000, int(1_000_000 * scale))), "ns_per_segment",
                   alive(10_000)))
    out.append(Row("settle_10000", "ms", Contender("Baton", ("memory_bench", "settle", *rows_kept)), "settled_ms",
                   Contender(UNLINK, ("raw_memory", "unlink", *rows_kept)), goal=Goal("<=", 1)))
    return out
