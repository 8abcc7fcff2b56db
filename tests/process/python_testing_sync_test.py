"""baton.sync in a test world: the same classes, without a keeper's process.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/process/python_testing_sync_test.py

Method: a script holds, waits and gives as scripts do, and a peer of the test does the other half, at the world's clock.
No process is started.
"""
import dataclasses
import inspect
import unittest

import baton
import baton.testing
from baton import _testing_sync, sync


@dataclasses.dataclass
class Ping:
    pass


other = baton.Commands("other")


@other.on
def ping(command: Ping) -> str:
    return "pong"


class Synced(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(baton.testing.World())
        self.session = self.world.session
        self.keeper = sync.Keeper(self.session)
        self.alice = self.world.peer("Alice", other)

    def of_alice(self, handle):
        """Alice's handle of the same primitive."""
        return type(handle)._stands_for(self.alice.session, handle.address)


class Handles(Synced):
    def test_a_handle_is_of_the_class_that_it_is_in_a_session(self):
        lock = self.keeper.lock("printer")
        self.assertIsInstance(lock, sync.Lock)
        self.assertNotIsInstance(lock, sync.RecursiveLock)
        self.assertIsInstance(self.keeper.value("n", 1), sync.Lock)
        self.assertEqual((lock.name, repr(lock)), ("printer", "<baton.sync.Lock 'printer'>"))
        self.assertEqual(self.keeper.actor.name, "sync")

    def test_every_word_of_the_extension_is_there_with_the_same_parameters(self):
        for real, played in _testing_sync.HANDLES.items():
            words = {word for word in dir(real) if not word.startswith("_")} - set(dir(real.__mro__[1]))
            self.assertEqual(words, {word for word in dir(played) if not word.startswith("_")}, real)
            for word in words:
                if not isinstance(vars(real)[word], property):
                    wanted = vars(real)[word].__doc__.split("\n")[0]
                    for name in list(inspect.signature(vars(played)[word]).parameters)[1:]:
                        self.assertIn(name, wanted)

    def test_an_address_travels(self):
        event = self.keeper.event("ready")
        self.of_alice(event).set()
        self.assertTrue(sync.Event(self.session, event.address).is_set())

    def test_a_primitive_that_is_removed_is_gone(self):
        event = self.keeper.event("ready")
        self.world.after(1.0, self.of_alice(event).remove)
        with self.assertRaisesRegex(baton.Gone, "event 'ready' was removed by Alice"):
            event.wait(timeout=5.0)
        with self.assertRaisesRegex(baton.Gone, "event 'ready' was removed by Alice"):
            event.is_set()


class Locks(Synced):
    def test_a_lock_is_held_in_a_block(self):
        lock = self.keeper.lock("printer")
        with lock:
            self.assertTrue(lock.is_held)
            with self.assertRaisesRegex(baton.TimedOut, "waited 2 s for <baton.sync.Lock 'printer'>, in vain"):
                self.of_alice(lock).acquire(timeout=2.0)
        self.assertFalse(lock.is_held)
        self.assertEqual(self.world.now, 2.0)
        self.of_alice(lock).acquire()

    def test_a_lock_that_is_held_already_is_refused_and_a_recursive_one_is_not(self):
        lock, nests = self.keeper.lock("a"), self.keeper.recursive_lock("b")
        with lock, self.assertRaisesRegex(baton.Refused, "is held already: this would wait for itself"):
            lock.acquire()
        with nests, nests:
            nests.release()
            self.assertTrue(nests.is_held)
        self.assertFalse(nests.is_held)
        with self.assertRaisesRegex(baton.Refused, "lock 'a' is not held by the client that releases it"):
            lock.release()

    def test_a_lock_is_passed_on_in_the_middle_of_a_wait(self):
        lock = self.keeper.lock("printer")
        hers = self.of_alice(lock)
        hers.acquire()
        self.world.after(3.0, hers.release)
        lock.acquire(timeout=5.0)
        self.assertEqual((self.world.now, lock.dead_owner, lock.waiting), (3.0, "", 0))

    def test_the_next_owner_is_told_that_the_last_one_died(self):
        lock = self.keeper.lock("printer")
        self.of_alice(lock).acquire()
        self.world.after(1.0, self.alice.kill)
        with lock:
            self.assertEqual((lock.dead_owner, lock.owner_died), ("Alice", True))

    def test_a_condition_is_notified_by_another(self):
        lock = self.keeper.lock("pot")
        full = self.keeper.condition(lock, "full")
        hers = self.of_alice(lock)
        told = []

        def notify():
            with hers:
                told.append(sync.Condition(self.alice.session, full.address, hers).notify())

        self.world.after(1.0, notify)
        with self.assertRaisesRegex(baton.Refused, "is waited for without holding"):
            full.wait()
        with lock:
            full.wait(timeout=2.0)
            self.assertTrue(lock.is_held)
            with self.assertRaises(baton.TimedOut):
                full.wait(timeout=2.0)
            self.assertTrue(lock.is_held)
        self.assertEqual((told, self.world.now), ([1], 3.0))

    def test_a_value_counts_and_an_array_holds(self):
        counter = self.keeper.value("n", 40)
        with counter:
            counter.value += 1
        self.assertEqual(sync.Value(self.alice.session, counter.address).update(lambda n: n + 1), 42)
        self.assertEqual(counter.value, 42)
        marks = self.keeper.array("marks", 3, "float64")
        marks[1] = 2.5
        self.assertEqual(list(sync.Array(self.alice.session, marks.address)), [0.0, 2.5, 0.0])


class Meetings(Synced):
    def test_a_wait_for_an_event_ends_when_somebody_sets_it(self):
        event = self.keeper.event("ready")
        self.world.after(4.0, self.of_alice(event).set)
        event.wait(timeout=10.0)
        self.assertEqual(self.world.now, 4.0)
        event.clear()
        with self.assertRaises(baton.TimedOut):
            event.wait(timeout=1.0)

    def test_a_semaphore_has_its_permits(self):
        seats = self.keeper.bounded_semaphore("seats", 1)
        with seats:
            self.assertEqual(seats.free, 0)
            with self.assertRaises(baton.TimedOut):
                self.of_alice(seats).acquire(timeout=1.0)
        with self.assertRaisesRegex(baton.Refused, "has all of its 1 permits"):
            seats.release()
        self.of_alice(seats).acquire()
        self.alice.kill()
        self.assertEqual(seats.free, 1)

    def test_a_barrier_opens_when_all_have_come_and_breaks_when_one_dies(self):
        runs = []
        start = self.keeper.barrier("start", 2, action=lambda: runs.append("action"))
        hers = sync.Barrier(self.alice.session, start.address, lambda: runs.append("hers"))
        self.world.after(1.0, lambda: runs.append(hers.wait(timeout=0)))
        self.assertEqual(start.wait(timeout=5.0), 0)
        self.assertEqual(runs, ["hers", 1])
        self.world.after(1.0, self.alice.kill)
        members = self.keeper.barrier("end", members=[self.session.address, self.alice.ref])
        with self.assertRaisesRegex(baton.Refused, "barrier 'end' is broken: Alice has exited: signal -9"):
            members.wait(timeout=5.0)

    def test_a_latch_counts_down(self):
        latch = self.keeper.latch("ready", 2)
        latch.count_down()
        self.world.after(1.0, self.of_alice(latch).count_down)
        latch.wait(timeout=2.0)
        with self.assertRaisesRegex(baton.Refused, "latch 'ready' can't be counted down by 1: 0 is left"):
            latch.count_down()


class Carriers(Synced):
    def test_an_item_is_taken_and_one_whose_taker_died_is_taken_again(self):
        work = self.keeper.queue("work", bound=2)
        work.put("one")
        work.put("two")
        with self.assertRaises(baton.TimedOut):
            work.put(3, timeout=1.0)
        self.assertEqual(self.of_alice(work).get(), "one")
        self.assertEqual(work.size(), 1)
        self.alice.kill()
        self.assertEqual([work.get(), work.get()], ["one", "two"])
        with self.assertRaises(baton.TimedOut):
            work.join(timeout=1.0)
        work.task_done()
        work.task_done()
        work.join()
        self.assertTrue(work.is_empty())

    def test_a_channel_has_two_ends(self):
        mine, hers = self.keeper.channel("line")
        hers = sync.Channel(self.alice.session, hers.address)
        self.world.after(1.0, lambda: hers.send("hello"))
        self.assertFalse(mine.poll(timeout=0.5))
        self.assertEqual(mine.receive(timeout=1.0), "hello")
        self.world.after(1.0, hers.close)
        with self.assertRaisesRegex(baton.Gone, "nothing more will come through .*: Alice has closed its end"):
            mine.receive(timeout=5.0)
        with self.assertRaisesRegex(baton.Gone, "nobody receives at the other end"):
            mine.send("anybody?")


if __name__ == "__main__":
    unittest.main()
