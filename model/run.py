#!/usr/bin/env python3
"""Checks the model of the ledger's protocol with spin and prints a table.

    model/run.py [--jobs N] [--only WORD] [--keep FOLDER]

Every configuration is searched exhaustively and must hold; every mutant, which leaves out one rule of the protocol,
must be caught. The exit status is 0 only then. When something is not as it should be, its shortest trail that was
found is printed as a story, a line a transition. --only runs the rows in whose name WORD occurs.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ownership.pml")
MEMORY_MEGABYTES_MAX = 1500
SEARCH_SECONDS_MAX = 100
DEPTH_MAX = 20000

HOLDS, IS_CAUGHT = "holds", "caught"


@dataclass(frozen=True)
class Row:
    configuration: str      # its name in the table
    flags: str              # -D flags of the model, without the -D
    property: str           # "safety", "ends" or the name of an ltl formula
    expected: str           # HOLDS or IS_CAUGHT
    mutant: str = ""


# name: (flags, what is checked). "safety" is all assertions at every step and what must have happened in the end;
# "ends" is that no run is endless, which makes the second half of "safety" a proof of liveness.
CONFIGURATIONS = {
    "gift": ("EPOCHS=6", ["safety", "ends"]),
    "gift to itself": ("EPOCHS=5 SELF=1 REFUSALS=0", ["safety"]),
    "gift of three": ("N=3 EPOCHS=4 CREATORS=1", ["safety"]),
    "lease": ("L=1 EPOCHS=4 LEASE_EPOCHS=3 CRASHES=1", ["safety"]),
    "lease, two crashes": ("L=1 EPOCHS=3 LEASE_EPOCHS=2 CRASHES=2 GIFTS=0 CREATORS=1 LENDERS=1", ["safety", "ends"]),
    "lease of three": ("N=3 L=1 EPOCHS=4 LEASE_EPOCHS=1 CREATORS=1 LENDERS=2 CRASHES=1 GIVEUPS=0 REFUSALS=0", ["safety"]),
    "two leases": ("N=3 L=2 EPOCHS=2 LEASE_EPOCHS=1 GIFTS=0 CREATORS=1 LENDERS=1 CRASHES=1 RESTARTS=0 GIVEUPS=0",
                   ["safety"]),
    "slices": ("L=2 SLICES=1 EPOCHS=3 LEASE_EPOCHS=2 GIFTS=0 CREATORS=1 LENDERS=1 CRASHES=1 RESTARTS=0 GIVEUPS=0 REFUSALS=0",
               ["safety"]),
    "two segments": ("S=2 L=2 EPOCHS=2 LEASE_EPOCHS=4 GIFTS=0 CREATORS=1 LENDERS=1 CRASHES=0 RESTARTS=0 GIVEUPS=0 REFUSALS=0",
                     ["safety"]),
    "two gifts": ("S=2 PAIR=1 EPOCHS=3 CREATORS=1 RESTARTS=0", ["safety"]),
    "busy inbox": ("BUSY=1 EPOCHS=3 CREATORS=1 MORTALS=1 CRASHES=1 GIVEUPS=0 REFUSALS=0", ["settled", "decided", "recycled"]),
}

# the rule that is left out: (configuration, what must catch it)
MUTANTS = {
    "ACCEPT_ANY_EPOCH": ("gift", "safety"),
    "CLAIM_ANY_EPOCH": ("lease", "safety"),
    "SETTLE_UNDRAINED": ("gift", "safety"),
    "DEATH_BY_TIMER": ("gift", "safety"),
    "RECYCLE_LEASED": ("lease", "safety"),
    "RECLAIM_LEASED": ("lease", "safety"),
    "LENT_TRAVELS": ("lease", "safety"),
    "NO_LOOK": ("gift", "safety"),
    "LOOK_AT_ANY_LIFE": ("gift", "safety"),
    "LIFE_LAST": ("gift", "safety"),
    "REUSE_BEFORE_WALK": ("gift", "safety"),
    "REUSE_BEFORE_DRAINED": ("gift", "safety"),
    "BOUNCE_TO_THE_DEAD": ("gift", "safety"),
    "BOUNCE_AT_ANY_EPOCH": ("gift", "safety"),
    "OWN_GIFT_REMEMBERED": ("gift to itself", "safety"),
    "DRAINED_BY_INBOX": ("gift", "safety"),
    "DRAINED_BACKWARDS": ("gift", "safety"),
    "DRAINED_IN_HAND": ("gift", "safety"),
    "DRAINED_WHEN_EMPTY": ("busy inbox", "settled"),
    "SETTLE_CLAIMED": ("lease", "safety"),
    "HOME_STAYS_DEAD": ("gift", "safety"),
    "NO_BOUNCE": ("gift", "safety"),
    "NO_LEASE_SETTLE": ("lease", "safety"),
    "SLICES_OVERLAP": ("slices", "safety"),
    "PAIR_EACH_ALONE": ("two gifts", "safety"),
    "PAIR_LAST_FIRST": ("two gifts", "safety"),
    "PAIR_BOUNCED_ALONE": ("two gifts", "safety"),
    "I6_TO_THE_LETTER": ("gift", "safety"),
    "RECYCLE_BY_LIST": ("two segments", "safety"),
}


def rows():
    for name, (flags, properties) in CONFIGURATIONS.items():
        for checked in properties:
            yield Row(name, flags, checked, HOLDS)
    for mutant, (name, checked) in MUTANTS.items():
        yield Row(name, CONFIGURATIONS[name][0], checked, IS_CAUGHT, mutant)


@dataclass
class Outcome:
    verdict: str            # HOLDS, IS_CAUGHT, or why there is none
    states: int = 0
    transitions: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0
    violation: str = ""
    story: str = ""


def run(command, folder, seconds=SEARCH_SECONDS_MAX):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
                          check=False)


def figure(pattern, text, convert):
    found = re.search(pattern, text)
    return convert(found.group(1)) if found else convert(0)


# What a trail says: the model prints a line a transition.
TOLD = re.compile(r"^(actor \d|coordinator|fate|watch|  \(|<<<<<START OF CYCLE)")


def story(row, text, folder):
    """What was violated, and the shortest way there: of a safety property by a search in breadth."""
    if row.property == "safety":
        run(["gcc", "-w", "-O0", f"-DMEMLIM={MEMORY_MEGABYTES_MAX}", "-DSAFETY", "-DNOFAIR", "-DBFS", "-o", "pan", "pan.c"], folder)
        text = run(["./pan", "-w22"], folder).stdout
    violation = figure(r"pan:\d+: (.*)", text, str)
    replayed = run(["./pan", "-r", *([] if row.property in ("safety", "ends") else ["-N", row.property])], folder).stdout
    return violation, "\n".join(line for line in replayed.splitlines() if TOLD.match(line))


def check(row, folder, wants_story):
    begun = time.monotonic()
    flags = ["-D" + flag for flag in row.flags.split()] + (["-D" + row.mutant + "=1"] if row.mutant else [])
    is_safety, is_ends = row.property == "safety", row.property == "ends"
    shutil.copy(MODEL, folder)      # spin looks for a trail beside the model
    model = os.path.basename(MODEL)
    made = run(["spin", *flags, "-a", model], folder)
    if made.returncode != 0 or not os.path.exists(os.path.join(folder, "pan.c")):
        return Outcome("spin failed", violation=made.stdout)
    # Unoptimised: optimising takes longer than it saves.
    compiler = ["gcc", "-w", "-O0", f"-DMEMLIM={MEMORY_MEGABYTES_MAX}"]
    compiler += ["-DSAFETY", "-DNOFAIR"] if is_safety else ["-DNP", "-DNOFAIR"] if is_ends else ["-DNFAIR=3"]
    compiled = run([*compiler, "-o", "pan", "pan.c"], folder)
    if compiled.returncode != 0:
        return Outcome("gcc failed", violation=compiled.stdout)
    options = [] if is_safety else ["-l"] if is_ends else ["-a", "-f", "-N", row.property]
    try:
        text = run(["./pan", f"-m{DEPTH_MAX}", "-w22", *options], folder).stdout
    except subprocess.TimeoutExpired:
        return Outcome("too slow", seconds=time.monotonic() - begun)
    outcome = Outcome(
        verdict="incomplete",
        states=figure(r"(\d+) states, stored", text, int),
        transitions=figure(r"(\d+) transitions", text, int),
        megabytes=figure(r"([\d.]+)\s+total actual memory", text, float))
    if re.search(r"errors: [1-9]", text):
        outcome.verdict = IS_CAUGHT
        if row.expected == HOLDS or wants_story:
            outcome.violation, outcome.story = story(row, text, folder)
    elif "errors: 0" in text and "max search depth too small" not in text and "Search not completed" not in text:
        outcome.verdict = HOLDS
    else:
        outcome.violation = text
    outcome.seconds = time.monotonic() - begun
    return outcome


def check_in_folder(row, kept, wants_story):
    folder = tempfile.mkdtemp(prefix="baton-model-")
    try:
        return check(row, folder, wants_story)
    finally:
        if kept:
            name = re.sub(r"\W+", "_", f"{row.configuration} {row.property} {row.mutant}").strip("_")
            shutil.copytree(folder, os.path.join(kept, name), dirs_exist_ok=True)
        shutil.rmtree(folder)


LINE = "{:<20} {:<22} {:<9} {:>9} {:>11} {:>6} {:>7}  {}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="how many rows are checked at a time")
    parser.add_argument("--only", default="", metavar="WORD", help="only rows in whose configuration or mutant WORD occurs")
    parser.add_argument("--stories", action="store_true", help="print the trail also of a mutant that was caught")
    parser.add_argument("--keep", metavar="FOLDER", help="keep what spin made, a folder a row")
    arguments = parser.parse_args()
    missing = [program for program in ("spin", "gcc") if shutil.which(program) is None]
    if missing:
        sys.exit("not installed: " + ", ".join(missing) + " (./dev setup)")

    begun = time.monotonic()
    chosen = [row for row in rows() if arguments.only in row.configuration or arguments.only in row.mutant]
    if not chosen:
        sys.exit(f"no configuration and no mutant has {arguments.only!r} in its name")
    unexpected = 0
    print(LINE.format("configuration", "mutant", "property", "states", "transitions", "MB", "seconds", "verdict"))
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for row, outcome in zip(chosen, pool.map(lambda row: check_in_folder(row, arguments.keep, arguments.stories), chosen)):
            is_expected = outcome.verdict == row.expected
            verdict = outcome.verdict
            if not is_expected:
                verdict = {HOLDS: "SURVIVES", IS_CAUGHT: "VIOLATED"}.get(verdict, verdict.upper())
            print(LINE.format(row.configuration, row.mutant or "-", row.property, outcome.states, outcome.transitions,
                              f"{outcome.megabytes:.0f}", f"{outcome.seconds:.1f}", verdict), flush=True)
            if not is_expected or arguments.stories:
                unexpected += not is_expected
                print("    " + "\n    ".join((outcome.violation + "\n" + outcome.story).strip().splitlines()), flush=True)
    print(f"{len(chosen) - unexpected} as expected, {unexpected} not, {time.monotonic() - begun:.0f} s")
    return unexpected != 0


if __name__ == "__main__":
    sys.exit(main())
