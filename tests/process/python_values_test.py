"""Values that Python scripts send and get, and what the module says of itself.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_values_test.py

BATON_PROGRAMS holds greeter and student, and probe (tests/process/probe.hpp). Nothing sleeps: waits end with a
line, a message or an exit, and the watchdog is that of ctest.
"""
import collections
import dataclasses
import datetime
import enum
import fractions
import os
import pickle
import types
import unittest

import baton
from python_world import World

UTC = datetime.timezone.utc


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
