"""What every row of the benchmark shares: contenders measured in turn, medians, one table and one file.

A contender is a program that prints one line of JSON; a row takes one figure of it, and the same of its baseline.
Both are measured in every round, one right after the other, and which is first alternates from round to round.
`ratio` is the median of the rounds' ratios: the figures of a shared machine drift, their ratios hardly do.
"""
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
from typing import Callable, Dict, List, Optional, Sequence, Tuple

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, "..", "build", "release", "bin")
# A member of a session finds other programs by these; the bench measures those of one build.
FOREIGN = ("BATON_SESSION", "BATON_PROGRAMS", "BATON_COORDINATOR_PROGRAM", "BATON_SPIN", "BATON_LANES")


def program_path(program: str, folder: str = BIN) -> str:
    """Without '/' it is one of the folder, usually build/release/bin."""
    return program if "/" in program else os.path.join(folder, program)


@dataclasses.dataclass(frozen=True)
class Contender:
    """A program, with what it is called in the table. Rows that name the same one share its measurements."""

    name: str
    command: Tuple[str, ...]  # see program_path
    environment: Tuple[Tuple[str, str], ...] = ()
    folder: str = BIN

    @property
    def is_of_build(self) -> bool:
        """False for a script, which finds its programs itself."""
        return "/" not in self.command[0]

    @property
    def is_there(self) -> bool:
        return not self.is_of_build or os.path.exists(program_path(self.command[0], self.folder))

    def measure(self) -> Dict[str, float]:
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        done = subprocess.run([program_path(self.command[0], self.folder), *self.command[1:]], capture_output=True,
                              text=True, env={**environment, **dict(self.environment)})
        if done.returncode != 0 or not done.stdout:
            sys.exit(f"\n{' '.join(self.command)} ended with {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


@dataclasses.dataclass(frozen=True)
class Goal:
    """What the ratio should be; of a row without a baseline, the figure itself."""

    sign: str  # "<=" or ">="
    bound: float

    def holds(self, ratio: float) -> bool:
        return ratio <= self.bound if self.sign == "<=" else ratio >= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    unit: str
    ours: Contender
    key: str                               # of the figure in what `ours` prints
    baseline: Optional[Contender] = None
    baseline_key: Optional[str] = None     # where it is another one
    p99_key: Optional[str] = None
    goal: Optional[Goal] = None
    is_speedup: bool = False               # the ratio says how many times as long the baseline takes


    def missing(self) -> Optional[str]:
        """The program without which it can't be measured."""
        for one in (self.ours, self.baseline):
            if one is not None and not one.is_there:
                return one.command[0]
        return None


# How members of a session speak to each other: each row of messages is measured in each of these ways.
WAYS = {"": (), "asleep": (("BATON_SPIN", "0"),), "zeromq": (("BATON_LANES", "off"),)}


def in_each_way(row: Row, goals: Dict[str, Optional[Goal]]) -> List[Row]:
    """NAME, NAME/asleep (never spins), NAME/zeromq (without lanes): those named in `goals`, each with its goal."""
    return [dataclasses.replace(row, name=f"{row.name}/{way}" if way else row.name, goal=goal,
                                ours=dataclasses.replace(row.ours, environment=WAYS[way]))
            for way, goal in goals.items()]


def against(row: Row, folder: str) -> Optional[Row]:
    """The row with the same program of another build as its baseline; None for scripts, which can't be told which."""
    if not row.ours.is_of_build:
        return None
    return dataclasses.replace(row, baseline=dataclasses.replace(row.ours, name=f"Baton in {folder}", folder=folder),
                               baseline_key=None, goal=None, is_speedup=False)


Round = Dict[Contender, Dict[str, float]]


def measure(rows: Sequence[Row], rounds: int, on_round: Callable[[], None]) -> Dict[Row, List[Round]]:
    """The rounds of each row. Rows with the same two contenders share theirs."""
    measured: Dict[Tuple[Contender, ...], List[Round]] = {}
    out = {}
    for row in rows:
        pair = (row.ours,) if row.baseline is None else (row.baseline, row.ours)
        if pair not in measured:
            measured[pair] = []
            for number in range(rounds):
                order = pair if number % 2 == 0 else pair[::-1]
                measured[pair].append({contender: contender.measure() for contender in order})
                on_round()
        out[row] = measured[pair]
    return out


class CpuShare:
    """How much of the processors' time somebody else has used since this was made, 0 to 1: noise in the figures."""

    def __init__(self) -> None:
        self._total, self._others = self._read()

    @staticmethod
    def _read() -> Tuple[float, float]:
        with open("/proc/stat", encoding="ascii") as file:  # user nice system idle iowait irq softirq steal ...
            times = [int(word) / os.sysconf("SC_CLK_TCK") for word in file.readline().split()[1:9]]
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        return sum(times), sum(times) - times[3] - times[4] - own

    def of_others(self) -> float:
        total, others = self._read()
        return max(0.0, others - self._others) / max(0.01, total - self._total)


def summary(row: Row, rounds: Sequence[Round]) -> dict:
    """The row as it stands in bench/latest.json."""
    ours = [one[row.ours][row.key] for one in rounds]
    theirs = [] if row.baseline is None else [one[row.baseline][row.baseline_key or row.key] for one in rounds]
    pairs = [(t, o) if row.is_speedup else (o, t) for o, t in zip(ours, theirs)]
    ratios = [above / below for above, below in pairs if below]  # nothing can be compared with nothing
    ratio = statistics.median(ratios) if ratios else None
    judged = statistics.median(ours) if row.baseline is None else ratio
    return {
        "name": row.name,
        "unit": row.unit,
        "median": statistics.median(ours),
        "p99": statistics.median(one[row.ours][row.p99_key] for one in rounds) if row.p99_key else None,
        "baseline": row.baseline.name if row.baseline else None,
        "baseline_median": statistics.median(theirs) if theirs else None,
        "ratio": None if ratio is None else round(ratio, 3),
        "goal": str(row.goal) if row.goal else None,
        "holds": None if row.goal is None or judged is None else row.goal.holds(judged),
        "rounds": len(rounds),
    }


def table(summaries: Sequence[dict]) -> str:
    def figure(value: Optional[float]) -> str:
        if value is None:
            return ""
        return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 or value == 0 else f"{value:.3g}"

    header = ("row", "unit", "median", "p99", "baseline", "ratio", "goal", "", "beside")
    lines = [header]
    for one in summaries:
        verdict = {True: "holds", False: "MISSED", None: ""}[one["holds"]]
        lines.append((one["name"], one["unit"], figure(one["median"]), figure(one["p99"]),
                      figure(one["baseline_median"]),
                      "" if one["ratio"] is None else f"{one['ratio']:,.2f}", one["goal"] or "", verdict,
                      one["baseline"] or ""))
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    is_number = [name in ("median", "p99", "baseline", "ratio") for name in header]
    return "\n".join(
        "  ".join(cell.rjust(width) if right else cell.ljust(width)
                  for cell, width, right in zip(line, widths, is_number)).rstrip()
        for line in lines)


def write(summaries: Sequence[dict], path: str) -> None:
    with open(path, "w", encoding="utf-8") as out:
        json.dump(summaries, out, indent=2)
        out.write("\n")
