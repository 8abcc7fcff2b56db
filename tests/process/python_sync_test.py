"""baton.sync: scripts and C++ actors with the same locks, barriers, queues; what a script gives up is given back.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_sync_test.py

BATON_PROGRAMS holds sync, and player (tests/process/sync/player.hpp). Nothing sleeps.
"""
import os
import signal
import sys
import unittest

import baton
from baton import sync

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import leftovers  # noqa: E402


class SyncTest(unittest.TestCase):
    def setUp(self):
        self.place = leftovers.Place()
        self.addCleanup(self.place.require_nothing, self)
        os.environ["XDG_RUNTIME_DIR"] = self.place.folder
        self.session = baton.session()
        self.session.__enter__()
        self.addCleanup(self.session.close)
        self.keeper = sync.Keeper(self.session)

    def player(self, name):
        return self.session.spawn("player", name=name)

    def begin(self, player, verb, what, milliseconds=10_000, number=0, lock=None):
        nowhere = {"keeper": what.address.keeper, "number": 0, "name": ""}
        return player.request("Do", verb=verb, what=what.address, milliseconds=milliseconds, number=number,
                              lock=nowhere if lock is None else lock.address)

    def tell(self, *command, **fields):
        return self.begin(*command, **fields).get(20)

    def until_waiting(self, primitive, count=1):
        while primitive.waiting < count:
            pass

    def test_a_lock_is_shared_with_actors_and_survives_their_death(self):
        alice = self.player("alice")
        lock = self.keeper.lock("printer")
        with lock:
            self.assertRegex(self.tell(alice, "acquire", lock, 50), "^timed_out: alice waited 50 ms for lock 'printer'")
            self.assertRaises(baton.Refused, lock.acquire)
        self.assertRaises(baton.Refused, lock.release)
        self.assertEqual(self.tell(alice, "acquire", lock), "ok")
        self.assertRaisesRegex(baton.TimedOut, "printer", lock.acquire, 0.05)
        alice.kill()
        with sync.Lock(self.session, lock.address) as mine:
            self.assertEqual(mine.dead_owner, "alice")
        with self.keeper.recursive_lock("nested") as nested, nested:
            pass
        self.assertFalse(nested.is_held)

    def test_a_grant_that_crosses_a_withdrawal_is_given_back(self):
        alice = self.player("alice")
        lock = self.keeper.lock("printer")
        os.kill(self.keeper.actor.pid, signal.SIGSTOP)
        self.assertRaises(baton.TimedOut, lock.acquire, 0.05)
        os.kill(self.keeper.actor.pid, signal.SIGCONT)
        self.assertEqual(self.tell(alice, "acquire", lock), "ok")

    def test_conditions_events_latches_and_semaphores(self):
        alice = self.player("alice")
        lock = self.keeper.lock("lock")
        fed = self.keeper.condition(lock, "fed")
        self.assertRaises(baton.Refused, fed.wait)
        self.assertEqual(self.tell(alice, "acquire", lock), "ok")
        waits = self.begin(alice, "wait", fed, lock=lock)
        self.until_waiting(fed)
        with lock:
            self.assertRaises(baton.TimedOut, fed.wait, 0.02)
            self.assertEqual(fed.notify_all(), 1)
        self.assertEqual(waits.get(5), "ok")
        event = self.keeper.event("rain")
        self.assertRaises(baton.TimedOut, event.wait, 0.02)
        event.set()
        event.wait()
        self.assertTrue(event.is_set())
        event.clear()
        latch = self.keeper.latch("loaded", 2)
        self.assertEqual((latch.count_down(), latch.left), (1, 1))
        latch.count_down()
        latch.wait()
        semaphore = self.keeper.semaphore("one")
        with semaphore:
            self.assertEqual(semaphore.free, 0)
        self.assertRaisesRegex(baton.Refused, "all of its 1 permits", semaphore.release)

    def test_a_barrier_with_a_dead_member_names_it(self):
        alice, bob = self.player("alice"), self.player("bob")
        actions = []
        start = self.keeper.barrier("start", members=[self.session.address, alice], action=lambda: actions.append(1))
        arrives = self.begin(alice, "arrive", start)
        self.until_waiting(start)
        self.assertEqual(start.wait(), 1)
        self.assertEqual((arrives.get(5), actions), ("ok 0", [1]))
        self.assertRegex(self.tell(bob, "arrive", start), "bob is not a member")
        alice.kill()
        self.assertRaisesRegex(baton.Refused, "barrier 'start' is broken: alice has exited", start.wait)
        start.reset()
        self.assertEqual(start.wait(), 0)

    def test_values_and_arrays_are_memory(self):
        counter = self.keeper.value("counter", 40)
        with counter:
            counter.value += 2
        self.assertEqual(sync.Value(self.session, counter.address).value, 42)
        self.assertEqual(self.keeper.value("half", 0.5, "float64").value, 0.5)
        array = self.keeper.array("array", 5, "int32")
        array[3] = 7
        self.assertEqual(list(sync.Array(self.session, array.address)), [0, 0, 0, 7, 0])
        self.assertEqual(len(array), 5)

    def test_queues_and_channels_carry_values_between_python_and_actors(self):
        alice = self.player("alice")
        jobs = self.keeper.queue("jobs")
        self.assertEqual(self.tell(alice, "put", jobs, number=5), "ok")
        self.assertEqual((jobs.qsize(), jobs.get(), jobs.empty()), (1, 5, True))
        self.assertRaises(baton.TimedOut, jobs.join, 0.02)
        jobs.task_done()
        jobs.join()
        self.assertRaises(baton.Refused, jobs.task_done)
        for value in (6, {"a": [1, 2.5, None]}, b"bytes", "größer"):
            jobs.put(value)
        self.assertEqual(self.tell(alice, "get", jobs), "ok 6")
        self.assertEqual(jobs.get().a, [1, 2.5, None])
        self.assertEqual([jobs.get(), jobs.get()], [b"bytes", "größer"])
        self.assertRaises(baton.Refused, jobs.put, object())

        mine, other = self.keeper.channel("talk")
        self.assertFalse(mine.poll(0.02))
        mine.send(9)
        self.assertEqual(self.tell(alice, "hear", other), "ok 9")
        self.assertEqual(self.tell(alice, "say", other, number=10), "ok")
        self.assertTrue(mine.poll())
        alice.kill()
        self.assertEqual(mine.recv(), 10)
        self.assertRaisesRegex(baton.Gone, "alice has exited: signal -9", mine.recv)


if __name__ == "__main__":
    unittest.main()
