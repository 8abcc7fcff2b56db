"""A script that keeps answers and says what for: circles of waits through it are found.

    BATON_PROGRAMS=build/dev/bin:build/dev/tests PYTHONPATH=build/dev/python \
        /usr/bin/python3 tests/process/python_kept_answers_test.py

Method: Plato asks the script, which keeps the answer until Kant goes on, and Kant asks Plato. The script only looks,
and never waits for an answer: otherwise it would be part of the circle itself.
"""
import dataclasses
import unittest

from python_world import World

import baton


@dataclasses.dataclass
class KeepFor:
    whom: baton.Ref


keeper = baton.Commands("keeper")


@keeper.on
def keep_for(command: KeepFor) -> str:
    raise NotImplementedError("it is collected")


class Kept(World):
    def setUp(self):
        super().setUp()
        self.session = self.open(name="keeper", protocol=keeper)
        self.plato, self.kant, self.hume = self.session.spawn("probe", names=["Plato", "Kant", "Hume"], progress=False)
        self.asked = self.plato.request("AskToKeep", other=self.session.address, whom=self.kant)
        self.kept = self.session.collect("KeepFor", count=1, timeout=10.0)[0]

    def kant_asks_plato(self):
        return self.kant.request("AskToKeep", other=self.plato, whom=self.kant)

    def is_answered_in_time(self, pending, seconds):
        ends = baton.Deadline(seconds)
        while not pending.ready() and ends.left() > 0:
            self.session.collect("Nothing", count=1, timeout=0.05)
        return pending.ready()

    def test_a_circle_through_a_kept_answer_is_a_deadlock_for_one_of_those_who_wait(self):
        self.kept.waits_for(self.kant)
        pending = self.kant_asks_plato()
        self.assertTrue(self.is_answered_in_time(pending, 10.0))
        self.assertRegex(pending.get(), "^deadlock: .*Plato waits for an answer that keeper keeps until Kant goes on")
        self.kept.reply("go on")
        self.assertEqual(self.asked.get(timeout=10.0), "go on")

    def test_a_command_that_comes_takes_the_word_back_until_it_is_said_again(self):
        self.kept.waits_for(self.kant)
        asked = self.hume.request("AskToKeep", other=self.session.address, whom=self.hume)
        other = self.session.collect("KeepFor", count=1, timeout=10.0)[0]
        pending = self.kant_asks_plato()
        # Ten times as long as one who waits takes to look.
        self.assertFalse(self.is_answered_in_time(pending, 1.0))
        self.kept.waits_for(self.kant)
        self.assertTrue(self.is_answered_in_time(pending, 10.0))
        self.assertRegex(pending.get(), "^deadlock: ")
        other.reply("you too")
        self.assertEqual(asked.get(timeout=10.0), "you too")

    def test_only_what_is_asked_and_not_answered_can_wait_for_somebody(self):
        self.kept.reply("at once")
        with self.assertRaisesRegex(baton.Refused, "KeepFor has been answered already"):
            self.kept.waits_for(self.kant)
        with self.assertRaisesRegex(baton.Refused, "was sent, not asked"):
            baton.Message("Tell", "Kant", self.kant, None, None).waits_for(self.kant)


if __name__ == "__main__":
    unittest.main()
