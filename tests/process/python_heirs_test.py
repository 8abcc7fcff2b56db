"""Heirs in Python: what a script leaves when it dies, and what it receives from an owner that has died.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_heirs_test.py

BATON_PROGRAMS holds family (tests/process/family.hpp). Nothing sleeps.
"""
import signal
import unittest

import baton
from python_world import World

PATIENCE = 60


class Heirs(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def relative(self, name, *arguments):
        return self.session.spawn("family", name=name, args=list(arguments))

    def item(self, actor, label):
        """What the actor has under that label, when it has it."""
        while True:
            for item in actor.ask("Has", timeout=PATIENCE):
                if item.label == label:
                    return item

    def test_a_script_receives_what_a_dead_actor_has_left_to_it(self):
        owner = self.relative("owner")
        with self.assertRaises(baton.TimedOut) as nothing:
            self.session.inherited("table")
        self.assertIn("nobody has left 'table'", str(nothing.exception))
        for value, label in ((7, "table"), (8, "index")):
            own = owner.ask("Own", value=value, heirs=[self.session.address], label=label, next_life=False)
            self.assertEqual(own, "")
        owner.kill()
        index = self.session.inherited("index", timeout=PATIENCE)
        table = self.session.inherited(timeout=PATIENCE)
        self.assertEqual((table.label, table.owner_name, table.was_written), ("table", "owner", True))
        self.assertEqual(table.owner, owner)
        self.assertEqual(table.segment.shape, (1000,))
        with memoryview(table.segment) as view:
            self.assertEqual(set(view.tolist()), {7})
        with memoryview(index.segment) as view:
            self.assertEqual(set(view.tolist()), {8})
        for one in (table, index):
            one.segment.release()

    def test_an_actor_receives_what_a_script_has_left_that_was_killed(self):
        heir = self.relative("heir")
        script = self.script(f"""
            import os, signal, baton
            session = baton.session(join={self.session.id!r})
            heir = session.find("heir")
            for label in ("table", "lent"):
                segment = session.create_array(1000, "int64")
                with memoryview(segment) as view:
                    for index in range(1000):
                        view[index] = 5
                if label == "lent":
                    lent = segment.lend()
                    lent.name_heirs([heir], label)
                else:
                    table = segment
                    table.name_heirs([heir], label="first")
                    table.name_heirs([heir], label=label)
            os.kill(os.getpid(), signal.SIGKILL)
        """)
        self.assertEqual(script.wait(), -signal.SIGKILL)
        for label, was_written in (("table", True), ("lent", False)):
            item = self.item(heir, label)
            self.assertTrue(item.is_whole)
            self.assertEqual(item.was_written, was_written)
        heir.ask("LetGo")

    def test_what_nobody_inherits_stands_in_the_exit_of_its_owner(self):
        owner = self.relative("owner")
        unwilling = self.relative("unwilling", "declines")
        self.assertEqual(owner.ask("Own", value=7, heirs=[unwilling], label="table", next_life=False), "")
        owner.kill()
        said = ""
        while not said:
            said = next((row.exit.unclaimed for row in self.session.actors(exited=True)
                         if row.name == "owner" and row.exit is not None), "")
        self.assertEqual(said, "'table': 1 segments (8000 bytes)")

    def test_heirs_that_cannot_be_are_refused(self):
        segment = self.session.create_segment(100)
        heir = self.relative("heir")
        self.assertRaisesText(baton.Refused, "its own heir", segment.name_heirs, [self.session.address])
        self.assertRaisesText(baton.Refused, "limits::heirs_max", segment.name_heirs, [heir] * 5)
        self.assertRaisesText(baton.Refused, "limits::heir_label_bytes_max", segment.name_heirs, [heir], "x" * 49)
        segment.name_heirs([heir])
        segment.name_heirs([])
        segment.release()
        self.assertRaisesText(baton.Refused, "empty", segment.name_heirs, [heir])


if __name__ == "__main__":
    unittest.main()
