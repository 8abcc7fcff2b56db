"""Ctrl-C and signals during the waits of Python scripts.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_interrupts_test.py

BATON_PROGRAMS holds greeter and student, and probe (tests/process/probe.hpp). Nothing sleeps: waits end with a
line, a message or an exit, and the watchdog is that of ctest.
"""
import os
import signal
import unittest

import baton
from python_world import World, has_ended


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


if __name__ == "__main__":
    unittest.main()
