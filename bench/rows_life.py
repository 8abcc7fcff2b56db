"""Rows about lives: starting actors, stopping them, and what one takes that only waits."""
from typing import List

from harness import Contender, Goal, Row

EMPTY = "posix_spawn + ZeroMQ connect of an empty program"


def rows(scale: float) -> List[Row]:
    """A start can't be measured by parts; `scale` only makes the idle time shorter."""
    out = []
    for count in (1, 16, 100):
        ours = Contender("Baton", ("baton_bench", "spawn", "--count", str(count)))
        empty = Contender(EMPTY, ("raw_zmq", "spawn-connect", "--count", str(count)))
        out.append(Row(f"start_{count}", "ms", ours, "ready_ms", empty, goal=Goal("<=", 1 if count == 100 else 2)))
    # The cost of starting is the yardstick of stopping too.
    out.append(Row("stop_100", "ms", ours, "stopped_ms", empty, "ready_ms", goal=Goal("<=", 2)))
    for name, count in (("takeover_1", 1), ("takeover_100", 100)):
        killed = Contender("Baton", ("baton_bench", "takeover", "--count", str(count), "--sessions",
                                     str(max(2, int(25 * scale)))))
        out.append(Row(name, "ms", killed, "p50_ms", p99_key="p99_ms"))
        out.append(Row(f"{name}_p99", "ms", killed, "p99_ms", goal=Goal("<=", 100) if count == 100 else None))
    crowd = Contender("Baton", ("baton_bench", "all-to-all", "--count", "200"))
    out.append(Row("all_to_all_200", "ms", crowd, "connected_ms", goal=Goal("<=", 3000)))
    out.append(Row("all_to_all_200_stop", "ms", crowd, "stopped_ms", goal=Goal("<=", 2000)))
    out.append(Row("all_to_all_200_lanes", "MiB", crowd, "lanes_mib", goal=Goal("<=", 1024)))
    memory = Contender("Baton", ("baton_bench", "memory"))
    out.append(Row("idle_actor_rss", "KiB", memory, "resident_kib"))
    out.append(Row("idle_actor_written", "KiB", memory, "written_kib"))
    idle = Contender("Baton", ("baton_bench", "idle", "--count", "100", "--seconds", str(max(1, int(10 * scale)))))
    out.append(Row("idle_cpu", "s", idle, "cpu_seconds", goal=Goal("<=", 0.005)))  # 0.00 s
    return out
