"""The Python module `baton`, as scripts use it: values, errors, waits, Ctrl-C, and that nothing is left behind.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_module_test.py

BATON_PROGRAMS holds greeter and student, and probe (tests/process/probe.hpp). Nothing sleeps: waits end with a
line, a message or an exit, and the watchdog is that of ctest.
"""
import collections
import dataclasses
import datetime
import enum
import fractions
import gc
import multiprocessing
import os
import pickle
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
import types
import unittest
import unittest.mock
from multiprocessing.connection import wait

import baton

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import leftovers  # noqa: E402

UTC = datetime.timezone.utc


def has_ended(pidfd):
    """Waits for the end of that process, whichever process its parent is."""
    select.select([pidfd], [], [])
    os.close(pidfd)
    return True


class World(unittest.TestCase):
    """Sessions of a test have their folders in a place of its own, and leave nothing there (I7)."""

    def setUp(self):
        self.leftovers = leftovers.Place()
        self.addCleanup(self.leftovers.require_nothing, self)  # the last one to run
        self.place = self.leftovers.folder
        environment = unittest.mock.patch.dict(os.environ, XDG_RUNTIME_DIR=self.place)
        environment.start()
        self.addCleanup(environment.stop)

    def open(self, **options):
        session = baton.session(**options)
        self.addCleanup(session.close)
        return session

    def script(self, body, **options):
        """Starts a scenario of its own process."""
        process = subprocess.Popen([sys.executable, "-u", "-c", textwrap.dedent(body)], text=True,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def assertRaisesText(self, kind, text, function, /, *arguments, **fields):
        with self.assertRaises(kind) as caught:
            function(*arguments, **fields)
        self.assertIn(text, str(caught.exception))
        return caught.exception


class Messages(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def test_an_actor_is_spawned_asked_and_stopped(self):
        greeter = self.session.spawn("greeter", name="Ada")
        self.assertEqual(greeter.ask("Greet", name="Grace"), "Hello, Grace! You are number 1.")
        self.assertEqual((greeter.name, greeter.protocol.commands), ("Ada", ["Greet"]))
        self.assertEqual(greeter.describe(), "Greet(name: string) -> string")
        exit = greeter.stop()
        self.assertEqual((exit.kind, exit.name, str(exit), greeter.exitcode), ("stopped", "Ada", "stopped", 0))
        self.assertFalse(greeter.is_alive())
        self.assertRaisesText(baton.Gone, "Ada has exited", greeter.ask, "Greet", name="Grace")

    def test_with_a_timeout_of_0_what_can_be_done_at_once_is_done_each_time(self):
        students = self.session.spawn("student", count=8, progress=False)
        for student in students:
            student.send("HoldThis", number=4, timeout=0)
            student.send("HoldThis", number=5, timeout=-1)
        self.session.sync(students)
        self.assertEqual([student.ask("WhatsYourNumber").split()[-1] for student in students], ["5"] * 8)
        others = self.session.spawn("student", count=4, progress=False)
        self.assertEqual(self.session.send_all(others, "HoldThis", number=4, timeout=0), 4)
        for student in students:
            self.assertRaises(baton.TimedOut, student.join, 0)
            student.kill()
            self.assertEqual(student.join().kind, "signalled")
            for _ in range(25):  # each without knowing the exit
                again = baton.Actor(self.session._place, student, student.name, student.pid, student.protocol)
                self.assertEqual(again.join(0).kind, "signalled")
        loan = self.session.create_segment(100, 0).lend()
        self.assertEqual(loan.reclaim(0).nbytes, 100)
        for long in (float("inf"), 1e300, 10**400, datetime.timedelta.max, None):
            self.assertEqual(students[0].join(long).kind, "signalled")
            self.assertEqual(self.session.collect(count=0, timeout=long), [])
        for short in (-1, float("-inf"), -10**400, datetime.timedelta.min, 0):
            self.assertEqual(self.session.collect(timeout=short), [])
            self.assertEqual(self.session.collect_bounced(timeout=short), [])

    # Goal: a script may have any number of actors, one after the other.
    # Method: what is kept is counted, with a bound that is small enough to be reached here.
    def test_a_script_keeps_nothing_of_the_actors_that_it_had(self):
        def live(lives):
            for _ in range(lives):
                greeter = self.session.spawn("greeter")
                greeter.ask("Greet", name="Grace")
                self.assertEqual(greeter.stop().kind, "stopped")
                self.assertEqual((greeter.exitcode, greeter.join().kind), (0, "stopped"))

        with unittest.mock.patch("baton._session.KEPT_MAX", 20):
            live(30)
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            before = tracemalloc.get_traced_memory()[0]
            live(60)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        self.assertLess(grown, 60 * 100)
        self.assertEqual(len(self.session._place.known), 0)
        self.assertLessEqual(len(self.session._spawned), 20)
        self.assertLessEqual(len(self.session._names), 20)
        living = self.session.spawn("greeter")
        self.session.stop()
        self.assertEqual(living.exitcode, 0)

    def test_several_are_spawned_in_parallel_and_keep_their_order(self):
        students = self.session.spawn("student", names=["Alice", "Bob", "Charlie"], progress=False)
        self.assertEqual([one.name for one in students], ["Alice", "Bob", "Charlie"])
        self.assertEqual(len(self.session.spawn("student", count=2, progress=False)), 2)
        self.assertEqual(self.session.spawn("student", count=0), [])
        self.assertEqual(self.session.spawn("student", names=[]), [])

    def test_what_spawn_cannot_do_is_said(self):
        self.session.spawn("greeter", name="Ada")
        self.assertRaisesText(baton.Refused, "Ada", self.session.spawn, "greeter", name="Ada")
        self.assertRaisesText(baton.Refused, "no-such-program", self.session.spawn, "no-such-program")
        self.assertRaises(TypeError, self.session.spawn, "greeter", name="Bob", count=2)
        self.assertRaises(TypeError, self.session.spawn, "greeter", names="Bob")
        self.assertRaises(TypeError, self.session.spawn, "greeter", args="--loud")

    def test_an_argument_of_a_wrong_type_is_named_in_one_sentence(self):
        probe = self.session.spawn("probe")
        loan = self.session.create_segment(10).lend()
        for function, arguments, text in [
            (self.session.find, (3,), "find(): name must be text (str), not int (3)"),
            (self.session.stop, ([probe, 1],), "stop(): actors[1] must be a Ref, not int (1)"),
            (self.session.sync, (["Ada"],), "sync(): actors[0] must be a Ref, not str ('Ada')"),
            (self.session.collect, (3,), "collect(): command must be text (str), not int (3)"),
            (self.session.spawn, (3,), "program must be text or a path, not int (3)"),
            (self.session.actors, ("all",), "actors(): exited must be True or False, not str ('all')"),
            (self.session.import_from, (3, 4), "import_from(): name must be text (str), not int (3)"),
            (probe.ask, (3,), "command must be text (str), a baton.Command or a dataclass, not int (3)"),
            (probe.send, (None,), "command must be text (str), a baton.Command or a dataclass, not NoneType (None)"),
            (loan.slice, ("a", 2), "Loan.slice(): first must be a whole number (int), not str ('a')"),
            (loan.slice, (-1, 2), "Loan.slice(): first is out of range: -1"),
            (loan.slice, (1,), "Loan.slice(): the argument count is missing"),
            (baton.Ref, ("a", 1), "Ref(): number must be a whole number (int), not str ('a')"),
            (baton.session, (3,), "join must be text (str), not int (3)"),
        ]:
            self.assertRaisesText(TypeError, text, function, *arguments)
        self.assertRaisesText(TypeError, "names[1] must be text (str), not int (2)", self.session.spawn, "probe",
                              names=["Ada", 2])
        self.assertRaisesText(TypeError, "count must be a whole number", self.session.collect, count="x")

    def test_a_field_that_does_not_fit_is_refused_before_anything_is_sent(self):
        student = self.session.spawn("student")
        for fields, text in [
            ({}, "HoldThis.number is missing"),
            ({"nmber": 4}, "HoldThis has no field 'nmber'; it has number"),
            ({"number": 4, "more": 1}, "HoldThis has no field 'more'"),
            ({"number": "4"}, "HoldThis.number: expected int64, got string"),
            ({"number": 4.0}, "HoldThis.number: expected int64, got float"),
            ({"number": True}, "HoldThis.number: expected int64, got bool"),
            ({"number": [4]}, "HoldThis.number: expected int64, got list"),
            ({"number": object()}, "HoldThis.number: expected int64, got object"),
            ({"number": 2**63}, "HoldThis.number: 9223372036854775808 is out of range of int64"),
            ({"number": -10**30}, "HoldThis.number: -1000000000000000000000000000000 is out of range of int64"),
            ({"number": 10**6000}, "HoldThis.number: the integer is out of range of int64"),
        ]:
            for way in (student.send, student.ask, student.request):
                self.assertRaisesText(baton.Refused, text, way, "HoldThis", **fields)
        endless = []
        endless.append(endless)
        self.assertRaisesText(baton.Refused, "nested deeper", student.send, "HoldThis", number=endless)
        self.assertRaisesText(baton.Unsupported, "no command 'HoldThat'", student.ask, "HoldThat", number=4)
        self.assertRaisesText(baton.Refused, "has no reply", student.ask, "SpeakTo", audience=self.session.address)
        self.assertEqual(student.ask("WhatsYourNumber"), f"[{student.name}]  I'm not holding anything.")

    def test_a_pending_answers_again_and_again(self):
        student = self.session.spawn("student")
        pending = student.request("HoldThis", number=4)
        self.assertEqual(pending.get(timeout=5), pending.get(timeout=0))
        self.assertTrue(pending.ready())
        cancelled = student.request("WhatsYourNumber")
        cancelled.cancel()
        self.assertRaisesText(baton.Refused, "cancelled", cancelled.get)

    def test_many_are_asked_at_once_and_each_has_an_outcome(self):
        students = self.session.spawn("student", count=4, progress=False)
        students[2].kill()
        students[2].join()
        outcomes = self.session.ask_all(students, "WhatsYourNumber", timeout=5)
        self.assertEqual([type(one) for one in outcomes], [str, str, baton.Gone, str])
        self.assertEqual((len(outcomes.answers), len(outcomes.errors)), (3, 1))
        taken = self.session.send_all(students, "SpeakTo", audience=self.session.address)
        self.assertEqual(taken, 3)
        self.assertEqual(list(taken.errors), [students[2]])
        self.assertIsInstance(taken.errors[students[2]], baton.Gone)
        self.assertRaises(baton.Refused, self.session.send_all, students, "SpeakTo", audience="me")
        self.assertRaises(baton.Refused, self.session.ask_all, students, "WhatsYourNumber", loudly=True)
        self.assertEqual(self.session.ask_all([], "WhatsYourNumber"), [])

    def test_requests_are_waited_for_together(self):
        students = self.session.spawn("student", count=3, progress=False)
        pendings = [one.request("HoldThis", number=number) for number, one in enumerate(students)]
        self.assertEqual(self.session.wait_all(pendings, timeout=5),
                         [f"[{one.name}]  A {number}? Got it." for number, one in enumerate(students)])

    def test_what_actors_say_is_collected(self):
        alice, bob = self.session.spawn("student", names=["Alice", "Bob"], progress=False)
        self.session.send_all([alice, bob], "SpeakTo", audience=self.session.address)
        for student in (alice, bob):
            student.ask("WhatsYourNumber")
        said = self.session.collect("Said", count=2, timeout=5)
        self.assertEqual(sorted(one.sender for one in said), ["Alice", "Bob"])
        self.assertEqual(said[0].fields, {"line": said[0].line})
        self.assertEqual(self.session.find(said[0].sender_ref).name, said[0].sender)
        self.assertFalse(said[0].is_asked)
        self.assertRaisesText(baton.Refused, "nobody waits for a reply", said[0].reply, "thanks")
        with self.assertRaisesRegex(AttributeError, "no field 'word'; it has line"):
            said[0].word
        self.assertEqual(self.session.collect("Said", timeout=0), [])

    def test_a_command_of_another_name_stays_for_a_later_collect(self):
        alice = self.session.spawn("student", name="Alice")
        alice.send("SpeakTo", audience=self.session.address)
        alice.ask("WhatsYourNumber")
        self.assertEqual(self.session.collect("Heard", timeout=0.02), [])
        self.assertEqual(len(self.session.collect(count=1)), 1)

    def test_a_collect_ends_when_it_has_been_quiet_and_has_no_other_end(self):
        alice = self.session.spawn("student", name="Alice")
        alice.send("SpeakTo", audience=self.session.address)
        alice.send("WhatsYourNumber")
        self.session.sync()
        said = self.session.collect("Said", quiet=0.5, timeout=None)
        self.assertEqual([one.line for one in said], ["[Alice]  I'm not holding anything."])
        self.assertEqual(self.session.collect("Said", quiet=0.02, timeout=None), [])

    # Goal: a collect is about the commands that it wants.
    # Method: another process speaks of something else all the time, so that it is never quiet altogether.
    def test_who_speaks_of_other_things_does_not_break_the_quiet(self):
        flood = self.script(f"""
            import baton
            with baton.session(join={self.session.id!r}) as session:
                alice = session.spawn("student", name="Alice")
                audience = baton.Ref({self.session.address.number}, {self.session.address.incarnation})
                alice.send("SpeakTo", audience=audience)
                print("ready", flush=True)
                while alice.ask("WhatsYourNumber"):
                    pass
            """)
        self.addCleanup(flood.wait)
        self.addCleanup(flood.kill)
        flood.stdout.readline()
        self.assertEqual(len(self.session.collect("Said", count=10, timeout=None)), 10)
        self.assertEqual(self.session.collect("Heard", quiet=0.2, timeout=None), [])
        self.assertEqual(self.session.collect("Heard", timeout=0.2), [])
        # Far fewer than must have come before it would be quiet by accident.
        self.assertLess(len(self.session.collect("Said", timeout=0)), 30_000)

    def test_sync_waits_until_all_is_handled(self):
        students = self.session.spawn("student", count=3, progress=False)
        for number in range(100):
            self.session.send_all(students, "HoldThis", number=number)
        self.session.sync()
        handled = {row.name: row.handled for row in self.session.actors()}
        self.assertEqual([handled[one.name] for one in students], [100] * 3)
        students[0].kill()
        students[0].join()
        self.session.sync()
        self.assertRaises(baton.Gone, self.session.sync, students)

    def test_a_ref_is_a_value_and_an_actor_is_a_ref(self):
        alice = self.session.spawn("student", name="Alice")
        ref = baton.Ref(alice.number, alice.incarnation)
        self.assertEqual(ref, alice)
        self.assertEqual({ref: 1}[alice], 1)
        self.assertNotEqual(ref, baton.Ref(alice.number, alice.incarnation + 1))
        self.assertEqual(pickle.loads(pickle.dumps(ref)), ref)
        self.assertIs(self.session.find(ref), alice)
        self.assertIs(self.session.find("Alice"), alice)
        self.assertRaises(baton.Gone, self.session.find, "Bob")
        self.assertRaises(baton.Gone, self.session.find, baton.Ref(77, 1))
        self.assertRaisesRegex(TypeError, "can't be pickled", pickle.dumps, alice)

    def test_the_roster_has_a_row_for_each(self):
        alice = self.session.spawn("student", name="Alice")
        rows = {row.name: row for row in self.session.actors()}
        row = rows["Alice"]
        self.assertEqual((row.id, row.pid, row.state, row.exit), (alice.id, alice.pid, "ready", None))
        self.assertEqual(row.ppid, self.session.find("coordinator").pid)
        self.assertIn(os.getpid(), [row.pid for row in rows.values()])
        alice.stop()
        self.assertNotIn("Alice", [row.name for row in self.session.actors()])
        self.assertIn(("Alice", "stopped"),
                      [(row.name, row.exit.kind) for row in self.session.actors(exited=True) if row.exit])


class Timeouts(World):
    """How long to wait is an option, which is never mistaken for a field."""

    def setUp(self):
        super().setUp()
        self.session = self.open()

    def test_a_timeout_is_seconds_a_timedelta_a_deadline_or_nothing_and_never_a_field(self):
        alice = self.session.spawn("student", name="Alice")
        self.assertEqual(alice.ask("WhatsYourNumber", timeout=datetime.timedelta(seconds=5)),
                         "[Alice]  I'm not holding anything.")
        length = datetime.timedelta(seconds=5)
        for timeout in (None, 5, baton.Deadline(5), baton.Deadline(None), baton.Deadline(baton.Deadline(length))):
            self.assertEqual(alice.ask("WhatsYourNumber", timeout=timeout), "[Alice]  I'm not holding anything.")
        self.assertRaisesText(baton.Refused, "WhatsYourNumber has no field 'timeout'",
                              alice.ask, "WhatsYourNumber", {"timeout": 5})
        self.assertRaises(TypeError, alice.ask, "WhatsYourNumber", timeout="soon")
        self.assertRaises(TypeError, alice.ask, "WhatsYourNumber", timeout=float("nan"))
        self.assertRaisesText(TypeError, "a timeout is seconds, a timedelta, a baton.Deadline or None", baton.Deadline,
                              "soon")

    def test_a_whole_number_that_is_a_float_stays_one(self):
        for value in (2.0, [2.0, -0.0], {"a": 2.0}, {1: 2.0}):
            self.assertEqual(repr(baton._baton.decode(baton._baton.encode(value))).replace("{a=2.0}", "{'a': 2.0}"),
                             repr(value))

    def test_several_waits_share_the_end_of_a_deadline(self):
        alice = self.session.spawn("student", name="Alice")
        os.kill(alice.pid, signal.SIGSTOP)
        ends = baton.Deadline(0.1)
        self.assertRaises(baton.TimedOut, alice.ask, "WhatsYourNumber", timeout=ends)
        self.assertTrue(ends.has_passed())
        self.assertEqual((ends.left(), repr(ends)), (0.0, "<baton.Deadline in 0 s>"))
        pending = alice.request("WhatsYourNumber")
        # What is left of it, which is nothing: none of these waits a tenth of a second more.
        before = time.monotonic()
        for _ in range(20):
            self.assertRaises(baton.TimedOut, pending.get, ends)
            self.assertRaises(baton.TimedOut, alice.join, ends)
            self.assertIsInstance(self.session.wait_all([pending], ends)[0], baton.TimedOut)
        self.assertLess(time.monotonic() - before, 6)
        self.assertIsNone(baton.Deadline(None).left())
        os.kill(alice.pid, signal.SIGCONT)

    def test_an_ask_of_a_frozen_actor_times_out(self):
        alice = self.session.spawn("student", name="Alice")
        os.kill(alice.pid, signal.SIGSTOP)
        error = self.assertRaisesText(baton.TimedOut, "Alice", alice.ask, "WhatsYourNumber", timeout=0.02)
        self.assertIsInstance(error, TimeoutError)
        self.assertEqual(error.kind, "timed_out")
        pending = alice.request("WhatsYourNumber")
        self.assertFalse(pending.ready())
        self.assertRaisesText(baton.TimedOut, "Alice has not answered WhatsYourNumber", pending.get, timeout=0.02)
        self.assertIsInstance(self.session.wait_all([pending], timeout=0)[0], baton.TimedOut)
        self.assertRaisesText(baton.TimedOut, "Alice has not exited", alice.join, timeout=0.02)
        os.kill(alice.pid, signal.SIGCONT)
        self.assertEqual(pending.get(timeout=5), "[Alice]  I'm not holding anything.")

    def test_what_is_given_up_before_it_began_does_not_run_later(self):
        alice = self.session.spawn("student", name="Alice")
        self.assertEqual(alice.ask("HoldThis", number=4), "[Alice]  A 4? Got it.")
        os.kill(alice.pid, signal.SIGSTOP)
        error = self.assertRaisesText(baton.TimedOut, "will not run", alice.ask, "HoldThis", number=5, timeout=0.02)
        self.assertTrue(error.withdrawn)
        self.assertTrue(pickle.loads(pickle.dumps(error)).withdrawn)
        self.assertIs(alice.request("HoldThis", number=6).cancel(), True)
        outcomes = self.session.ask_all([alice], "HoldThis", number=7, timeout=0.02)
        self.assertIsInstance(outcomes[0], baton.TimedOut)
        self.assertTrue(outcomes[0].withdrawn)
        pending = alice.request("HoldThis", number=8)
        late = self.assertRaisesText(baton.TimedOut, "is still asked", pending.get, timeout=0.02)
        self.assertFalse(late.withdrawn)
        del pending
        os.kill(alice.pid, signal.SIGCONT)
        self.assertEqual(alice.ask("WhatsYourNumber"), "[Alice]  I have a 4")
        done = alice.request("HoldThis", number=9)
        self.assertEqual(alice.ask("WhatsYourNumber"), "[Alice]  I have a 9")
        self.assertIs(done.cancel(), False)


class Ends(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.alice = self.session.spawn("student", name="Alice")

    def test_an_exit_is_a_value_as_in_multiprocessing(self):
        self.assertTrue(self.alice.is_alive())
        self.assertIsNone(self.alice.exitcode)
        self.assertIsNone(self.alice.exit)
        self.alice.kill()
        exit = self.alice.join(timeout=5)
        self.assertEqual((exit.kind, exit.code, self.alice.exitcode), ("signalled", signal.SIGKILL, -signal.SIGKILL))
        self.assertEqual(self.alice.exit, exit)
        self.assertFalse(self.alice.is_alive())
        self.assertEqual(self.alice.stop(), exit)

    def test_terminate_ends_an_actor_by_sigterm(self):
        self.alice.terminate()
        self.alice.join()
        self.assertEqual(self.alice.exitcode, -signal.SIGTERM)

    def test_the_exit_of_an_actor_that_was_only_found_is_known(self):
        with baton.session(join=self.session.id, name="other") as other:
            found = other.find("Alice")
            self.assertTrue(found.is_alive())
            self.alice.kill()
            self.alice.join()
            self.assertEqual(found.exitcode, -9)

    def test_a_closed_actor_refuses_every_use(self):
        self.assertRaisesText(ValueError, "still alive", self.alice.close)
        self.alice.stop()
        self.alice.close()
        self.alice.close()
        for use in (self.alice.is_alive, self.alice.stop, self.alice.kill, self.alice.terminate, self.alice.join,
                    self.alice.describe, lambda: self.alice.exitcode, lambda: self.alice.pid,
                    lambda: self.alice.ask("WhatsYourNumber"), lambda: self.alice.WhatsYourNumber()):
            with self.assertRaises(ValueError) as caught:
                use()
            self.assertIsInstance(caught.exception, baton.Refused)

    def test_a_sentinel_is_waited_for_beside_the_processes_of_multiprocessing(self):
        self.addCleanup(self.alice.close)
        bob = self.session.spawn("student", name="Bob")
        receiver, sender = multiprocessing.Pipe(duplex=False)
        other = multiprocessing.get_context("fork").Process(target=receiver.poll, args=(None,))
        other.start()
        sentinels = [self.alice.sentinel, bob.sentinel, other.sentinel]
        self.assertEqual(wait(sentinels, 0), [])
        self.alice.kill()
        self.assertEqual(wait(sentinels), [self.alice.sentinel])
        self.assertEqual(self.alice.exitcode, -signal.SIGKILL)  # at once, even if that is still on its way
        self.assertFalse(self.alice.is_alive())
        sender.send(1)
        self.assertEqual(wait(sentinels[1:]), [other.sentinel])
        other.join()
        self.assertIsNone(bob.exitcode)
        bob.stop()
        self.assertEqual(wait(sentinels[:2]), sentinels[:2])
        receiver.close()
        sender.close()
        other.close()

    def test_the_sentinel_of_one_that_has_ended_is_ready_from_the_start(self):
        self.addCleanup(self.alice.close)
        with baton.session(join=self.session.id, name="other") as other:
            found = other.find("Alice")
            self.alice.kill()
            exit = self.alice.join()
            for actor in (self.alice, found):  # the one whose exit is known here, and the one whose is not
                self.assertEqual(wait([actor.sentinel], 0), [actor.sentinel])
            self.assertEqual(found.exit, exit)
            scenario = other.find(self.session.address)  # no child of the coordinator
            self.assertEqual(wait([scenario.sentinel], 0), [])

    # Goal: a pid that is used again is never taken for the actor.
    # Method: the next process after the actor's end is given its pid, while one sentinel is open and another is not
    # yet.
    def test_a_sentinel_is_never_that_of_another_process_with_the_same_pid(self):
        self.addCleanup(self.alice.close)
        with baton.session(join=self.session.id, name="other") as other:
            found = other.find("Alice")
            opened = self.alice.sentinel
            self.alice.kill()
            self.alice.join()
            try:
                with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                    file.write(str(found.pid - 1))
            except OSError as error:
                self.skipTest(f"the next pid cannot be chosen here: {error}")
            with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
                if process.pid != found.pid:
                    self.skipTest("somebody else got that pid")
                for sentinel in (opened, found.sentinel):
                    self.assertEqual(wait([sentinel], 0), [sentinel])

    def test_a_closed_actor_keeps_no_sentinel(self):
        sentinel = self.alice.sentinel
        self.alice.stop()
        self.alice.close()
        self.assertRaises(OSError, os.fstat, sentinel)
        self.assertRaises(ValueError, lambda: self.alice.sentinel)

    def test_what_a_stopped_actor_did_not_handle_is_in_its_exit(self):
        os.kill(self.alice.pid, signal.SIGSTOP)
        for number in range(3):
            self.alice.send("HoldThis", number=number)
        self.alice.kill()
        letter, = self.alice.join().dead_letters
        self.assertEqual(letter.count, 3)

    def test_close_returns_every_exit_of_the_session_once(self):
        bob = self.session.spawn("student", name="Bob")
        bob.stop()
        exits = self.session.close()
        self.assertEqual([(one.name, one.kind) for one in exits], [("Bob", "stopped"), ("Alice", "stopped")])
        self.assertEqual(self.session.exits, exits)
        self.assertEqual(self.session.close(), exits)
        self.assertEqual(self.alice.exitcode, 0)
        self.assertRaisesText(baton.Gone, "closed", self.alice.ask, "WhatsYourNumber")
        self.assertRaisesText(baton.Gone, "closed", self.session.spawn, "student")

    def test_stop_without_names_ends_what_was_spawned_from_here(self):
        bob = self.session.spawn("student", name="Bob")
        with baton.session(join=self.session.id, name="other") as other:
            other.spawn("student", name="Charlie")
            self.assertEqual(sorted(one.name for one in self.session.stop()), ["Alice", "Bob"])
            self.assertTrue(other.find("Charlie").is_alive())
        self.assertFalse(bob.is_alive())


class Sessions(World):
    def test_the_block_stops_everything_and_the_body_s_exception_passes_on_unchanged(self):
        raised = KeyError("mine")
        with self.assertRaises(KeyError) as caught:
            with baton.session() as session:
                pidfd = os.pidfd_open(session.spawn("greeter").pid)
                raise raised
        self.assertIs(caught.exception, raised)
        self.assertTrue(has_ended(pidfd))
        self.assertEqual([one.kind for one in session.exits], ["stopped"])

    def test_sessions_follow_each_other_and_run_at_the_same_time(self):
        descriptors = []
        for _ in range(3):
            with baton.session() as one, baton.session() as other:
                self.assertNotEqual(one.id, other.id)
                for session in (one, other):
                    self.assertEqual(session.spawn("greeter").ask("Greet", name="x"), "Hello, x! You are number 1.")
            descriptors.append(len(os.listdir("/proc/self/fd")))
        self.assertEqual(descriptors[2], descriptors[1])

    def test_a_session_that_runs_is_joined_and_left_as_it_was(self):
        session = self.open()
        greeter = session.spawn("greeter", name="Ada")
        with baton.session(join=session.id, name="guest") as guest:
            self.assertEqual(guest.id, session.id)
            self.assertEqual(guest.find("Ada").ask("Greet", name="x"), "Hello, x! You are number 1.")
            own = guest.spawn("greeter", name="Grace")
        self.assertEqual([one.name for one in guest.exits], ["Grace"])
        self.assertFalse(own.is_alive())
        self.assertTrue(greeter.is_alive())

    def test_a_session_that_does_not_run_is_gone(self):
        self.assertRaises(baton.Gone, baton.session, join="no-such-session")

    def test_another_thread_is_refused_and_may_open_its_own(self):
        session = self.open()
        greeter = session.spawn("greeter")
        outcomes = []

        def use():
            for function in (session.actors, lambda: greeter.ask("Greet", name="x"), session.close):
                try:
                    outcomes.append(function())
                except baton.Error as error:
                    outcomes.append(error)
            with baton.session() as own:
                outcomes.append(own.spawn("greeter").ask("Greet", name="x"))

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        self.assertEqual([type(one) for one in outcomes], [baton.Refused, baton.Refused, baton.Refused, str])
        self.assertIn("thread", str(outcomes[0]))

    def test_pendings_may_be_let_go_by_another_thread(self):
        session = self.open()
        student = session.spawn("student")
        pendings = [student.request("WhatsYourNumber") for _ in range(10)]
        thread = threading.Thread(target=pendings.clear)
        thread.start()
        thread.join()
        self.assertIn("anything", student.ask("WhatsYourNumber"))

    def test_a_forked_child_is_refused_and_does_not_end_the_session(self):
        session = self.open()
        greeter = session.spawn("greeter")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with session:
                    greeter.ask("Greet", name="x")
            except baton.Refused as error:
                code = 0 if "forked child" in str(error) else 2
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(greeter.ask("Greet", name="x"), "Hello, x! You are number 1.")

    def test_children_of_multiprocessing_leave_the_session_alone(self):
        session = self.open()
        greeter = session.spawn("greeter")
        child = multiprocessing.get_context("fork").Process(target=sys.exit, args=(3,))
        child.start()
        child.join()
        self.assertEqual(child.exitcode, 3)
        self.assertTrue(greeter.is_alive())

    def test_the_end_of_the_program_closes_what_was_forgotten(self):
        process = self.script("""
            import os, sys, threading, warnings
            import baton
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: a fork where there are threads
            print(baton.session().spawn("greeter").pid)
            thread = threading.Thread(target=lambda: print(baton.session().spawn("greeter").pid))
            thread.start()
            thread.join()
            if os.fork() == 0:
                sys.exit(0)
            os.wait()
            sys.stdin.readline()
            """, stdin=subprocess.PIPE)
        ends = [os.pidfd_open(int(process.stdout.readline())) for _ in range(2)]
        _, errors = process.communicate("\n")
        self.assertEqual((process.returncode, errors), (0, ""))
        self.assertTrue(all(has_ended(one) for one in ends))

    def test_a_coordinator_that_dies_ends_every_wait_as_gone(self):
        session = self.open()
        student = session.spawn("student")
        os.kill(student.pid, signal.SIGSTOP)
        pending = student.request("WhatsYourNumber")
        os.kill(session.find("coordinator").pid, signal.SIGKILL)
        self.assertRaisesText(baton.Gone, "coordinator has died", pending.get, timeout=60)
        self.assertRaises(baton.Gone, student.is_alive)
        self.assertRaises(baton.Gone, session.close)
        with baton.session():  # sweeps what the dead one left
            pass


class Interrupts(World):
    def test_ctrl_c_in_a_wait_stops_in_order_with_one_line_and_code_130(self):
        for wait in ("session.collect(timeout=None)", "student.ask('WhatsYourNumber', timeout=None)",
                     "student.request('WhatsYourNumber').get(None)", "student.join(None)", "session.sync(timeout=None)",
                     "session.wait_all([student.request('WhatsYourNumber')], None)"):
            with self.subTest(wait=wait):
                process = self.script(f"""
                    import os, signal, sys
                    import baton
                    with baton.session() as session:
                        student = session.spawn("student")
                        try:
                            os.kill(student.pid, signal.SIGSTOP)  # so that no wait ends by itself
                            print(student.pid)
                            {wait}
                        finally:
                            os.kill(student.pid, signal.SIGCONT)
                    """, env={**os.environ, "BATON_LOG": "error"})  # no word of what the student has not handled
                end = os.pidfd_open(int(process.stdout.readline()))
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.communicate(), ("", "python: interrupted, stopping\n"))
                self.assertEqual(process.returncode, 130)
                self.assertTrue(has_ended(end))

    def test_a_second_ctrl_c_ends_everything_at_once(self):
        process = self.script("""
            import os, signal
            import baton
            with baton.session() as session:
                student = session.spawn("student")
                os.kill(student.pid, signal.SIGSTOP)  # does not stop when it is asked to
                print(student.pid, session.find("coordinator").pid)
                session.collect(timeout=None)
            """)
        ends = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.stderr.readline(), "python: interrupted, stopping\n")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertNotIn("Traceback", errors)
        self.assertNotIn("actor.killed", errors)  # the ladder did not come so far
        self.assertTrue(all(has_ended(one) for one in ends))

    def test_ctrl_c_while_the_block_closes_lets_it_close_in_order(self):
        process = self.script("""
            import os, signal
            import baton
            with baton.session() as session:
                student = session.spawn("student")
                os.kill(student.pid, signal.SIGSTOP)
                print(student.pid)
            """)
        end = os.pidfd_open(int(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(errors.count("python: interrupted, stopping\n"), 1)
        self.assertNotIn("Traceback", errors)
        self.assertTrue(has_ended(end))

    def test_two_blocks_say_it_once(self):
        process = self.script("""
            import baton
            with baton.session() as outer, baton.session() as inner:
                print(outer.spawn("greeter").pid, inner.spawn("greeter").pid)
                inner.collect(timeout=None)
            """)
        ends = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(), ("", "python: interrupted, stopping\n"))
        self.assertEqual(process.returncode, 130)
        self.assertTrue(all(has_ended(one) for one in ends))

    def test_a_caught_ctrl_c_leaves_a_session_that_works(self):
        session = self.open()
        alice = session.spawn("student", name="Alice")
        alice.send("SpeakTo", audience=session.address)
        alice.send("HoldThis", number=4)
        session.sync()
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        with self.assertRaises(KeyboardInterrupt):
            session.collect("Said", count=2, timeout=None)
        self.assertEqual([one.line for one in session.collect("Said", count=1)], ["[Alice]  A 4? Got it."])
        self.assertEqual(alice.ask("WhatsYourNumber"), "[Alice]  I have a 4")

    def test_an_event_loop_s_wakeup_descriptor_is_kept_and_told(self):
        session = self.open()
        reading, writing = os.pipe2(os.O_NONBLOCK)
        signal.set_wakeup_fd(writing)
        previous = signal.signal(signal.SIGALRM, lambda *_: None)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            session.collect(timeout=0.1)
            self.assertEqual(os.read(reading, 10), bytes([signal.SIGALRM]))
            self.assertEqual(signal.set_wakeup_fd(-1), writing)
        finally:
            signal.signal(signal.SIGALRM, previous)
            os.close(reading)
            os.close(writing)

    def test_a_signal_handler_cannot_use_the_session_that_waits(self):
        session = self.open()
        refused = []

        def handler(*_):
            try:
                session.actors()
            except baton.Refused as error:
                refused.append(str(error))

        previous = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        session.collect(timeout=0.1)
        self.assertIn("waiting already", refused[0])

    def test_a_scenario_that_sigterm_ends_takes_its_actors_along(self):
        process = self.script("""
            import baton
            with baton.session() as session:
                print(session.spawn("greeter").pid, session.find("coordinator").pid)
                session.collect(timeout=None)
            """)
        ends = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        process.terminate()
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertTrue(all(has_ended(one) for one in ends))


class Colour(enum.Enum):
    green = 17  # its name counts, not its value


@dataclasses.dataclass
class Point:
    x: float
    y: float


@unittest.skipUnless(any(os.access(f"{folder}/probe", os.X_OK) for folder in os.environ.get("BATON_PROGRAMS",
                                                                                            "").split(":")),
                     "BATON_PROGRAMS has no probe")
class Values(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.probe = self.session.spawn("probe")
        self.time = datetime.datetime(2031, 5, 17, 3, 4, 5, 678901, tzinfo=UTC)
        self.everything = dict(
            flag=True, tiny=-128, large=2**64 - 1, real=0.5, precise=1e300, colour="blue", text="ünï", bytes=b"\0\xff",
            list=[1, -2], three=[1, 2, 3], table={"pi": 3.25}, maybe=None, either="or", point=Point(1, 2.5),
            time=self.time, ref=self.probe)

    def echo(self, **changes):
        return self.probe.ask("SendEverything", everything={**self.everything, **changes})

    def test_every_type_comes_back_as_it_went(self):
        back = self.echo()
        self.assertEqual(back._fields, {**self.everything, "point": baton.Struct(x=1.0, y=2.5)})
        self.assertIs(back.ref, self.probe)
        self.assertEqual(back.time.tzinfo, UTC)
        self.assertEqual(self.probe.ask("SendEverything", everything=back), back)

    def test_a_field_takes_what_python_has_for_it(self):
        pair = collections.namedtuple("pair", "x y")
        for field, given, wanted in [
            ("colour", Colour.green, "green"), ("colour", 1, "green"),
            ("bytes", bytearray(b"ab"), b"ab"), ("bytes", memoryview(b"abcd")[::2], b"ac"),
            ("list", (1, 2), [1, 2]), ("list", range(3), [0, 1, 2]), ("list", {7}, [7]), ("list", [], []),
            ("table", types.MappingProxyType({"a": 1}), {"a": 1.0}),
            ("maybe", "there", "there"), ("either", 7, 7),
            ("point", {"x": 1, "y": 2}, baton.Struct(x=1.0, y=2.0)), ("point", pair(1, 2), baton.Struct(x=1.0, y=2.0)),
            ("point", types.SimpleNamespace(x=1, y=2), baton.Struct(x=1.0, y=2.0)),
            ("precise", fractions.Fraction(1, 4), 0.25), ("precise", 3, 3.0),
            ("time", self.time.astimezone(datetime.timezone(datetime.timedelta(hours=5))), self.time),
            ("time", datetime.datetime(1900, 1, 1, microsecond=1, tzinfo=UTC),
             datetime.datetime(1900, 1, 1, microsecond=1, tzinfo=UTC)),
            ("ref", baton.Ref(9, 9), baton.Ref(9, 9)),
        ]:
            with self.subTest(field=field, given=given):
                self.assertEqual(self.echo(**{field: given})[field], wanted)

    def test_numpy_s_values_are_python_s(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("NumPy is not installed")
        back = self.echo(tiny=numpy.int8(-3), real=numpy.float32(0.25), flag=numpy.bool_(False),
                         list=numpy.arange(3), three=numpy.array([4, 5, 6]))
        self.assertEqual((back.tiny, back.real, back.flag, back.list, back.three),
                         (-3, 0.25, False, [0, 1, 2], [4, 5, 6]))

    def test_what_does_not_fit_names_its_place(self):
        for changes, text in [
            ({"tiny": 128}, "SendEverything.everything.tiny: 128 is out of range of int8"),
            ({"large": -1}, "everything.large: -1 is out of range of uint64"),
            ({"large": 2**64}, "everything.large: 18446744073709551616 is out of range of uint64"),
            ({"real": 10**400}, "everything.real: the integer is out of range of float32"),
            ({"colour": "pink"}, "everything.colour: 'pink' is none of"),
            ({"list": [1, "x"]}, "everything.list[1]: expected int32, got string"),
            ({"list": [1, 10**30]}, "everything.list[1]: 1000000000000000000000000000000 is out of range of int32"),
            ({"three": [1, 2]}, "everything.three: expected list of 3, got list of 2"),
            ({"table": {1: 1.0}}, "everything.table"),
            ({"either": 1.5}, "everything.either"),
            ({"point": {"x": 1}}, "everything.point.y is missing"),
            ({"text": "\ud800"}, "everything.text: the text holds a lone surrogate"),
            ({"time": datetime.datetime(2031, 5, 17)}, "everything.time: the datetime has no time zone"),
            ({"time": datetime.datetime(2999, 1, 1, tzinfo=UTC)}, "everything.time"),
            ({"ref": "probe"}, "everything.ref: expected ref"),
        ]:
            with self.subTest(changes=changes):
                self.assertRaisesText(baton.Refused, text, self.echo, **changes)

    def test_a_handler_s_exception_is_shown_with_type_text_and_frames(self):
        error = self.assertRaisesText(baton.Failed, "out of film", self.probe.ask, "Throw", text="out of film")
        self.assertEqual((error.kind, error.text), ("failed", "out of film"))
        self.assertIn("std::", error.type)
        self.assertTrue(str(error).startswith(f"{error.type}: out of film"))
        for frame in error.frames:
            self.assertIn(f"\n    at {frame}", str(error))
        self.assertEqual(self.probe.ask("Echo", text="lives on"), "lives on")

    def test_a_dead_actor_s_exit_says_what_it_had_in_hand(self):
        pending = self.probe.request("ExitWith", code=3)
        self.assertIsInstance(self.session.wait_all([pending])[0], baton.Gone)
        self.assertEqual((self.probe.join().kind, self.probe.exitcode), ("returned", 3))
        other = self.session.spawn("probe")
        self.assertRaises(baton.Gone, other.ask, "FailCheck", promise="the film is dry")
        exit = other.join()
        self.assertEqual((exit.kind, exit.in_hand), ("failed_check", "FailCheck"))
        self.assertIn("the film is dry", exit.text)

    def test_a_scenario_that_leaves_says_that_it_is_stopping_to_those_it_owes_an_answer(self):
        with baton.session(join=self.session.id) as leaving:
            pending = self.probe.request("TellOther", other=leaving.address, text="film")
            message, = leaving.collect("Echo", count=1)
        self.assertTrue(message.is_asked)
        with self.assertRaises(baton.Error) as raised:
            pending.get()
        self.assertIn("is stopping", str(raised.exception))

    def test_an_ask_that_comes_to_the_scenario_is_answered(self):
        for say, wanted in ((lambda message: message.reply("whole"), "whole"),
                            (lambda message: message.fail("torn"), "torn"),
                            (lambda message: None, "without an answer")):
            pending = self.probe.request("TellOther", other=self.session.address, text="film")
            message, = self.session.collect("Echo", count=1)
            self.assertTrue(message.is_asked)
            self.assertEqual((message.text, message.sender), ("film", "probe"))
            say(message)
            if wanted != "without an answer":
                self.assertRaisesText(baton.Refused, "answered already", message.reply, "again")
            del message
            try:
                answer = pending.get()
            except baton.Error as error:
                answer = str(error)
            self.assertIn(wanted, answer)


class Pieces(unittest.TestCase):
    def test_a_struct_has_attributes_and_items_and_compares_by_fields(self):
        one = baton.Struct({"mean": 1.5, "class": "b"})
        self.assertEqual((one.mean, one["class"], one._fields), (1.5, "b", {"mean": 1.5, "class": "b"}))
        self.assertEqual(one, baton.Struct({"class": "b", "mean": 1.5}))
        self.assertNotEqual(one, baton.Struct(mean=1.5))
        self.assertEqual(repr(baton.Struct(mean=1.5)), "{mean=1.5}")
        self.assertRaises(TypeError, iter, one)

    def test_errors_have_kinds_and_survive_pickling(self):
        for kind in (baton.Refused, baton.Overloaded, baton.TimedOut, baton.Gone, baton.Unsupported, baton.Corrupt,
                     baton.Failed, baton.Stopping, baton.Deadlock, baton.Closed):
            error = kind("why", "std::logic_error", ["f()"])
            self.assertIsInstance(error, baton.Error)
            self.assertEqual(str(error), "std::logic_error: why\n    at f()")
            self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))
        self.assertIsInstance(baton.TimedOut("why"), TimeoutError)

    def test_everything_public_is_documented(self):
        for name in baton.__all__:
            thing = getattr(baton, name)
            self.assertTrue(thing.__doc__, name)
            for method, function in vars(thing).items() if isinstance(thing, type) else ():
                if not method.startswith("_") and callable(function):
                    self.assertTrue(function.__doc__, f"{name}.{method}")


if __name__ == "__main__":
    unittest.main()
