"""Rows about messages: asks, and commands one way."""
from typing import List

from harness import Contender, Goal, Row

RAW = "raw ZeroMQ DEALER/ROUTER + msgpack"


def rows(scale: float) -> List[Row]:
    """`scale` is 1, or less for a quick look."""
    asks = ("round-trip", "--count", str(int(20_000 * scale)))
    sends = ("one-way", "--count", str(int(1_000_000 * scale)))
    blocks = ("one-way", "--count", str(int(500_000 * scale)), "--block-bytes", "1024")
    return [
        Row("ask_round_trip_64B", "us", Contender("Baton", ("baton_bench", *asks)), "median_us",
            Contender(RAW, ("raw_zmq", *asks)), p99_key="p99_us", goal=Goal("<=", 1.15)),
        Row("one_way_64B", "commands/s", Contender("Baton", ("baton_bench", *sends)), "messages_per_second",
            Contender(RAW, ("raw_zmq", *sends)), goal=Goal(">=", 1)),
        Row("one_way_1KiB", "commands/s", Contender("Baton", ("baton_bench", *blocks)), "messages_per_second",
            Contender(RAW, ("raw_zmq", *blocks))),
    ]
