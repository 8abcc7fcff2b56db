"""Passed, failed and skipped are told apart, from the exit code of a test program to the closing line of `./dev test`.

    build/dev/tests/verdicts exists: /usr/bin/python3 tests/unit/verdicts/verdicts_test.py build/dev/tests/verdicts
"""
import os
import subprocess
import sys
import tempfile
import unittest

VERDICTS = sys.argv[1]
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PASSED, FAILED, SKIPPED = 0, 1, 77


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


class Programs(unittest.TestCase):
    """What a program of Catch2 tests says by its exit code."""

    def test_a_test_case_that_skips_is_skipped_and_says_why(self):
        code, said = run(VERDICTS, "skips")
        self.assertEqual(code, SKIPPED)
        self.assertIn("skipped: there is nothing to skip\n", said)

    def test_a_part_that_skips_makes_its_test_case_skipped(self):
        self.assertEqual(run(VERDICTS, "skips in one of two sections")[0], SKIPPED)

    def test_skipped_beside_passed_is_passed_and_counted(self):
        code, said = run(VERDICTS, "passes,skips")
        self.assertEqual(code, PASSED)
        self.assertIn("cases: 1 passed, 0 failed, 1 skipped\n", said)

    def test_what_failed_is_failed_even_if_it_skips_afterwards(self):
        self.assertEqual(run(VERDICTS, "fails and skips")[0], FAILED)

    def test_no_number_of_failures_looks_like_skipped(self):
        self.assertEqual(run(VERDICTS, "fails as often as the exit code of skipped says")[0], FAILED)

    def test_a_name_that_matches_nothing_is_an_error(self):
        self.assertNotIn(run(VERDICTS, "no test case is called this")[0], (PASSED, SKIPPED))


class PythonFiles(unittest.TestCase):
    """What a file of Python tests says by its exit code and its last lines."""

    def run_cases(self, body):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "some_test.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write("import unittest\n" + body)
            return run(sys.executable, "-B", os.path.join(TESTS, "run_unittest.py"), path)

    def test_cases_are_counted_apart_and_reasons_are_said(self):
        code, said = self.run_cases(
            "class Some(unittest.TestCase):\n"
            "    def test_a(self): pass\n"
            "    def test_b(self): pass\n"
            "    def test_c(self): self.skipTest('no reason at all')\n")
        self.assertEqual(code, PASSED)
        self.assertIn("skipped: some_test.Some.test_c: no reason at all\ncases: 2 passed, 0 failed, 1 skipped\n", said)

    def test_a_file_of_which_nothing_could_run_is_skipped(self):
        self.assertEqual(self.run_cases(
            "@unittest.skip('not today')\nclass Some(unittest.TestCase):\n    def test_a(self): pass\n")[0], SKIPPED)
        code, said = self.run_cases("raise unittest.SkipTest('no library')\n")
        self.assertEqual(code, SKIPPED)
        self.assertIn("skipped: some_test.py: no library\n", said)

    def test_a_class_that_skips_in_its_set_up_and_a_part_that_skips_count_once(self):
        code, said = self.run_cases(
            "class Some(unittest.TestCase):\n"
            "    @classmethod\n"
            "    def setUpClass(cls): raise unittest.SkipTest('no machine')\n"
            "    def test_a(self): pass\n"
            "class Other(unittest.TestCase):\n"
            "    def test_b(self):\n"
            "        for part in range(3):\n"
            "            with self.subTest(part=part):\n"
            "                self.skipTest('no part')\n"
            "    def test_c(self): pass\n")
        self.assertEqual(code, PASSED)
        self.assertIn("cases: 1 passed, 0 failed, 2 skipped\n", said)

    def test_failures_errors_and_unexpected_success_fail(self):
        for body in ("assert False", "raise OSError('x')"):
            self.assertEqual(self.run_cases(f"class Some(unittest.TestCase):\n    def test_a(self): {body}\n")[0],
                             FAILED)
        code, said = self.run_cases("class Some(unittest.TestCase):\n    @unittest.expectedFailure\n"
                                    "    def test_a(self): pass\n")
        self.assertEqual(code, FAILED)
        self.assertIn("cases: 0 passed, 1 failed, 0 skipped\n", said)

    def test_a_file_without_a_case_and_one_that_cannot_be_read_fail(self):
        self.assertEqual(self.run_cases("")[0], FAILED)
        self.assertEqual(self.run_cases("raise OSError('x')\n")[0], FAILED)


class ClosingLine(unittest.TestCase):
    """What tests/summary.py makes of what ctest writes."""

    def summary(self, *files):
        with tempfile.TemporaryDirectory() as folder:
            arguments = []
            for number, cases in enumerate(files):
                path = os.path.join(folder, f"{number}.xml")
                if cases is not None:
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(f"<testsuite>{cases}</testsuite>")
                arguments.append(f"run{number}={path}")
            return run(sys.executable, "-B", os.path.join(TESTS, "summary.py"), *arguments)

    PASS = '<testcase name="a" status="run"><system-out>said</system-out></testcase>'
    FAIL = '<testcase name="b" status="fail"><failure message="Failed"/><system-out>said</system-out></testcase>'
    SKIP = ('<testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
            '<system-out>x\nskipped: no kernel\n</system-out></testcase>')
    NOT_STARTED = '<testcase name="d" status="notrun"><skipped message="Unable to find executable"/></testcase>'
    FILE = ('<testcase name="e" status="run"><system-out>skipped: m.C.x: no NumPy\n'
            'cases: 7 passed, 0 failed, 1 skipped\n</system-out></testcase>')

    def test_the_three_numbers_and_the_reasons(self):
        self.assertEqual(self.summary(self.PASS + self.SKIP),
                         (0, "skipped: c: no kernel\n1 passed, 0 failed, 1 skipped\n"))
        self.assertEqual(self.summary(self.PASS + self.FAIL), (1, "failed: b\n1 passed, 1 failed, 0 skipped\n"))

    def test_a_test_that_could_not_start_has_failed(self):
        self.assertEqual(self.summary(self.PASS + self.NOT_STARTED), (1, "failed: d\n1 passed, 1 failed, 0 skipped\n"))

    def test_a_file_of_python_tests_counts_as_its_cases(self):
        self.assertEqual(self.summary(self.FILE), (0, "skipped: e: m.C.x: no NumPy\n7 passed, 0 failed, 1 skipped\n"))

    def test_several_runs_have_one_sum(self):
        code, said = self.summary(self.PASS + self.SKIP, self.FILE)
        self.assertEqual((code, said.splitlines()[-1]), (0, "8 passed, 0 failed, 2 skipped"))
        self.assertIn("skipped: run0: c: no kernel\n", said)

    def test_a_run_that_did_not_end_or_in_which_nothing_passed_has_failed(self):
        for other in (None, "", self.SKIP, "<testcase"):
            code, said = self.summary(self.PASS, other)
            self.assertEqual((code, said.splitlines()[-1][:18]), (1, "1 passed, 1 failed"), said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
