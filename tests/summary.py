#!/usr/bin/python3
"""Adds up what ctest has written: what was skipped and why, what failed, and the closing line.

    tests/summary.py NAME=build/dev/junit.xml [NAME=FILE...]

The last line is `N passed, N failed, N skipped`, over all files; the exit code is 0 only when nothing failed. A file
that is missing, unreadable or without a test that passed is a failure: whatever should have written it did not get
there. A file of Python tests is one entry of ctest and counts as its cases (tests/run_unittest.py).
"""
import re
import sys
import xml.etree.ElementTree as xml

CASES = re.compile(r"^cases: (\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)
REASON = re.compile(r"^skipped: (.*)$", re.MULTILINE)


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []   # names
        self.skipped = []  # names with reasons


def is_skipped(case):
    """By its own word. A test that could not even start is "not run" as well, and has failed."""
    reason = case.find("skipped")
    return case.get("status") == "disabled" or (reason is not None and "SKIP" in reason.get("message", ""))


def add_case(counts, case):
    name = case.get("name")
    said = case.findtext("system-out") or ""
    reasons = REASON.findall(said)
    cases = CASES.findall(said)
    if is_skipped(case):
        if cases:
            counts.skipped += [f"{name}: {reason}" for reason in reasons]
        else:
            counts.skipped.append(f"{name}: " + ("; ".join(dict.fromkeys(reasons)) or "it does not say why"))
    elif case.get("status") != "run":
        counts.passed += int(cases[-1][0]) if cases else 0
        counts.failed += [name] * max(int(cases[-1][1]) if cases else 1, 1)
        counts.skipped += [f"{name}: {reason}" for reason in reasons] if cases else []
    elif cases:
        counts.passed += int(cases[-1][0])
        counts.skipped += [f"{name}: {reason}" for reason in reasons]
    else:
        counts.passed += 1


def read(path):
    """What one run of ctest came to, or None if it did not come to an end."""
    try:
        cases = xml.parse(path).getroot().findall("testcase")
    except (OSError, xml.ParseError):
        return None
    counts = Counts()
    for case in cases:
        add_case(counts, case)
    return counts


def main(arguments):
    total = Counts()
    several = len(arguments) > 1
    for argument in arguments:
        name, path = argument.split("=", 1)
        counts = read(path)
        if counts is None or (counts.passed == 0 and not counts.failed):
            total.failed.append(f"{name}: its tests did not run" + (" to their end" if counts is None else ""))
            continue
        before = f"{name}: " if several else ""
        total.passed += counts.passed
        total.failed += [before + one for one in counts.failed]
        total.skipped += [before + one for one in counts.skipped]
    for one in total.skipped:
        print(f"skipped: {one}")
    for one in dict.fromkeys(total.failed):
        print(f"failed: {one}")
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
