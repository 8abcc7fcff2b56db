"""The Python module under asyncio, and what it tells of the ends of actors: `await`, `ended()`, `on_exited()`,
`serving()`.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_asyncio_test.py

Method: real actors, frozen, killed, or held at a fifo until the test releases them. Nothing sleeps for a length of
time: if the event loop has to run in the meantime, tasks take turns until something has happened.
"""
import asyncio
import dataclasses
import os
import signal
import unittest

import baton
from python_world import anchor_of, World


class Turn:
    """Awaited, it lets the other tasks run once."""

    def __await__(self):
        yield


class Asyncio(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def fifo(self, name):
        path = os.path.join(self.place, name)
        os.mkfifo(path)
        self.addCleanup(os.unlink, path)
        return path

    def release(self, path):
        with open(path, "w", encoding="ascii"):
            pass

    def run_async(self, work):
        return asyncio.run(asyncio.wait_for(work, 60))

    def test_a_reply_is_awaited_while_other_tasks_run(self):
        probe = self.session.spawn("probe")
        gate = self.fifo("gate")
        turns = 0

        async def others():
            nonlocal turns
            while turns < 100:
                turns += 1
                await Turn()
            self.release(gate)

        async def main():
            pending = probe.request("Block", fifo=gate)
            other = asyncio.create_task(others())
            said = await pending
            await other
            self.assertEqual(await pending, said)  # again and again the same
            self.assertEqual(pending.get(0), said)

        self.run_async(main())
        self.assertEqual(turns, 100)

    def test_many_are_awaited_at_once_in_any_order(self):
        probes = self.session.spawn("probe", count=4, progress=False)

        async def one(probe, number):
            return [await probe.request("Echo", text=f"{number}.{turn}") for turn in range(50)]

        async def main():
            return await asyncio.gather(*(one(probe, number) for number, probe in enumerate(probes)))

        self.assertEqual(self.run_async(main()), [[f"{number}.{turn}" for turn in range(50)] for number in range(4)])

    # Goal: a call that waits takes what others await, and they learn of it.
    # Method: a reply comes while the script asks somebody else, in the midst of the event loop.
    def test_what_another_call_of_the_session_took_is_not_missed(self):
        first, second = self.session.spawn("probe", count=2, progress=False)

        async def main():
            for number in range(100):
                pending = first.request("Echo", text=str(number))
                waiter = asyncio.ensure_future(pending)
                await Turn()
                self.session.sync([first, second])  # by now it has been read from the socket
                self.assertEqual(await waiter, str(number))

        self.run_async(main())

    def test_errors_are_raised_where_they_are_awaited(self):
        probe = self.session.spawn("probe")

        async def main():
            with self.assertRaises(baton.Failed):
                await probe.request("Throw", text="no")
            hanging = probe.request("Hang")
            waiter = asyncio.ensure_future(hanging)
            await Turn()
            probe.kill()
            with self.assertRaises(baton.Gone):
                await waiter

        self.run_async(main())

    def test_a_session_that_is_killed_ends_what_is_awaited(self):
        probe = self.session.spawn("probe")
        anchor = anchor_of(self.session)

        async def main():
            waiter = asyncio.ensure_future(probe.request("Hang"))
            await Turn()
            os.kill(anchor, signal.SIGKILL)
            with self.assertRaises(baton.Gone):
                await waiter

        self.run_async(main())
        self.assertRaises(baton.Gone, self.session.close)
        with baton.session():  # sweeps what the dead one left
            pass

    def test_a_cancelled_task_has_cancelled_its_request(self):
        probe = self.session.spawn("probe")
        gate = self.fifo("gate")

        async def main():
            pending = probe.request("Block", fifo=gate)
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(pending, 0.02)
            self.assertRaisesText(baton.Refused, "was cancelled", pending.get, 0)
            with self.assertRaises(baton.Refused):
                await pending
            self.release(gate)
            self.assertEqual(await probe.request("Echo", text="still there"), "still there")

        self.run_async(main())

    def test_the_event_loop_is_left_as_it_was(self):
        probe = self.session.spawn("probe")

        async def main():
            loop = asyncio.get_running_loop()
            before = set(loop._selector.get_map())
            await probe.request("Echo", text="x")
            return before == set(loop._selector.get_map())

        for _ in range(3):  # and another event loop is fine
            self.assertTrue(self.run_async(main()))
        self.assertFalse(baton._awaiting._watchers)

    # ---- the ends of actors

    def test_the_end_of_an_actor_is_awaited(self):
        alice, bob = self.session.spawn("student", names=["Alice", "Bob"], progress=False)

        async def main():
            ends = [asyncio.create_task(one.ended()) for one in (alice, bob, alice)]
            await Turn()
            alice.kill()
            first = await ends[0]
            self.assertEqual((first.name, first.kind, first.code), ("Alice", "signalled", 9))
            self.assertEqual((await ends[2]).name, "Alice")
            self.assertFalse(ends[1].done())
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(bob.ended(), 0.01)
            bob.terminate()
            self.assertEqual((await ends[1]).code, signal.SIGTERM)
            self.assertEqual((await bob.ended()).code, signal.SIGTERM)  # at once

        self.run_async(main())
        self.assertEqual(alice.exit.kind, "signalled")

    def test_who_wants_to_know_is_told_once_between_the_calls_of_a_script(self):
        alice, bob = self.session.spawn("student", names=["Alice", "Bob"], progress=False)
        told = []
        alice.on_exited(lambda actor, exit: told.append((actor.name, exit.kind, self.session.find("Bob").name)))
        alice.on_exited(lambda actor, exit: told.append("again"))
        alice.kill()
        while not told:
            bob.ask("WhatsYourNumber")
        bob.ask("WhatsYourNumber")
        self.assertEqual(told, [("Alice", "signalled", "Bob"), "again"])
        alice.on_exited(lambda actor, exit: told.append(exit.code))  # it has ended already
        self.assertEqual(told[2:], [9])

    def test_what_a_listener_raises_comes_out_of_a_call_and_takes_nothing_from_others(self):
        alice, bob = self.session.spawn("student", names=["Alice", "Bob"], progress=False)
        told = []

        def fail(actor, exit):
            raise LookupError(actor.name)

        for listener in (fail, lambda actor, exit: told.append(exit.name)):
            alice.on_exited(listener)
        alice.kill()
        with self.assertRaises(LookupError):
            while True:
                bob.ask("WhatsYourNumber")
        self.assertEqual(told, ["Alice"])
        self.assertEqual(bob.ask("WhatsYourNumber"), "[Bob]  I'm not holding anything.")

    def test_who_wants_to_know_is_told_by_the_event_loop_where_one_runs(self):
        alice, bob = self.session.spawn("student", names=["Alice", "Bob"], progress=False)

        async def main():
            told = asyncio.get_running_loop().create_future()
            alice.on_exited(lambda actor, exit: told.set_result((actor.name, exit.kind)))
            alice.kill()
            self.assertEqual(await told, ("Alice", "signalled"))
            bob.ask("WhatsYourNumber")

        self.run_async(main())

    # ---- a script that answers

    def test_a_script_answers_while_its_event_loop_does_other_things(self):
        @dataclasses.dataclass
        class Echo:
            text: str

        echoes = baton.Commands("probe")
        begun = []

        @echoes.on
        async def echo(command: Echo) -> str:
            begun.append(command.text)
            await Turn()
            if command.text == "bad":
                raise ValueError("bad text")
            return command.text.upper()

        with baton.session(join=self.session.id, name="echoes", protocol=echoes) as script:
            probe = self.session.spawn("probe")
            me = self.session.find("echoes")

            async def main():
                serving = asyncio.create_task(script.serving())
                pendings = [probe.request("TellOther", other=me, text=text) for text in ("a", "b")]
                self.assertEqual(await asyncio.gather(*pendings), ["A", "B"])
                with self.assertRaises(baton.Failed) as caught:
                    await me.request("Echo", text="bad")
                self.assertEqual((caught.exception.type, caught.exception.text), ("ValueError", "bad text"))
                serving.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await serving

            self.run_async(main())
            # serve() does not run coroutines, and says so.
            pending = me.request("Echo", text="c")
            self.assertEqual(script.serve(count=1), 1)
            self.assertRaisesText(baton.Failed, "is a coroutine function", pending.get)
        self.assertEqual(begun, ["a", "b", "bad"])


if __name__ == "__main__":
    unittest.main()
