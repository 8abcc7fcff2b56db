"""Runs one file of unittest cases for ctest, and says how many of them ran.

    /usr/bin/python3 tests/run_unittest.py tests/process/cli_test.py [ARGUMENT...]

The same as running the file, but for the end: a line `cases: N passed, N failed, N skipped`, a line `skipped: WHERE:
REASON` for each case that could not run, and exit code 77, which ctest counts as skipped, when no case of the file
could. tests/summary.py adds the cases up.
"""
import importlib.util
import os
import sys
import unittest

SKIPPED = 77  # SKIP_RETURN_CODE in tests/CMakeLists.txt


class CountingResult(unittest.TextTestResult):
    """Cases that began; a case may be counted as skipped or failed several times, by its parts."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.cases = set()

    def startTest(self, test):
        self.cases.add(test.id())
        super().startTest(test)


def case_of(test):
    """The id of the case, also for a part of it (`with self.subTest`) and for a class that was skipped as a whole."""
    return getattr(test, "test_case", test).id()


def load(path):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main():
    path = sys.argv[1]
    sys.argv = sys.argv[1:]
    try:
        suite = unittest.defaultTestLoader.loadTestsFromModule(load(path))
    except unittest.SkipTest as reason:  # raised by the file itself, for all of its cases
        print(f"skipped: {os.path.basename(path)}: {reason}")
        return SKIPPED
    result = unittest.TextTestRunner(resultclass=CountingResult).run(suite)
    failed = {case_of(test) for test, _ in result.failures + result.errors}
    failed |= {case_of(test) for test in result.unexpectedSuccesses}
    skipped = {}
    for test, reason in result.skipped:
        skipped.setdefault(case_of(test), reason)
    skipped = {case: reason for case, reason in skipped.items() if case not in failed}
    passed = len(result.cases - failed - set(skipped))
    for case, reason in sorted(skipped.items()):
        print(f"skipped: {case}: {reason}")
    print(f"cases: {passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    if failed or not result.wasSuccessful():
        return 1
    if passed == 0 and not skipped:
        print("no case was found in " + path)
        return 1
    return 0 if passed else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
