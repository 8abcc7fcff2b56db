"""Messages of Python scripts: spawning, sending, asking, collecting, and timeouts of each wait.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_messages_test.py

BATON_PROGRAMS holds greeter and student, and probe (tests/process/probe.hpp). Nothing sleeps: waits end with a
line, a message or an exit, and the watchdog is that of ctest.
"""
import datetime
import gc
import os
import pickle
import signal
import time
import tracemalloc
import unittest
import unittest.mock

import baton
from python_world import anchor_of, World


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

    def test_an_actor_answers_askers_with_types_and_without(self):
        answerer, asker = self.session.spawn("probe", count=2)
        for number in range(4):
            for text in (f"number {number}", "é" * number, "x" * 100_000):
                self.assertEqual(asker.ask("TellOther", other=answerer, text=text), text)  # C++ asks it
                self.assertEqual(answerer.ask("Echo", text=text), text)
        self.assertRaisesText(baton.Failed, "not now", answerer.ask, "Throw", text="not now")

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

    def test_a_spawn_says_which_actor_of_a_program_and_how_long_it_may_spin(self):
        lion = self.session.spawn("zoo", name="Leo", actor="lion", spin=0)
        self.assertEqual(lion.protocol.name, "lion")
        with open(f"/proc/{lion.pid}/environ", "rb") as file:
            self.assertIn(b"BATON_SPIN=0", file.read().split(b"\0"))
        self.assertRaisesText(baton.Failed, "no actor 'tiger'", self.session.spawn, "zoo", actor="tiger")
        with self.assertRaises(TypeError):
            self.session.spawn("zoo", actor="lion", spin="long")

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
        self.assertEqual(row.ppid, anchor_of(self.session))
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


if __name__ == "__main__":
    unittest.main()
