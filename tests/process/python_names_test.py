"""Segments that are found by name, from Python: nobody is asked, and of several at once the ledger lets one create.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_names_test.py

Nothing sleeps.
"""
import json
import os
import signal
import subprocess
import sys
import textwrap
import unittest

import baton
from python_world import World


class Names(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def start(self, body):
        """A script of its own process, which joins the session."""
        head = f"import os, sys, baton\nsession = baton.session(join={self.session.id!r})\n"
        process = subprocess.Popen([sys.executable, "-u", "-c", head + textwrap.dedent(body)], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def said_by(self, body):
        process = self.start(body)
        out, _ = process.communicate()
        self.assertEqual(process.returncode, 0)
        return out

    def bytes_of(self, held):
        view = memoryview(held).cast("B")
        try:
            return bytes(view)
        finally:
            view.release()

    def test_who_knows_the_name_reads_while_the_owner_does_something_else(self):
        lent = self.session.array_from(bytes([1, 2, 3])).lend()
        self.session.publish("board", lent)
        # This script waits for the other one, and answers nothing.
        said = self.said_by("""
            lease = session.attach("board")
            print(type(lease).__name__, bytes(memoryview(lease)), memoryview(lease).readonly)
            """)
        self.assertEqual(said, "Lease b'\\x01\\x02\\x03' True\n")
        self.assertEqual(self.bytes_of(lent.reclaim()), bytes([1, 2, 3]))

    def test_a_name_is_one_segments_and_the_second_is_told_who_has_it(self):
        first, second = (self.session.create_segment(5).lend() for _ in range(2))
        first.publish("board")
        self.assertRaisesText(baton.Refused, "the name 'board' is taken: actor", second.publish, "board")
        self.assertRaisesText(baton.Refused, "is published as 'board' already", first.publish, "other")
        first.withdraw()
        second.publish("board")
        self.assertRaises(baton.Refused, first.publish, "a\nb")
        self.assertRaises(baton.Gone, self.session.attach, "nobody's")
        self.assertRaisesText(baton.Refused, "nobody may write it", second.slice, 0, 1)

    def test_what_is_shared_is_written_from_both_sides(self):
        numbers, lent = self.session.create_or_attach("numbers", 4, "int64")
        self.assertIsInstance(lent, baton.Loan)
        self.assertEqual(self.bytes_of(numbers), bytes(32))
        with numbers.view() as array:
            array[0] = 7
        said = self.said_by("""
            numbers, lent = session.create_or_attach("numbers", 4, "int64")
            view = memoryview(numbers)
            print(lent, view[0])
            view[1] = 8
            view.release()
            """)
        self.assertEqual(said, "None 7\n")
        self.assertEqual(memoryview(numbers).tolist(), [7, 8, 0, 0])
        self.assertRaisesText(baton.Refused, "is int64[4], not int64[5]", self.session.create_or_attach, "numbers", 5,
                              "int64")

    def test_of_several_at_once_one_creates_and_the_others_attach(self):
        scripts = [self.start(f"""
            print("ready")
            os.read(0, 1)
            numbers, lent = session.create_or_attach("race", 8, "uint8")
            view = memoryview(numbers)
            view[{index}] = {index} + 1
            view.release()
            print("created" if lent else "attached")
            os.read(0, 1)
            print(list(memoryview(numbers)))
            """) for index in range(4)]
        for script in scripts:
            self.assertEqual(script.stdout.readline(), "ready\n")
        for script in scripts:
            script.stdin.write("x")
            script.stdin.flush()
        self.assertEqual(sorted(script.stdout.readline() for script in scripts), ["attached\n"] * 3 + ["created\n"])
        for script in scripts:
            self.assertEqual(script.communicate("x")[0], "[1, 2, 3, 4, 0, 0, 0, 0]\n")
            self.assertEqual(script.returncode, 0)

    def test_a_dead_owners_name_is_free_again_and_who_has_attached_keeps_what_it_has(self):
        owner = self.start("""
            lent = session.array_from(b"kept").lend()
            lent.publish("board")
            print("published")
            os.read(0, 1)
            """)
        self.assertEqual(owner.stdout.readline(), "published\n")
        seen = self.session.attach("board")
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        mine = self.session.array_from(b"mine").lend()
        while True:
            try:
                mine.publish("board")
                break
            except baton.Refused as error:  # its death has not been settled yet
                self.assertIn("is taken", str(error))
        self.assertEqual(self.bytes_of(seen), b"kept")
        self.assertEqual(self.bytes_of(self.session.attach("board")), b"mine")

    def test_the_list_of_segments_shows_the_name(self):
        lent = self.session.create_segment(5).lend()
        lent.publish("board")
        program = f"{os.path.dirname(os.path.abspath(baton.__file__))}/../../bin/baton"
        said = subprocess.run([program, "segments", "--json", "--session", self.session.id], capture_output=True,
                              text=True,
                              check=True)
        row, = json.loads(said.stdout)["segments"]
        self.assertEqual((row["name"], row["state"]), ("board", "lent"))

    def test_an_attach_waits_until_something_is_published(self):
        reader = self.start("""
            print("ready")
            print(bytes(memoryview(session.attach("late", timeout=30))))
            """)
        self.assertEqual(reader.stdout.readline(), "ready\n")
        lent = self.session.array_from(b"at last").lend()
        lent.publish("late")
        self.assertEqual(reader.communicate()[0], "b'at last'\n")
        del lent


if __name__ == "__main__":
    unittest.main()
