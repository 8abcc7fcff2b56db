"""A full /dev/shm: the tests of process_tests that are tagged [full], with 32 MiB of shared memory of their own.

    BATON_PROGRAMS=build/dev/bin:build/dev/tests BATON_TESTS_BIN=build/dev/tests \\
        /usr/bin/python3 tests/process/memory_test.py
"""
import os
import shutil
import subprocess
import unittest

TESTS_BIN = os.environ["BATON_TESTS_BIN"]
MOUNTED = "mount -t tmpfs -o size=32m tmpfs /dev/shm && exec \"$@\""


def private(*command):
    """In a mount namespace of its own, whose /dev/shm is small; a user of its own where that is needed."""
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *rights, "sh", "-c", MOUNTED, "sh", *command]


class FullMemory(unittest.TestCase):
    def setUp(self):
        if shutil.which("unshare") is None:
            self.skipTest("there is no unshare to make a mount namespace with")
        tried = subprocess.run(private("true"), capture_output=True, text=True)
        if tried.returncode != 0:
            self.skipTest("a mount namespace is not permitted here: " + tried.stderr.strip())

    def test_a_full_shared_memory_is_an_answer_and_never_a_signal(self):
        done = subprocess.run(private(os.path.join(TESTS_BIN, "process_tests"), "[full]"), capture_output=True,
                              text=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("All tests passed", done.stdout)


if __name__ == "__main__":
    unittest.main()
