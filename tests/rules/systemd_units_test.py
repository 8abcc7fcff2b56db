"""The units of docs/systemd.md, as systemd itself reads them.

    /usr/bin/python3 tests/rules/systemd_units_test.py
"""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "systemd.md")


def units():
    """By their names: what stands behind "# PATH" in the page."""
    with open(PAGE, encoding="utf-8") as file:
        blocks = re.findall(r"^```ini\n# (\S+)\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE)
    return dict(blocks)


class Units(unittest.TestCase):
    def setUp(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        self.folder = tempfile.mkdtemp(prefix="b", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder)

    def complaints(self, text):
        path = f"{self.folder}/pipeline.service"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/bin/baton", "/bin/true"))  # which is not installed here
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        if "Failed to initialize manager" in done.stderr:
            self.skipTest(f"systemd-analyze does not run here: {done.stderr.strip()}")
        return done.stdout + done.stderr

    def test_systemd_has_nothing_to_say_about_the_units_of_the_page(self):
        found = units()
        self.assertEqual(len(found), 2)
        for path, text in found.items():
            with self.subTest(unit=path):
                self.assertEqual(self.complaints(text), "")

    def test_a_wrong_setting_would_be_seen(self):
        for text in units().values():
            self.assertIn("Failed to parse", self.complaints(text.replace("KillMode=mixed", "KillMode=mixe")))

    def test_systemd_waits_longer_than_a_stop_may_take(self):
        for path, text in units().items():
            with self.subTest(unit=path):
                stop = int(re.search(r"--stop-timeout=(\d+)", text)[1])
                self.assertGreater(int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1]), stop)


if __name__ == "__main__":
    unittest.main()
