"""What the tests of inherited streams, signals and limits share: programs that a shell or a parent starts in odd
surroundings, in a runtime folder of their own, and the proof that nothing of them is left.
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import baton

BIN = os.path.abspath(os.environ["BATON_BIN"])
TESTS_BIN = os.path.abspath(os.environ.get("BATON_TESTS_BIN", BIN))
PYTHON = "/usr/bin/python3"
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")
WATCHDOG = 60


class World(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="b", dir="/tmp")
        self.memory_before = set(glob.glob("/dev/shm/baton-*"))
        self.environment = {name: value for name, value in os.environ.items()
                            if name == "BATON_LANES" or not name.startswith("BATON_") and name != "NO_COLOR"}
        self.environment.update(XDG_RUNTIME_DIR=self.folder, BATON_LOG="error", BATON_PROGRAMS=f"{TESTS_BIN}:{BIN}",
                                PATH=f"{BIN}:{TESTS_BIN}:{os.environ['PATH']}")
        self.started = []
        self.session = None

    def tearDown(self):
        self.leave()
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        left = glob.glob(f"{self.folder}/baton/*") + self.actors() + self.memory()
        shutil.rmtree(self.folder)
        self.assertEqual(left, [], "something is left")

    def memory(self):
        return sorted(set(glob.glob("/dev/shm/baton-*")) - self.memory_before)

    def actors(self):
        """Processes of actors, and what they have started, of any session in this world."""
        found = []
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as file:
                    environment = file.read()
            except OSError:  # it has just ended
                continue
            is_actor = b"BATON_ACTOR=" in environment and b"BATON_ACTOR=1.1\0" not in environment
            if is_actor and f"BATON_SESSION={self.folder}".encode() in environment:
                found.append(int(path.split("/")[2]))
        return found

    def run_shell(self, line, code=None, **options):
        """A line of bash, as people write them; its exit code is checked where one is named."""
        done = subprocess.run(["bash", "-c", line], env=self.environment | options.pop("environment", {}), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=WATCHDOG, check=False, **options)
        if code is not None:
            self.assertEqual(done.returncode, code, f"{line}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *command, environment=None, **options):
        """A program beside the test, killed at the test's end where it still runs."""
        process = subprocess.Popen(command, env=self.environment | (environment or {}), **options)
        self.started.append(process)
        return process

    def start_coordinator(self, *before, **options):
        """One that serves; returns when it can be talked to."""
        process = self.start(*before, f"{BIN}/baton-coordinator", **{"stdin": subprocess.DEVNULL, **options})
        while self.baton("ps").returncode != 0:
            self.assertIsNone(process.poll(), "the coordinator has ended before it was ready")
        return process

    def spawn(self, name, program="probe"):
        """An actor of the session that is open, which ends when this test does."""
        if self.session is None:
            folder, = glob.glob(f"{self.folder}/baton/*")
            self.session = baton.session(folder, programs=[TESTS_BIN, BIN])
        return self.session.spawn(program, name=name)

    def leave(self):
        if self.session is not None:
            try:
                self.session.close()
            except baton.Error:
                pass  # it has ended before us
            self.session = None

    def stop(self, process, code=0):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(WATCHDOG), code)

    def baton(self, *arguments, code=None):
        done = subprocess.run([f"{BIN}/baton", *arguments], env=self.environment, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=WATCHDOG, check=False)
        if code is not None:
            self.assertEqual(done.returncode, code, f"baton {arguments}\n{done.stdout}{done.stderr}")
        return done

    def script(self, text):
        """A Python script of a test, by its path."""
        path = f"{self.folder}/script.py"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def main():
    unittest.main()
