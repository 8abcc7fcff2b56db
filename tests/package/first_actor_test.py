"""Baton serves projects outside its source tree: docs/first_actor.md works as it is written.

Method: installs the build into a folder, cuts the page's files into another one and runs the page's commands there,
with the installed programs in PATH and nothing of the source tree or the build in reach.

    BATON_BUILD=build/dev /usr/bin/python3 tests/package/first_actor_test.py
"""
import glob
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.path.abspath(os.environ["BATON_BUILD"])
# The outside project gets the same compiler, and nothing else.
CMAKE_ARGUMENTS = shlex.split(os.environ.get("BATON_CMAKE_ARGUMENTS", ""))
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def code_blocks():
    """The page's blocks as (language, text), in its order."""
    with open(os.path.join(SOURCE, "docs", "first_actor.md"), encoding="utf-8") as page:
        return re.findall(r"^```(\w+)\n(.*?)^```$", page.read(), re.MULTILINE | re.DOTALL)


class FirstActor(unittest.TestCase):
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

    def run_it(self, *command):
        environment = {**self.environment, **(self.for_python if command[0] == "python3" else {})}
        done = subprocess.run(command, env=environment, cwd=self.project, capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(self):
        prefix = self.folder + "/prefix"
        self.run_it("cmake", "--install", BUILD, "--prefix", prefix)
        self.environment["PATH"] = prefix + "/bin:" + os.environ["PATH"]
        self.environment["PYTHONPATH"], = glob.glob(prefix + "/lib/python3*/site-packages")

    def test_each_program_has_one_name_before_and_after_installation_and_its_manual_comes_along(self):
        self.install()
        prefix = self.folder + "/prefix"
        programs = sorted(os.listdir(prefix + "/bin"))
        self.assertEqual(programs, ["baton", "baton-coordinator", "baton-sync"])
        built = os.listdir(BUILD + "/bin")
        self.assertEqual([name for name in programs if name not in built], [])
        self.assertEqual([name for name in ("coordinator", "sync") if name in built], [])
        self.assertEqual(sorted(os.listdir(prefix + "/share/man/man1")), ["baton-coordinator.1", "baton-sync.1", "baton.1"])
        with open(prefix + "/share/man/man1/baton.1", encoding="utf-8") as page:
            self.assertEqual(page.read(), self.run_it("baton", "--man"))
        with open(prefix + "/share/bash-completion/completions/baton", encoding="utf-8") as completion:
            self.assertEqual(completion.read(), self.run_it("baton", "--completion"))

    def test_the_page_of_the_first_actor_works_as_it_is_written(self):
        self.install()
        printed = None
        for language, text in code_blocks():
            named = re.match(r"(?://|#) ([\w.]+)", text)
            if language == "sh":
                printed = ""
                for line in text.splitlines():
                    command = shlex.split(line)
                    printed += self.run_it(*command, *(CMAKE_ARGUMENTS if command[:2] == ["cmake", "-S"] else []))
            elif language == "text":
                self.assertEqual(printed, text)
            else:
                with open(os.path.join(self.project, named.group(1)), "w", encoding="utf-8") as file:
                    file.write(text)

    def test_a_project_can_have_baton_as_a_part_of_its_own(self):
        with open(self.project + "/CMakeLists.txt", "w", encoding="utf-8") as file:
            file.write("cmake_minimum_required(VERSION 3.25)\nproject(outside LANGUAGES CXX)\nenable_testing()\n"
                       f"add_subdirectory({os.path.abspath(SOURCE)} baton)\n"
                       "file(WRITE main.cpp \"int main() {}\")\nbaton_actor(mine main.cpp)\n"
                       "get_target_property(options mine COMPILE_OPTIONS)\nmessage(\"options: ${options}\")\n")
        said = subprocess.run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja", *CMAKE_ARGUMENTS], cwd=self.project, text=True,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        self.assertEqual(said.returncode, 0, said.stdout)
        self.assertIn("options: options-NOTFOUND", said.stdout)  # our warnings are not theirs
        self.assertIn("Total Tests: 0", self.run_it("ctest", "--test-dir", "build", "-N"))  # nor our tests


if __name__ == "__main__":
    unittest.main()
