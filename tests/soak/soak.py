"""A soak: actors that do by chance all that actors can, while processes are killed, frozen and stopped at random
moments.

    PYTHONPATH=build/optimised/python BATON_BIN=build/optimised/bin \\
        BATON_PROGRAMS=build/optimised/bin:build/optimised/tests \\
        /usr/bin/python3 tests/soak/soak.py [--seconds 60 | --coordinators 100] [--seed N] [--keep FOLDER]

It plays rounds, each a session of its own, until the time is over. In a round eight actors (soaker.hpp) and a pool
live; the script kills them (SIGKILL), freezes and thaws them (SIGSTOP, SIGCONT), ends them by SIGTERM and by stop(),
starts new ones, freezes the coordinator and the anchor, and kills the coordinator, which the next one takes over from.
A round ends in order, or by the death of its anchor or of its script. What everybody did stands in journals that
survive SIGKILL, and judge.py decides by them. After each round nothing may be left of it.

With --coordinators, rounds are played until as many coordinators have been killed and taken over from.

The seed is printed; the same one makes the same choices, though not the same timing. Exit code 1 when anything is
wrong; the journals of the round are kept then, and their folder is printed.
"""
import argparse
import collections
import glob
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import baton
from baton import sync
from judge import PLACES, Judge

SOAKERS = 8
#: How much longer a round may take than it was meant to, whatever happens in it: promise 3 for the whole of it.
ROUND_LATE = 60
#: Coordinators that are killed in one round: an anchor takes four deaths within ten seconds, and ends with the fifth.
COORDINATORS_MAX = 4
#: Where the pids of coordinator and anchor stand in the roster: docs/wire/ledger.md.
ROSTER_COORDINATOR, ROSTER_ANCHOR = 24, 40


# ---- inside a round: a scenario

class Round:
    """One session and what is done to it. Records, for the judge, which actors died, which were frozen, and when."""

    def __init__(self, folder, seed, seconds, end, coordinators):
        self.folder, self.seed, self.seconds, self.end = folder, seed, seconds, end
        self.coordinators = coordinators  # how many are still to be killed
        self.chance = random.Random(seed)
        self.alive = {}    # index -> Actor
        self.next_index = 1
        self.notebook = open(f"{folder}/notebook", "a", buffering=1)
        self.thaw_at = []  # [(time, pid)]
        self.frozen = {}   # pid -> the name under which the judge is told
        self.tasks = []    # [(number, Task)]

    def note(self, what, pid, **more):
        self.notebook.write(json.dumps({"what": what, "pid": pid, "at": time.monotonic_ns(), **more}) + "\n")

    def run(self):
        with baton.session(name="soak") as session:
            self.session = session
            self.note("session", os.getpid(), id=session.id)
            keeper = sync.Keeper(session)
            self.lock = keeper.lock("soak")
            self.condition = keeper.condition(self.lock, "soak")
            self.refill()
            with baton.Pool("soak_worker", workers=2, session=session, progress=False) as pool:
                until = time.monotonic() + self.seconds
                while time.monotonic() < until or self.coordinators:
                    self.submit(pool)
                    self.disturb(pool)
                    self.thaw()
                    session.collect(quiet=self.chance.uniform(0.001, 0.08), timeout=0.1)
                self.thaw(everybody=True)
                if self.end != "clean":
                    self.note("ending", 0)
                    print("ending", flush=True)
                    session.collect(timeout=30)
                    raise SystemExit("nobody has ended this round")
                self.check_tasks()
            self.rest()
            print("quiet", flush=True)

    # ---- what happens to it

    def spawn(self):
        index, self.next_index = self.next_index, self.next_index + 1
        try:
            actor = self.session.spawn("soaker", name=f"soaker-{index}",
                                       args=[index, self.chance.getrandbits(32), self.folder],
                                       timeout=20)
        except baton.Failed as error:
            return self.note("unborn", 0, why=str(error))  # somebody it waited for in its constructor... it has ended
        self.alive[index] = actor

    def refill(self):
        self.forget_dead()
        has_changed = len(self.alive) < SOAKERS
        while len(self.alive) < SOAKERS:
            self.spawn()
        if has_changed:
            others = [{"address": actor, "index": index} for index, actor in self.alive.items()]
            for actor in list(self.alive.values()):
                try:
                    actor.send("Meet", others=others, lock=self.lock.address, condition=self.condition.address,
                               timeout=0.5)
                except (baton.Gone, baton.Overloaded):
                    pass

    def forget_dead(self):
        for index, actor in list(self.alive.items()):
            if has_ended(actor.pid):
                self.note("died", actor.pid)
                del self.alive[index]

    def disturb(self, pool):
        kind = self.chance.choices(["nothing", "kill", "freeze", "terminate", "stop", "worker", "frozen coordinator",
                                    "frozen anchor", "coordinator"],
                                   [10, 3, 3, 1, 1, 1, 0.3, 0.3, self.coordinators])[0]
        self.forget_dead()
        index, actor = self.chance.choice(list(self.alive.items()) or [(0, None)])
        if kind == "worker":
            workers = [row for row in self.session.actors() if row.program.endswith("soak_worker")]
            if workers:
                os.kill(self.chance.choice(workers).pid, signal.SIGKILL)
        elif kind in ("frozen coordinator", "frozen anchor"):
            where = ROSTER_ANCHOR if kind == "frozen anchor" else ROSTER_COORDINATOR
            self.freeze(process_in_roster(self.session.id, where), "coordinator")
            self.session.collect(timeout=self.chance.uniform(0.05, 0.5))  # a wait that needs nobody else
            self.thaw(everybody=True)
        elif kind == "coordinator":
            self.coordinators -= 1
            self.note("replaced", 0)
            self.signal(process_in_roster(self.session.id, ROSTER_COORDINATOR), signal.SIGKILL)
        elif actor is None or kind == "nothing":
            pass
        elif kind == "kill":
            self.note("died", actor.pid)
            self.signal(actor.pid, signal.SIGKILL)
        elif kind == "terminate":
            self.note("died", actor.pid)
            self.signal(actor.pid, signal.SIGTERM)
        elif kind == "freeze":
            self.freeze(actor.pid)
            self.thaw_at.append((time.monotonic() + self.chance.uniform(0.01, 1.0), actor.pid))
        elif kind == "stop":
            self.note("died", actor.pid)
            began = time.monotonic()
            self.session.stop([actor], timeout=1.0, drain=self.chance.random() < 0.3)
            self.note("stopped", actor.pid, took=time.monotonic() - began)
        self.refill()

    def signal(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def freeze(self, pid, name=None):
        self.frozen[pid] = name or pid
        self.note("frozen", self.frozen[pid])
        self.signal(pid, signal.SIGSTOP)

    def thaw(self, everybody=False):
        due = {pid for at, pid in self.thaw_at if at <= time.monotonic()}
        if everybody:
            due |= set(self.frozen)
        self.thaw_at = [row for row in self.thaw_at if row[1] not in due]
        for pid in due:
            self.signal(pid, signal.SIGCONT)
            self.note("thawed", self.frozen.pop(pid, pid))

    # ---- the pool

    def submit(self, pool):
        for _ in range(self.chance.choice([0, 1, 1, 2, 40])):
            number = self.chance.randrange(1_000_000)
            self.tasks.append((number, pool.submit("square", number, self.chance.choice([0, 0, 0, 0, 20]))))

    def check_tasks(self):
        lost = 0
        for number, task in self.tasks:
            try:
                value = task.get(timeout=30)
            except baton.Failed:
                lost += 1  # its workers died of it, as often as it may be tried again
                continue
            if value != number * number:
                raise SystemExit(f"square({number}) is {value}")
        self.note("tasks", 0, count=len(self.tasks), lost=lost)

    # ---- the end

    def rest(self):
        """Everybody is asked to do nothing more, and then how it stands: from there nothing is on its way."""
        self.forget_dead()
        actors = list(self.alive.values())
        for outcome in self.session.ask_all(actors, "Quiet", timeout=30):
            if isinstance(outcome, baton.Error) and not isinstance(outcome, baton.Gone):
                raise SystemExit(f"an actor has not become quiet: {outcome}")
        # One at a time, so that nobody who is asked is asking. What comes back from one who has died since is handled
        # between two commands: before the report.
        self.forget_dead()
        others = [{"address": actor, "index": index} for index, actor in self.alive.items()]
        for actor in list(self.alive.values()):
            try:
                actor.ask("Settle", others=others, timeout=40)
            except baton.Gone:
                pass
        self.forget_dead()
        self.session.sync(list(self.alive.values()), timeout=30)
        for outcome in self.session.ask_all(list(self.alive.values()), "Report", timeout=30):
            if isinstance(outcome, baton.Error):
                raise SystemExit(f"an actor has not reported: {outcome}")
        self.note("rest", 0)


# ---- outside of it

def notebook_of(folder):
    """deaths: pid -> when; freezes: pid -> [(from, to)]."""
    deaths, freezes, since, more = {}, {}, {}, []
    with open(f"{folder}/notebook") as file:
        for line in file:
            row = json.loads(line)
            pid, at = row["pid"], row["at"]
            if row["what"] == "died":
                deaths.setdefault(pid, at)
            elif row["what"] == "frozen":
                since[pid] = at
            elif row["what"] == "thawed" and pid in since:
                freezes.setdefault(pid, []).append((since.pop(pid), at))
            else:
                more.append(row)
    for pid, at in since.items():
        freezes.setdefault(pid, []).append((at, time.monotonic_ns()))
    return deaths, freezes, more


def has_ended(pid):
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def leftovers(folder):
    left = glob.glob(f"{folder}/run/baton/*/")
    names = {os.path.basename(os.path.dirname(path)) for path in left}
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                if f"BATON_SESSION={folder}".encode() in file.read():
                    left.append(path)
        except OSError:
            pass
    return left


def play(folder, seed, seconds, end, coordinators):
    """One round in a process of its own. What is wrong with it, and how much was looked at."""
    os.makedirs(f"{folder}/run", mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": f"{folder}/run"}
    environment.pop("BATON_SESSION", None)
    faults = []
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-u", __file__, "--round", folder, "--seed", str(seed), "--seconds",
                                    str(seconds), "--end", end, "--coordinators", str(coordinators)],
                                   env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            ready, _, _ = select.select([process.stdout], [], [], seconds + ROUND_LATE)
            if not ready:
                faults.append("the round did not come to its end")
                process.kill()
            elif end != "clean" and process.stdout.readline() == "ending\n":
                session = next(row["id"] for row in notebook_of(folder)[2] if row["what"] == "session")
                victim = process.pid if end == "script" else process_in_roster(session, ROSTER_ANCHOR)
                os.kill(victim, signal.SIGKILL)
            code = process.wait(ROUND_LATE)
            if end == "clean" and code != 0:
                faults += [f"the round ended with {code}:", *last_lines(f"{folder}/log")]
        except subprocess.TimeoutExpired:
            faults.append(f"the round did not end within {ROUND_LATE} s")
            process.kill()
            process.wait()
        process.stdout.close()
    # What a dead anchor left is swept by the next start of anybody.
    if end != "clean":
        wait_for_no_actor(folder)
        subprocess.run([os.path.join(os.environ["BATON_BIN"], "baton"), "sweep"], env=environment, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    faults += [f"left behind: {path}" for path in leftovers(folder)]
    deaths, freezes, more = notebook_of(folder)
    sessions = [row["id"] for row in more if row["what"] == "session"]
    if not sessions:
        faults.append("the round never had a session")
    faults += [f"left behind: {path}" for one in sessions for path in sorted(glob.glob(f"/dev/shm/baton-{one}-*"))]
    for row in more:
        if row["what"] == "stopped" and row["took"] > 1 + 4:
            faults.append(f"a stop within 1 s took {row['took']:.1f} s")
    with open(f"{folder}/log", errors="replace") as file:
        log_text = file.read()
    judge = Judge(folder, deaths, freezes, is_quiet=end == "clean" and any(row["what"] == "rest" for row in more))
    for life in judge.lives.values():
        # A process that killed itself has said so; one that is not known to have died by then lived to the end.
        if life.events[-1].kind == 20:
            life.died = life.events[-1].at
        elif not judge.is_quiet and life.died == 0:
            life.died = life.events[-1].at
    faults += judge.judge(log_text)
    judge.counts["deaths"] = len(deaths)
    judge.counts["freezes"] = sum(map(len, freezes.values()))
    judge.counts["coordinators"] = sum(row["what"] == "replaced" for row in more)
    judge.counts["tasks"] = sum(row["count"] for row in more if row["what"] == "tasks")
    return faults, judge.counts


def last_lines(path):
    with open(path, errors="replace") as file:
        return [line.rstrip("\n") for line in file][-15:]


def process_in_roster(session, at):
    """One that lives: a coordinator that has been killed is there until the next one has the role."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with open(f"/dev/shm/baton-{session}-roster", "rb") as roster:
            roster.seek(at)
            pid = int.from_bytes(roster.read(8), "little")
        if pid and not has_ended(pid):
            return pid
    raise SystemExit(f"session {session} has no coordinator")


def wait_for_no_actor(folder):
    """Actors end with their anchor, by the kernel; that takes a moment."""
    until = time.monotonic() + 10
    while time.monotonic() < until and any(path.startswith("/proc") for path in leftovers(folder)):
        select.select([], [], [], 0.02)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--coordinators", type=int, default=0)
    options.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(31))
    options.add_argument("--keep", help="a folder for the journals; they are kept there")
    options.add_argument("--round", help=argparse.SUPPRESS)
    options.add_argument("--end", default="clean", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.round:
        return Round(chosen.round, chosen.seed, chosen.seconds, chosen.end, chosen.coordinators).run()

    how_long = f"{chosen.coordinators} coordinators" if chosen.coordinators else f"{chosen.seconds:g} s"
    print(f"soak: seed {chosen.seed}, {how_long}", flush=True)
    folder = chosen.keep or tempfile.mkdtemp(prefix="baton-soak-", dir="/tmp")
    chance = random.Random(chosen.seed)
    until = time.monotonic() + chosen.seconds
    counts, number = collections.Counter(), 0
    while counts["coordinators"] < chosen.coordinators if chosen.coordinators else time.monotonic() < until:
        number += 1
        end = chance.choices(["clean", "anchor", "script"], [6, 1, 1])[0]
        here = f"{folder}/{number}"
        seed = chance.getrandbits(31)
        if chosen.coordinators:
            seconds = chance.uniform(1, 3)
            coordinators = min(COORDINATORS_MAX, chosen.coordinators - counts["coordinators"])
        else:
            seconds = min(chance.uniform(4, 9), max(2.0, until - time.monotonic()))
            coordinators = chance.randint(0, 2)
        faults, found = play(here, seed, seconds, end, coordinators)
        counts.update(found)
        if faults:
            print(f"round {number} (seed {seed}, end: {end}) is wrong; its journals are in {here}")
            print("\n".join(faults[:40]))
            print(f"soak: FAILED, seed {chosen.seed}")
            return 1
        if not chosen.keep:
            shutil.rmtree(here)
    if not chosen.keep:
        shutil.rmtree(folder)
    never = [place for place in PLACES.values() if not counts.get(f"waits in {place}")]
    if never and chosen.seconds >= 60 and not chosen.coordinators:
        print(f"soak: FAILED: nobody has waited in {', '.join(never)}")
        return 1
    print(f"soak: {number} rounds; " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
