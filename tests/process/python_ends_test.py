"""How actors and sessions of Python scripts end, and that nothing is left behind.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_ends_test.py

BATON_PROGRAMS holds greeter and student, and probe (tests/process/probe.hpp). Nothing sleeps: waits end with a
line, a message or an exit, and the watchdog is that of ctest.
"""
import asyncio
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import threading
import unittest
from multiprocessing.connection import wait

import baton
from python_world import anchor_of, coordinator_of, has_ended, World


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

    def test_a_sentinel_is_waited_for_by_poll_epoll_and_asyncio(self):
        eve = self.session.spawn("greeter", name="Eve")
        poll, epoll = select.poll(), select.epoll()
        self.addCleanup(epoll.close)
        poll.register(eve.sentinel, select.POLLIN)
        epoll.register(eve.sentinel, select.EPOLLIN)
        self.assertEqual((poll.poll(0), epoll.poll(0)), ([], []))
        os.kill(coordinator_of(self.session), signal.SIGKILL)  # it is the kernel that tells

        async def wait_for_end():
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(eve.sentinel, ended.set)
            os.kill(eve.pid, signal.SIGKILL)
            await asyncio.wait_for(ended.wait(), 60)
            loop.remove_reader(eve.sentinel)

        asyncio.run(wait_for_end())
        self.assertEqual(len(poll.poll(0)) + len(epoll.poll(0)), 2)
        self.assertEqual(eve.join().exitcode, -signal.SIGKILL)

    def test_linked_actors_end_together(self):
        ada, bob, eve = (self.session.spawn("greeter", name=name) for name in ("Ada", "Bob-2", "Eve"))
        ada.link(bob)
        ada.link(eve)
        eve.unlink(ada)
        bob.kill()
        exit = ada.join(60)
        self.assertEqual(exit.kind, "stopped")
        self.assertIn("it was linked with Bob-2, which has ended: signal -9", exit.text)
        self.assertTrue(eve.is_alive())
        with self.assertRaises(baton.Refused):
            eve.link(eve)
        eve.link(ada)  # which has ended
        self.assertIn("Ada", eve.join(60).text)

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

    def test_a_session_that_is_killed_ends_every_wait_as_gone(self):
        session = self.open()
        student = session.spawn("student")
        os.kill(student.pid, signal.SIGSTOP)
        pending = student.request("WhatsYourNumber")
        os.kill(anchor_of(session), signal.SIGKILL)
        self.assertRaisesText(baton.Gone, "the session has ended", pending.get, timeout=60)
        self.assertRaises(baton.Gone, student.is_alive)
        self.assertRaises(baton.Gone, session.close)
        with baton.session():  # sweeps what the dead one left
            pass


if __name__ == "__main__":
    unittest.main()
