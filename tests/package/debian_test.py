"""The Debian packages work: actors, scripts and projects are built and run with what the packages contain.

Method: unpacks the packages of ./dev package into an empty root. Compilers, CMake, pkg-config and Python find Baton in
that root only; what the packages depend on is the machine's. Takes minutes.

    ./dev package --test
    BATON_PACKAGES=$PWD/build/packages /usr/bin/python3 tests/package/debian_test.py
"""
import concurrent.futures
import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from outside_project import SOURCE, OutsideProject, code_blocks, file_of  # noqa: E402  (beside this file)

PACKAGES = os.environ.get("BATON_PACKAGES", "")
NAMES = ("baton", "libbaton-dev", "python3-baton")
TOOLS = ("dpkg-deb", "c++", "cmake", "ninja", "pkg-config")
PYTHON = "/usr/bin/python3"  # Debian's, for which the module is

# A project that has folders and classes of the same names as Baton's.
OWN_FILES = {
    "runtime/segment.hpp": "#pragma once\nstruct OwnSegment {\n    int length = 3;\n};\n",
    "actors/actor.hpp": "#pragma once\n#include <string>\nstruct OwnActor {\n    std::string name = \"Ada\";\n};\n",
    "main.cpp": """#include "actors/actor.hpp"
#include "runtime/segment.hpp"

class Command {
public:
    int number() const { return 1; }
};
class Handler {
public:
    int handle(const Command& command) const { return command.number() + 1; }
};
class Value {
public:
    int value = 4;
};

#include <baton/actor.hpp>
#include <baton/scenario.hpp>
#include <baton/sync.hpp>

using namespace baton;

struct Add {
    int number = 0;
    using Reply = int;
};

class Adder {
public:
    explicit Adder(Context&) {}
    int on(const Add& add) {
        return add.number + Handler{}.handle(Command{}) + Value{}.value + OwnSegment{}.length;
    }
};

int main(int argc, char** argv) { return run_actor<Adder, baton::Protocol<Add>>(argc, argv); }
""",
    "look.cpp": """// A tool that knows no protocol: what is in a session, and what an actor replies.
#include <baton/check.hpp>
#include <baton/command_line.hpp>
#include <baton/json.hpp>
#include <baton/observer.hpp>
#include <baton/outsider.hpp>
#include <baton/progress.hpp>
#include <baton/sessions.hpp>
#include <baton/text.hpp>
#include <baton/unique_fd.hpp>
#include <baton/version.hpp>

#include <fmt/format.h>

using baton::dynamic::Value;

int main(int argc, char** argv) {
    baton::program::begin();
    CLI::App app{"Asks an actor."};
    std::string actor, command, field, text;
    app.add_option("actor", actor)->required();
    app.add_option("command", command)->required();
    app.add_option("field", field)->required();
    app.add_option("value", text)->required();
    if (const auto code = baton::program::read_command_line(app, argc, argv, "look")) return *code;

    baton::Outsider::Entry entry;
    entry.session = baton::find_session(std::nullopt).value().id;
    entry.name = "look";
    entry.has_inbox = false;
    const auto outsider = baton::Outsider::enter(std::move(entry)).value();
    const baton::UniqueFd sentinel = outsider->sentinel(outsider->find(actor).value().ref).value();
    baton::check(sentinel.is_open(), "a living actor has a sentinel");

    const baton::dynamic::Actor found = outsider->find(actor).value();
    const baton::dynamic::Command* const known = found.protocol->find(command);
    baton::check(known != nullptr, "the actor has the command");
    const Value value = baton::dynamic::parse_typed(known->fields.parts[0].type, text, {}).value();
    baton::Progress progress{"asking", 1, "actors"};
    const Value reply = outsider->ask(found, command, {{Value{field}, value}}).value();
    progress.reach(1);
    const std::string json = baton::to_json(reply, baton::JsonLayout::compact);
    std::string line = fmt::format("{} {}:", baton::printable(actor), json);
    for (const baton::MemberSight& one : baton::Observer::of(*outsider)->members(false).value())
        if (one.process && one.row.name != "look") line += " " + one.row.name;
    baton::program::print(line + "\\n");
    return baton::program::end("look", 0);
}
""",
    "look.py": "import os, subprocess, sys\nimport baton\n\n"
               "with baton.session(programs=[\"build\"], name=\"script\") as session:\n"
               "    session.spawn(\"adder\", name=\"Ada\")\n"
               "    sys.stdout.flush()\n"
               "    subprocess.run([\"build/look\", \"Ada\", \"Add\", \"number\", \"5\"], check=True,\n"
               "                   env=os.environ | {\"BATON_SESSION\": session.id})\n",
    "add.py": "import baton\n\nwith baton.session(programs=[\"build\"]) as session:\n"
              "    print(session.spawn(\"adder\").ask(\"Add\", number=10))\n",
}
OWN_BUILD = """cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES CXX)
{baton}
baton_actor(adder main.cpp)
target_include_directories(adder PRIVATE .)
target_link_libraries(adder PRIVATE baton::sync)
add_executable(look look.cpp)
target_link_libraries(look PRIVATE baton::session baton::command_line)
"""

root = None


def setUpModule():
    global root
    packages = [path for name in NAMES for path in glob.glob(f"{PACKAGES}/{name}_*.deb")] if PACKAGES else []
    if len(packages) != len(NAMES):
        raise unittest.SkipTest("no packages in BATON_PACKAGES; ./dev package --test builds them first")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise unittest.SkipTest("not installed: " + ", ".join(missing))
    root = tempfile.mkdtemp(prefix="baton-root-", dir="/tmp")
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, root], check=True, timeout=60)


def tearDownModule():
    shutil.rmtree(root)


class Packages(OutsideProject):
    def setUp(self):
        super().setUp()
        self.environment["PATH"] = f"{root}/usr/bin:/usr/bin:/bin"
        self.environment["PYTHONPATH"] = f"{root}/usr/lib/python3/dist-packages"
        pkgconfig, = glob.glob(f"{root}/usr/lib/*/pkgconfig")
        self.environment["PKG_CONFIG_PATH"] = pkgconfig

    def options(self, *wanted):
        return shlex.split(self.run_it("pkg-config", *wanted, "baton"))

    def run_page(self, build):
        """Runs docs/first_actor.md as it is written, but for CMake's commands, for which build() is called once."""
        printed, is_built = None, False
        for language, text in code_blocks():
            if language == "sh":
                printed = ""
                for line in text.splitlines():
                    command = shlex.split(line)
                    if command[0] == "cmake":
                        if not is_built:
                            build()
                        is_built = True
                    else:
                        command[0] = PYTHON if command[0] == "python3" else command[0]
                        printed += self.run_it(*command)
            elif language == "text":
                self.assertEqual(printed, text)
            elif file_of(text):
                self.write(file_of(text), text)
        self.assertTrue(is_built)

    def build_with_cmake(self):
        self.run_it("cmake", "-S", ".", "-B", "build", "-G", "Ninja")
        self.run_it("cmake", "--build", "build")

    def build_with_pkg_config(self):
        os.makedirs(self.project + "/build")
        for program in ("tally", "vote"):
            self.run_it("c++", "-std=c++20", f"{program}.cpp", "-o", f"build/{program}",
                        *self.options("--cflags", "--libs"))

    def test_the_page_of_the_first_actor_works_with_cmake(self):
        self.run_page(self.build_with_cmake)
        with open(self.project + "/build/CMakeCache.txt", encoding="utf-8") as cache:
            self.assertIn(f"baton_DIR:PATH={root}/usr/lib/", cache.read())

    def test_the_page_of_the_first_actor_works_with_pkg_config(self):
        self.run_page(self.build_with_pkg_config)

    def write_own_project(self, baton):
        for file, text in OWN_FILES.items():
            self.write(file, text)
        self.write("CMakeLists.txt", OWN_BUILD.format(baton=baton))

    def test_a_project_with_folders_and_classes_of_the_same_names_uses_the_packages(self):
        self.write_own_project("find_package(baton REQUIRED)")
        self.build_with_cmake()
        self.assertEqual(self.run_it(PYTHON, "add.py"), "19\n")
        self.assertEqual(self.run_it(PYTHON, "look.py"), "Ada 14: coordinator script Ada\n")

    def test_a_tool_that_knows_no_protocol_is_built_with_pkg_config(self):
        self.write("look.cpp", OWN_FILES["look.cpp"])
        self.run_it("c++", "-std=c++20", "look.cpp", "-o", "look", *self.options("--cflags", "--libs"))
        self.assertIn("Asks an actor.", self.run_it("./look", "--help"))

    def test_a_project_with_folders_and_classes_of_the_same_names_has_baton_as_a_subdirectory(self):
        self.write_own_project(f"set(BATON_PYTHON OFF)\nadd_subdirectory({SOURCE} baton)")
        self.run_it("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_CXX_FLAGS=-O0")
        self.run_it("cmake", "--build", "build", "--target", "adder", "look", timeout=1500)
        self.assertEqual(self.run_it(PYTHON, "add.py"), "19\n")

    def test_each_public_header_compiles_by_itself(self):
        headers = sorted(os.path.relpath(path, f"{root}/usr/include")
                         for path in glob.glob(f"{root}/usr/include/baton/**/*.hpp", recursive=True))
        self.assertGreater(len(headers), 20)
        options = self.options("--cflags")

        def errors(header):
            done = subprocess.run(["c++", "-std=c++20", "-fsyntax-only", "-x", "c++", *options, "-"], cwd=self.project,
                                  input=f"#include <{header}>\n", capture_output=True, text=True, timeout=200,
                                  env=self.environment)
            return f"{header}: {done.stderr[:500]}" if done.returncode else ""

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            self.assertEqual("".join(pool.map(errors, headers)), "")

    def test_documents_and_examples_are_there_as_they_are_written(self):
        documents = f"{root}/usr/share/doc/baton"
        for file in ("README.md", "docs/first_actor.md", "docs/decisions/0022-lanes.md", "model/lanes.md",
                     "examples/README.md", "examples/CMakeLists.txt", "examples/01_hello/hello.py",
                     "examples/from_multiprocessing/barrier/barrier.cpp", "actors/greeter/main.cpp"):
            with open(f"{documents}/{file}", encoding="utf-8") as shipped:
                with open(f"{SOURCE}/{file}", encoding="utf-8") as written:
                    self.assertEqual(shipped.read(), written.read(), file)
        self.assertEqual([one for one in glob.glob(documents + "/**/*.gz", recursive=True)
                          if not os.path.basename(one).startswith("changelog")], [])

    def test_no_file_knows_where_it_was_built(self):
        for folder, _, files in os.walk(root):
            for file in files:
                with open(os.path.join(folder, file), "rb") as opened:
                    self.assertNotIn(f"{SOURCE}/build/".encode(), opened.read(), file)

    def test_debian_has_what_the_packages_depend_on(self):
        if not glob.glob("/var/lib/apt/lists/*Packages*"):
            self.skipTest("apt has no lists of packages here; apt-get update fetches them")
        said = self.run_it("apt-get", "--simulate", "install", *glob.glob(PACKAGES + "/*.deb"))
        for name in NAMES:
            self.assertIn(f"Inst {name} ", said)


if __name__ == "__main__":
    unittest.main()
