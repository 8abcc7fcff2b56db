#!/usr/bin/python3
"""Counts turns of phrase that English readers have to read twice, in everything that people read.

    tools/english_patterns.py              totals, and the budget of each pattern; fails if one is exceeded
    tools/english_patterns.py --files      the same per file
    tools/english_patterns.py --lines      every occurrence: file, line, pattern, text
    tools/english_patterns.py README.md    these files only, without a budget

It reads prose in Markdown (code blocks are left out), comments in C++ and Python, docstrings, and string literals
outside the tests (error texts and help). It cannot tell good English from bad; it only counts
habits that this project once had. The list is in PATTERNS. A budget only ever goes down: when a count falls, lower its
budget, until it reaches its goal.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Where "who" stands for "an actor that": at the start of a clause, or after a word that needs a noun. A clause after a
# noun ("users who", "Alice, who") is English, and so is a question.
BEFORE_WHO = (r"(?:^|[.;:(|]\s+|(?<!, )\b(?:and|or|but|to|for|by|from|with|than|as|behind|at|is|are|also|not|only|that|"
              r"if|where|when|what)\s)")
COUNTED = r"(?:once|one|\d+ bytes|row|region|page|piece|process|copy|entry|time|times|nanoseconds|line)"
UNITS = (r"(?:session|actor|command|message|transition|connection|line|row|segment|worker|task|process|file|block|exit|"
         r"peer|record|step|handler|receiver|asker|sender|notice|page|frame|run|round|program|test|case)")


class Pattern:
    """An expression, how often it may occur at most, how often it may by now, and what to write instead."""

    def __init__(self, expression, goal, budget, instead, flags=re.IGNORECASE):
        self.pattern = re.compile(expression, flags)
        self.goal, self.budget, self.instead = goal, budget, instead


# The goal is a tenth of what a review counted when this began. Lower the budget whenever the count has fallen.
PATTERNS = {
    "whoever": Pattern(
        r"\bwhoever\b",
        goal=9, budget=9, instead='"any actor that", "the caller", "users who"'),
    "who as a noun": Pattern(
        BEFORE_WHO + r"who\b(?! \|)(?![^.;|]*\?)",
        goal=19, budget=19, instead='"an actor that waits", "a process that dies"'),
    "is no X": Pattern(
        r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|later\b)\w+",
        goal=7, budget=7, instead='"is not an X"'),
    "so many": Pattern(
        r"\bso (?:many|often|long|much)\b(?! (?:as|that|so)\b)",
        goal=6, budget=6, instead='name the number: "`count` tasks", "every `interval`"'),
    "meanwhile": Pattern(
        r"(?<=[a-z,)] )meanwhile\b",
        goal=4, budget=4, instead='"while it waits", or "in the meantime" at the front'),
    "a for per": Pattern(
        r"\b" + COUNTED + r" an? " + UNITS + r"\b",
        goal=1, budget=1, instead='"per session", "per actor"'),
    "comes home": Pattern(
        r"\b(?:(?:is|are|be|been|being) in again|com(?:e|es|ing) home|came home|"
        r"let(?:s|ting)? (?:it |them |her |him |everything )?go\b|at hand)",
        goal=4, budget=4, instead='"returned", "released", "mapped"'),
    "belongs into": Pattern(
        r"\bbelong(?:s|ed)? into\b",
        goal=0, budget=0, instead='"belongs in"'),
    "also where": Pattern(
        r"\balso (?:where|when|if|after|while|beyond|those|such|what)\b",
        goal=4, budget=3, instead='"even if", "even after"'),
    "fragment": Pattern(
        r"(?:^|[.;:] )(?:Also (?!a\b|the\b)|Whose|Whether|Whom|Nothing of|"
        r"The same(?: (?:for|of|with|without|in|by|to|as)\b|,|\.))",
        goal=13, budget=13, instead="a sentence with a subject and a verb", flags=0),
}

SKIPPED = ("build/", ".git/", "tests/fuzz/corpus/", "tools/english_patterns.py")


def files():
    """The files that people read: those in version control, or all of a copy without it."""
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True)
    if git.returncode == 0:
        names = git.stdout.split()
    else:
        names = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file())
    kinds = (".md", ".hpp", ".cpp", ".in", ".py", ".pyi", ".pml")
    return [ROOT / name for name in names
            if (name.endswith(kinds) or name in ("dev", "tools/on-debian")) and not name.startswith(SKIPPED)
            and (ROOT / name).exists()]


def passages(path):
    """(line number, text) of each passage: lines that belong together are one, so that sentences are whole."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return markdown(text)
    if path.suffix in (".py", ".pyi", ".in") or path.suffix == "":
        return python(text, is_test="tests" in path.parts) if path.suffix else joined(comment_lines(text, "#"))
    return joined(comment_lines(text, "//")) + ([] if "tests" in path.parts else strings(text))


def joined(lines):
    """Consecutive (number, text) become one passage."""
    out = []
    for number, text in lines:
        if out and number == out[-1][2] + 1 and text.strip():
            out[-1] = (out[-1][0], out[-1][1] + " " + text.strip(), number)
        else:
            out.append((number, text.strip(), number))
    return [(first, text) for first, text, _ in out]


def markdown(text):
    lines, is_code = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            is_code = not is_code
        elif not is_code and line.strip():
            lines.append((number, re.sub(r"`[^`]*`", "`x`", line)))
    out = []
    for number, line in lines:
        starts = re.match(r"\s*(?:[-*|#]|\d+\. )", line)
        if out and not starts and number == out[-1][2] + 1:
            out[-1] = (out[-1][0], out[-1][1] + " " + line.strip(), number)
        else:
            out.append((number, re.sub(r"^\s*(?:[-*#]+|\d+\.) ", "", line).strip(), number))
    return [(first, line) for first, line, _ in out]


def comment_lines(text, sign):
    out = []
    for number, line in enumerate(text.splitlines(), start=1):
        at = line.find(sign)
        while at > 0 and line[at - 1] == ":":  # of an address: ipc://
            at = line.find(sign, at + len(sign))
        if at >= 0 and line[:at].count('"') % 2 == 0:
            out.append((number, re.sub(r"^[-\s]+|[-\s]+$", "", line[at + len(sign):])))
    return out


def strings(text):
    out = []
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.split("//")[0] if '"' not in line.split("//")[-1] else line
        if not code.lstrip().startswith(("//", "#")):
            out += [(number, match) for match in re.findall(r'"((?:[^"\\]|\\.)*)"', code) if " " in match]
    return joined(out)


def python(text, is_test):
    out, rest = [], text
    for match in re.finditer(r'"""(.*?)"""', text, re.DOTALL):
        out.append((text.count("\n", 0, match.start()) + 1, re.sub(r"\s+", " ", match[1]).strip()))
    rest = re.sub(r'""".*?"""', lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    return out + joined(comment_lines(rest, "#")) + ([] if is_test else strings(rest))


def occurrences(path):
    """(line, pattern, words around it) of each."""
    for number, text in passages(path):
        for name, one in PATTERNS.items():
            for match in one.pattern.finditer(text):
                yield number, name, text[max(0, match.start() - 30):match.end() + 40]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--files", action="store_true", help="counts of each file")
    parser.add_argument("--lines", action="store_true", help="every occurrence, with its line")
    parser.add_argument("paths", nargs="*", type=pathlib.Path, help="only these files")
    options = parser.parse_args()

    totals = dict.fromkeys(PATTERNS, 0)
    for path in [path.resolve() for path in options.paths] or files():
        counts = {}
        for number, name, text in occurrences(path):
            counts[name] = counts.get(name, 0) + 1
            totals[name] += 1
            if options.lines:
                print(f"{path.relative_to(ROOT)}:{number}: {name}: {text}")
        if options.files and counts:
            print(f"{path.relative_to(ROOT)}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    if options.paths:
        print(", ".join(f"{name} {count}" for name, count in totals.items() if count) or "none of the patterns")
        return 0

    exceeded = 0
    for name, one in PATTERNS.items():
        note = "ok" if totals[name] <= one.goal else f"goal {one.goal}; write {one.instead}"
        if totals[name] > one.budget:
            exceeded += 1
            note = f"TOO MANY: write {one.instead}; --lines shows where"
        elif totals[name] < one.budget > one.goal:
            note += "; the budget can be lowered"
        print(f"{name:<14} {totals[name]:4}  budget {one.budget:4}  {note}")
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
