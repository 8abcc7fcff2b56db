"""`import baton` by a Python that can't load it says which one can, and what to run.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/process/wrong_python_test.py

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
WITHOUT_NUMPY = """
import baton
from baton import sync

with baton.session() as session:
    keeper = sync.Keeper(session)
    with keeper.lock("lock") as lock:
        assert lock.is_held
    for kind, number in (("int64", -3), ("uint8", 255), ("float32", 2.5), ("float64", 2.0), ("bool", True)):
        value = keeper.value(kind, number, kind)
        assert (value.value, type(value.value)) == (number, type(number)), kind
        value.value = number
    counter = keeper.value("counter")
    with counter:
        counter.value += 1
    assert counter.value == 1
    try:
        counter.value = 1.5
    except baton.Refused as error:
        assert "expected int64, got 1.5" in str(error)
    array = keeper.array("array", 3, "float64")
    array[1] = 2.0
    assert list(array.array) == [0.0, 2.0, 0.0] and len(array) == 3
    segment = session.create_array((2, 2), "float32")
    with segment.view() as view:
        view[0, 1] = 1.5
        assert view[0, 1] == 1.5
    del array, counter, value
print("used")
"""
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

    def test_without_numpy_all_works_but_what_only_numpy_knows_which_says_so(self):
        with open(os.path.join(self.folder, "numpy.py"), "w", encoding="utf-8") as file:
            file.write("raise ImportError('this NumPy is of another Python')\n")
        path = self.folder + os.pathsep + os.path.dirname(PACKAGE)
        # Segments, locks, values and arrays, as memoryviews.
        used = subprocess.run([sys.executable, "-B", "-c", WITHOUT_NUMPY], env={**os.environ, "PYTHONPATH": path},
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((used.returncode, used.stdout), (0, "used\n"), used.stderr)
        said = self.refusal("from baton import _numbers; _numbers.bits_of('float16', 1.5)", path)
        self.assertTrue(said.startswith("ImportError: a Value of type <f2 needs NumPy, which " + sys.executable), said)
        self.assertIn("apt-get install python3-numpy", said)

    def test_what_is_installed_knows_its_python(self):
        from baton import _built_for
        self.assertEqual(_built_for.VERSION, f"{sys.version_info.major}.{sys.version_info.minor}")
        self.assertTrue(os.access(_built_for.PROGRAM, os.X_OK))
        self.assertEqual(len(glob.glob(PACKAGE + "/_baton.*.so")), 1)


if __name__ == "__main__":
    unittest.main()
