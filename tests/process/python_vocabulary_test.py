"""The table of docs/glossary.md that has the verbs of synchronization in C++, in Python and on the wire side by side.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/process/python_vocabulary_test.py

Each column is compared with what is really there, in both directions: the classes of the public headers, the classes of
baton.sync, and the protocol of the keeper.
"""
import collections
import os
import re
import unittest

from baton import sync

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "glossary.md")
HEADERS = os.path.join(ROOT, "actors", "sync", "include", "baton", "sync")
# What the table calls otherwise, and classes that only inherit.
HANDLE = "all handles"
ROOTS = {"Handle": HANDLE}
CLASS = re.compile(r"^template <[^;{]*>\nclass (?:\[\[nodiscard\]\] )?(\w+)[^;{]*\{", re.MULTILINE)
VERB = re.compile(r"^    (?:\[\[nodiscard\]\] )?(?:const )?[\w:]+(?:<.*?>+)?[&*]? (\w+)\(", re.MULTILINE)
# What a class of C++ is in Python: the Hold of a lock is the lock itself there.
IN_PYTHON = {"Hold": "Lock"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows():
    """(classes, C++, Python, wire) of each row, each a list of names."""
    section = read(PAGE).split("### One vocabulary\n")[1].split("\n## ")[0]
    classes = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] in ("class", "---"):
            continue
        if cells[0]:
            classes = re.findall(r"`(\w+)`", cells[0]) or [cells[0]]
        yield [classes] + [re.findall(r"`(\w+)`", cell) for cell in cells[1:]]


def public_part(text, start):
    """The public members of the class whose body begins there."""
    end = text.index("\n};", start)
    body = text[start:end]
    parts = re.split(r"^(public|protected|private):$", body, flags=re.MULTILINE)
    return "".join(part for kind, part in zip(parts[1::2], parts[2::2]) if kind == "public")


def verbs_in_cpp():
    """The public member functions of each class of the headers, by class."""
    found = {}
    for file in sorted(os.listdir(HEADERS)):
        text = read(os.path.join(HEADERS, file))
        for match in CLASS.finditer(text):
            members = public_part(text, match.end())
            names = VERB.findall(members)
            found[ROOTS.get(match.group(1), match.group(1))] = set(names) - {match.group(1)}
    return found


def verbs_in_python():
    """The public names that each class of baton.sync adds to those of its base there, by class."""
    found = {}
    for name in sync.__all__:
        kind = getattr(sync, name)
        bases = [base for base in kind.__mro__[1:] if base.__name__ in sync.__all__]
        inherited = {member for base in bases for member in dir(base)}
        found[name] = {member for member in dir(kind) if not member.startswith("_")} - inherited
    return found


def commands():
    text = read(os.path.join(HEADERS, "protocol.hpp"))
    return set(re.findall(r"\w+", re.search(r"baton::Protocol<(.*?)>;", text, re.DOTALL).group(1)))


class Vocabulary(unittest.TestCase):
    maxDiff = None

    def column(self, number):
        """Names by class, and an error where a class has the same name twice."""
        found = collections.defaultdict(list)
        for row in rows():
            for name in row[0]:
                found[name] += row[number]
        for name, verbs in found.items():
            self.assertEqual(len(verbs), len(set(verbs)), f"{name} has a verb twice")
        return {name: set(verbs) for name, verbs in found.items()}

    def test_the_cpp_column_is_what_the_headers_have(self):
        wrote, there = self.column(1), verbs_in_cpp()
        self.assertGreater(len(there), 10)
        for name in ("RecursiveLock", "BoundedSemaphore"):  # a Lock and a Semaphore
            self.assertEqual(there.pop(name), set())
            wrote.pop(name)
        self.assertEqual(wrote, there)

    def test_the_python_column_is_what_the_module_has(self):
        wrote, there = collections.defaultdict(set), verbs_in_python()
        column = self.column(2)
        of_all = column.pop(HANDLE)
        for name, verbs in column.items():
            wrote[IN_PYTHON.get(name, name)] |= verbs
        for name in ("RecursiveLock", "BoundedSemaphore"):  # a Lock and a Semaphore
            self.assertEqual(there.pop(name), set())
            wrote.pop(name)
        self.assertEqual(wrote.pop("ByteArray"), set())
        for name, verbs in there.items():
            if name == "Keeper":
                there[name] = verbs | {"actor"}  # set by the constructor
            elif issubclass(getattr(sync, name), sync.Lock) and name != "Lock":
                there[name] = verbs | ({"array"} if name == "Array" else set())  # set by the constructor
            else:
                self.assertLessEqual(of_all - {"address"}, verbs, f"{name} lacks what all handles have")
                kept = {"waiting"} if name == "Condition" else set()  # it counts otherwise
                there[name] = verbs - of_all | kept
        self.assertEqual(dict(wrote), there)

    def test_the_wire_column_has_every_command_of_the_protocol_and_no_other(self):
        wrote = {command for row in rows() for command in row[3]}
        self.assertEqual(wrote, commands())

    def test_what_cpp_and_python_both_have_has_one_name(self):
        for row in rows():
            self.assertLessEqual(len(row[1]), 1)
            if row[1] and row[2]:
                self.assertEqual(row[1], row[2], row[0])


if __name__ == "__main__":
    unittest.main()
