"""Measures Baton beside raw ZeroMQ in the same run and prints a table; writes build/bench.json.

    ./dev bench [--rounds N] [--quick]

Each row is the median of several rounds; in each round the baseline and Baton are measured one right after the
other, and the ratio is the median of the rounds' ratios. Wall-clock figures of a shared machine drift; ratios do not.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, "..", "build", "release", "bin")


def measure(program, *arguments):
    done = subprocess.run([os.path.join(BIN, program), *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def pairs(rounds, baseline, ours):
    """Both in turn, as often as `rounds`; whoever is first changes from round to round."""
    measured = []
    for number in range(rounds):
        if number % 2 == 0:
            raw = measure("raw_zmq", *baseline)
            own = measure("baton_bench", *ours)
        else:
            own = measure("baton_bench", *ours)
            raw = measure("raw_zmq", *baseline)
        measured.append((raw, own))
        print(".", end="", file=sys.stderr, flush=True)
    return measured


def row(name, unit, measured, raw_key, own_key, target, is_rate=False):
    raw = [raw[raw_key] for raw, _ in measured]
    own = [own[own_key] for _, own in measured]
    ratio = statistics.median(o / r for r, o in zip(raw, own))
    return {
        "row": name, "unit": unit,
        "raw": statistics.median(raw), "baton": statistics.median(own), "ratio": round(ratio, 3),
        "rounds": [{"raw": r, "baton": o} for r, o in zip(raw, own)],
        "target": target, "met": None if target is None else (ratio >= target if is_rate else ratio <= target),
    }


def spawn_rows(rounds, count):
    measured = pairs(rounds, ["spawn-connect", "--count", str(count)], ["spawn", "--count", str(count)])
    yield row(f"spawn_{count}", "ms until ready", measured, "ready_ms", "ready_ms", 2.0)
    if count == 100:
        # The cost of a spawn is the yardstick of the stop too.
        yield row("stop_100", "ms until all have ended", measured, "ready_ms", "stopped_ms", 2.0)


def figure(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def print_table(rows):
    print(f"\n{'row':<18}{'raw ZeroMQ':>14}{'Baton':>14}{'ratio':>8}{'target':>9}   unit")
    for one in rows:
        raw = "" if one["raw"] is None else figure(one["raw"])
        ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}"
        sign = ">=" if "second" in one["unit"] else "<="
        target = "" if one["target"] is None else f"{sign} {one['target']:.2f}"
        verdict = "" if one["met"] in (None, True) else "   MISSED"
        print(f"{one['row']:<18}{raw:>14}{figure(one['baton']):>14}{ratio:>8}{target:>9}   {one['unit']}{verdict}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each row (default 7)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, to see that it works")
    parser.add_argument("--json", default=os.path.join(HERE, "..", "build", "bench.json"), help="where the figures go")
    options = parser.parse_args()
    scale = 10 if options.quick else 1

    rows = []
    asks = ["--count", str(20_000 // scale)]
    measured = pairs(options.rounds, ["round-trip", *asks], ["round-trip", *asks])
    rows.append(row("ask_median", "us", measured, "median_us", "median_us", 1.15))
    rows.append(row("ask_p99", "us", measured, "p99_us", "p99_us", None))
    sends = ["--count", str(1_000_000 // scale)]
    measured = pairs(options.rounds, ["one-way", *sends], ["one-way", *sends])
    rows.append(row("one_way", "commands per second", measured, "messages_per_second", "messages_per_second", 1.0, True))
    for count in (1, 16, 100):
        rows.extend(spawn_rows(options.rounds, count))
    memory = [measure("baton_bench", "memory") for _ in range(3)]
    for key, name in (("resident_kib", "idle_resident"), ("private_kib", "idle_private")):
        rows.append({"row": name, "unit": "KiB of an idle actor", "raw": None, "ratio": None, "target": None, "met": None,
                     "baton": statistics.median(one[key] for one in memory), "rounds": memory})

    print_table(rows)
    machine = {"machine": platform.machine(), "cpus": os.cpu_count(), "kernel": platform.release(),
               "load": os.getloadavg()[0], "rounds": options.rounds}
    print(f"\n{machine['cpus']} CPUs, load {machine['load']:.1f} at the end, medians of {options.rounds} rounds")
    with open(options.json, "w", encoding="utf-8") as out:
        json.dump({"machine": machine, "rows": rows}, out, indent=2)


if __name__ == "__main__":
    main()
