"""What Python sends and gets is what it said, exactly: numbers, texts, sizes, arrays, and references of one session.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_bytes_test.py

BATON_PROGRAMS holds probe (tests/process/probe.hpp), keeper (keeper.hpp) and student. Nothing sleeps.
"""
import datetime
import decimal
import enum
import itertools
import math
import os
import time
import unittest

import baton
from python_world import World

try:
    import numpy
except ImportError:
    numpy = None
try:
    import msgpack
    import zmq
except ImportError:
    msgpack = zmq = None

UTC = datetime.timezone.utc
MESSAGE_BYTES_MAX = 1 << 20


class Number(int):
    pass


class Word(str):
    pass


class Colour(enum.IntEnum):
    red = 7  # its name counts


class Exactly(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.probe = self.session.spawn("probe")
        self.everything = dict(
            flag=True, tiny=0, large=0, real=0.5, precise=0.5, colour="blue", text="", bytes=b"", list=[],
            three=[1, 2, 3], table={},
            maybe=None, either="or", point=dict(x=1.0, y=2.0), time=datetime.datetime(2031, 5, 17, tzinfo=UTC),
            ref=self.probe)

    def echo(self, field, value):
        return self.probe.ask("SendEverything", everything={**self.everything, field: value})[field]

    def refuses(self, text, field, value):
        return self.assertRaisesText(baton.Refused, text, self.echo, field, value)

    # ---- numbers

    def test_a_float_comes_back_as_a_float_with_its_sign(self):
        for value in (2.0, 0.0, -0.0, -3.0, 2.0**62, 1e300, math.inf, -math.inf):
            back = self.echo("precise", value)
            self.assertEqual((type(back), repr(back)), (float, repr(value)))
        self.assertTrue(math.isnan(self.echo("precise", math.nan)))
        for value in (2.0, -0.0, math.inf):
            self.assertEqual(repr(self.echo("real", value)), repr(value))
        self.assertEqual(repr(self.echo("table", {"a": 2.0, "b": 3})), "{'a': 2.0, 'b': 3.0}")
        self.assertEqual(repr(self.echo("point", dict(x=1, y=-0.0))), "{x=1.0, y=-0.0}")
        self.assertEqual(type(self.echo("precise", 2)), float)

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_what_numpy_makes_of_an_answer_has_the_type_of_the_description(self):
        self.assertEqual(numpy.array(list(self.echo("table", {"a": 2.0, "b": 4.0}).values())).dtype, numpy.float64)

    def test_a_number_out_of_range_of_its_type_is_refused_at_either_end(self):
        for value in (1e300, -1e39, 10**40):
            self.refuses("out of range of float32", "real", value)
        for value in (-129, 128):
            self.refuses("out of range of int8", "tiny", value)
        for value in (-1, 2**64, 10**40):
            self.refuses("out of range of uint64", "large", value)
        self.refuses("out of range", "precise", 10**400)
        for value in (2**63 - 1, 2**63, 2**64 - 1, Number(2**63 + 5)):
            self.assertEqual(self.echo("large", value), value)
        self.assertEqual(self.echo("precise", 10**40), 1e40)

    def test_one_kind_is_never_taken_for_another(self):
        for field, value in (("tiny", 1.0), ("tiny", True), ("tiny", "1"), ("tiny", None), ("tiny", b"1"),
                             ("tiny", decimal.Decimal(1)),
                             ("flag", 1), ("flag", 0.0), ("flag", None), ("flag", "yes"), ("precise", True),
                             ("precise", "2.0"),
                             ("precise", None), ("text", b"bytes"), ("text", 1), ("text", None), ("bytes", "text"),
                             ("bytes", [1, 2]),
                             ("bytes", 1), ("list", b"ab"), ("list", 1), ("list", [1.0]), ("list", [True]),
                             ("maybe", b"x"),
                             ("precise", 1 + 2j), ("time", 0), ("ref", (2, 1))):
            with self.subTest(field=field, value=value):
                self.assertRaises(baton.Refused, self.echo, field, value)

    def test_what_is_one_of_its_kind_is_taken_as_that(self):
        for field, value, back in (("tiny", Number(5), 5), ("text", Word("ü"), "ü"), ("bytes", bytearray(b"a"), b"a"),
                                   ("bytes", memoryview(b"abcdef")[::-2], b"fdb"), ("colour", 2, "blue")):
            with self.subTest(field=field):
                got = self.echo(field, value)
                self.assertEqual((type(got), got), (type(back), back))

    def test_an_enumerator_that_does_not_exist_is_refused(self):
        for value in (3, -1, 99, 2**40, "mauve", 1.0):
            self.refuses("everything.colour", "colour", value)
        self.assertEqual(self.echo("colour", Colour.red), "red")

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_numpy_s_numbers_are_those_that_they_are(self):
        for field, value, back in (
                ("tiny", numpy.int64(-3), -3), ("large", numpy.uint64(2**64 - 1), 2**64 - 1),
                ("precise", numpy.float64(2), 2.0),
                ("precise", numpy.float32(0.25), 0.25), ("precise", numpy.float16(0.5), 0.5),
                ("precise", numpy.longdouble(0.75), 0.75),
                ("precise", numpy.int32(7), 7.0), ("flag", numpy.bool_(True), True), ("text", numpy.str_("t"), "t"),
                ("bytes", numpy.bytes_(b"b"), b"b"), ("list", numpy.array([1, 2], "int8"), [1, 2])):
            with self.subTest(value=value):
                got = self.echo(field, value)
                self.assertEqual((type(got), got), (type(back), back))
        for field, value in (("tiny", numpy.float64(1)), ("flag", numpy.int8(1)), ("precise", numpy.bool_(True)),
                             ("tiny", numpy.datetime64(1, "ns")), ("list", numpy.array([1, 2], "M8[ns]")),
                             ("list", numpy.array([1, 2], "m8[s]")), ("precise", numpy.complex64(1)),
                             ("list", numpy.array([1.0]))):
            with self.subTest(value=value):
                self.assertRaises(baton.Refused, self.echo, field, value)

    @unittest.skipIf(numpy is None, "NumPy is not installed")
    def test_a_value_in_shared_memory_takes_what_it_is_and_nothing_else(self):
        import baton.sync
        keeper = baton.sync.Keeper(self.session)
        for dtype, fine, wrong in (
                ("int64", (7, -1, numpy.int8(3), 2**63 - 1), (1.5, 2.0, True, "1", 2**63, None, 1j)),
                ("uint8", (0, 255), (-1, 256, 1.0)), ("uint64", (2**64 - 1,), (-1, 2**64, 1.5)),
                ("float64", (7, 1.5, -0.0, math.inf, numpy.float32(0.5)), ("1", None, 1j)),
                ("float32", (0.5, 3), (1e300,)),
                ("bool", (True, numpy.bool_(False)), (1, 0.0, "yes"))):
            value = keeper.value(f"value {dtype}", fine[0], dtype)
            for one in fine:
                value.value = one
                self.assertEqual(repr(value.value), repr(numpy.dtype(dtype).type(one).item()))
            for one in wrong:
                with self.subTest(dtype=dtype, value=one):
                    before = value.value
                    self.assertRaises(baton.Refused, setattr, value, "value", one)
                    self.assertEqual(value.value, before)
            self.assertRaises(baton.Refused, keeper.value, f"wrong {dtype}", wrong[0], dtype)
        array = keeper.array("array", 4, "int32")
        array[1:3] = [5, 6]
        self.assertRaises(baton.Refused, array.__setitem__, 0, 1.5)
        self.assertRaises(baton.Refused, array.__setitem__, slice(0, 2), [1, 2.5])
        self.assertRaises(baton.Refused, array.__setitem__, 0, 2**31)
        self.assertEqual(list(array), [0, 5, 6, 0])

    # ---- texts

    def test_an_error_s_text_that_is_cut_within_a_letter_is_still_that_error(self):
        error = self.assertRaises_of(baton.Failed, self.probe.ask, "Throw", text="x" * 4095 + "é")
        self.assertIn("std::", error.type)
        self.assertTrue(error.text.startswith("xxx") and len(error.text.encode()) <= 4096)
        self.assertEqual(self.probe.ask("Echo", text="lives on"), "lives on")

    def test_a_constructor_s_last_words_are_told_and_leave_the_roster_readable(self):
        error = self.assertRaises_of(baton.Error, self.session.spawn, "probe", name="clumsy",
                                     args=["throw-in-constructor", "x" * 254 + "é"])
        self.assertIn("no room", str(error))
        self.assertEqual(len([row for row in self.session.actors(exited=True) if row.name == "clumsy"]), 1)

    def test_a_zero_byte_cuts_nothing(self):
        segment = self.session.create_segment(10)
        for call in (lambda: segment.export_as("cut\0off"), lambda: self.session.import_from("cut\0off", 10),
                     lambda: self.session.import_from("../cut", 10), lambda: self.session.spawn("pro\0be"),
                     lambda: self.session.spawn("probe", name="a\0b"),
                     lambda: self.session.spawn("probe", args=["one\0two"]),
                     lambda: segment.export_as("esc\x1b[2J"), lambda: self.session.spawn("probe", name="a\u202eb")):
            self.assertRaises(baton.Refused, call)
        self.assertEqual(segment.nbytes, 10)
        self.assertRaises(baton.Gone, self.session.find, "probe\0x")
        self.assertRaises(baton.Gone, baton.session, join=f"{self.session.id}\0x")

    # ---- sizes

    def test_what_is_larger_than_a_message_is_refused_at_the_bound(self):
        begin = time.process_time()
        for field, value in (("bytes", b"x" * MESSAGE_BYTES_MAX), ("text", "x" * (64 << 20)),
                             ("bytes", bytearray(256 << 20)),
                             ("bytes", memoryview(bytes(64 << 20))[::2]), ("list", range(10**12)),
                             ("list", itertools.count()),
                             ("list", [0] * (2 << 20)), ("table", {str(i): 0.0 for i in range(200_000)})):
            self.refuses("message_bytes_max", field, value)
        if numpy is not None:
            self.refuses("message_bytes_max", "list", numpy.broadcast_to(numpy.int32(1), (1 << 31,)))
        nested = 0
        for _ in range(40):
            nested = [nested]
        self.assertRaisesText(baton.Refused, "message_depth_max", self.echo, "list", nested)
        cycle = []
        cycle.append(cycle)
        self.assertRaisesText(baton.Refused, "message_depth_max", self.echo, "list", cycle)
        self.assertLess(time.process_time() - begin, 60, "none of them was built to its end")

    def test_many_handles_of_long_shapes_are_refused_and_stay_with_their_owner(self):
        keeper = self.session.spawn("keeper")
        segments = [self.session.create_array((0,) + (2**40,) * 7, "int8") for _ in range(256)]
        back = keeper.ask("Reverse", segments=segments, maybe=None)  # their shapes alone fit
        self.assertEqual(len(back), 256)
        if numpy is not None:
            # 4 KB of names and 70 bytes of shape each: together more than a message.
            fields = [(f"a_long_name_of_a_field_{i:03}", "f4") for i in range(109)] + [("the_last_" + "x" * 37, "f4")]
            records = [self.session.create_array((0,) + (2**40,) * 7, fields) for _ in range(256)]
            self.assertRaisesText(baton.Refused, "256 segments", keeper.ask, "Reverse", segments=records, maybe=None)
            self.assertTrue(all(records), "they are still ours")
            self.assertEqual(len(keeper.ask("Reverse", segments=records[:100], maybe=None)), 100)

    # ---- references

    def test_a_reference_of_another_session_is_refused_by_its_name(self):
        with baton.session(name="other") as other:
            stranger = other.spawn("probe", name="stranger")
            self.assertEqual((stranger.number, stranger.incarnation), (self.probe.number, self.probe.incarnation))
            self.assertEqual((stranger.session, self.probe.session), (other.id, self.session.id))
            for use in (lambda: self.session.stop([stranger]), lambda: self.session.sync([stranger]),
                        lambda: self.session.find(
                            baton.Ref(stranger.number, stranger.incarnation, stranger.session)),
                        lambda: self.probe.ask("TellOther", other=stranger, text="hello")):
                text = str(self.assertRaises_of(baton.Refused, use))
                self.assertIn(other.id, text)
                self.assertIn(self.session.id, text)
            self.assertNotEqual(stranger, self.probe)
            self.assertEqual(len({stranger, self.probe}), 2)
            self.assertEqual(self.probe.ask("Echo", text="alive"), "alive")
            self.assertEqual(other.find(stranger).ask("Echo", text="alive"), "alive")

    def test_a_reference_that_was_asked_before_it_existed_is_an_actor_when_it_does(self):
        later = baton.Ref(self.probe.number + 1, 1)
        self.assertRaises(baton.Gone, self.session.sync, [later])
        self.assertRaises(baton.Gone, self.probe.ask, "TellOther", other=later, text="early")
        second = self.session.spawn("probe")
        self.assertEqual(second, later)
        self.session.sync([later])
        self.assertEqual(self.probe.ask("TellOther", other=second, text="now"), "now")

    def assertRaises_of(self, kind, call, /, *arguments, **fields):
        with self.assertRaises(kind) as raised:
            call(*arguments, **fields)
        return raised.exception


@unittest.skipIf(numpy is None, "NumPy is not installed")
class Arrays(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.keeper = self.session.spawn("keeper")

    def travelled(self, array):
        """That array after a journey through an actor of C++ and back."""
        segment, = self.keeper.ask("Reverse", segments=[self.session.array_from(array)], maybe=None)
        return segment.array

    def assertTravels(self, array):
        back = self.travelled(array)
        self.assertEqual((back.dtype, back.shape), (array.dtype, array.shape))
        self.assertTrue((back == array).all())

    def test_complex_numbers_and_fixed_bytes_travel(self):
        for dtype in ("complex64", "complex128", "clongdouble"):
            self.assertTravels(numpy.array([[1 + 2j, -0.5j]], dtype))
        self.assertTravels(numpy.array([b"abc", b"", b"abcde"]))
        self.assertTravels(numpy.array([b"\xff\x00\x01"], "V3"))

    def test_records_travel_with_their_fields(self):
        inner = numpy.dtype([("x", "f4"), ("y", "f4")])
        for dtype in ([("x", "f4"), ("id", "i8")], numpy.dtype([("flag", "?"), ("value", "f8")], align=True),
                      [("at", inner), ("name", "S8"), ("matrix", "i2", (2, 3)), ("größe", "c8")], [("alone", "u1")],
                      [("deep", [("deeper", [("deepest", inner, (2,))])])]):
            array = numpy.zeros((2, 3), dtype)
            array.reshape(-1).view("u1")[:] = numpy.arange(array.nbytes, dtype="u1") % 2  # true or false, and never nan
            with self.subTest(dtype=str(array.dtype)):
                self.assertTravels(array)
        lease = self.session.array_from(numpy.ones(2, [("a", "i4"), ("b", "f8")])).lend().lease()
        self.assertEqual(lease.dtype.names, ("a", "b"))

    def test_a_recarray_and_a_view_with_strides_arrive_as_their_values(self):
        array = numpy.rec.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
        self.assertEqual(self.travelled(array)["b"].tolist(), [2.5, 4.5])
        big = numpy.array([(1, 2.5)], dtype=[("a", ">i4"), ("b", ">f8")])
        self.assertEqual(self.travelled(big)["a"].tolist(), [1])
        self.assertTravels(numpy.arange(12, dtype="c16").reshape(3, 4)[::2, ::-1])

    def test_what_means_nothing_elsewhere_is_refused_by_name_with_the_way(self):
        for make, name, way in (
                (lambda: self.session.array_from(numpy.array([1, 2], "M8[ns]")), "datetime64[ns]", "view('int64')"),
                (lambda: self.session.array_from(numpy.array([1, 2], "m8[s]")), "timedelta64[s]", "view('int64')"),
                (lambda: self.session.array_from(numpy.array(["a", "bc"])), "<U2", "numpy.char.encode"),
                (lambda: self.session.array_from(numpy.array([{}, None])), "object", "Python objects"),
                (lambda: self.session.create_array(3, ">f8"), ">f8", "array_from"),
                (lambda: self.session.create_array(3, "S"), "S", "'S20'"),
                (lambda: self.session.create_array(3, ("f4", (2,))), "<f4", "shape of the array"),
                (lambda: self.session.create_array(3, [("x", "f4"), ("when", "M8[s]")]), "'when'", "view('int64')"),
                (lambda: self.session.create_array(3, [("o", "O")]), "'o'", "Python objects"),
                (lambda: self.session.create_array(3, [("it's", "f4")]), "it's", "quote"),
                (lambda: self.session.create_array(3,
                                                   {"names": ["a", "b"], "formats": ["f4", "f4"], "offsets": [0, 2]}),
                 "overlap", "repack_fields"),
                (lambda: self.session.create_array(3, [(f"field_with_a_long_name_{i}", "f8") for i in range(200)]),
                 "200 fields", "view('V1600')"),
                (lambda: self.session.import_from("nothing", 3, "U5"), "<U5", "numpy.char.encode")):
            with self.subTest(name=name):
                text = str(self.assertRaisesText(baton.Refused, name, make))
                self.assertIn(way, text)
        # And the ways lead there.
        when = numpy.array(["2031-05-17", "1999-12-31"], "M8[s]")
        self.assertTrue((self.travelled(when.view("int64")).view("M8[s]") == when).all())
        words = numpy.array(["grün", "b"])
        self.assertTrue((numpy.char.decode(self.travelled(numpy.char.encode(words, "utf-8")), "utf-8") == words).all())


class ManyExits(World):
    def exit_many(self, session, count):
        """Clients come and go, each with a long name: more exits than are remembered, or than one message holds."""
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        place = f"{os.environ['XDG_RUNTIME_DIR']}/baton/{session.id}/coordinator.sock"
        nobody = {"name": "", "commands": []}
        begin = time.monotonic()
        for number in range(count):
            if number == 100 and time.monotonic() - begin > 5:  # as with sanitizers
                self.skipTest(f"{count} exits take too long here: 100 took {time.monotonic() - begin:.0f} s")
            lane = context.socket(zmq.DEALER)
            lane.connect(f"ipc://{place}")
            join = {"as": (0, 0), "name": "n" * 150, "pid": 0, "address": "", "protocol": nobody, "owns_session": False}
            lane.send(msgpack.packb([1, 2, 0, 0, 1, 1, 1, 1, "Join", []]) + msgpack.packb(join))
            unpacker = msgpack.Unpacker()
            unpacker.feed(lane.recv())
            _, welcome = unpacker
            lane.send(msgpack.packb([1, 2, *welcome["you"], 1, 1, 2, 2, "Leave",
                                     []]) + msgpack.packb({"dead_letters": []}))
            lane.recv()
            lane.close()

    @unittest.skipIf(zmq is None or msgpack is None, "pyzmq or msgpack is not installed")
    def test_a_session_of_many_ends_can_be_asked_stopped_and_left(self):
        with self.open() as session:
            first = session.spawn("student", name="first")
            first.kill()
            first.join()
            self.exit_many(session, 4200)
            second = session.spawn("student", name="second")
            told = session.spawn("probe")
            self.assertEqual(len(session.actors(exited=True)), 3 + 4096)
            self.assertIsNone(second.exit)
            pending = told.request("TellOther", other=session.address, text="hello")
            message, = session.collect("Echo", count=1)  # asks the roster for its sender's name
            self.assertEqual(message.sender, "probe")
            message.reply("heard")
            self.assertEqual(pending.get(), "heard")
            exits = session.stop()
            self.assertEqual(sorted(one.name for one in exits if one.name in ("first", "second", "probe")),
                             ["probe", "second"])
            self.assertEqual(second.exit.kind, "stopped")
        self.assertEqual(sorted(one.name for one in session.exits), ["probe", "second"])


if __name__ == "__main__":
    unittest.main()
