"""Measures Baton beside what one would write without it; prints one table and writes bench/latest.json.

    ./dev bench [NAME...] [--rounds N] [--quick]
    ./dev bench --against DIR [NAME...]         the same programs of another build, in turn

A NAME may be a pattern: 'ask_*', '*/asleep'. Rows come from the modules named below, one a topic; harness.py says how
they are measured.
"""
import argparse
import fnmatch
import os
import sys
from typing import List

import harness
import rows_columns
import rows_life
import rows_memory
import rows_messages
import rows_pool
import rows_sync

TOPICS = [
    rows_messages,
    rows_life,
    rows_memory,
    rows_pool,
    rows_sync,
    rows_columns,
]


def compared_with(rows: List[harness.Row], build: str) -> List[harness.Row]:
    """Rows that differ only in their baselines become one."""
    folder = os.path.abspath(os.path.join(build, "bin") if os.path.isdir(os.path.join(build, "bin")) else build)
    compared = {}
    for row in rows:
        other = harness.against(row, folder)
        if other is None:
            print(f"{row.name} is skipped: its contender is a script, which finds its programs itself", file=sys.stderr)
        else:
            compared.setdefault((other.ours, other.key), other)
    return list(compared.values())


def without_missing(rows: List[harness.Row]) -> List[harness.Row]:
    for row in rows:
        if row.missing():
            print(f"{row.name} is skipped: there is no program {row.missing()} (bench/README.md says what it needs)",
                  file=sys.stderr)
    return [row for row in rows if not row.missing()]


def main() -> None:
    names = [row.name for topic in TOPICS for row in topic.rows(1)]
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, epilog="rows: " + ", ".join(names),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these rows")
    parser.add_argument("--rounds", type=int, help="rounds of each row (default 7, quick: 3)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, to see that it works")
    parser.add_argument("--against", metavar="DIR", help="compare with the programs in DIR, the bin/ of another build "
                        "(or the folder above it), instead of with the baselines")
    parser.add_argument("--json", default=os.path.join(harness.HERE, "latest.json"), help="where the rows go")
    options = parser.parse_args()
    unknown = [wanted for wanted in options.names if not fnmatch.filter(names, wanted)]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(names)}")
    rounds = options.rounds if options.rounds is not None else (3 if options.quick else 7)
    if rounds < 1:
        parser.error("--rounds is at least 1")

    rows = [row for topic in TOPICS for row in topic.rows(0.1 if options.quick else 1)
            if not options.names or any(fnmatch.fnmatchcase(row.name, wanted) for wanted in options.names)]
    if options.against is not None:
        rows = compared_with(rows, options.against)
    rows = without_missing(rows)
    share = harness.CpuShare()
    measured = harness.measure(rows, rounds, on_round=lambda: print(".", end="", file=sys.stderr, flush=True))
    print(file=sys.stderr)
    summaries = [harness.summary(row, measured[row]) for row in rows]
    print(harness.table(summaries))
    print(f"\n{os.cpu_count()} CPUs, of which others used {share.of_others():.0%} meanwhile; medians of {rounds} rounds"
          f"{', quick' if options.quick else ''}")
    harness.write(summaries, options.json)


if __name__ == "__main__":
    main()
