"""Environment variables: docs/environment.md names all that are read, and a value that makes no sense does what it says
there.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests PYTHONPATH=build/dev/python \\
        /usr/bin/python3 tests/process/environment_test.py

As cli_test.py, whose World this is; and hello, the first example.
"""
import pathlib
import re
import subprocess
import sys
import unittest

import cli_test
from cli_test import BIN

TOP = pathlib.Path(__file__).resolve().parents[2]
READS = re.compile(r'(?:getenv\(|variable\(|_variable = |environ\.get\(|environ\[|getenv\(\s*)"(BATON_[A-Z_]+)"|'
                   r'(?:\$\{|ENV\{)(BATON_(?:DEBIAN|FUZZ)[A-Z_]*)')
SCRIPT = ("import baton\nwith baton.session() as session:\n"
          "    print(session.spawn('greeter').ask('Greet', name='Grace'))\n")


class Page(unittest.TestCase):
    def test_every_variable_that_is_read_stands_on_the_page_and_no_other(self):
        read = set()
        for folder in ("runtime", "actors", "python", "tools", "bench", "examples", "tests"):
            for path in (TOP / folder).rglob("*"):
                if path.suffix in (".cpp", ".hpp", ".py", ".cmake", "") and path.is_file():
                    read |= {one or other for one, other in READS.findall(path.read_text(encoding="utf-8",
                                                                                         errors="ignore"))}
        read -= {name for name in read if re.fullmatch(r"BATON_TEST_(KEPT|REPLACED|ADDED)",
                                                       name)}  # that a test makes up
        page = (TOP / "docs" / "environment.md").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"`(BATON_[A-Z_]+)`", page)), read)


class Values(cli_test.World):
    def run_it(self, *command, code=0, **environment):
        done = subprocess.run(command, env=self.environment | environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL,
                              check=False, cwd=self.folder)
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def test_a_log_level_that_there_is_not_is_told_in_one_line_by_the_first_process_that_reads_it(self):
        line = ("baton: BATON_LOG='loud' is not a log level, so warn is used; "
                "the levels are debug, info, warn, error, off\n")
        for command in ([f"{BIN}/hello"], [f"{BIN}/baton", "run", "hello"], [sys.executable, "-c", SCRIPT]):
            with self.subTest(command=command):
                done = self.run_it(*command, BATON_LOG="loud")
                self.assertIn("Hello, Grace!", done.stdout)
                self.assertEqual(done.stderr, line)
        self.start()
        self.assertEqual(self.run_it(f"{BIN}/baton", "ps", BATON_LOG="loud").stderr, line)
        self.assertIn("BATON_LOG='\\x1b[2J'", self.run_it(f"{BIN}/hello", BATON_LOG="\x1b[2J").stderr)

    def test_a_log_level_that_there_is_and_an_empty_one_are_taken_without_a_word(self):
        for level in ("warn", "error", "off", ""):
            self.assertEqual(self.run_it(f"{BIN}/hello", BATON_LOG=level).stderr, "")
        self.assertIn(" info actor.ready ", self.run_it(f"{BIN}/hello", BATON_LOG="info").stderr)

    def test_a_session_that_does_not_run_is_named_with_its_variable(self):
        for command in ([f"{BIN}/hello"], [f"{BIN}/baton", "ps"]):
            self.assertIn("(from BATON_SESSION)", self.run_it(*command, code=69, BATON_SESSION="abcdefgh").stderr)
        self.assertIn("(from BATON_SESSION)",
                      self.run_it(sys.executable, "-c", SCRIPT, code=1, BATON_SESSION="abcdefgh").stderr)

    def test_an_empty_session_is_none(self):
        for command in ([f"{BIN}/hello"], [sys.executable, "-c", SCRIPT]):
            self.assertIn("Hello, Grace!", self.run_it(*command, BATON_SESSION="").stdout)

    def test_folders_of_programs_that_are_not_there_are_passed_over_and_listed_when_nothing_is_found(self):
        programs = f"/nowhere/one:{BIN}:/nowhere/two"
        self.assertIn("Hello, Grace!", self.run_it(f"{BIN}/hello", BATON_PROGRAMS=programs).stdout)
        error = self.run_it(f"{BIN}/baton", "run", "nothing", code=69, BATON_PROGRAMS=programs).stderr
        for folder in programs.split(":"):
            self.assertIn(f"\n  {folder}: not there\n", error)

    def test_a_coordinator_that_is_not_there_is_named(self):
        for command in ([f"{BIN}/hello"], [f"{BIN}/baton", "serve"], [f"{BIN}/baton", "run", "hello"]):
            error = self.run_it(*command, code=69, BATON_COORDINATOR_PROGRAM="/nowhere/coordinator").stderr
            self.assertIn("/nowhere/coordinator", error)
        self.assertIn("Hello, Grace!",
                      self.run_it(f"{BIN}/hello", BATON_COORDINATOR_PROGRAM=f"{BIN}/baton-coordinator").stdout)
        self.assertIn("Hello, Grace!", self.run_it(f"{BIN}/hello", BATON_COORDINATOR_PROGRAM="").stdout)

    def test_a_place_in_a_session_that_makes_no_sense_is_none(self):
        for actor, anchor in (("3", "1"), ("x.y", "1"), ("3.1", "none"), ("", "")):
            done = self.run_it(f"{BIN}/greeter", code=64, BATON_SESSION="/nowhere", BATON_ACTOR=actor,
                               BATON_ANCHOR=anchor)
            self.assertIn("greeter is an actor", done.stdout)


if __name__ == "__main__":
    unittest.main()
