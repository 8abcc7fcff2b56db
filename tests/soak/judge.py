"""Reads the journals of one round of the soak and decides whether Baton has kept its promise.

What is looked at, by the numbers of the promise:
  1  a receiver handles the notes of a sender without a gap and in order; where both live to the end, all that were
     accepted
  2  a segment has one holder at every instant; what a living receiver was given arrives or comes back; nothing is torn
  3  every wait ends by its deadline, but for the time in which its process or the coordinator was frozen
Locks have one holder at a time. A journal is a file of records (journal.hpp); it survives its process.
"""
import collections
import dataclasses
import glob
import os
import re
import struct

BORN, MADE, TOOK, GIVING, GAVE, KEPT, BACK, ENDED, TORN, HOLDS, SETTLED, NOTED, SENDING_NOTES, SENT_NOTES, WAITING, \
    WAITED, LOCKED, UNLOCKING, QUIET, DYING, EXITED = range(1, 22)
PLACES = {1: "its constructor", 2: "on()", 3: "on_deadline()", 4: "the taker of a bounce", 5: "the taker of an exit"}
RECORDS_MAX = 1_000_000
#: How much later than its deadline a wait may end on a machine that has more to do than processors.
LATE_NS = 4_000_000_000

Event = collections.namedtuple("Event", "at kind other token extra")


@dataclasses.dataclass
class Life:
    """One process: what it wrote, and what the script knows of it."""

    index: int
    pid: int
    events: list
    died: int = 0  # steady clock; 0: it lived until the round was quiet
    frozen: list = dataclasses.field(default_factory=list)  # [(from, to)]


def read(path):
    """The events of one journal; a record that was being written when its process died is not counted yet."""
    with open(path, "rb") as file:
        count, = struct.unpack("<Q", file.read(8))
        file.seek(32)
        count = min(count, RECORDS_MAX)
        return [Event(*row) for row in struct.iter_unpack("<qIIQQ", file.read(32 * count))]


class Judge:
    """`faults` is what was found, a line each; `counts` how much there was to look at."""

    def __init__(self, folder, deaths, freezes, is_quiet):
        self.faults = []
        self.counts = collections.Counter()
        self.is_quiet = is_quiet  # the round was brought to rest, so that nothing is on its way any more
        self.lives = {}
        for path in sorted(glob.glob(f"{folder}/*.journal")):
            index, pid = map(int, os.path.basename(path)[:-8].split("-"))
            events = read(path)
            if events:
                self.lives[index] = Life(index, pid, events, deaths.get(pid, 0), freezes.get(pid, []))
        self.everybody_frozen = freezes.get("coordinator", [])

    def judge(self, log):
        self.segments()
        self.gifts()
        self.notes()
        self.waits()
        self.locks()
        self.log(log)
        for life in self.lives.values():
            self.counts["records"] += len(life.events)
            if len(life.events) == RECORDS_MAX:
                self.fault(life, life.events[-1].at, "its journal is full: raise records_max")
        return self.faults

    def fault(self, life, at, text):
        self.faults.append(f"soaker-{life.index} (pid {life.pid}) at {at / 1e9:.6f}: {text}")

    # ---- promise 2

    def segments(self):
        """One holder at every instant: the stories of each segment, put together by time."""
        story = collections.defaultdict(list)
        for life in self.lives.values():
            for event in life.events:
                if event.kind in (MADE, TOOK, GIVING, GAVE, KEPT, BACK, ENDED, HOLDS):
                    story[event.token].append((event.at, life, event))
                elif event.kind == TORN:
                    self.fault(life, event.at, f"segment {event.token:#x} is torn: {event.extra:#x} stood there")
        self.counts["segments"] = len(story)
        for token, events in story.items():
            events.sort(key=lambda row: row[0])
            holder, hop = None, 0
            for at, life, event in events:
                if event.kind in (MADE, TOOK, BACK, KEPT):
                    if holder is not None and not self.had_died(holder, at):
                        self.fault(life, at,
                                   f"segment {token:#x} has two holders: soaker-{holder.index} held it at hop {hop}")
                    if event.kind == TOOK and event.extra <= hop and hop:
                        self.fault(life, at, f"segment {token:#x} came at hop {event.extra}, after hop {hop}")
                    holder, hop = life, max(hop, event.extra)
                elif event.kind in (GIVING, ENDED):
                    if holder is not life:
                        self.fault(life, at, f"segment {token:#x} leaves a hand that did not hold it")
                    holder = None

    def had_died(self, life, at):
        return life.died != 0 and life.died <= at

    def gifts(self):
        """What was accepted for a receiver that lived on arrives, or comes back to a giver that lived on."""
        came = collections.defaultdict(set)  # (token, hop) -> {index}
        for life in self.lives.values():
            for event in life.events:
                if event.kind in (TOOK, BACK):
                    came[event.token, event.extra].add(life.index)
        for life in self.lives.values():
            settled = {}
            for event in life.events:
                if event.kind == SETTLED:
                    settled[event.other] = event.at
            for event in life.events:
                if event.kind != GAVE:
                    continue
                self.counts["gifts"] += 1
                if came[event.token, event.extra] or not self.is_quiet:
                    continue
                to = self.lives.get(event.other)
                if to is not None and to.died == 0:
                    # It lived to the end; the giver too, or all that it had sent was with the receiver's kernel by
                    # then.
                    if life.died == 0 or settled.get(event.other, 0) > event.at:
                        self.fault(life, event.at,
                                   f"segment {event.token:#x} was given to soaker-{event.other}, which lives, "
                                                   "and never arrived")
                elif life.died == 0:
                    self.fault(life, event.at,
                               f"segment {event.token:#x} was given to soaker-{event.other}, which has died, "
                                               "and did not come back")

    # ---- promise 1

    def notes(self):
        for life in self.lives.values():
            handled = collections.Counter()
            for event in life.events:
                if event.kind == NOTED:
                    self.counts["notes"] += 1
                    if event.extra != handled[event.other] + 1:
                        self.fault(life, event.at, f"note {event.extra} of soaker-{event.other} came after "
                                                   f"{handled[event.other]}")
                    handled[event.other] = event.extra
            if not self.is_quiet or life.died:
                continue
            for sender in self.lives.values():
                if sender.died:
                    continue
                sent = max((event.extra for event in sender.events
                            if event.kind == SENT_NOTES and event.other == life.index), default=0)
                if handled[sender.index] < sent:
                    self.fault(life, life.events[-1].at, f"{sent} notes of soaker-{sender.index} were accepted, "
                                                         f"{handled[sender.index]} were handled")

    # ---- promise 3

    def waits(self):
        for life in self.lives.values():
            open_waits = {}
            for event in life.events:
                if event.kind == WAITING:
                    open_waits[event.token] = event
                elif event.kind == WAITED:
                    began = open_waits.pop(event.token)
                    self.counts[f"waits in {PLACES[began.other]}"] += 1
                    self.late(life, began, event.at)
            last = life.died or life.events[-1].at
            for began in open_waits.values():
                self.late(life, began, last)

    def late(self, life, began, ended):
        deadline = began.extra + LATE_NS
        for start, end in life.frozen + self.everybody_frozen:
            if end > began.at and start < ended:
                deadline += end - start
        if ended > deadline:
            self.fault(life, began.at,
                       f"a wait in {PLACES[began.other]} ended {(ended - began.extra) / 1e9:.2f} s after its deadline")

    # ---- locks

    def locks(self):
        held = []
        for life in self.lives.values():
            since = None
            for event in life.events:
                if event.kind == LOCKED:
                    since = event.at
                elif event.kind == UNLOCKING and since is not None:
                    held.append((since, event.at, life))
                    since = None
            if since is not None and life.died:
                held.append((since, since, life))  # until its death, which is known to the kernel alone
        held.sort(key=lambda row: row[0])
        self.counts["locks"] = len(held)
        for (_, end, first), (start, _, second) in zip(held, held[1:]):
            if start < end:
                self.fault(second, start, f"the lock was soaker-{first.index}'s")

    # ---- what the actors say

    def log(self, text):
        """A gift that was sent, not asked, is never taken back, so no receiver may have refused one."""
        for line in text.splitlines():
            if re.search(r"command\.refused .*command=Give ", line):
                self.faults.append(f"a gift was refused: {line}")
            if re.search(r"check failed|Sanitizer|runtime error:|terminate called|ledger\.unbalanced", line):
                self.faults.append(line)
