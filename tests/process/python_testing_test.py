"""baton.testing: scripts in a test, without processes.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/process/python_testing_test.py

Method: a bank as a script, and a scenario that starts tellers, both of the kind that users write. No process is started
and no coordinator is there.
"""
import asyncio
import dataclasses
import datetime
import os
import signal
import time
import unittest

import baton
import baton.testing


@dataclasses.dataclass
class Approve:
    cents: int


@dataclasses.dataclass
class Receipt:
    balance: int
    when: datetime.datetime


@dataclasses.dataclass
class Deposit:
    cents: int


@dataclasses.dataclass
class Crash:
    why: str


@dataclasses.dataclass
class Later:
    pass


@dataclasses.dataclass
class Who:
    of: baton.Ref


NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)

teller = baton.Commands("teller")


@teller.on
def approve(command: Approve) -> bool:
    return command.cents < 50


@teller.on(answers=False)
def receipt(command: Receipt) -> None:
    pass


def bank():
    """A new bank: its commands, as a script has them."""
    commands = baton.Commands("bank")
    balance = 0

    @commands.on
    def deposit(command: Deposit) -> int:
        nonlocal balance
        if command.cents < 0:
            raise baton.Refused("that is a withdrawal")
        balance += command.cents
        return balance

    @commands.on
    def crash(command: Crash) -> int:
        raise LookupError(command.why)

    @commands.on
    async def later(command: Later) -> str:
        await asyncio.sleep(0)
        return "later"

    @commands.on
    def who(command: Who, message: baton.Message) -> tuple[str, str]:
        return message.sender, command.of.id

    return commands


def approves(cents):
    """A scenario, as scripts have it: it opens its session itself."""
    with baton.session() as session:
        alice = session.spawn("teller", name="Alice")
        alice.send("Receipt", balance=7, when=NOON)
        return alice.ask("Approve", cents=cents, timeout=2.0)


class Scripts(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(baton.testing.World())
        self.bank = self.world.start(bank())

    def test_a_handler_is_asked_as_others_ask_it(self):
        self.assertEqual(self.bank.ask("Deposit", cents=10), 10)
        self.assertEqual(self.bank.ask(Deposit(5)), 15)
        self.assertEqual(self.bank.request("Deposit", cents=1).get(), 16)
        self.assertEqual(self.bank.describe().splitlines()[0], "Deposit(cents: int64) -> int64")

    def test_what_does_not_fit_is_refused_with_its_place(self):
        with self.assertRaisesRegex(baton.Refused, "Deposit.cents: expected int64, got string"):
            self.bank.ask("Deposit", cents="ten")
        with self.assertRaises(baton.Unsupported):
            self.bank.ask("Rob")
        self.assertEqual(self.world.failures, [])

    def test_an_error_of_a_handler_is_the_askers_and_the_tests(self):
        with self.assertRaisesRegex(baton.Refused, "that is a withdrawal"):
            self.bank.ask("Deposit", cents=-1)
        with self.assertRaises(baton.Failed) as raised:
            self.bank.ask("Crash", why="no ink")
        self.assertEqual((raised.exception.type, raised.exception.text), ("LookupError", "no ink"))
        self.assertIn("python_testing_test.py", raised.exception.frames[0])
        self.assertEqual([(one.name, one.command, str(one.error)) for one in self.world.failures],
                         [("bank", "Deposit", "that is a withdrawal"), ("bank", "Crash", "no ink")])

    def test_a_coroutine_is_run_to_its_end(self):
        self.assertEqual(self.bank.ask("Later"), "later")

    def test_a_handler_sees_who_sent_a_command_and_the_ref_in_it(self):
        peer = self.world.peer("Alice", teller)
        self.assertEqual(peer.request(self.bank, "Who", of=peer.ref).get(), ["Alice", peer.ref.id])

    def test_what_ends_is_gone(self):
        self.bank.kill()
        self.assertEqual(self.bank.exitcode, -signal.SIGKILL)
        with self.assertRaisesRegex(baton.Gone, "bank has exited: signal -9"):
            self.bank.ask("Deposit", cents=1)


class Scenarios(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(baton.testing.World())
        self.world.provide("teller", teller)

    def test_a_scenario_that_opens_its_own_session_gets_peers(self):
        self.assertIs(approves(10), True)
        self.assertIs(approves(60), False)
        alice = self.world.find_peer("Alice")
        self.assertEqual(alice.received(Approve), [Approve(60)])
        self.assertEqual(alice.received(Receipt), [Receipt(7, NOON)])
        self.assertEqual(alice.received_names(), ["Receipt", "Approve"])
        self.assertEqual(alice.exit.kind, "stopped")

    def test_outside_of_the_block_sessions_are_real_again(self):
        opener = baton._opening.opener
        with baton.testing.World() as inner:
            self.assertIs(baton.session(), inner.session)
        self.assertIs(baton._opening.opener, opener)

    def test_the_test_says_what_a_peer_answers(self):
        session = self.world.session
        alice = session.spawn("teller", name="Alice")
        peer = self.world.find_peer("Alice")
        peer.replies(Approve, True)
        self.assertIs(alice.ask("Approve", cents=1000), True)
        peer.replies(Approve, lambda command: command.cents == 3)
        self.assertEqual([alice.ask("Approve", cents=cents) for cents in (2, 3)], [False, True])
        peer.fails(Approve, baton.Overloaded("a long queue"))
        with self.assertRaisesRegex(baton.Overloaded, "a long queue"):
            alice.ask("Approve", cents=1)
        peer.replies(Approve, "yes")
        with self.assertRaisesRegex(TypeError, "expected bool, got string"):
            alice.ask("Approve", cents=1)
        with self.assertRaisesRegex(TypeError, "Alice has no command Deposit"):
            peer.replies(Deposit, 1)

    def test_what_a_script_of_the_test_raises_is_raised_in_the_test(self):
        alice = self.world.session.spawn("teller", name="Alice")

        def is_wrong(command):
            raise AssertionError("not this one")

        self.world.find_peer("Alice").replies(Approve, is_wrong)
        with self.assertRaisesRegex(AssertionError, "not this one"):
            alice.ask("Approve", cents=1)
        relay = baton.Commands("relay")

        @relay.on
        def crash(command: Crash) -> bool:
            return alice.ask("Approve", cents=1)

        with self.assertRaisesRegex(AssertionError, "not this one"):
            self.world.start(relay).ask("Crash", why="")
        self.assertEqual(self.world.failures, [])

    def test_a_program_that_is_not_provided_is_refused_and_the_text_says_how(self):
        with self.assertRaisesRegex(baton.Refused, r"no program 'printer'.*world.provide\('printer', ...\)"):
            self.world.session.spawn("printer")

    def test_many_are_started_asked_and_stopped_together(self):
        session = self.world.session
        tellers = session.spawn("teller", count=3)
        self.assertEqual([one.name for one in tellers], ["teller", "teller-2", "teller-3"])
        self.world.find_peer("teller-2").fails(Approve, baton.Refused("closed"))
        self.world.find_peer("teller-3").kill()
        outcomes = session.ask_all(tellers, "Approve", cents=1)
        self.assertEqual([type(one) for one in outcomes], [bool, baton.Refused, baton.Gone])
        self.assertEqual(session.send_all(tellers, "Receipt", balance=1, when=NOON), 2)
        self.assertEqual([row.name for row in session.actors()][1:], ["teller", "teller-2"])
        self.assertEqual([one.kind for one in session.stop()], ["stopped", "stopped", "signalled"])

    def test_what_comes_to_a_scenario_is_collected(self):
        session = self.world.session
        peer = self.world.peer("Alice", teller)
        peer.send(session.address, "Said", line="hello")
        peer.send(session.address, "Said", line="again")
        first, second = session.collect("Said", count=2)
        self.assertEqual((first.line, first.sender, second.line), ("hello", "Alice", "again"))
        self.assertEqual(session.collect(timeout=3.0), [])
        self.assertEqual(self.world.now, 3.0)

    def test_a_script_serves_what_has_come_and_ends_when_nothing_more_can(self):
        commands = bank()
        with baton.session(protocol=commands) as session:
            peer = self.world.peer("Alice", teller)
            pending = peer.request(session.address, "Deposit", cents=8)
            self.assertFalse(pending.ready())
            self.assertEqual(session.serve(), 1)
            self.assertEqual(pending.get(), 8)

    def test_deaths_happen_on_command(self):
        alice = self.world.session.spawn("teller", name="Alice")
        told = []
        alice.on_exited(lambda actor, exit: told.append((actor.name, exit.kind, exit.code)))
        peer = self.world.find_peer("Alice")
        peer.keeps(Approve)
        pending = alice.request("Approve", cents=1)
        peer.kill(signal.SIGSEGV)
        with self.assertRaisesRegex(baton.Gone, "Alice has exited: signal -11"):
            pending.get()
        self.assertEqual(alice.join().code, signal.SIGSEGV)
        self.assertFalse(alice.is_alive())
        self.assertEqual(told, [("Alice", "signalled", signal.SIGSEGV)])

    def test_a_full_inbox_overloads_after_its_time(self):
        alice = self.world.session.spawn("teller", name="Alice")
        peer = self.world.find_peer("Alice")
        peer.fill_inbox()
        with self.assertRaises(baton.Overloaded):
            alice.send("Receipt", balance=1, when=NOON, timeout=4.0)
        self.assertEqual(self.world.now, 4.0)
        peer.empty_inbox()
        alice.send("Receipt", balance=1, when=NOON)
        self.assertEqual(len(peer.received(Receipt)), 1)

    def test_what_a_session_alone_can_do_is_refused_and_the_text_says_so(self):
        session = self.world.session
        alice = session.spawn("teller")
        for use in (lambda: session.create_segment(10), lambda: session.attach("x"), lambda: alice.sentinel,
                    lambda: session.import_from("x", 3), lambda: session.create_or_attach("x", 3)):
            with self.assertRaisesRegex(baton.Refused, "a test world has no .*real session"):
                use()


class Time(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(baton.testing.World())
        self.world.provide("teller", teller)
        self.alice = self.world.session.spawn("teller", name="Alice")
        self.peer = self.world.find_peer("Alice")

    def test_an_ask_that_nobody_answers_is_timed_out_at_once(self):
        before = time.monotonic()
        self.peer.keeps(Approve)
        with self.assertRaises(baton.TimedOut):
            self.alice.ask("Approve", cents=1, timeout=3600)
        self.assertEqual(self.world.now, 3600.0)
        self.assertLess(time.monotonic() - before, 60)

    def test_a_reply_comes_at_its_time(self):
        self.peer.replies(Approve, True, after=3.0)
        with self.assertRaises(baton.TimedOut):
            self.alice.ask("Approve", cents=1, timeout=2.0)
        self.assertEqual(self.world.now, 2.0)
        pending = self.alice.request("Approve", cents=1)
        self.world.advance(2.5)
        self.assertFalse(pending.ready())
        self.world.advance(0.5)
        self.assertTrue(pending.ready())
        self.assertIs(pending.get(), True)
        self.assertIs(self.alice.ask("Approve", cents=1), True)
        self.assertEqual(self.world.now, 8.0)

    def test_deadlines_count_by_the_clock_of_the_world(self):
        ends = baton.Deadline(10)
        self.world.advance(4)
        self.assertEqual(ends.left(), 6.0)
        self.peer.keeps(Approve)
        with self.assertRaises(baton.TimedOut):
            self.alice.ask("Approve", cents=1, timeout=ends)
        self.assertEqual(self.world.now, 10.0)
        self.assertTrue(ends.has_passed())

    def test_a_kept_ask_is_answered_when_the_test_wants_it(self):
        self.peer.keeps(Approve)
        pending = self.alice.request("Approve", cents=9)
        kept = self.peer.take(Approve)
        self.assertEqual(kept.command, Approve(9))
        self.assertIsNone(self.peer.take(Approve))
        kept.message.reply(True)
        self.assertIs(pending.get(timeout=None), True)
        with self.assertRaisesRegex(baton.Refused, "has its answer already"):
            kept.message.reply(False)

    def test_what_is_frozen_answers_when_it_is_thawed(self):
        self.peer.freeze()
        pending = self.alice.request("Approve", cents=9)
        with self.assertRaises(baton.TimedOut):
            pending.get(timeout=1.0)
        self.peer.thaw()
        self.assertIs(pending.get(), True)

    def test_a_wait_that_nothing_can_end_is_an_error(self):
        self.peer.keeps(Approve)
        with self.assertRaisesRegex(RuntimeError, "nothing in this test world can end"):
            self.alice.request("Approve", cents=9).get(timeout=None)

    def test_a_reply_can_be_awaited(self):
        async def scenario():
            return await self.alice.request("Approve", cents=9)

        self.assertIs(asyncio.run(scenario()), True)


class NoProcess(unittest.TestCase):
    def test_no_process_is_started_and_nothing_is_written(self):
        before = set(os.listdir("/dev/shm"))
        with baton.testing.World() as world:
            world.provide("teller", teller)
            self.assertIs(approves(1), True)
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
                self.assertEqual(children.read(), "")
        self.assertEqual({one for one in set(os.listdir("/dev/shm")) - before if str(os.getpid()) in one}, set())


if __name__ == "__main__":
    unittest.main()
