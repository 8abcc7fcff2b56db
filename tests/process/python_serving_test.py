"""Scripts that answer: one with a protocol of its own is an actor, which C++, the command line and others ask.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests BATON_BIN=build/dev/bin \
        /usr/bin/python3 tests/process/python_serving_test.py

Method: the script that answers is a process of its own, `bank`; this one asks it. Nothing sleeps.
"""
import dataclasses
import datetime
import enum
import os
import signal
import subprocess
import sys
import textwrap
import typing
import unittest

import baton
from python_world import anchor_of, World

BANK = """
    import dataclasses, datetime, enum, os, sys
    from typing import Annotated
    import baton

    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    @dataclasses.dataclass
    class Point:
        x: float
        y: float

    @dataclasses.dataclass
    class Deposit:
        cents: int

    @dataclasses.dataclass
    class Withdraw:
        cents: int

    @dataclasses.dataclass
    class Wait:
        timeout: float
        name: str
        fields: Annotated[int, "uint8"]

    @dataclasses.dataclass
    class Everything:
        flag: bool
        tiny: Annotated[int, "uint8"]
        real: float
        text: str
        raw: bytes
        when: datetime.datetime
        long: datetime.timedelta
        colour: Colour
        points: list[Point]
        three: tuple[int, int, int]
        table: dict[str, float]
        maybe: str | None
        who: baton.Ref

    @dataclasses.dataclass
    class WhoAmI:
        pass

    @dataclasses.dataclass
    class Sum:
        numbers: baton.Segment

    @dataclasses.dataclass
    class Broken:
        pass

    @dataclasses.dataclass
    class Forget:
        pass

    bank = baton.Commands("bank")
    balance = 0

    @bank.on
    def deposit(command: Deposit) -> int:
        global balance
        balance += command.cents
        return balance

    @bank.on
    def withdraw(command: Withdraw) -> int:
        global balance
        if command.cents > balance:
            raise baton.Refused(f"{command.cents} cents are more than the {balance} there are")
        balance -= command.cents
        return balance

    @bank.on
    def wait(command: Wait) -> str:
        return f"{command.name} {command.timeout} {command.fields}"

    @bank.on
    def everything(command: Everything) -> Everything:
        assert isinstance(command.colour, Colour) and isinstance(command.long, datetime.timedelta), command
        assert isinstance(command.three, tuple) and isinstance(command.points[0], Point), command
        return command

    @bank.on
    def who_am_i(command: WhoAmI, message: baton.Message) -> str:
        return message.sender

    @bank.on
    def add_up(command: Sum) -> float:
        with command.numbers.view() as numbers:
            return float(numbers.sum())

    @bank.on
    def broken(command: Broken) -> int:
        if balance == 0:
            raise LookupError("no money")
        return "money"

    @bank.on(answers=False)
    def forget(command: Forget) -> None:
        global balance
        balance = 0

    with baton.session(protocol=bank, name="bank") as session:
        print("open", flush=True)
        print("served", session.serve(), flush=True)
"""


class Serving(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def start(self, body, **options):
        environment = {**os.environ, "BATON_SESSION": self.session.id}
        process = subprocess.Popen([sys.executable, "-u", "-c", textwrap.dedent(body)], env=environment, text=True,
                                   stdout=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "open\n")
        return process

    def bank(self):
        process = self.start(BANK)
        return process, self.session.find("bank")

    def baton(self, *words, code=0):
        program = os.path.join(os.environ["BATON_BIN"], "baton")
        done = subprocess.run([program, "--session", self.session.id, *words], text=True, capture_output=True,
                              timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_a_script_that_is_found_by_name_answers_typed_commands(self):
        _, bank = self.bank()
        self.assertEqual((bank.protocol.name, bank.protocol.commands[:2]), ("bank", ["Deposit", "Withdraw"]))
        self.assertEqual(bank.ask("Deposit", cents=500, timeout=10), 500)
        self.assertEqual(bank.ask(bank.Withdraw(cents=200)), 300)
        self.assertEqual(baton.ask(bank.WhoAmI()), self.session.find("bank").ask("WhoAmI"))
        error = self.assertRaisesText(baton.Refused, "400 cents are more than the 300 there are",
                                      bank.ask, "Withdraw", cents=400)
        self.assertEqual((error.kind, error.type, error.frames), ("refused", "", []))
        bank.send("Forget")
        error = self.assertRaisesText(baton.Failed, "LookupError: no money", bank.ask, "Broken")
        self.assertRegex(error.frames[0], r"^broken \(<string>:\d+\)$")
        self.assertRaisesText(baton.Refused, "Forget has no reply", bank.ask, "Forget")

    def test_the_command_line_describes_and_asks_a_script(self):
        self.bank()
        self.assertIn("Deposit(cents: int64) -> int64", self.baton("describe", "bank"))
        self.assertIn("Forget()\n", self.baton("describe", "bank"))
        self.assertEqual(self.baton("ask", "bank", "Deposit", "cents=7").strip(), "7")
        refused = self.baton("ask", "bank", "Withdraw", "cents=8", code=65)
        self.assertIn("8 cents are more than the 7 there are", refused)

    def test_a_command_may_have_fields_with_the_names_of_options(self):
        _, bank = self.bank()
        fields = {"timeout": 1.5, "name": "Ada", "fields": 3}
        answer = "Ada 1.5 3"
        self.assertEqual(bank.ask("Wait", fields, timeout=10), answer)
        self.assertEqual(bank.ask(bank.Wait(timeout=1.5, name="Ada", fields=3), timeout=10), answer)
        self.assertEqual(bank.ask(bank.Wait(fields)), answer)
        self.assertEqual(baton.request(bank.Wait(fields), timeout=10).get(), answer)
        self.assertEqual(self.session.ask_all([bank], "Wait", fields, timeout=10), [answer])
        self.assertEqual(self.session.ask_all([bank], bank.Wait(fields), timeout=10), [answer])
        # A keyword that could mean either means neither.
        for ask in (bank.ask, bank.send, bank.request):
            self.assertRaisesText(baton.Refused, "Wait has a field 'timeout', which is the name of an option here",
                                  ask, "Wait", **fields)
        self.assertRaisesText(baton.Refused, "Wait has a field 'timeout'",
                              self.session.send_all, [bank], "Wait", **fields)
        self.assertRaisesText(TypeError, "as a dict or as keywords, not both", bank.ask, "Wait", fields, name="Bob")
        self.assertRaisesText(TypeError, "are in it already", bank.ask, bank.Wait(fields), name="Bob")
        self.assertRaisesText(baton.Refused, "Wait.fields: 300 is out of range of uint8",
                              bank.Wait, timeout=1, name="", fields=300)

    def test_a_dataclass_is_a_command_and_comes_as_one(self):
        _, bank = self.bank()

        @dataclasses.dataclass
        class Deposit:
            cents: int

        self.assertEqual(bank.ask(Deposit(20), timeout=10), 20)
        now = datetime.datetime.now(datetime.timezone.utc)
        fields = {"flag": True, "tiny": 255, "real": 2.0, "text": "x", "raw": b"\0", "when": now, "long": 1.5,
                  "colour": "BLUE", "points": [{"x": 1.0, "y": 2.0}], "three": [1, 2, 3], "table": {"a": 2.0},
                  "maybe": None, "who": bank}
        reply = bank.ask("Everything", fields)
        self.assertEqual({**reply._fields, "points": [reply.points[0]._fields]}, fields)
        # A whole number that is a float stays one.
        self.assertEqual([type(reply.real), type(reply.points[0].y), type(reply.table["a"])], [float] * 3)

    def test_a_segment_is_given_to_a_script(self):
        _, bank = self.bank()
        numbers = self.session.create_array(3, "float64")
        with numbers.view() as array:
            array[:] = 2.0
        self.assertEqual(bank.ask("Sum", numbers=numbers), 6.0)
        self.assertFalse(numbers)

    # Goal: what a foreign or older client sends is refused as an actor in C++ refuses it, before the handler.
    # Method: `fake` publishes commands of the same names with other fields, so that its own checks let them pass.
    def test_wrong_missing_and_unknown_fields_are_refused_by_the_script_itself(self):
        _, bank = self.bank()
        for body, fields, text in [("cents: str", {"cents": "1"}, "Deposit.cents: expected int64, got string"),
                                   ("cents: float", {"cents": 1.5}, "Deposit.cents: expected int64, got float"),
                                   ("dollars: int", {"dollars": 1}, "Deposit has no field 'dollars'"),
                                   ("pass", {}, "Deposit.cents is missing")]:
            fake = self.fake("Deposit", body)
            error = self.assertRaisesText(baton.Refused, text, self.ask_as, fake, bank, "Deposit", fields)
            self.assertEqual(error.kind, "refused")
        self.assertRaisesText(baton.Unsupported, "bank knows no command 'Borrow'; it knows Deposit, Withdraw",
                              self.ask_as, self.fake("Borrow", "pass"), bank, "Borrow", {})
        self.assertRaisesText(baton.Unsupported, "Forget has no reply",
                              self.ask_as, self.fake("Forget", "pass"), bank, "Forget", {})
        self.assertEqual(bank.ask("Deposit", cents=1), 1)

    def fake(self, name, body):
        """The protocol of an actor that takes such a command."""
        space = {"dataclasses": dataclasses, "__name__": "fake"}
        exec(f"@dataclasses.dataclass\nclass {name}:\n    {body}\n", space)  # pylint: disable=exec-used
        commands = baton.Commands("fake")

        def handle(command):
            raise AssertionError("it is never asked")

        handle.__annotations__ = {"command": space[name], "return": int}
        commands.on(handle)
        with baton.session(join=self.session.id, name="fake", protocol=commands) as other:
            return self.session.find(other.find("fake")).protocol

    def ask_as(self, protocol, to, command, fields):
        return self.session._core.ask(to, protocol, command, fields, 10, {})

    def test_a_cpp_actor_asks_a_script(self):
        script = self.start("""
            import dataclasses
            import baton

            @dataclasses.dataclass
            class Echo:
                text: str

            echoes = baton.Commands("probe")

            @echoes.on
            def echo(command: Echo) -> str:
                return f"a script says {command.text}"

            with baton.session(protocol=echoes, name="echoes") as session:
                print("open", flush=True)
                session.serve(count=1)
            """)
        probe = self.session.spawn("probe")
        self.assertEqual(probe.ask("TellOther", other=self.session.find("echoes"), text="hello"), "a script says hello")
        self.assertEqual(script.wait(), 0)

    def test_scripts_ask_each_other(self):
        self.bank()
        self.start("""
            import dataclasses
            import baton

            @dataclasses.dataclass
            class Pay:
                cents: int

            till = baton.Commands("till")

            @till.on
            def pay(command: Pay) -> int:
                return session.find("bank").ask("Deposit", cents=command.cents)

            with baton.session(protocol=till, name="till") as session:
                print("open", flush=True)
                session.serve()
            """)
        self.assertEqual([self.session.find("till").ask("Pay", cents=number) for number in (1, 2, 3)], [1, 3, 6])

    def test_a_script_that_is_killed_is_gone_for_whoever_asks_it(self):
        process, bank = self.bank()
        os.kill(process.pid, signal.SIGSTOP)
        pending = bank.request("Deposit", cents=1)
        process.kill()
        self.assertRaises(baton.Gone, pending.get, 10)
        self.assertEqual(bank.join(10).kind, "left")  # nobody of the session is its parent, who would know how

    def test_serving_ends_with_the_session_which_asks_it_to_stop(self):
        process, bank = self.bank()
        bank.ask("Deposit", cents=1)
        self.session.close()  # which asks it to stop
        self.assertEqual(process.stdout.readline(), "served 1\n")
        self.assertEqual(process.wait(), 0)

    def test_serving_ends_after_so_many_commands_or_when_the_time_is_over(self):
        commands = baton.Commands("echoes")

        @dataclasses.dataclass
        class Echo:
            text: str

        def echo(command):
            return command.text

        echo.__annotations__ = {"command": Echo, "return": str}
        commands.on(echo)
        with baton.session(join=self.session.id, name="echoes", protocol=commands) as script:
            me = self.session.find("echoes")
            pendings = [me.request("Echo", text=str(number)) for number in range(3)]
            self.assertEqual(script.serve(count=2), 2)
            self.assertEqual([one.get() for one in pendings[:2]], ["0", "1"])
            self.assertFalse(pendings[2].ready())
            self.assertEqual(script.serve(timeout=0.01), 1)
            self.assertEqual((script.serve(timeout=0), script.serve(count=0)), (0, 0))
        self.assertRaisesText(baton.Gone, "the session is closed", script.serve)

    def test_serving_ends_with_a_session_that_is_killed(self):
        process, _ = self.bank()
        os.kill(anchor_of(self.session), signal.SIGKILL)
        self.assertEqual(process.stdout.readline(), "served 0\n")
        self.assertRaises(baton.Gone, self.session.close)
        with baton.session():  # sweeps what the dead one left
            pass

    def test_what_can_be_no_command_is_refused_where_it_is_written_down(self):
        commands = baton.Commands("wrong")

        @dataclasses.dataclass
        class Odd:
            number: complex

        @dataclasses.dataclass
        class Fine:
            number: int

        def odd(command: Odd) -> int: ...
        def untyped(command): ...
        def no_reply(command: Fine): ...
        def odd_reply(command: Fine) -> typing.Union[int, str]: ...
        def fine(command: Fine) -> int: return 0

        self.assertRaisesText(TypeError, "Odd.number: complex is not a type that travels", commands.on, odd)
        self.assertRaisesText(TypeError, "first parameter must be annotated with a dataclass", commands.on, untyped)
        self.assertRaisesText(TypeError, "must be annotated with what it returns", commands.on, no_reply)
        self.assertRaisesText(TypeError, "the reply to Fine: ", commands.on, odd_reply)
        self.assertRaisesText(baton.Refused, "the protocol wrong has no commands", baton.session, protocol=commands)
        self.assertIs(commands.on(fine), fine)
        self.assertRaisesText(TypeError, "Fine has a handler already", commands.on, fine)
        self.assertRaisesText(baton.Refused, "answers no commands", self.session.serve, timeout=0)

    def test_an_exit_is_told_while_a_script_serves(self):
        ada = self.session.spawn("greeter", name="Ada")
        process = self.start("""
            import dataclasses
            import baton

            @dataclasses.dataclass
            class Nothing:
                pass

            commands = baton.Commands("watcher")

            @commands.on(answers=False)
            def nothing(command: Nothing) -> None:
                pass

            with baton.session(protocol=commands, name="watcher") as session:
                def told(actor, exit):
                    print(actor.name, exit.kind, session.find("coordinator").name, flush=True)
                session.find("Ada").on_exited(told)
                print("open", flush=True)
                session.serve()
            """)
        ada.kill()
        self.assertEqual(process.stdout.readline(), "Ada signalled coordinator\n")


if __name__ == "__main__":
    unittest.main()
