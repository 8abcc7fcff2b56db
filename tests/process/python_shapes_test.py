"""Tuples, sets, deques and fields with defaults: from Python, the command line and C++, with a script or an actor to
answer.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests BATON_BIN=build/dev/bin \
        /usr/bin/python3 tests/process/python_shapes_test.py

BATON_PROGRAMS holds probe (tests/process/probe.hpp) and vault (vault.hpp). Nothing sleeps.
"""
import array
import collections
import dataclasses
import json
import os
import subprocess
import sys
import textwrap
import unittest

import baton
from python_world import World

SHAPES = dict(pair=("Ada", 1815), triple=(7, "seven", True), words={"one", "two"}, numbers={1, 65535},
              queue=collections.deque([0.5, 2]), places={"here": (0.5, -1.0)}, pairs={(1, "a"), (2, "b")},
              sets={frozenset(), frozenset({1, 2})}, maybe=(dict(x=1.0, y=2.0), [3]))


class Shapes(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def start(self, body):
        environment = {**os.environ, "BATON_SESSION": self.session.id}
        process = subprocess.Popen([sys.executable, "-u", "-c", textwrap.dedent(body)], env=environment, text=True,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "open\n")
        return process

    def baton(self, *words, code=0):
        program = os.path.join(os.environ["BATON_BIN"], "baton")
        done = subprocess.run([program, "--session", self.session.id, *words], text=True, capture_output=True,
                              timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr


class OfAnActor(Shapes):
    def setUp(self):
        super().setUp()
        self.probe = self.session.spawn("probe", name="probe")

    def echo(self, **changed):
        return self.probe.ask("SendShapes", shapes={**SHAPES, **changed})

    def refuses(self, text, **changed):
        self.assertRaisesText(baton.Refused, text, self.echo, **changed)

    def test_tuples_sets_and_deques_come_back_as_python_has_them(self):
        said = self.echo()
        self.assertEqual((said.pair, said.triple), (("Ada", 1815), (7, "seven", True)))
        self.assertIs(type(said.pair), tuple)
        self.assertEqual((said.words, said.numbers, said.pairs), ({"one", "two"}, {1, 65535}, {(1, "a"), (2, "b")}))
        self.assertIs(type(said.words), set)
        self.assertEqual(said.sets, {frozenset(), frozenset({1, 2})})
        self.assertEqual(said.queue, [0.5, 2.0])
        self.assertEqual(said.places, {"here": (0.5, -1.0)})
        self.assertEqual(said.maybe, (baton.Struct(x=1.0, y=2.0), [3]))
        self.assertEqual(self.probe.ask("SendShapes", shapes=said), said)

    def test_any_iterable_is_a_tuple_or_a_set_where_one_is_wanted(self):
        said = self.echo(pair=["Ada", 1], words=["b", "a"], numbers=array.array("H", [3, 4]), sets=[[1, 2], []],
                         pairs=[[1, "a"]])
        self.assertEqual((said.pair, said.words, said.numbers), (("Ada", 1), {"a", "b"}, {3, 4}))
        self.assertEqual((said.sets, said.pairs), ({frozenset({1, 2}), frozenset()}, {(1, "a")}))

    def test_a_wrong_length_a_wrong_element_and_one_that_is_there_twice_are_refused_with_the_place(self):
        self.refuses("SendShapes.shapes.pair: expected tuple of 2, got list of 1", pair=("Ada",))
        self.refuses("shapes.triple: expected tuple of 3, got list of 4", triple=(1, "x", True, None))
        self.refuses("shapes.triple[1]: expected string, got integer 2", triple=(1, 2, True))
        self.refuses("shapes.words[2] is in the set twice", words=["a", "b", "a"])
        self.refuses("shapes.sets[1] is in the set twice", sets=[[1, 2], [2, 1]])
        self.refuses("shapes.numbers[0]: 65536 is out of range of uint16", numbers=[65536])
        self.refuses("shapes.places[0]: expected tuple of 2", places={"here": (1,)})
        self.refuses("shapes.words", words="ab")
        self.refuses("shapes.words", words={"a": 1})

    def test_the_description_says_what_they_are(self):
        text = self.probe.describe()
        for part in ("pair: tuple<string, int64>", "triple: tuple<int32, string, bool>", "words: set<string>",
                     "numbers: set<uint16>", "queue: list<float64>", "sets: set<set<int32>>"):
            self.assertIn(part, text)

    def test_a_field_with_a_default_may_be_left_out(self):
        said = self.probe.ask("Tune", number=1)
        self.assertEqual((said.number, said.depth, said.label, said.colour, said.sizes),
                         (1, 3, "plain", "green", [1, 2]))
        self.assertEqual((said.place, said.tuning, said.limit, said.note),
                         ((0.5, -1.0), baton.Struct(steps=4, rate=0.25), 7, None))
        said = self.probe.ask(self.probe.Tune(number=2, depth=0, label="", limit=None, tuning={"rate": 1}))
        self.assertEqual((said.depth, said.label, said.limit, said.tuning),
                         (0, "", None, baton.Struct(steps=8, rate=1.0)))
        self.assertRaisesText(baton.Refused, "Tune.number is missing", self.probe.ask, "Tune", depth=1)
        self.assertRaisesText(baton.Refused, "Tune.tuning.rate is missing", self.probe.ask, "Tune", number=1, tuning={})
        self.assertIn('Tune(number: int64, depth: uint32 = 3, label: string = "plain", ', str(self.probe.protocol))

    def test_the_command_line_shows_defaults_and_leaves_them_out(self):
        described = self.baton("describe", "probe")
        self.assertIn('Tune(number: int64, depth: uint32 = 3, label: string = "plain", colour: Colour = "green", '
                      "sizes: list<int32> = [1,2], place: tuple<float64, float64> = [0.5,-1.0], "
                      'tuning: Tuning = {"steps":4,"rate":0.25}, limit: optional<int32> = 7, note: optional<string>)',
                      described)
        commands = {one["name"]: one for one in json.loads(self.baton("describe", "probe", "--json"))["commands"]}
        fields = {one["name"]: one for one in commands["Tune"]["fields"]}
        self.assertEqual((fields["depth"]["default"], fields["sizes"]["default"]), (3, [1, 2]))
        self.assertNotIn("default", fields["number"])
        said = json.loads(self.baton("ask", "probe", "Tune", "number=4", "place=[1, 2]", "--json"))
        self.assertEqual((said["depth"], said["place"], said["colour"]), (3, [1, 2], "green"))
        self.assertIn("Tune.number is missing", self.baton("ask", "probe", "Tune", "depth=4", code=65))
        self.assertIn("expected tuple of 2", self.baton("ask", "probe", "Tune", "number=4", "place=[1]", code=65))

    def test_the_command_line_reads_tuples_and_sets_as_json(self):
        shapes = dict(pair=["Ada", 1], triple=[1, "x", True], words=["b", "a"], numbers=[], queue=[1],
                      places={"a": [1, 2]},
                      pairs=[[1, "a"]], sets=[[]], maybe=None)
        said = json.loads(self.baton("ask", "probe", "SendShapes", "shapes=" + json.dumps(shapes), "--json"))
        self.assertEqual(said, {**shapes, "words": ["a", "b"]})
        shapes["words"] = ["a", "a"]
        self.assertIn("shapes.words[1] is in the set twice",
                      self.baton("ask", "probe", "SendShapes", "shapes=" + json.dumps(shapes), code=65))


SHOP = """
    import collections, dataclasses, enum
    from typing import Annotated
    import baton

    class Size(enum.Enum):
        SMALL = 1
        LARGE = 2

    @dataclasses.dataclass(frozen=True)
    class Place:
        x: float = 0.0
        y: float = 0.0

    @dataclasses.dataclass
    class Order:
        item: str
        count: int = 1
        size: Size = Size.LARGE
        tags: set[str] = dataclasses.field(default_factory=set)
        pair: tuple[str, int] = ("none", 0)
        place: Place = Place(1.0, 2.0)
        both: Annotated[tuple[int, int], "tuple"] = (1, 2)
        queue: collections.deque[int] = dataclasses.field(default_factory=lambda: collections.deque([1]))
        frozen: frozenset[tuple[int, str]] = frozenset()
        note: str | None = None
        limit: int | None = 5

    shop = baton.Commands("shop")

    @shop.on
    def order(command: Order) -> Order:
        kinds = (type(command.tags), type(command.pair), type(command.queue), type(command.frozen), type(command.place))
        assert kinds == (set, tuple, collections.deque, frozenset, Place), kinds
        return command

    with baton.session(protocol=shop, name="shop") as session:
        print("open", flush=True)
        session.serve()
"""


class OfAScript(Shapes):
    def setUp(self):
        super().setUp()
        self.process = self.start(SHOP)
        self.shop = self.session.find("shop")

    def test_a_dataclass_s_defaults_are_those_of_its_command(self):
        said = self.shop.ask("Order", item="book")
        self.assertEqual((said.item, said.count, said.size, said.tags, said.pair),
                         ("book", 1, "LARGE", set(), ("none", 0)))
        self.assertEqual((said.place, said.both, said.queue), (baton.Struct(x=1.0, y=2.0), (1, 2), [1]))
        self.assertEqual((said.frozen, said.note, said.limit), (set(), None, 5))
        self.assertEqual(self.shop.ask("Order", item="book", limit=None).limit, None)
        self.assertEqual(self.shop.ask("Order", item="book", place={"y": 3}).place, baton.Struct(x=0.0, y=3.0))
        self.assertRaisesText(baton.Refused, "Order.item is missing", self.shop.ask, "Order", count=2)
        self.assertIn("Order(item: string, count: int64 = 1, size: Size{SMALL=1, LARGE=2} = \"LARGE\", tags: "
                      "set<string> = [], pair: tuple<string, int64> = [\"none\",0], ", self.shop.describe())

    def test_its_tuples_and_sets_are_checked_before_a_handler_is_called(self):
        said = self.shop.ask("Order", item="book", tags={"a", "b"}, pair=("x", 2), frozen={(1, "a"), (2, "b")},
                             queue=[3, 4])
        self.assertEqual((said.tags, said.pair, said.queue), ({"a", "b"}, ("x", 2), [3, 4]))
        self.assertEqual(said.frozen, {(1, "a"), (2, "b")})
        ask = self.shop.ask
        self.assertRaisesText(baton.Refused, "Order.pair: expected tuple of 2", ask, "Order", item="x",
                              pair=("x", 1, 2))
        self.assertRaisesText(baton.Refused, "Order.tags[1] is in the set twice", ask, "Order", item="x",
                              tags=["a", "a"])
        self.assertEqual(json.loads(self.baton("ask", "shop", "Order", "item=x", 'pair=["y", 1]', "--json"))["pair"],
                         ["y", 1])

    def test_a_default_that_is_none_of_its_type_is_refused_where_it_is_published(self):
        @dataclasses.dataclass
        class Wrong:
            count: int = "many"

        commands = baton.Commands("wrong")

        @commands.on
        def wrong(command: Wrong) -> int:
            return command.count

        self.assertRaisesText(baton.Refused, "Wrong.count: expected int64, got string", baton.session,
                              protocol=commands)


STRIP = """
    import dataclasses
    import baton

    @dataclasses.dataclass
    class Relax:
        mine: baton.Slice
        own: baton.Lease
        above: baton.Lease | None = None
        below: baton.Lease | None = None

    strip = baton.Commands("strip")

    @strip.on
    def relax(command: Relax) -> list[int]:
        borrowed = [one for one in (command.mine, command.own, command.above, command.below) if one is not None]
        views = [memoryview(one) for one in borrowed]
        mine, own = views[:2]
        above = views[2].tolist() if command.above else []
        below = views[-1].tolist() if command.below else []
        rows = above + own.tolist() + below
        for row in range(mine.shape[0]):
            at = row + len(above)
            for column in range(mine.shape[1]):
                around = [rows[one][column] for one in (at - 1, at, at + 1) if 0 <= one < len(rows)]
                mine[row, column] = sum(around)
        for view in views:
            view.release()
        firsts = [one.first for one in borrowed]
        for one in borrowed:
            one.release()  # before the answer: then the lender may grant the next step
        return firsts

    with baton.session(protocol=strip, name=NAME) as session:
        print("open", flush=True)
        session.serve()
"""


class Stencil(Shapes):
    """On one segment, which holds the rows of two generations: each strip is written by one, and its neighbours' edge
    rows are read by lease beside it."""

    def run_stencil(self, strips, rows, columns):
        grid = self.session.create_array((2 * rows * len(strips), columns), "int64")
        count = rows * len(strips)
        expected = [[row * row + column for column in range(columns)] for row in range(count)]
        with memoryview(grid) as view:
            for row in range(count):
                for column in range(columns):
                    view[row, column] = expected[row][column]
        loan = grid.lend()
        for step in range(4):
            older, newer = (0, count) if step % 2 == 0 else (count, 0)
            steps, firsts = [], []
            for index, strip in enumerate(strips):
                first = index * rows
                fields = dict(mine=loan.slice(newer + first, rows), own=loan.lease(older + first, rows))
                firsts.append([newer + first, older + first])
                if index > 0:
                    fields["above"] = loan.lease(first=older + first - 1, count=1)
                    firsts[-1].append(older + first - 1)
                if index + 1 < len(strips):
                    fields["below"] = loan.lease(older + first + rows, 1)
                    firsts[-1].append(older + first + rows)
                steps.append(strip.request("Relax", fields))
            self.assertEqual([one.get(10) for one in steps], firsts)
            expected = [[sum(expected[one][column] for one in (row - 1, row, row + 1) if 0 <= one < count)
                         for column in range(columns)] for row in range(count)]
        with memoryview(loan.reclaim()) as view:
            self.assertEqual(view.tolist()[:count], expected)

    def test_actors_in_cpp(self):
        self.run_stencil(self.session.spawn("vault", count=3), 4, 5)

    def test_scripts(self):
        for name in ("left", "right"):
            self.start(STRIP.replace("NAME", repr(name)))
        self.run_stencil([self.session.find(name) for name in ("left", "right")], 3, 4)

    def test_a_lease_never_meets_a_slice(self):
        vault = self.session.spawn("vault")
        loan = self.session.create_array((10, 2), "int64").lend()
        vault.ask("KeepSlice", item=loan.slice(3, 2))
        vault.ask("KeepLease", item=loan.lease(5, 2))
        lease = loan.lease(0, 3)
        self.assertEqual((lease.first, lease.shape), (0, (3, 2)))
        self.assertRaisesText(baton.Refused, "[2, 4) of", loan.lease, 2, 2)
        self.assertRaisesText(baton.Refused, "slices out", loan.lease)
        self.assertRaisesText(baton.Refused, "overlaps a slice or lease", loan.slice, 6, 1)
        self.assertRaisesText(baton.Refused, "no part of", loan.lease, 9, 2)
        self.assertRaises(TypeError, loan.lease, 1)
        vault.kill()
        lease.release()
        loan.reclaim().release()


if __name__ == "__main__":
    unittest.main()
