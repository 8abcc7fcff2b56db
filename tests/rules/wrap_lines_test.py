"""tools/wrap_lines.py breaks long lines where a reader would, and changes nothing else.

    /usr/bin/python3 tests/rules/wrap_lines_test.py
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "wrap_lines.py")
WORDS = "word " * 22


class Wrapping(unittest.TestCase):
    def wrapped(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            subprocess.run([sys.executable, "-B", SCRIPT, path], check=True, timeout=60)
            with open(path, encoding="utf-8") as file:
                said = file.read()
        self.assertLessEqual(max(map(len, said.splitlines())), 120)
        return said

    def test_a_comment_is_filled_up_to_the_end_of_its_paragraph(self):
        said = self.wrapped("a.cmake", f"# {WORDS}and more of it,\n# which goes on.\n#\n# Another one.\n")
        self.assertEqual(said, f"# {WORDS}and more\n# of it, which goes on.\n#\n# Another one.\n")

    def test_an_item_of_a_list_is_not_joined_to_the_line_before(self):
        said = self.wrapped("a.cmake", f"# {WORDS}and more of it\n# - an item\n")
        self.assertEqual(said, f"# {WORDS}and more\n# of it\n# - an item\n")

    def test_a_call_of_python_is_broken_at_a_comma_of_the_outermost_brackets(self):
        first, second = "'" + "x" * 60 + "'", "'" + "y" * 60 + "'"
        self.assertEqual(self.wrapped("a.py", f"call(make({first}, 1), {second})\n"),
                         f"call(make({first}, 1),\n     {second})\n")

    def test_a_command_of_cmake_is_broken_before_a_keyword_not_behind_it(self):
        self.assertEqual(self.wrapped("CMakeLists.txt", f"call({'x' * 108} LINKS baton::session)\n"),
                         f"call({'x' * 108}\n  LINKS baton::session)\n")

    def test_a_comment_behind_a_command_of_cmake_goes_before_it(self):
        self.assertEqual(self.wrapped("CMakeLists.txt", f"call({'x' * 100} x)  # why it does that\n"),
                         f"# why it does that\ncall({'x' * 100} x)\n")

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_a_comment_behind_a_statement_of_cpp_goes_before_it(self):
        said = self.wrapped("a.cpp", f"void f() {{\n    call({'x' * 80});  // {WORDS[:60]}end\n}}\n")
        self.assertEqual(said, f"void f() {{\n    // {WORDS[:60]}end\n    call({'x' * 80});\n}}\n")


if __name__ == "__main__":
    unittest.main()
