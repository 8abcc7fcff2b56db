"""Baton serves projects outside its source tree: docs/first_actor.md works as it is written.

Method: installs the build into a folder, cuts the page's files into another one and runs the page's commands there,
with the installed programs in PATH and nothing of the source tree or the build in reach.

    BATON_BUILD=build/dev /usr/bin/python3 tests/package/first_actor_test.py
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from outside_project import SOURCE, OutsideProject, code_blocks, file_of  # noqa: E402  (beside this file)

BUILD = os.path.abspath(os.environ["BATON_BUILD"])
# The outside project gets the same compiler, and nothing else.
CMAKE_ARGUMENTS = shlex.split(os.environ.get("BATON_CMAKE_ARGUMENTS", ""))
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")

# A project whose tests run an actor without processes; one of them is wrong.
TESTED = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.25)
project(counter LANGUAGES CXX)
enable_testing()
find_package(baton REQUIRED)
foreach(name right wrong)
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE baton::testing)
  add_test(NAME ${name} COMMAND ${name})
endforeach()
""",
    "counter.hpp": """#include <cstdint>

#include <baton/testing.hpp>

namespace counter {
struct Add {
    std::int64_t number;
    using Reply = std::int64_t;
};
using Protocol = baton::Protocol<Add>;
}  // namespace counter

class Counter {
public:
    explicit Counter(baton::Context&) {}
    std::int64_t on(const counter::Add& add) { return sum_ += add.number; }

private:
    std::int64_t sum_ = 0;
};

// Of the user's own, as any project may have them.
class World {};
class Peer {};
class Stage {};
""",
    "right.cpp": """#include <cstdio>

#include "counter.hpp"

int main() {
    baton::testing::World world;
    auto counter = world.start<Counter, counter::Protocol>("counter");
    counter.ask(counter::Add{2}).value();
    const bool holds = counter.ask(counter::Add{3}).value() == 5;
    std::puts(holds ? "2 and 3 are 5" : "2 and 3 are not 5");
    return holds ? 0 : 1;
}
""",
    "wrong.cpp": """#include <cstdio>

#include "counter.hpp"

int main() {
    baton::testing::World world;
    auto counter = world.start<Counter, counter::Protocol>("counter");
    const bool holds = counter.ask(counter::Add{2}).value() == 3;
    std::puts(holds ? "2 is 3" : "2 is not 3");
    return holds ? 0 : 1;
}
""",
}


class FirstActor(OutsideProject):
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
        self.assertEqual(sorted(os.listdir(prefix + "/share/man/man1")),
                         ["baton-coordinator.1", "baton-sync.1", "baton.1"])
        with open(prefix + "/share/man/man1/baton.1", encoding="utf-8") as page:
            self.assertEqual(page.read(), self.run_it("baton", "--man"))
        with open(prefix + "/share/bash-completion/completions/baton", encoding="utf-8") as completion:
            self.assertEqual(completion.read(), self.run_it("baton", "--completion"))

    def test_the_page_of_the_first_actor_works_as_it_is_written(self):
        self.install()
        printed = None
        for language, text in code_blocks():
            if language == "sh":
                printed = ""
                for line in text.splitlines():
                    command = shlex.split(line)
                    printed += self.run_it(*command, *(CMAKE_ARGUMENTS if command[:2] == ["cmake", "-S"] else []))
            elif language == "text":
                self.assertEqual(printed, text)
            else:
                self.write(file_of(text), text)
        for words in ([], *([name] for name in re.findall(r"^  ([a-z]+)  ", self.run_it("baton", "--help"),
                                                          re.MULTILINE))):
            self.play_examples_of("baton", *words, "--help")
        self.play_examples_of("baton-coordinator", "--help")

    def play_examples_of(self, *help_command):
        """Types the examples of a help as they are written, where the page has been followed; Ada and Bob, of whom they
        speak, are there."""
        text = self.run_it(*help_command).split("Example")[1]
        lines = [line.split("  #")[0].strip() for line in re.findall(r"^  (baton.*)$", text, re.MULTILINE)]
        self.assertNotEqual(lines, [])
        if not any(line.startswith("baton serve") for line in lines):
            self.serve("baton serve")
        for line in lines:
            with self.subTest(help=help_command, line=line):
                if line.startswith("baton serve") or line == "baton-coordinator":
                    self.end_serving()
                    self.serve(line.removesuffix(" &"))
                    continue
                if " spawn " not in line:
                    for name in ("Ada", "Bob"):
                        subprocess.run(["baton", "spawn", "./build/tally", "--name", name], cwd=self.project,
                                       env=self.environment, check=False, stderr=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, timeout=60)
                self.run_it("bash", "-c", line, runs_python=".py" in line)
        self.end_serving()

    serving = None

    def serve(self, command):
        # pylint: disable=consider-using-with
        self.serving = subprocess.Popen(command.split(), cwd=self.project, env=self.environment, text=True,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(self.end_serving)
        self.assertIn("is open", self.serving.stderr.readline())

    def end_serving(self):
        if self.serving is None:
            return
        self.serving.terminate()
        self.serving.communicate(timeout=60)
        self.serving = None

    def test_the_documents_are_installed_with_all_that_they_link_to_and_the_examples_are_built_there(self):
        self.install()
        documents = self.folder + "/prefix/share/doc/baton"
        pages = glob.glob(documents + "/**/*.md", recursive=True)
        for page in ("README.md", "docs/first_actor.md", "docs/wire/README.md", "examples/README.md"):
            self.assertIn(f"{documents}/{page}", pages)
        for page in pages:
            with open(page, encoding="utf-8") as opened:
                prose = re.sub(r"```.*?```|`[^`\n]*`", "", opened.read(), flags=re.DOTALL)
            for link in re.findall(r"\]\(([^)#\s]+)", prose):
                if "://" not in link:
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(page), link)), f"{page}: {link}")
        with open(documents + "/examples/README.md", encoding="utf-8") as page:
            commands = re.search(r"```sh\n(.*?)```", page.read(), re.DOTALL)[1]
        for written, typed in (("/usr/share/doc/baton", documents), ("-G Ninja", shlex.join(["-G", "Ninja",
                                                                                            *CMAKE_ARGUMENTS])),
                               ("--build build\n", "--build build --target greeter hello > log\n")):
            self.assertEqual(commands.count(written), 1, written)
            commands = commands.replace(written, typed)
        printed = self.run_it("bash", "-euc", commands + "hello\n", timeout=500)
        printed += self.run_it("bash", "-euc", f'cd baton\n{commands.splitlines()[-1]}\n'
                                               "python3 examples/01_hello/hello.py\n", runs_python=True)
        with open(documents + "/examples/01_hello/expected.txt", encoding="utf-8") as expected:
            self.assertTrue(printed.endswith(2 * expected.read()), printed)

    def test_a_project_tests_its_actors_and_a_wrong_test_fails(self):
        self.install()
        for file, text in TESTED.items():
            self.write(file, text)
        self.run_it("cmake", "-S", ".", "-B", "build", "-G", "Ninja", *CMAKE_ARGUMENTS)
        self.run_it("cmake", "--build", "build", timeout=400)
        self.assertEqual(self.run_it("build/right"), "2 and 3 are 5\n")
        done = subprocess.run(["ctest", "--test-dir", "build", "--output-on-failure"], cwd=self.project, text=True,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn("1 tests failed out of 2", done.stdout)
        self.assertIn("2 is not 3", done.stdout)

    @unittest.skipIf(SANITIZED, "skipped: pkg-config does not name the sanitizer that the libraries were built with")
    def test_a_test_of_an_actor_is_built_by_pkg_config_too(self):
        self.install()
        self.environment["PKG_CONFIG_PATH"], = glob.glob(self.folder + "/prefix/lib/**/pkgconfig", recursive=True)
        self.write("counter.hpp", TESTED["counter.hpp"])
        self.write("right.cpp", TESTED["right.cpp"])
        options = shlex.split(self.run_it("pkg-config", "--cflags", "--libs", "baton"))
        self.run_it(*self.compiler(), "-std=c++20", "right.cpp", "-o", "right", *options, timeout=400)
        self.assertEqual(self.run_it("./right"), "2 and 3 are 5\n")

    @staticmethod
    def compiler():
        named = [one.partition("=")[2] for one in CMAKE_ARGUMENTS if one.startswith("-DCMAKE_CXX_COMPILER=")]
        return named or ["c++"]

    def test_a_project_can_have_baton_as_a_part_of_its_own(self):
        self.write("CMakeLists.txt",
                   "cmake_minimum_required(VERSION 3.25)\nproject(outside LANGUAGES CXX)\nenable_testing()\n"
                   f"add_subdirectory({SOURCE} baton)\n"
                   "file(WRITE main.cpp \"int main() {}\")\nbaton_actor(mine main.cpp)\n"
                   "get_target_property(options mine COMPILE_OPTIONS)\nmessage(\"options: ${options}\")\n")
        said = subprocess.run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja", *CMAKE_ARGUMENTS], cwd=self.project,
                              text=True, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=100)
        self.assertEqual(said.returncode, 0, said.stdout)
        self.assertIn("options: options-NOTFOUND", said.stdout)  # our warnings are not theirs
        self.assertIn("Total Tests: 0", self.run_it("ctest", "--test-dir", "build", "-N"))  # nor our tests


if __name__ == "__main__":
    unittest.main()
