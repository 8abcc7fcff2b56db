"""baton.sync: scripts and C++ actors with the same locks, barriers, queues; what a script gives up is given back.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_sync_test.py

BATON_PROGRAMS holds sync, and player (tests/process/sync/player.hpp). Nothing sleeps.
"""
import datetime
import os
import signal
import unittest

import baton
from baton import sync
from python_world import World


class Alarm(Exception):
    """What a signal's handler raises."""


class SyncWorld(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()
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


class SyncTest(SyncWorld):

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
        semaphore = self.keeper.bounded_semaphore("one")
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

    def test_a_value_is_updated_under_its_lock_and_keeps_what_it_was_if_the_change_fails(self):
        counter = self.keeper.value("counter", 40)
        self.assertEqual(counter.update(lambda count: count + (2 if counter.is_held else 0)), 42)
        self.assertRaises(ZeroDivisionError, counter.update, lambda count: count // 0)
        self.assertEqual((counter.value, counter.is_held), (42, False))
        with counter:
            self.assertRaisesText(baton.Refused, "is held already", counter.update, lambda count: count)

    def test_queues_and_channels_carry_values_between_python_and_actors(self):
        alice = self.player("alice")
        jobs = self.keeper.queue("jobs")
        self.assertEqual(self.tell(alice, "put", jobs, number=5), "ok")
        self.assertEqual((jobs.size(), jobs.get(), jobs.is_empty()), (1, 5, True))
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
        self.assertEqual(mine.receive(), 10)
        self.assertRaisesRegex(baton.Gone, "alice has exited: signal -9", mine.receive)

    # ---- timeouts

    def test_with_a_timeout_of_0_what_is_to_be_had_at_once_is_had_each_time(self):
        lock, event, latch = self.keeper.lock("lock"), self.keeper.event("event"), self.keeper.latch("latch", 1)
        semaphore, jobs = self.keeper.semaphore("semaphore"), self.keeper.queue("jobs")
        barrier, (mine, other) = self.keeper.barrier("barrier", 1), self.keeper.channel("talk")
        condition = self.keeper.condition(lock, "condition")
        event.set()
        latch.count_down()
        for number in range(200):
            sync.Lock(self.session, lock.address).acquire(0)
            sync.Lock(self.session, lock.address).release()
            event.wait(0)
            latch.wait(0.0)
            semaphore.acquire(-1)
            semaphore.release()
            jobs.put(number, 0)
            self.assertEqual(jobs.get(datetime.timedelta(0)), number)
            jobs.task_done()
            jobs.join(0)
            self.assertEqual(barrier.wait(0), 0)
            mine.send(number, 1e-9)
            self.assertTrue(other.poll(0))
            self.assertEqual(other.receive(0), number)
        holder = self.player("alice")
        self.assertEqual(self.tell(holder, "acquire", lock), "ok")
        event.clear()
        semaphore.acquire()
        full = self.keeper.queue("full", bound=1)
        full.put(1)
        for _ in range(20):
            self.assertRaisesText(baton.TimedOut, "waited 0 s for <baton.sync.Lock 'lock'>", lock.acquire, 0)
            for wait in (event.wait, semaphore.acquire, jobs.get, other.receive, full.join):
                self.assertRaises(baton.TimedOut, wait, 0)
            self.assertRaises(baton.TimedOut, full.put, 2, 0)
            self.assertFalse(other.poll(0))
        self.assertEqual(self.tell(holder, "release", lock), "ok")
        with lock:
            self.assertRaises(baton.TimedOut, condition.wait, 0)
            self.assertTrue(lock.is_held)

    def test_timeouts_of_any_size_are_taken_and_those_that_are_no_time_refused(self):
        event, lock = self.keeper.event("event"), self.keeper.lock("lock")
        event.set()
        for long in (float("inf"), 1e300, 10**400, datetime.timedelta.max, None, 2**63):
            event.wait(long)
            with lock:
                self.keeper.condition(lock, "condition").wait_for(lambda: True, long)
        event.clear()
        for short in (-1, float("-inf"), -1e300, -10**400, datetime.timedelta.min):
            self.assertRaises(baton.TimedOut, event.wait, short)
            with lock:
                self.assertRaises(baton.TimedOut, self.keeper.condition(lock, "c").wait_for, lambda: False, short)
        for wrong in (float("nan"), "5", [5]):
            self.assertRaises(TypeError, event.wait, wrong)
            with lock:
                self.assertRaises(TypeError, self.keeper.condition(lock, "d").wait_for, lambda: True, wrong)
                self.assertTrue(lock.is_held)

    # Goal: one timeout bounds all waits of a wait_for together.
    # Method: alice notifies again and again, so that no single wait reaches it; she has not ended when wait_for has.
    def test_a_condition_is_waited_for_within_one_timeout_however_many_notices_come(self):
        lock = self.keeper.lock("lock")
        fed = self.keeper.condition(lock, "fed")
        alice = self.player("alice")
        looks = []
        with lock:
            notices = self.begin(alice, "notify each", fed, 60_000, lock=lock)
            self.assertRaisesText(baton.TimedOut, "0.3 s in all", fed.wait_for, lambda: looks.append(1), 0.3)
            self.assertTrue(lock.is_held)
        self.assertGreater(len(looks), 3)
        self.assertFalse(notices.ready())
        alice.kill()

    def test_a_queue_whose_items_are_never_finished_says_so(self):
        alice = self.player("alice")
        jobs = self.keeper.queue("jobs")
        item = b"x" * (1 << 19)
        with self.assertRaises(baton.Overloaded) as caught:
            for number in range(1000):
                jobs.put(item, None)
                self.assertEqual(len(jobs.get()), len(item))
        self.assertIn("have been taken and not finished", str(caught.exception))
        self.assertIn("task_done()", str(caught.exception))
        jobs.task_done()
        jobs.put(1, 0)
        self.assertEqual(self.tell(alice, "get", jobs), "ok 1")

    def test_the_last_to_come_without_an_action_breaks_the_barrier_and_is_told_too(self):
        alice = self.player("alice")
        address = self.keeper.barrier("start", 2, action=lambda: None).address
        barrier = sync.Barrier(self.session, address)
        arrives = self.begin(alice, "arrive", barrier)
        self.until_waiting(barrier)
        self.assertRaisesText(baton.Refused, "has given its handle no action", barrier.wait)
        self.assertRegex(arrives.get(20), "is broken: its action failed in .*no action")
        self.assertRaisesText(baton.Refused, "is broken: its action failed", barrier.wait)
        barrier.reset()
        barrier.abort()
        self.assertRaisesText(baton.Refused, "aborted it", barrier.wait)

    def test_what_is_removed_is_gone_for_everybody(self):
        alice = self.player("alice")
        event, lock = self.keeper.event("event"), self.keeper.lock("lock")
        waits = self.begin(alice, "await", event)
        self.until_waiting(event)
        event.remove()
        self.assertRegex(waits.get(20), "^gone: event 'event' was removed by")
        self.assertRaises(baton.Gone, event.wait)
        with lock:
            self.assertRaisesText(baton.Refused, "holds it", lock.remove)
        lock.remove()
        self.assertRaises(baton.Gone, lock.acquire)
        self.assertRegex(self.tell(alice, "acquire", lock), "^gone: ")

    def test_a_keeper_removes_what_it_has_the_address_of_and_nothing_of_another_one(self):
        address = self.keeper.latch("loaded").address
        other = sync.Keeper(self.session, name="another")
        self.assertRaisesText(baton.Refused, "'loaded' is kept by another keeper", other.remove, address)
        self.keeper.remove(address)
        self.assertRaisesText(baton.Gone, "latch 'loaded' was removed by", sync.Latch(self.session, address).wait)
        self.assertRaisesText(baton.Gone, "latch 'loaded' was removed by", self.keeper.remove, address)

    def test_a_semaphore_gains_permits_and_a_bounded_one_does_not(self):
        semaphore, bounded = self.keeper.semaphore("unbounded"), self.keeper.bounded_semaphore("bounded", 2)
        semaphore.release()
        self.assertEqual((semaphore.free, bounded.free), (2, 2))
        self.assertRaisesText(baton.Refused, "all of its 2 permits", bounded.release)

    def test_the_owner_of_a_lock_is_told_whether_the_last_one_died(self):
        alice, lock = self.player("alice"), self.keeper.lock("lock")
        with lock:
            self.assertFalse(lock.owner_died)
        self.assertEqual(self.tell(alice, "acquire", lock), "ok")
        alice.kill()
        with lock:
            self.assertTrue(lock.owner_died)

    def test_a_barrier_has_an_action_that_only_others_run(self):
        start = self.keeper.barrier("start", 1, has_action=True)
        self.assertRaisesText(baton.Refused, "has given its handle no action", start.wait)
        start.reset()
        acted = []
        self.assertEqual(sync.Barrier(self.session, start.address, lambda: acted.append(1)).wait(), 0)
        self.assertEqual(acted, [1])

    # ---- exceptions out of waits

    def alarm(self, raised, seconds=0.02, interval=0.0):
        def ring(*_):
            raise raised

        before = signal.signal(signal.SIGALRM, ring)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, seconds, interval)

    # Goal: a client that is torn out of a wait, by whatever, waits no more, and nothing goes to it afterwards.
    # Method: an alarm's handler raises in a wait for each kind; then what was waited for comes, and another client has
    # it.
    def test_an_exception_out_of_a_wait_ends_the_wait_and_others_go_on(self):
        alice = self.player("alice")
        for raised in (Alarm("out"), KeyboardInterrupt(), SystemExit(3)):
            def torn(wait, *arguments):
                self.alarm(raised)
                with self.assertRaises(type(raised)) as caught:
                    wait(*arguments, 30)
                self.assertIs(caught.exception, raised)

            lock = self.keeper.lock("lock")
            self.assertEqual(self.tell(alice, "acquire", lock), "ok")
            torn(lock.acquire)
            self.assertEqual((lock.is_held, lock.waiting), (False, 0))
            self.assertEqual(self.tell(alice, "release", lock), "ok")
            self.assertEqual(self.tell(alice, "acquire", lock, 0), "ok")
            self.assertEqual(self.tell(alice, "release", lock), "ok")

            condition = self.keeper.condition(lock, "condition")
            lock.acquire()
            torn(condition.wait)
            self.assertEqual((lock.is_held, condition.waiting), (False, 0))
            self.assertEqual(self.tell(alice, "acquire", lock, 0), "ok")
            self.assertEqual(self.tell(alice, "release", lock), "ok")

            semaphore = self.keeper.semaphore("semaphore")
            self.assertEqual(self.tell(alice, "take", semaphore), "ok")
            torn(semaphore.acquire)
            self.assertEqual(self.tell(alice, "give back", semaphore), "ok")
            self.assertEqual((semaphore.free, semaphore.waiting), (1, 0))

            jobs = self.keeper.queue("jobs", bound=1)
            torn(jobs.get)
            self.assertEqual(self.tell(alice, "put", jobs, number=7), "ok")
            torn(jobs.put, 8)
            torn(jobs.join)
            self.assertEqual((jobs.size(), jobs.waiting), (1, 0))
            self.assertEqual(self.tell(alice, "get", jobs), "ok 7")
            self.assertTrue(jobs.is_empty())

            mine, other = self.keeper.channel("talk")
            torn(mine.receive)
            torn(mine.poll)
            self.assertEqual(self.tell(alice, "say", other, number=9), "ok")
            self.assertEqual(mine.receive(5), 9)

            for wait in (self.keeper.event("event").wait, self.keeper.latch("latch").wait):
                torn(wait)
                self.assertEqual(wait.__self__.waiting, 0)

            barrier = self.keeper.barrier("barrier", 2)
            torn(barrier.wait)
            self.assertRegex(self.tell(alice, "arrive", barrier),
                             "refused: barrier 'barrier' is broken: .* gave up waiting")

    def test_an_alarm_within_a_barriers_action_breaks_the_barrier(self):
        alice = self.player("alice")

        def act():
            self.alarm(Alarm("in the action"))
            while True:
                pass

        barrier = self.keeper.barrier("barrier", 2, action=act)
        arrives = self.begin(alice, "arrive", barrier)
        self.until_waiting(barrier)
        self.assertRaises(Alarm, barrier.wait)
        self.assertRegex(arrives.get(20), "is broken: its action failed in .*: in the action")

    # Goal: wherever an exception comes in, is_held tells the truth, and a block that has ended holds nothing.
    # Method: an alarm rings every millisecond or so while locks are taken and released; another client asks afterwards.
    def test_alarms_at_any_moment_leave_locks_permits_and_items_as_they_say(self):
        alice = self.player("alice")
        lock, semaphore, jobs = self.keeper.lock("lock"), self.keeper.semaphore("semaphore"), self.keeper.queue("jobs")
        rung, is_armed = 0, False

        def ring(*_):
            nonlocal is_armed
            if is_armed:  # within the try below, and once each time
                is_armed = False
                raise Alarm("rings")

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, ring))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0017)
        for _ in range(400):
            try:
                is_armed = True
                with lock:
                    pass
                with semaphore:
                    pass
                jobs.put(1)
                jobs.get()
                jobs.task_done()
                is_armed = False
            except Alarm:
                rung += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertGreater(rung, 10)
        self.assertFalse(lock.is_held)
        self.assertEqual(self.tell(alice, "acquire", lock, 0), "ok")
        self.assertEqual((semaphore.free, semaphore.waiting, jobs.waiting), (1, 0, 0))

    def test_a_release_that_an_alarm_interrupts_has_released(self):
        alice = self.player("alice")
        lock = self.keeper.lock("lock")
        lock.acquire()
        os.kill(self.keeper.actor.pid, signal.SIGSTOP)
        self.alarm(Alarm("in release"))
        self.assertRaises(Alarm, lock.release)
        os.kill(self.keeper.actor.pid, signal.SIGCONT)
        self.assertFalse(lock.is_held)
        self.assertEqual(self.tell(alice, "acquire", lock), "ok")


if __name__ == "__main__":
    unittest.main()
