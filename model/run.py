#!/usr/bin/env python3
"""Checks the models of Baton's protocols with spin and prints a table.

    model/run.py [--jobs N] [--only WORD] [--stories] [--keep FOLDER]

Every configuration is searched exhaustively and must hold; every mutant, which leaves out one rule of the protocol,
must be caught. The exit status is 0 only then. Of what is violated the shortest run is told, one line per
transition.
"""
import argparse
import concurrent.futures
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

FOLDER = os.path.dirname(os.path.abspath(__file__))
OWNERSHIP, NAMES, MEMORY, WITHDRAWAL = "ownership.pml", "names.pml", "memory.pml", "withdrawal.pml"
BELL, RING, FULL, LANES, SHELF = "bell.pml", "ring.pml", "full.pml", "lanes.pml", "shelf.pml"
TAKEOVER, SPAWN, REJOIN, HEIRS, STOP = "takeover.pml", "spawn.pml", "rejoin.pml", "heirs.pml", "stop.pml"
LINKS = "links.pml"
MODELS = (OWNERSHIP, NAMES, MEMORY, WITHDRAWAL, BELL, RING, FULL, LANES, SHELF, TAKEOVER, SPAWN, REJOIN, HEIRS, STOP,
          LINKS)
MEMORY_MEGABYTES_MAX = 1500
SEARCH_SECONDS_MAX = 100
DEPTH_MAX = 20000

HOLDS, IS_CAUGHT = "holds", "caught"

# What is checked. SAFETY is every assertion, at every step and, of what must have happened in the end, where nothing
# moves any more. ENDS is that no run is endless, so that whatever is fair comes to such an end: with it the second
# half of SAFETY is liveness. All others are names of LTL formulas, checked under weak fairness.
SAFETY, ENDS = "safety", "ends"

# name: (flags of the model, what is checked, and in which file where it is not the first)
ONE_LENDER = "CREATORS=1 LENDERS=1 GIFTS=0"
PATIENT = "GIVEUPS=0 REFUSALS=0"
CONFIGURATIONS = {
    "gift": ("EPOCHS=6 RESTARTS=2", [SAFETY]),
    "gift to itself": ("EPOCHS=5 SELF=1 REFUSALS=0", [SAFETY, ENDS]),
    "gift of three": ("N=3 EPOCHS=4 CREATORS=1 REFUSALS=0", [SAFETY]),
    "two gifts": ("S=2 PAIR=1 EPOCHS=4", [SAFETY]),
    "lease": ("L=1 EPOCHS=4 LEASE_EPOCHS=3 CRASHES=1", [SAFETY]),
    "lease, two crashes": ("L=1 EPOCHS=4 LEASE_EPOCHS=2 REFUSALS=0", [SAFETY]),
    "lease, no gift": (f"L=1 EPOCHS=3 LEASE_EPOCHS=2 {ONE_LENDER}", [SAFETY, ENDS]),
    "lease of three": (f"N=3 L=1 EPOCHS=4 LEASE_EPOCHS=1 CREATORS=1 LENDERS=2 {PATIENT}", [SAFETY]),
    "two leases": (f"N=3 L=2 EPOCHS=2 LEASE_EPOCHS=2 {ONE_LENDER} CRASHES=1 REFUSALS=0", [SAFETY]),
    "slices": (f"L=2 SLICES=1 EPOCHS=3 LEASE_EPOCHS=2 {ONE_LENDER} CRASHES=1 {PATIENT}", [SAFETY]),
    "ranges": (f"L=2 SLICES=1 RANGES=1 EPOCHS=3 LEASE_EPOCHS=2 {ONE_LENDER} CRASHES=1 {PATIENT}", [SAFETY]),
    "two segments": (f"S=2 L=2 EPOCHS=2 LEASE_EPOCHS=4 {ONE_LENDER} CRASHES=0 RESTARTS=0 {PATIENT}", [SAFETY]),
    "busy inbox": (f"BUSY=1 EPOCHS=3 CREATORS=1 MORTALS=1 CRASHES=1 {PATIENT}", ["settled", "decided", "recycled"]),
    "one name, two rows": ("BIND=1", [SAFETY], NAMES),
    "names": ("BIND=0", [SAFETY], NAMES),
    "memory by name": ("", [SAFETY], MEMORY),
    "shelf": ("", [SAFETY], SHELF),
    "shelf, one page": ("PAGE=1", [SAFETY], SHELF),
    "asks given up": ("", [SAFETY], WITHDRAWAL),
    "bell": ("RECORDS=2 REPLIES=1", [SAFETY], BELL),
    "bell, never frozen": ("RECORDS=2 REPLIES=1 FREEZES=0 RESTARTS=0", [SAFETY, ENDS], BELL),
    "room": ("RECORDS=3 REPLIES=0 ROOM=1 WAITS=0 RESTARTS=0", [SAFETY, ENDS], BELL),
    "ring": ("RECORDS=4", [SAFETY], RING),
    "ring of one chunk": ("CHUNKS=1 RECORDS=5", [SAFETY, ENDS], RING),
    "full both ways": ("", [SAFETY, ENDS], FULL),
    "lane": ("SENDS_0=3 CRASHES=3 RESTARTS=2", [SAFETY], LANES),
    "lane, fewer lives": ("SENDS_0=2", [ENDS], LANES),
    "lanes both ways": ("SENDS_0=2 SENDS_1=1", [SAFETY], LANES),
    "lane, gift": ("SENDS_0=2 GIFT=1 CRASHES=3 RESTARTS=2", [SAFETY], LANES),
    "lane, asks": ("SENDS_0=2 ASKS=1 CRASHES=3 RESTARTS=2", [SAFETY], LANES),
    "asks, both ways": ("SENDS_0=2 SENDS_1=1 ASKS=1", [SAFETY], LANES),
    "take-over": ("", [SAFETY], TAKEOVER),
    "take-over, once": ("SUCCESSORS=1 RESTARTS=0", [ENDS], TAKEOVER),
    "spawn": ("ASKS=1", [SAFETY], SPAWN),
    "spawn, once": ("ASKS=1 SUCCESSORS=1", [ENDS], SPAWN),
    "two spawns": ("DEADLINES=0 FAILURES=0 ASKER_CRASHES=0", [SAFETY], SPAWN),
    "rejoin": ("SUCCESSORS=2", [SAFETY], REJOIN),
    "rejoin, and leave": ("SUCCESSORS=2 LEAVES=1", [SAFETY], REJOIN),
    "rejoin, three times": ("SUCCESSORS=3", [SAFETY], REJOIN),
    "rejoin, once": ("SUCCESSORS=1", [ENDS], REJOIN),
    "heirs": ("", [SAFETY], HEIRS),
    "heirs, given back": ("GIFTS=2 REFUSALS=0", [SAFETY], HEIRS),
    "heirs, one death": ("GIFTS=2 REFUSALS=0 CRASHES=1", [ENDS], HEIRS),
    "heirs, its next life": ("NEXT=1 GIFTS=0", [SAFETY], HEIRS),
    "stop": ("SENDS_0=2 SENDS_1=0 CRASHES=0", [SAFETY, ENDS], STOP),
    "stop, refused": ("DRAIN=0 SENDS_0=0 SENDS_1=2 CRASHES=0", [SAFETY], STOP),
    "stop, a death": ("FREEZES=0", [SAFETY], STOP),
    "stop, lanes": ("LANES=1 FREEZES=0", [SAFETY], STOP),
    "links": ("SUCCESSORS=1 RESTARTS=1", [SAFETY], LINKS),
    "links, never undone": ("UNLINKS=0", [SAFETY], LINKS),
    "links, one death": ("CRASHES=1 SUCCESSORS=1 RESTARTS=1", [ENDS], LINKS),
}

# What is left out, and the configuration and the property that must show it. The model says what each of them means.
MUTANTS = {
    "ACCEPT_ANY_EPOCH": ("gift", SAFETY),
    "CLAIM_ANY_EPOCH": ("lease", SAFETY),
    "SETTLE_UNDRAINED": ("gift", SAFETY),
    "DEATH_BY_TIMER": ("gift", SAFETY),
    "RECYCLE_LEASED": ("lease", SAFETY),
    "RECLAIM_LEASED": ("lease", SAFETY),
    "LENT_TRAVELS": ("lease", SAFETY),
    "NO_LOOK": ("gift", SAFETY),
    "LOOK_AT_ANY_LIFE": ("gift", SAFETY),
    "LIFE_LAST": ("gift", SAFETY),
    "REUSE_BEFORE_WALK": ("gift", SAFETY),
    "REUSE_BEFORE_DRAINED": ("gift", SAFETY),
    "BOUNCE_TO_THE_DEAD": ("gift", SAFETY),
    "BOUNCE_AT_ANY_EPOCH": ("gift", SAFETY),
    "OWN_GIFT_REMEMBERED": ("gift to itself", SAFETY),
    "DRAINED_BY_INBOX": ("gift", SAFETY),
    "DRAINED_BACKWARDS": ("gift", SAFETY),
    "DRAINED_IN_HAND": ("gift", SAFETY),
    "DRAINED_UNLOOKED": ("gift", SAFETY),
    "DRAINED_WHEN_EMPTY": ("busy inbox", "settled"),
    "SETTLE_CLAIMED": ("lease", SAFETY),
    "HOME_STAYS_DEAD": ("gift", SAFETY),
    "NO_BOUNCE": ("gift", SAFETY),
    "NO_LEASE_SETTLE": ("lease", SAFETY),
    "SLICES_OVERLAP": ("slices", SAFETY),
    "STARTS_COMPARED": ("ranges", SAFETY),
    "PAIR_EACH_ALONE": ("two gifts", SAFETY),
    "PAIR_LAST_FIRST": ("two gifts", SAFETY),
    "PAIR_BOUNCED_ALONE": ("two gifts", SAFETY),
    "RECYCLE_BY_LIST": ("two segments", SAFETY),
    "I6_TO_THE_LETTER": ("gift", SAFETY),
    "MARK_LATE": ("gift", SAFETY),
    "UNMARKED": ("gift", SAFETY),
    "OWN_BLOCKS_UNSEEN": ("gift", SAFETY),
    "CLEARED_TOO_LATE": ("gift", SAFETY),
    "NO_REWALK": ("one name, two rows", SAFETY),
    "NO_LOOK_AGAIN": ("names", SAFETY),
    "WITHDRAW_LATE": ("names", SAFETY),
    "FREE_ANY_NAME": ("names", SAFETY),
    "NAMES_OF_THE_DEAD": ("names", SAFETY),
    "PUBLISH_AT_ONCE": ("names", SAFETY),
    "LOOK_AT_LIST": ("names", SAFETY),
    "LEASES_FIRST": ("names", SAFETY),
    "RENAME_FIRST": ("memory by name", SAFETY),
    "NOT_PUT_BACK": ("memory by name", SAFETY),
    "HOME_LEAVES_IT": ("memory by name", SAFETY),
    "RENAME_THEN_MAP": ("memory by name", SAFETY),
    "MADE_UNSAID": ("shelf", SAFETY),
    "CLEARED_FIRST": ("shelf", SAFETY),
    "GONE_WITH_HOME": ("shelf", SAFETY),
    "BYTES_ONLY": ("shelf", SAFETY),
    "PUNCH_ANY": ("shelf, one page", SAFETY),
    "NAME_KEPT": ("shelf", SAFETY),
    "PUNCHED_BY_ROW": ("shelf", SAFETY),
    "RETIRED_IS_FREE": ("shelf", SAFETY),
    "LOOK_THEN_STORE": ("asks given up", SAFETY),
    "READ_THEN_WRITE": ("asks given up", SAFETY),
    "PLACE_TOO_SOON": ("asks given up", SAFETY),
    "SUMMARY_FIRST": ("asks given up", SAFETY),
    "ANY_LIFE": ("asks given up", SAFETY),
    "FULL_IS_WITHDRAWN": ("asks given up", SAFETY),
    "ROW_TOO_SOON": ("asks given up", SAFETY),
    "TAKEN_IS_LOOKED": ("asks given up", SAFETY),
    "LIFE_FIRST": ("asks given up", SAFETY),
    "NO_SECOND_LOOK": ("bell", SAFETY),
    "NO_FENCE_ASLEEP": ("bell", SAFETY),
    "NO_FENCE_WRITTEN": ("bell", SAFETY),
    "READY_FIRST": ("bell", SAFETY),
    "CLEARED_LATE": ("bell", SAFETY),
    "ASLEEP_TAKEN": ("bell", SAFETY),
    "INTERESTS_TAKEN": ("bell, never frozen", SAFETY),
    "ASLEEP_CLEARED": ("bell", SAFETY),
    "SLICE_FORGOTTEN": ("bell", SAFETY),
    "EMPTIED_LATE": ("bell", SAFETY),
    "EXIT_UNTOLD": ("bell", SAFETY),
    "WRITER_UNTOLD": ("room", SAFETY),
    "ROOM_FIRST": ("room", SAFETY),
    "NO_FENCE_FREED": ("room", SAFETY),
    "NO_LOOK_FOR_ROOM": ("room", SAFETY),
    "NO_FENCE_WANTS": ("room", SAFETY),
    "ROOM_CLEARED_LATE": ("room", SAFETY),
    "LIES_ON": ("bell", SAFETY),
    "NO_FENCE_SET": ("bell", SAFETY),
    "NO_FENCE_CLEARED": ("bell", SAFETY),
    "CURRENT_GIVEN_BACK": ("ring", SAFETY),
    "GIVEN_BACK_FULL": ("ring", SAFETY),
    "FREED_WHEN_TAKEN": ("ring", SAFETY),
    "LETTERS_FROM_FREED": ("ring", SAFETY),
    "FREE_AT_ITS_END": ("ring", SAFETY),
    "JUMP_LATE": ("ring", SAFETY),
    "NEVER_ITS_OWN": ("ring of one chunk", SAFETY),
    "ITS_OWN_WHEN_TAKEN": ("ring", SAFETY),
    "TOLD_BY_CHUNK": ("ring of one chunk", SAFETY),
    "FILLED_TO_THE_END": ("ring", SAFETY),
    "TWO_STORES": ("ring", SAFETY),
    "JUMP_OVERWRITTEN": ("ring of one chunk", SAFETY),
    "NEVER_ALONE": ("ring of one chunk", SAFETY),
    "JUMP_NOT_TAKEN": ("ring", SAFETY),
    "DEAF_WHILE_ANSWERING": ("full both ways", SAFETY),
    "NO_DEADLINE": ("full both ways", SAFETY),
    "LOOK_THEN_OPEN": ("lane", SAFETY),
    "NO_LOOK_AT_LIFE": ("lane", SAFETY),
    "COUNT_THEN_TAKE": ("lane", SAFETY),
    "READY_BEFORE_OBJECT": ("lane", SAFETY),
    "HALF_MADE_OPENED": ("lane", SAFETY),
    "OPENED_THEN_CLEARED": ("lane", SAFETY),
    "DRAIN_FOR_GIFTS_ONLY": ("lane", SAFETY),
    "WRITER_UNASKED": ("lane", SAFETY),
    "GONE_AFTER_PUBLISH": ("lane", SAFETY),
    "WRITES_AFTER_DRAINED": ("lane", SAFETY),
    "DRAINED_TOO_SOON": ("lane", SAFETY),
    "DRAINED_UNOPENED": ("lane", SAFETY),
    "DRAINED_HOLDING": ("lane, gift", SAFETY),
    "UNLINKED_TOO_SOON": ("lane", SAFETY),
    "REUSED_TOO_SOON": ("lane", SAFETY),
    "LOOKED_ONCE": ("lane", SAFETY),
    "TAKEN_STORED_LATE": ("lane", SAFETY),
    "LETTERS_AGAIN": ("lane", SAFETY),
    "DEAD_READER_ONLY": ("lane", SAFETY),
    "LETTER_OF_BOUNCED": ("lane, gift", SAFETY),
    "LETTER_BY_ROW": ("lane, gift", SAFETY),
    "ROWS_AFTER_RINGS": ("lane, gift", SAFETY),
    "BIT_CLEARED": ("lane", SAFETY),
    "LOOK_THEN_JOIN": ("lane", SAFETY),
    "SET_CLEARED_LATE": ("lane", SAFETY),
    "GONE_BEFORE_ANSWERS": ("lane, asks", SAFETY),
    "SETTLING_UNSAID": ("take-over", SAFETY),
    "INTENT_CLEARED_FIRST": ("take-over", SAFETY),
    "COUNTED_BLINDLY": ("take-over", SAFETY),
    "NO_INTENT_OF_ITS_OWN": ("take-over", SAFETY),
    "OWN_INTENT_UNRESOLVED": ("take-over", SAFETY),
    "BYTES_ADDED": ("take-over", SAFETY),
    "INTENT_AFTER_WALK": ("take-over", SAFETY),
    "COUNTS_MOVED": ("take-over", SAFETY),
    "COUNTS_CLEARED": ("take-over", SAFETY),
    "RECORDED_AGAIN": ("take-over", SAFETY),
    "LANES_BEFORE_JOURNAL": ("take-over", SAFETY),
    "HEIRS_UNASKED": ("take-over", SAFETY),
    "FINISHED_WHEN_TOLD": ("take-over", SAFETY),
    "INCARNATIONS_IN_MEMORY": ("take-over", SAFETY),
    "NEW_DEATHS_FIRST": ("take-over", SAFETY),
    "LANE_OF_TWO_DEAD": ("take-over", SAFETY),
    "WAITS_FOR_A_NUMBER": ("take-over", SAFETY),
    "LANE_WITH_ITS_OPENER": ("take-over", SAFETY),
    "LIFE_NOT_TAKEN_AGAIN": ("take-over", SAFETY),
    "BYTES_NOT_COUNTED": ("take-over", SAFETY),
    "WALKED_UNRECORDED": ("take-over", SAFETY),
    "TOLD_UNRECORDED": ("take-over", SAFETY),
    "ADOPTED_UNMARKED": ("take-over", SAFETY),
    "ROW_LATE": ("spawn", SAFETY),
    "KEY_LATE": ("spawn", SAFETY),
    "NO_KEY": ("spawn", SAFETY),
    "KEY_FORGOTTEN": ("spawn", SAFETY),
    "SOCKET_KEPT": ("spawn", SAFETY),
    "NEVER_UNDONE": ("spawn", SAFETY),
    "UNDONE_AT_ONCE": ("two spawns", SAFETY),
    "NEWS_ONLY": ("spawn", SAFETY),
    "NEWS_CLEARED_LATE": ("spawn", SAFETY),
    "NEWS_FIRST": ("spawn", SAFETY),
    "READY_UNSAID": ("spawn", SAFETY),
    "CHILDREN_UNNAMED": ("spawn", SAFETY),
    "ORPHANS_FORGOTTEN": ("spawn", SAFETY),
    "ASK_UNREPEATED": ("spawn", SAFETY),
    "UNDONE_IS_RECORDED": ("spawn", SAFETY),
    "FREED_UNRECORDED": ("spawn", SAFETY),
    "TABLE_TORN": ("two spawns", SAFETY),
    "UNWANTED_WHEN_LATE": ("spawn", SAFETY),
    "REAPED_FIRST": ("spawn", SAFETY),
    "PID_UNCHECKED": ("spawn", SAFETY),
    "HEADER_TORN": ("rejoin", SAFETY),
    "HEADER_READ_ONCE": ("rejoin", SAFETY),
    "PROCESS_UNCHECKED": ("rejoin", SAFETY),
    "LANE_RECONNECTS": ("rejoin", SAFETY),
    "WATCHES_BEFORE_CLOSED": ("rejoin", SAFETY),
    "WATCHES_UNREAD": ("rejoin", SAFETY),
    "PAST_UNREAD": ("rejoin", SAFETY),
    "PAST_BY_JOURNAL": ("rejoin", SAFETY),
    "NOT_LOOKED_AGAIN": ("rejoin", SAFETY),
    "SIGNAL_REPEATED": ("rejoin", SAFETY),
    "JOINS_AGAIN": ("rejoin", SAFETY),
    "HALF_JOINED_KEPT": ("rejoin", SAFETY),
    "READMITTED": ("rejoin, and leave", SAFETY),
    "REJOIN_BEHIND": ("rejoin", SAFETY),
    "WILL_IN_PLACE": ("heirs", SAFETY),
    "WITHDRAWN_FIRST": ("heirs", SAFETY),
    "WILL_OF_ANOTHER": ("heirs", SAFETY),
    "WILL_OF_ANY_EPOCH": ("heirs, given back", SAFETY),
    "WILL_NOT_STAMPED": ("heirs", SAFETY),
    "OLD_WILL_STAMPED": ("heirs, given back", SAFETY),
    "EPOCH_TO_THE_LETTER": ("heirs", SAFETY),
    "TRANSIT_HAS_NO_HEIR": ("heirs", SAFETY),
    "TRANSIT_UNDRAINED": ("heirs", SAFETY),
    "FLAG_LATE": ("heirs", SAFETY),
    "LIST_NOT_BEGUN": ("heirs", SAFETY),
    "LEASED_INHERITED": ("heirs", SAFETY),
    "LEASES_RECALLED": ("heirs", SAFETY),
    "HEIR_BY_NUMBER": ("heirs", SAFETY),
    "INHERIT_UNREPEATED": ("heirs", SAFETY),
    "INHERIT_BY_MESSAGE": ("heirs", SAFETY),
    "RETIRED_UNREPORTED": ("heirs", SAFETY),
    "REPORTED_AGAIN": ("heirs", SAFETY),
    "INHERIT_SAID_AGAIN": ("heirs", SAFETY),
    "NEXT_GIVEN_UP": ("heirs, its next life", SAFETY),
    "STOP_UNSAID": ("stop", SAFETY),
    "STOP_UNREPEATED": ("stop", SAFETY),
    "WAVES_FORGOTTEN": ("stop", SAFETY),
    "UNASKED_KILLED": ("stop", SAFETY),
    "NAMED_BY_THE_LEAVER": ("stop", SAFETY),
    "NAMED_AT_EXIT": ("stop, a death", SAFETY),
    "UNAWAITED": ("stop", SAFETY),
    "LETTERS_IN_MEMORY": ("stop, refused", SAFETY),
    "LOST_UNNAMED": ("stop, a death", SAFETY),
    "NAMED_AGAIN": ("stop, refused", SAFETY),
    "RECORDED_UNMARKED": ("stop, refused", SAFETY),
    "HANDLED_THEN_COUNTED": ("stop", SAFETY),
    "TAKEN_AND_DROPPED": ("stop, refused", SAFETY),
    "TAKES_AFTER_LEAVE": ("stop, refused", SAFETY),
    "LEAVES_UNANSWERED": ("stop, refused", SAFETY),
    "LOOKED_THEN_COUNTED": ("stop, a death", SAFETY),
    "FORCE_BEFORE_END": ("stop", SAFETY),
    "STOP_UNCOMMITTED": ("stop", SAFETY),
    "LINKED_UNRECORDED": ("links", SAFETY),
    "UNLINKED_UNRECORDED": ("links", SAFETY),
    "OWN_ROW_ONLY": ("links", SAFETY),
    "OTHER_ROWS_ONLY": ("links", SAFETY),
    "UNLINKED_ONE_WAY": ("links", SAFETY),
    "PARTNER_BY_NUMBER": ("links", SAFETY),
    "LINKS_KEPT": ("links", SAFETY),
    "DEAD_IS_LINKED": ("links", SAFETY),
    "FREED_FIRST": ("links", SAFETY),
    "SETTLING_LEFT": ("links", SAFETY),
    "PARTNERS_IN_MEMORY": ("links", SAFETY),
}


@dataclass(frozen=True)
class Row:
    configuration: str
    checked: str
    mutant: str = ""

    @property
    def expected(self):
        return IS_CAUGHT if self.mutant else HOLDS


@dataclass
class Outcome:
    verdict: str            # HOLDS, IS_CAUGHT, or why there is neither
    states: int = 0
    transitions: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0
    story: str = ""         # the way to what is violated, or what went wrong


def all_rows():
    """The rows of the table; those that share a compilation stand together."""
    for name, (_, properties, *_) in CONFIGURATIONS.items():
        for checked in properties:
            yield Row(name, checked)
            for mutant, shown_by in MUTANTS.items():
                if shown_by == (name, checked):
                    yield Row(name, checked, mutant)


def compilation(row):
    return row.configuration, row.checked if row.checked in (SAFETY, ENDS) else "ltl"


def model_of(configuration):
    return (CONFIGURATIONS[configuration][2:] or (OWNERSHIP,))[0]


def numbers_of_mutants():
    """The number of each mutant in its file."""
    numbers = {}
    for model in MODELS:
        with open(os.path.join(FOLDER, model), encoding="utf-8") as file:
            numbers.update(re.findall(r"^#define (\w+) +\(left_out == +(\d+)\)", file.read(), re.MULTILINE))
    return numbers


def run(command, folder, left_out="0"):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=SEARCH_SECONDS_MAX, env={**os.environ, "BATON_LEFT_OUT": left_out}).stdout


def compile_search(folder, kind, *more):
    """Unoptimised: optimising takes longer than it saves."""
    options = {SAFETY: ["-DSAFETY", "-DNOFAIR"], ENDS: ["-DNP", "-DNOFAIR"], "ltl": ["-DNFAIR=3"]}[kind]
    return run(["gcc", "-w", "-O0", f"-DMEMLIM={MEMORY_MEGABYTES_MAX}", *options, *more, "-o", "pan", "pan.c"], folder)


def figure(pattern, text):
    found = re.search(pattern, text)
    return float(found.group(1)) if found else 0


def search(row, folder, left_out):
    begun = time.monotonic()
    options = {SAFETY: [], ENDS: ["-l"]}.get(row.checked, ["-a", "-f", "-N", row.checked])
    try:
        text = run(["./pan", f"-m{DEPTH_MAX}", "-w18", *options], folder, left_out)
    except subprocess.TimeoutExpired:
        text = f"no end within {SEARCH_SECONDS_MAX} s"
    outcome = Outcome("incomplete", int(figure(r"(\d+) states, stored", text)), int(figure(r"(\d+) transitions", text)),
                      figure(r"([\d.]+)\s+total actual memory", text), time.monotonic() - begun)
    if re.search(r"errors: [1-9]", text):
        outcome.verdict = IS_CAUGHT
    elif "errors: 0" in text and "max search depth too small" not in text and "Search not completed" not in text:
        outcome.verdict = HOLDS
    else:
        outcome.story = text
    return outcome


TOLD = re.compile(r"actor \d|heir \d|memory:|coordinator:|anchor:|asker:|member:|fate:|watch:|violated:|  \(|"
                  r"<<<<<START OF CYCLE")


def tell(row, folder, left_out, outcome):
    """What was violated, and the way there: of a safety property the shortest, by a search in breadth."""
    name = [] if row.checked in (SAFETY, ENDS) else ["-N", row.checked]
    if row.checked == SAFETY:
        compile_search(folder, SAFETY, "-DBFS")
        run(["./pan", "-w18"], folder, left_out)
    else:
        search(row, folder, left_out)
    replayed = run(["./pan", "-r", *name], folder, left_out)
    # The model prints one line per transition, and says what it violates.
    told = [line for line in replayed.splitlines() if TOLD.match(line)]
    if not any(line.startswith("violated") for line in told):
        told.append(f"violated: {row.checked}")
    outcome.story = "\n".join(told)


def check(rows, numbers, arguments):
    """All rows of one compilation."""
    folder = tempfile.mkdtemp(prefix="baton-model-")
    configuration, kind = compilation(rows[0])
    outcomes = []
    try:
        model = model_of(configuration)
        shutil.copy(os.path.join(FOLDER, model), folder)
        flags = ["-D" + flag for flag in CONFIGURATIONS[configuration][0].split()]
        said = run(["spin", *flags, "-a", model], folder) + compile_search(folder, kind)
        if not os.path.exists(os.path.join(folder, "pan")):
            return [Outcome("not compiled", story=said) for _ in rows]
        outcomes = [search(row, folder, numbers.get(row.mutant, "0")) for row in rows]
        for row, outcome in zip(rows, outcomes):
            if outcome.verdict == IS_CAUGHT and (arguments.stories or row.expected == HOLDS):
                tell(row, folder, numbers.get(row.mutant, "0"), outcome)
        return outcomes
    finally:
        if arguments.keep:
            name = f"{configuration} {kind}".replace(" ", "_").replace(",", "")
            shutil.copytree(folder, os.path.join(arguments.keep, name), dirs_exist_ok=True)
        shutil.rmtree(folder)


LINE = "{:<20}  {:<22}  {:<8} {:>8} {:>11} {:>5} {:>7}  {}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="how many configurations are checked at a time")
    parser.add_argument("--only", default="", metavar="WORD", help="only what has WORD in its name")
    parser.add_argument("--stories", action="store_true", help="tell also how each mutant was caught")
    parser.add_argument("--keep", metavar="FOLDER", help="keep what spin made, a folder a compilation")
    arguments = parser.parse_args()
    missing = [program for program in ("spin", "gcc") if shutil.which(program) is None]
    if missing:
        sys.exit("not installed: " + ", ".join(missing) + " (./dev setup)")
    numbers = numbers_of_mutants()
    if numbers.keys() != MUTANTS.keys():
        sys.exit("not both in the models and here: " + ", ".join(sorted(numbers.keys() ^ MUTANTS.keys())))
    chosen = [row for row in all_rows() if arguments.only in row.configuration or arguments.only in row.mutant]
    if not chosen:
        sys.exit(f"nothing has {arguments.only!r} in its name")

    begun = time.monotonic()
    unexpected = 0
    groups = [list(group) for _, group in itertools.groupby(chosen, compilation)]
    print(LINE.format("configuration", "left out", "property", "states", "transitions", "MB", "seconds", "verdict"))
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for rows, outcomes in zip(groups, pool.map(lambda rows: check(rows, numbers, arguments), groups)):
            for row, outcome in zip(rows, outcomes):
                is_expected = outcome.verdict == row.expected
                verdict = outcome.verdict
                if not is_expected:
                    verdict = {HOLDS: "SURVIVES", IS_CAUGHT: "VIOLATED"}.get(verdict, verdict.upper())
                print(LINE.format(row.configuration, row.mutant or "-", row.checked, outcome.states,
                                  outcome.transitions, f"{outcome.megabytes:.0f}", f"{outcome.seconds:.1f}", verdict))
                unexpected += not is_expected
                for line in outcome.story.splitlines():
                    print("    " + line)
            sys.stdout.flush()
    print(f"{len(chosen) - unexpected} as expected, {unexpected} not, in {time.monotonic() - begun:.0f} s")
    return unexpected != 0


if __name__ == "__main__":
    sys.exit(main())
