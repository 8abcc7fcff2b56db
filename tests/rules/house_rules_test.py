"""Each house rule reports what breaks it, with the place and what to do, and accepts what is right.

Method: tools/house_rules.py checks a small tree with one thing wrong.

    /usr/bin/python3 tests/rules/house_rules_test.py
"""
import os
import subprocess
import sys
import tempfile
import unittest

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "house_rules.py")
LAYERS = """# Layers

| folder | what it knows | may include |
| --- | --- | --- |
| `runtime/inbox` | messages | wire |
| `runtime/wire` | bytes | base |
| `runtime/base` | clocks | |
"""


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.write("docs/layers.md", LAYERS)

    def write(self, file, text):
        path = os.path.join(self.folder, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(text)

    def run_it(self, *arguments):
        return subprocess.run([sys.executable, "-B", RULES, *arguments, self.folder], capture_output=True, text=True,
                              timeout=60)

    def assert_finds(self, rule, place, words):
        """Exactly one finding, with the place before the rule, and the words behind."""
        done = self.run_it()
        findings = done.stdout.splitlines()[:-1]
        self.assertEqual((done.returncode, len(findings)), (1, 1), done.stdout + done.stderr)
        self.assertTrue(findings[0].startswith(f"{place}: {rule}: "), findings[0])
        self.assertIn(words, findings[0])

    def assert_finds_nothing(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def git(self, *arguments):
        done = subprocess.run(["git", "-C", self.folder, "-c", "user.name=n", "-c", "user.email=e@example.org",
                               *arguments],
                              capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()


class PublicFace(Rules):
    """A header of the first page brings in few headers and few names."""

    def setUp(self):
        super().setUp()
        self.write("tools/house_rules.toml", '[public_face]\nheader = "runtime/include/baton/a.hpp"\n'
                                             "headers_max = 2\nnames_max = 4\n")
        self.write("runtime/include/baton/a.hpp", "#include <baton/b.hpp>\nnamespace baton {\nclass One {};\n"
                                                  "template <class T>\nusing Two = T*;\nint three(int x);\n}\n")
        self.write("runtime/include/baton/b.hpp", "namespace baton {\nclass One;\nnamespace detail {\n"
                                                  "struct Inner {};\n}\n}\n")

    def test_a_face_within_its_bounds_is_fine(self):
        self.assert_finds_nothing()

    def test_one_header_too_many_is_found(self):
        self.write("runtime/include/baton/c.hpp", "")
        self.write("runtime/include/baton/b.hpp", "#include <baton/c.hpp>\n")
        self.assert_finds("public-face", "runtime/include/baton/a.hpp:1", "3 headers, over 2")

    def test_one_name_too_many_is_found_and_those_of_detail_do_not_count(self):
        self.write("runtime/include/baton/b.hpp", "namespace baton {\nenum class Five { one };\n"
                                                  "inline constexpr int six{1};\n}\n")
        self.assert_finds("public-face", "runtime/include/baton/a.hpp:1", "5 names in baton, over 4")


class Lines(Rules):
    def test_a_long_line_of_code_is_found(self):
        self.write("runtime/base/clock.cpp", "\n// " + "x" * 120 + "\n")
        self.assert_finds("line-length", "runtime/base/clock.cpp:2", "123 columns; wrap it at 120")

    def test_columns_are_characters_not_bytes(self):
        self.write("runtime/base/clock.cpp", "// " + "é" * 117 + "\n")
        self.assert_finds_nothing()

    def test_a_long_line_of_prose_is_found(self):
        self.write("docs/page.md", "word " * 30 + "\n")
        self.assert_finds("line-length", "docs/page.md:1", "150 columns")

    def test_tables_code_and_links_in_pages_may_be_long(self):
        long = "word " * 30
        self.write("docs/page.md", f"| {long} |\n\n```sh\n{long}\n```\n\n    {long}\n\n{long} https://example.org\n")
        self.assert_finds_nothing()


class Functions(Rules):
    def test_a_long_function_is_found(self):
        self.write("runtime/base/clock.cpp",
                   "namespace baton {\n\nint Clock::now() const {\n" + "    ++ticks_;\n" * 69 + "}\n}\n")
        self.assert_finds("function-length", "runtime/base/clock.cpp:3", "Clock::now has 71 lines; split it")

    def test_a_long_function_of_python_is_found(self):
        self.write("bench/rows.py", "def rows():\n" + "    print()\n" * 70)
        self.assert_finds("function-length", "bench/rows.py:1", "rows has 71 lines")

    def test_an_index_within_an_index_ends_like_other_brackets(self):
        self.write("runtime/base/clock.cpp",
                   "[[nodiscard]] int first() { return ticks[places[0]]; }\n" + "int next() { return 1; }\n" * 80)
        self.assert_finds_nothing()

    def test_a_table_is_not_a_function(self):
        self.write("runtime/base/clock.cpp", "const std::array<int, 3> ticks = {\n" + "    1,\n" * 100 + "};\n")
        self.assert_finds_nothing()


class Classes(Rules):
    def test_a_class_of_many_members_is_found(self):
        self.write("runtime/base/clock.hpp",
                   "struct Clock {\n" + "".join(f"    int m{i} = 0;\n" for i in range(13)) + "};\n")
        self.assert_finds("class-size", "runtime/base/clock.hpp:1", "Clock has 0 functions and 13 data members")

    def test_a_class_of_many_functions_is_found(self):
        functions = "".join(f"    int f{i}() const {{ return {i}; }}\n    void g{i}(int x);\n" for i in range(13))
        self.write("runtime/base/clock.hpp", f"class Clock : public Base<int> {{\npublic:\n{functions}}};\n")
        self.assert_finds("class-size", "runtime/base/clock.hpp:1", "Clock has 26 functions and 0 data members")

    def test_what_the_compiler_writes_and_constants_do_not_count(self):
        self.write("runtime/base/clock.hpp", """class Clock {
public:
    Clock(const Clock&) = delete;
    static constexpr int ticks_max = 3;
    using Ticks = int;
    friend class Watch;
    explicit Clock(int a) : a_{a}, b_(a) { a_ += 1; }
private:
    int a_;
    std::function<void(int)> b_;
};
""" + "struct Many {\n" + "    static constexpr int x = 0;\n    using Y = int;\n" * 30 + "};\n")
        self.assert_finds_nothing()

    def test_a_python_class_is_counted_without_its_tests(self):
        self.write("tests/x_test.py",
                   "class X:\n" + "".join(f"    def test_{i}(self):\n        pass\n" for i in range(40)))
        self.assert_finds_nothing()
        self.write("bench/x.py", "class X:\n" + "".join(f"    def do_{i}(self):\n        pass\n" for i in range(26)))
        self.assert_finds("class-size", "bench/x.py:1", "X has 26 functions")

    def test_a_large_class_is_listed_with_a_reason(self):
        self.write("runtime/base/clock.hpp",
                   "struct Clock {\n" + "".join(f"    int m{i} = 0;\n" for i in range(13)) + "};\n")
        entry = '[[large_class]]\nfile = "runtime/base/clock.hpp"\nclass = "Clock"\n'
        self.write("tools/house_rules.toml", entry + 'reason = "a record"\n')
        self.assert_finds_nothing()
        self.write("tools/house_rules.toml", entry)
        self.assertIn("has no reason", self.run_it().stderr)

    def test_a_listed_class_that_has_become_small_is_found(self):
        self.write("runtime/base/clock.hpp", "struct Clock {};\n")
        self.write("tools/house_rules.toml",
                   '[[large_class]]\nfile = "runtime/base/clock.hpp"\nclass = "Clock"\nreason = "a record"\n')
        self.assert_finds("class-size", "tools/house_rules.toml:3", "remove it from the list")


class Includes(Rules):
    def test_an_include_of_a_higher_layer_is_found(self):
        self.write("runtime/base/clock.cpp", '#include "runtime/wire/codec.hpp"\n')
        self.assert_finds("include-layers", "runtime/base/clock.cpp:1", "runtime/base may not include runtime/wire")

    def test_an_include_of_a_lower_layer_is_right_also_two_layers_down(self):
        self.write("runtime/inbox/loop.cpp", '#include "runtime/base/clock.hpp"\n#include <baton/ref.hpp>\n')
        self.assert_finds_nothing()

    def test_a_public_header_that_includes_an_internal_one_is_found(self):
        self.write("runtime/include/baton/actor.hpp", '#include <string>\n#include "runtime/base/clock.hpp"\n')
        self.assert_finds("include-layers", "runtime/include/baton/actor.hpp:2", "may include only <baton/...>")

    def test_an_actor_that_looks_into_the_runtime_is_found_unless_it_is_listed(self):
        self.write("actors/greeter/main.cpp", '#include "runtime/inbox/loop.hpp"\n')
        self.assert_finds("include-layers", "actors/greeter/main.cpp:1", "only runtime/ may include this")
        self.write("tools/house_rules.toml",
                   '[[include]]\nfrom = "actors/greeter/*"\nto = "runtime/*"\nreason = "it must"\n')
        self.assert_finds_nothing()

    def test_of_another_actor_only_what_one_may_say_to_it_is_included(self):
        self.write("examples/hello.cpp", '#include "actors/greeter/greeter.hpp"\n#include "actors/greeter/state.hpp"\n')
        self.assert_finds("include-layers", "examples/hello.cpp:2", "actors/greeter/greeter.hpp")

    def test_a_detail_header_is_not_for_users(self):
        self.write("examples/hello.cpp", "#include <baton/detail/codec.hpp>\n")
        self.assert_finds("include-layers", "examples/hello.cpp:1", "baton/detail is for public headers")

    def test_a_user_does_not_name_what_is_in_detail(self):
        self.write("examples/hello.cpp", "#include <baton/actor.hpp>\nbaton::detail::Loop& loop();\n")
        self.assert_finds("include-layers", "examples/hello.cpp:2", "detail::Loop: baton::detail is internal")
        self.write("examples/hello.cpp", "using namespace baton::detail;\n")
        self.assert_finds("include-layers", "examples/hello.cpp:1", "baton::detail is internal")

    def test_others_may_have_a_detail_too(self):
        self.write("examples/hello.cpp", "CLI::detail::cast();  // as baton::detail::cast does\n")
        self.write("runtime/inbox/loop.cpp", "detail::Loop loop;\n")
        self.assert_finds_nothing()

    def test_a_library_has_one_door(self):
        self.write("tools/house_rules.toml", '[doors]\n"zmq." = ["runtime/base/zmq.cpp"]\n')
        self.write("runtime/base/zmq.cpp", "#include <zmq.hpp>\n")
        self.write("runtime/wire/codec.cpp", "#include <zmq.hpp>\n")
        self.assert_finds("include-layers", "runtime/wire/codec.cpp:1",
                          "only runtime/base/zmq.cpp may include this library")


class Pages(Rules):
    def test_an_identifier_that_is_nowhere_is_found(self):
        self.write("runtime/base/clock.hpp", "struct Clock { int now() const; };\n")
        self.write("docs/page.md", "A `Clock` has `Clock::now()` and\n`baton::Clock::later`.\n")
        self.assert_finds("page-identifiers", "docs/page.md:2", "later does not occur in the sources")

    def test_a_file_that_is_not_there_is_found(self):
        self.write("runtime/base/clock.hpp", "")
        self.write("docs/page.md",
                   "`runtime/base/clock.hpp`, `base/clock.hpp`, `actors/NAME/NAME.hpp`\n\n`runtime/clock.hpp`\n")
        self.assert_finds("page-identifiers", "docs/page.md:3", "there is no file runtime/clock.hpp")

    def test_former_words_and_words_of_others_in_a_table_are_not_ours(self):
        self.write("docs/page.md", "| word | former word |\n| --- | --- |\n| a clock | `Watch` |\n")
        self.assert_finds_nothing()
        self.write("docs/page.md", "| former word | word |\n| --- | --- |\n| a clock | `Watch` |\n")
        self.assert_finds("page-identifiers", "docs/page.md:3", "Watch does not occur")

    def test_a_label_that_is_not_documented_is_found(self):
        self.write("docs/testing.md", "| label | what |\n| --- | --- |\n| `unit` | one part |\n")
        self.write("tests/CMakeLists.txt", "baton_test_program(a LABEL unit)\nbaton_python_test(slow a_test.py)\n")
        self.assert_finds("test-labels", "tests/CMakeLists.txt:2", "the label slow is not in the table")


class Commits(Rules):
    def commit(self, subject):
        self.git("commit", "--allow-empty", "-q", "-m", subject)

    def setUp(self):
        super().setUp()
        self.git("init", "-q")
        self.commit("wip")
        self.write("tools/house_rules.toml", f'commits_after = "{self.git("rev-parse", "HEAD")}"\n')

    def found(self):
        return [line for line in self.run_it().stdout.splitlines() if "commit-subjects" in line]

    def test_good_subjects_after_the_base_and_bad_ones_before_it_are_right(self):
        self.commit("base: Tell the time in nanoseconds")
        self.assertEqual(self.found(), [])

    def test_bad_subjects_are_found(self):
        for subject, words in (("base: " + "x" * 67, "73 columns"), ("wip on the clock", "unfinished"),
                               ("fixup! base: Tell the time", "unfinished"),
                               ("Merge branch 'a' into b", "say what the merge")):
            self.commit(subject)
            self.assertIn(words, self.found()[0])

    def test_history_that_a_copy_lacks_is_not_asked_for(self):
        self.commit("base: " + "x" * 67)
        self.write("tools/house_rules.toml", 'commits_after = "0123456789"\n')
        self.assertEqual(self.found(), [])


class Tests(Rules):
    def test_a_sleep_is_found(self):
        self.write("tests/unit/a_test.cpp", "// usleep(1) is no way to wait\nstd::this_thread::sleep_for(1ms);\n")
        self.assert_finds("test-sleeps", "tests/unit/a_test.cpp:2", "tests do not sleep")
        self.write("tests/unit/a_test.cpp", "")
        self.write("tests/process/a_test.py", "import time\ntime.sleep(1)\n")
        self.assert_finds("test-sleeps", "tests/process/a_test.py:2", "tests do not sleep")

    def test_a_turn_for_other_tasks_is_not_a_sleep(self):
        self.write("tests/process/a_test.py", "await asyncio.sleep(0)\n")
        self.assert_finds_nothing()
        self.write("tests/process/a_test.py", "await asyncio." + "sleep(0.1)\n")
        self.assert_finds("test-sleeps", "tests/process/a_test.py:1", "tests do not sleep")

    def test_a_program_called_sleep_is_not_a_sleep(self):
        self.write("tests/process/a_test.py", 'shell("sleep 1000")\n')
        self.assert_finds_nothing()

    def test_an_assertion_that_can_not_fail_is_found(self):
        self.write("tests/unit/a_test.cpp", "\nREQUIRE(" + "true);\n")
        self.assert_finds("test-says-nothing", "tests/unit/a_test.cpp:2", "this cannot fail")

    def test_marks_of_unfinished_work_are_found(self):
        self.write("runtime/base/clock.cpp", "// TODO(perf): read it once\n// FIX" + "ME\n")
        self.assert_finds("left-over", "runtime/base/clock.cpp:2", "fix it now")


class Baseline(Rules):
    LONG = "// " + "x" * 120 + "\n"

    def test_what_is_known_passes_and_what_is_new_fails(self):
        self.write("runtime/base/clock.cpp", self.LONG)
        self.run_it("--write-baseline")
        self.assert_finds_nothing()
        self.write("runtime/base/clock.cpp", self.LONG * 2)
        self.assertEqual(self.run_it().returncode, 1)
        self.write("runtime/base/clock.cpp", "")
        self.assertIn("is too high", self.run_it().stdout)
        self.assertEqual(self.run_it().returncode, 0)


if __name__ == "__main__":
    unittest.main()
