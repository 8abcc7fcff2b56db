"""The examples say what they are expected to say, however they are started, and leave nothing behind.

    PYTHONPATH=build/dev/python BATON_BIN=build/dev/bin /usr/bin/python3 tests/examples/examples_test.py
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BIN = os.environ["BATON_BIN"]
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")


class Examples(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="baton-", dir="/tmp")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder, "BATON_PROGRAMS": BIN}
        self.environment.pop("BATON_SESSION", None)

    def tearDown(self):
        self.assertEqual(glob.glob(self.folder + "/baton/*"), [])
        shutil.rmtree(self.folder)

    def run_it(self, *command, code=0):
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def expect(self, example, script, normalised=lambda text: text):
        path = os.path.join(EXAMPLES, example, script)
        with open(os.path.join(EXAMPLES, example, "expected.txt"), encoding="utf-8") as file:
            expected = file.read()
        for command in ([os.path.join(BIN, "coordinator"), path], [sys.executable, path]):
            with self.subTest(command=command):
                self.assertEqual(normalised(self.run_it(*command).stdout), expected)

    def test_hello_in_python(self):
        self.expect("01_hello", "hello.py")

    def test_hello_in_cpp_says_the_same(self):
        with open(os.path.join(EXAMPLES, "01_hello", "expected.txt"), encoding="utf-8") as file:
            self.assertEqual(self.run_it(os.path.join(BIN, "hello")).stdout, file.read())
        self.run_it(os.path.join(BIN, "coordinator"), "hello")

    def test_students_speak_in_the_order_in_which_they_are_asked(self):
        self.expect("02_students_queue", "students.py")

    def test_students_speak_to_an_audience(self):
        self.expect("03_students_context", "students.py")

    def test_the_darkroom_changes_a_photo_that_never_moves(self):
        self.expect("09_darkroom", "darkroom.py")

    def test_the_darkroom_in_cpp_says_the_same(self):
        with open(os.path.join(EXAMPLES, "09_darkroom", "expected.txt"), encoding="utf-8") as file:
            self.assertEqual(self.run_it(os.path.join(BIN, "darkroom_scenario")).stdout, file.read())

    def test_taxi_and_passenger_remember_the_same_talk(self):
        self.expect("04_taxi", "taxi.py", lambda text: re.sub(r"[+-]\d+\.\d{3} s", "+0.000 s", text))


class WordCount(Examples):
    def count(self, path, *options, code=0):
        return self.run_it(os.path.join(BIN, "word_count"), path, *options, code=code)

    def totals(self, path, *options):
        found = re.match(r"(\d+) lines, (\d+) words, (\d+) bytes", self.count(path, *options).stdout)
        return [int(number) for number in found.groups()]

    def wc(self, path):
        done = subprocess.run(["wc", "-lwc", path], env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True)
        return [int(number) for number in done.stdout.split()[:3]]

    def write(self, content):
        path = os.path.join(self.folder, "text")
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_totals_agree_with_wc(self):
        texts = ["one\n", "no newline at the end", "größer als\u2003weit\n" * 1000, "x" * 300_000 + " y\n",
                 "\n\n\n", " leading and trailing \t\n"]
        for text in texts:
            with self.subTest(text=text[:20]):
                path = self.write(text.encode())
                self.assertEqual(self.totals(path), self.wc(path))
        large = self.write(b"the quick brown fox jumps over the lazy dog\n" * 500_000)
        for counters in ("1", "3"):
            self.assertEqual(self.totals(large, "--counters", counters), self.wc(large))

    def test_the_words_that_come_most_come_first(self):
        path = self.write(b"b a a c b a\n")
        lines = self.count(path, "--top", "2").stdout.splitlines()
        self.assertEqual([line.split()[:2] for line in lines[2:]], [["3", "a"], ["2", "b"]])

    def test_a_missing_an_empty_and_a_binary_file_are_told_apart(self):
        self.assertIn("No such file", self.count("/nowhere/at/all", code=66).stderr)
        self.assertIn("is empty", self.count(self.write(b""), code=66).stderr)
        binary = self.count(self.write(b"text\0more\n"), code=1)
        self.assertIn("NUL byte at offset 4", binary.stderr)


if __name__ == "__main__":
    unittest.main()
