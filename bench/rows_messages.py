"""Rows about messages: asks, commands one way, and what these cost the processors."""
import dataclasses
from typing import List

from harness import WAYS, Contender, Goal, Row, in_each_way

RAW = "raw ZeroMQ DEALER/ROUTER + msgpack"
PIPE = "two pipes, nothing encoded"
ONE_PIPE = "a pipe, nothing encoded"
QUIET_MS = "20"


def baton(*options: str) -> Contender:
    return Contender("Baton", ("baton_bench", *options))


def asks(scale: float) -> List[Row]:
    options = ("round-trip", "--count", str(int(20_000 * scale)))
    row = Row("ask_round_trip_64B", "us", baton(*options), "median_us", Contender(RAW, ("raw_zmq", *options)),
              p99_key="p99_us")
    out = in_each_way(row, {"": Goal("<=", 0.05), "asleep": Goal("<=", 0.65), "zeromq": Goal("<=", 1.15)})
    # A pipe takes ten times as long between two processors as on one, so both contenders are told where to run.
    for name, cpus, goals in (("ask_round_trip_64B_vs_pipe", "two",
                               {"": None, "asleep": Goal("<=", 1.25), "zeromq": None}),
                              ("ask_round_trip_64B_vs_pipe_one_cpu", "one", {"asleep": Goal("<=", 1.25)})):
        placed = (*options, "--cpus", cpus)
        beside_pipe = dataclasses.replace(row, name=name, ours=baton(*placed),
                                          baseline=Contender(PIPE, ("raw_pipe", *placed)))
        out += in_each_way(beside_pipe, goals)
    for mode in ("waitset", "polling"):
        beside = Contender(f"iceoryx, {mode}", ("raw_iceoryx", mode, *options[1:]))
        out += in_each_way(dataclasses.replace(row, name=f"ask_round_trip_64B_vs_iceoryx_{mode}", baseline=beside),
                           {"": None, "asleep": None})
    return out


def asks_after_quiet(scale: float) -> List[Row]:
    """Nobody spins for that long, so spinning must not show: neither in time nor against who never does."""
    options = ("round-trip", "--count", str(max(20, int(200 * scale))), "--pause-ms", QUIET_MS)
    row = Row("ask_round_trip_idle", "us", baton(*options), "median_us", Contender(RAW, ("raw_zmq", *options)),
              p99_key="p99_us")
    never = dataclasses.replace(row.ours, name="Baton with BATON_SPIN=0", environment=WAYS["asleep"])
    return [*in_each_way(row, {"": None, "asleep": None, "zeromq": None}),
            *in_each_way(dataclasses.replace(row, name="ask_round_trip_idle_vs_pipe",
                                             baseline=Contender(PIPE, ("raw_pipe", *options))),
                         {"": None, "asleep": None, "zeromq": None}),
            dataclasses.replace(row, name="ask_round_trip_idle_vs_asleep", baseline=never, goal=Goal("<=", 1.05))]


def one_way(scale: float) -> List[Row]:
    small = ("one-way", "--count", str(int(1_000_000 * scale)))
    blocks = ("one-way", "--count", str(int(500_000 * scale)), "--block-bytes", "1024")
    many = ("--count", str(int(1_000_000 * scale)), "--senders", "8")
    out = []
    for name, options, fast, slow in (("one_way_64B", small, 6, 1), ("one_way_1KiB", blocks, 2.5, None)):
        row = Row(name, "commands/s", baton(*options), "messages_per_second", Contender(RAW, ("raw_zmq", *options)))
        out += in_each_way(row, {"": Goal(">=", fast), "asleep": Goal(">=", fast),
                                 "zeromq": None if slow is None else Goal(">=", slow)})
        beside_pipe = dataclasses.replace(row, name=f"{name}_vs_pipe",
                                          baseline=Contender(ONE_PIPE, ("raw_pipe", *options)))
        out += in_each_way(beside_pipe, {"": None, "asleep": None, "zeromq": None})
    out += in_each_way(Row("one_way_8_to_1", "commands/s", baton("one-way", *many), "messages_per_second",
                           Contender(RAW, ("raw_zmq", "many-to-one", *many))),
                       {"": None, "asleep": None, "zeromq": None})
    # They share the rounds of one_way_64B.
    for name, unit, key in (("cpu_per_command", "ns", "cpu_ns_per_message"),
                            ("wakeups_per_command", "wake-ups", "wakeups_per_message")):
        row = Row(name, unit, baton(*small), key, Contender(RAW, ("raw_zmq", *small)))
        out += in_each_way(row, {"": None, "asleep": None, "zeromq": None})
    return out


def busy(scale: float) -> List[Row]:
    """Two pairs of actors that compute and ask, on two processors: who spins takes them from who has work."""
    ours = baton("busy", "--count", str(int(20_000 * scale)))
    never = dataclasses.replace(ours, name="Baton with BATON_SPIN=0", environment=WAYS["asleep"])
    return [Row("spin_when_busy", "rounds/s", ours, "rounds_per_second", never, goal=Goal(">=", 0.98))]


def rows(scale: float) -> List[Row]:
    """`scale` is 1, or less for a quick look."""
    return asks(scale) + asks_after_quiet(scale) + one_way(scale) + busy(scale)
