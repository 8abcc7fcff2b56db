"""Ctrl-C, as a terminal sends it: once stops in good order, twice ends at once; nothing is left behind.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests /usr/bin/python3 tests/process/interrupt_test.py
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

BIN = os.environ["BATON_BIN"]
TESTS_BIN = os.environ.get("BATON_TESTS_BIN", BIN)


class Interrupt(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="baton-", dir="/tmp")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder}
        self.environment.pop("BATON_SESSION", None)

    def tearDown(self):
        self.assertEqual(glob.glob(self.folder + "/baton/*"), [], "a session folder is left")
        shutil.rmtree(self.folder)

    def start(self, *command):
        """In a process group of its own, as a shell does; returns when the scenario says that it is ready."""
        process = subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        while "ready" not in (line := process.stdout.readline()):
            self.assertNotEqual(line, "", "it ended before it was ready")
        return process

    def end(self, process):
        out, err = process.communicate(timeout=60)
        left = [path for path in glob.glob("/proc/[0-9]*/environ") if self.belongs(path)]
        self.assertEqual(left, [], "an actor is left")
        return process.returncode, err

    def belongs(self, path):
        try:
            with open(path, "rb") as file:
                environment = file.read()
        except OSError:
            return False
        return b"BATON_ACTOR=" in environment and f"BATON_SESSION={self.folder}".encode() in environment

    def test_once_stops_a_scenario_and_its_own_coordinator_with_code_130_and_one_line(self):
        process = self.start(os.path.join(TESTS_BIN, "cli_scenario"))
        os.killpg(process.pid, signal.SIGINT)
        code, err = self.end(process)
        self.assertEqual(code, 130)
        self.assertLessEqual(len(err.splitlines()), 3, err)

    def test_once_stops_a_coordinator_and_the_scenario_that_it_runs(self):
        process = self.start(os.path.join(BIN, "baton-coordinator"), os.path.join(TESTS_BIN, "cli_scenario"))
        os.killpg(process.pid, signal.SIGINT)
        code, err = self.end(process)
        self.assertEqual(code, 130)
        self.assertLessEqual(len(err.splitlines()), 3, err)

    def test_sent_to_the_coordinator_alone_it_stops_its_scenario_too(self):
        process = self.start(os.path.join(BIN, "baton-coordinator"), os.path.join(TESTS_BIN, "cli_scenario"))
        os.kill(process.pid, signal.SIGTERM)
        code, err = self.end(process)
        self.assertEqual(code, 0, err)  # an orderly end, as the scenario's own
        self.assertLessEqual(len(err.splitlines()), 4, err)

    def test_twice_ends_a_scenario_at_once_and_its_coordinator_cleans_up(self):
        process = self.start(os.path.join(TESTS_BIN, "cli_scenario"))
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGINT)
        code, _ = self.end(process)
        self.assertEqual(code, 130)
        # The coordinator lives on for the moment that it takes to stop the actors.
        session = glob.glob(self.folder + "/baton/*")
        for folder in session:
            subprocess.run([os.path.join(BIN, "baton"), "sessions"], env=self.environment, check=False,
                           capture_output=True)
            while os.path.exists(folder):
                os.sched_yield()

    def test_at_everybody_at_once_while_gifts_fly_it_leaves_nothing(self):
        before = set(glob.glob("/dev/shm/baton-*"))
        for command in ([os.path.join(BIN, "baton-coordinator"), os.path.join(TESTS_BIN, "gifts_scenario")],
                        [os.path.join(TESTS_BIN, "gifts_scenario")]):
            process = self.start(*command)
            sessions = [os.path.basename(path) for path in glob.glob(self.folder + "/baton/*")]
            actors = [int(path.split("/")[2]) for path in glob.glob("/proc/[0-9]*/environ") if self.belongs(path)]
            self.assertEqual(len(actors), 6, "five actors and the coordinator")
            os.killpg(process.pid, signal.SIGINT)
            for actor in actors:
                try:
                    os.kill(actor, signal.SIGINT)
                except ProcessLookupError:
                    pass
            code, err = self.end(process)
            self.assertEqual(code, 130, err)
            for word in ("terminate called", "Traceback", "unbalanced", "Sanitizer"):
                self.assertNotIn(word, err)
            left = {path for path in glob.glob("/dev/shm/baton-*") if any(one in path for one in sessions)}
            self.assertEqual(left - before, set(), "shared memory is left")


if __name__ == "__main__":
    unittest.main()
