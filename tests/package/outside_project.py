"""What tests of projects outside the source tree share: a folder, an environment without Baton, and its end without
leftovers.
"""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def code_blocks():
    """The blocks of docs/first_actor.md as (language, text), in its order."""
    with open(os.path.join(SOURCE, "docs", "first_actor.md"), encoding="utf-8") as page:
        return re.findall(r"^```(\w+)\n(.*?)^```$", page.read(), re.MULTILINE | re.DOTALL)


def file_of(text):
    """The file that a block is, as its first line says, or None."""
    named = re.match(r"(?://|#) ([\w.]+)", text)
    return named.group(1) if named else None


class OutsideProject(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="baton-", dir="/tmp")
        self.project = self.folder + "/project"
        os.makedirs(self.project)
        # What a sanitized Python module needs is nothing for compilers.
        self.for_python = {name: os.environ[name] for name in ("LD_PRELOAD", "ASAN_OPTIONS") if name in os.environ}
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in self.for_python and not name.startswith("BATON_") and name != "PYTHONPATH"}
        self.environment["XDG_RUNTIME_DIR"] = self.folder + "/run"
        os.makedirs(self.folder + "/run", mode=0o700)

    def tearDown(self):
        self.assertEqual(glob.glob(self.folder + "/run/baton/*"), [])
        self.assertEqual(self.processes_left(), [])
        shutil.rmtree(self.folder)

    def processes_left(self):
        left = []
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as file:
                    if b"BATON_SESSION=" + self.folder.encode() in file.read():
                        left.append(path)
            except OSError:
                pass  # somebody else's, or it has just ended
        return left

    def write(self, file, text):
        path = os.path.join(self.project, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(text)

    def run_it(self, *command, timeout=200, runs_python=False):
        is_python = runs_python or "python3" in command[0]
        environment = {**self.environment, **(self.for_python if is_python else {})}
        done = subprocess.run(command, env=environment, cwd=self.project, capture_output=True, text=True,
                              timeout=timeout)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout
