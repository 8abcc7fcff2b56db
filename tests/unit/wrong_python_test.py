"""`import baton` by a Python that can't load it says which one can, and what to run.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/unit/wrong_python_test.py

Method: copies of the package whose compiled part is missing, broken or of another version, each in an isolated process.
"""
import glob
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PACKAGE = os.path.dirname(importlib.util.find_spec("baton").origin)
OTHER_VERSION = "VERSION = \"3.1\"\n"


class WrongPython(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="baton-")
        self.addCleanup(shutil.rmtree, self.folder)

    def copy(self, extension=None, content=b"", built_for=""):
        """The Python files of the package, without its compiled part or with another one."""
        target = os.path.join(self.folder, "baton")
        shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("_baton*.so", "__pycache__"))
        with open(os.path.join(target, "_built_for.py"), "a", encoding="utf-8") as file:
            file.write(built_for)
        if extension:
            with open(os.path.join(target, extension), "wb") as file:
                file.write(content)

    def refusal(self, code, path):
        """The last line of what a Python says that fails to run this."""
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-B", "-c", code], env=environment, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr.strip().splitlines()[-1]

    def test_a_python_of_another_version_is_told_which_one_it_was_built_for(self):
        self.copy("_baton.cpython-31-x86_64-linux-gnu.so", built_for=OTHER_VERSION)
        said = self.refusal("import baton", self.folder)
        self.assertTrue(said.startswith("ImportError: import baton: the module in "), said)
        self.assertIn("was built for /usr/bin/python3 (Python 3.1), and this is ", said)
        self.assertIn(f"this is {sys.executable} (Python {sys.version_info.major}.{sys.version_info.minor})", said)
        self.assertIn("Run the script with /usr/bin/python3, or build Baton for this Python: "
                      f"cmake --preset release -D Python3_EXECUTABLE={sys.executable} "
                      "&& cmake --build --preset release", said)

    def test_any_part_of_the_package_says_so(self):
        self.copy(built_for=OTHER_VERSION)
        for code in ("import baton.sync", "from baton import session"):
            self.assertIn("was built for /usr/bin/python3 (Python 3.1)", self.refusal(code, self.folder))

    def test_a_package_without_its_compiled_part_says_how_to_build_it(self):
        self.copy()
        said = self.refusal("import baton", self.folder)
        self.assertIn("has no compiled part", said)
        self.assertIn("./dev build", said)

    def test_a_compiled_part_that_cannot_be_loaded_keeps_the_reason(self):
        self.copy("_baton" + importlib.machinery.EXTENSION_SUFFIXES[0], b"this is no library")
        said = self.refusal("import baton", self.folder)
        self.assertIn("can't be loaded by", said)
        self.assertIn("file too short", said)
        self.assertIn("./dev setup", said)

    def test_without_numpy_all_but_sync_works_and_sync_says_what_it_needs(self):
        with open(os.path.join(self.folder, "numpy.py"), "w", encoding="utf-8") as file:
            file.write("raise ImportError('this NumPy is of another Python')\n")
        path = self.folder + os.pathsep + os.path.dirname(PACKAGE)
        said = self.refusal("import baton; baton.Segment; import baton.sync", path)
        self.assertTrue(said.startswith("ImportError: baton.sync needs NumPy, which " + sys.executable), said)
        self.assertIn("(this NumPy is of another Python)", said)
        self.assertIn("apt-get install python3-numpy", said)

    def test_what_is_installed_knows_its_python(self):
        from baton import _built_for
        self.assertEqual(_built_for.VERSION, f"{sys.version_info.major}.{sys.version_info.minor}")
        self.assertTrue(os.access(_built_for.PROGRAM, os.X_OK))
        self.assertEqual(len(glob.glob(PACKAGE + "/_baton.*.so")), 1)


if __name__ == "__main__":
    unittest.main()
