"""Actors that are restarted, from Python: the words of baton.Restart, the roster, and addressing by name.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_restarts_test.py

BATON_PROGRAMS holds probe (tests/process/probe.hpp). Nothing sleeps: waits end with an answer or an exit, and the
watchdog is that of ctest.
"""
import os
import signal
import unittest

import baton
from python_world import World, coordinator_of

PATIENCE = 60.0
AT_ONCE = baton.Restart(restarts_max=3, period=3600.0, back_off_first=0.0, back_off_most=0.0)


class Restarts(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def row(self, name):
        return next((row for row in self.session.actors() if row.name == name), None)

    def test_a_name_leads_to_each_life_of_an_actor(self):
        first = self.session.spawn("probe", name="alice", restart=AT_ONCE)
        alice = self.session.named("alice")
        self.assertEqual(alice.ask("Echo", text="1", timeout=PATIENCE), "1")
        first.kill()
        exit = first.join(timeout=PATIENCE)
        self.assertEqual((exit.kind, exit.restarts_in), ("signalled", 0.0))
        self.assertEqual(alice.ask("Echo", text="2", timeout=PATIENCE), "2")
        self.assertEqual(alice.last.number, first.number)
        self.assertEqual(alice.last.incarnation, first.incarnation + 1)
        restarts = self.row("alice").restarts
        self.assertEqual((restarts.policy, restarts.restarts, restarts.recent, restarts.restarts_max, restarts.due_in,
                          restarts.strategy, restarts.failure),
                         ("on_failure", 1, 1, 3, None, "one_for_one", "signal -9 (Killed)"))

    def test_a_name_costs_no_message_while_its_life_lasts(self):
        self.session.spawn("probe", name="alice", restart=AT_ONCE)
        alice = self.session.named("alice")
        alice.send("Count", ballast="")
        coordinator = coordinator_of(self.session)
        os.kill(coordinator, signal.SIGSTOP)
        try:
            for _ in range(20):
                alice.send("Count", ballast="", timeout=PATIENCE)
            self.assertEqual(alice.ask("HowMany", timeout=PATIENCE), 21)
        finally:
            os.kill(coordinator, signal.SIGCONT)

    def test_an_ask_in_progress_ends_as_gone_and_is_not_asked_of_the_next_life(self):
        self.session.spawn("probe", name="alice", restart=AT_ONCE)
        alice = self.session.named("alice")
        later = alice.request("AnswerLater", timeout=PATIENCE)
        with self.assertRaises(baton.Gone):
            alice.ask("Abort", timeout=PATIENCE)
        with self.assertRaises(baton.Gone):
            later.get(PATIENCE)
        self.assertEqual(alice.ask("Echo", text="!", timeout=PATIENCE), "!")
        self.assertEqual(self.row("alice").handled, 1)

    def test_a_group_is_restarted_together(self):
        how = baton.Restart(restarts_max=3, period=3600.0, back_off_first=0.0, back_off_most=0.0, group="stages",
                            strategy="one_for_all")
        alice, bob = self.session.spawn("probe", names=["alice", "bob"], restart=how)
        alice.kill()
        self.assertEqual(bob.join(timeout=PATIENCE).kind, "stopped")
        for name, first in (("alice", alice), ("bob", bob)):
            named = self.session.named(name)
            self.assertEqual(named.ask("Echo", text=name, timeout=PATIENCE), name)
            self.assertEqual(named.last.incarnation, first.incarnation + 1)

    def test_a_session_whose_actor_fails_too_often_says_so_at_its_end(self):
        session = baton.session()
        actor = session.spawn("probe", name="alice", restart=baton.Restart(restarts_max=0))
        actor.kill()
        self.assertIsNone(actor.join(timeout=PATIENCE).restarts_in)
        self.assertRaisesText(baton.Failed, "more often than it may be restarted", session.close)

    def test_one_that_is_hung_is_killed_if_its_spawner_wants_that(self):
        actor = self.session.spawn("probe", name="alice", hung_after=0.2, kill_hung=True)
        with self.assertRaises(baton.Gone):
            actor.ask("Hang", timeout=PATIENCE)
        exit = actor.join(timeout=PATIENCE)
        self.assertEqual(exit.code, signal.SIGKILL)
        self.assertIn("hung: it has handled Hang", exit.text)

    def test_what_is_not_possible_is_refused(self):
        self.assertRaisesText(baton.Refused, "limits::restarts_max", self.session.spawn, "probe",
                              restart=baton.Restart(restarts_max=33))
        self.assertRaisesText(ValueError, "on_failure", self.session.spawn, "probe",
                              restart=baton.Restart(policy="sometimes"))
        self.assertRaisesText(baton.Gone, "nobody", self.session.named("nobody").send, "Echo", text="?")


if __name__ == "__main__":
    unittest.main()
