"""Segments in Python: no copy, one owner, views that are counted, and nothing that crashes.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_segments_test.py

BATON_PROGRAMS holds keeper (tests/process/keeper.hpp) and probe. Nothing sleeps.
"""
import gc
import glob
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import baton
from python_world import anchor_of, World

try:
    import numpy
except ImportError:
    numpy = None


class Segments(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.keeper = self.session.spawn("keeper", name="Keeper")

    def floats(self, *values):
        segment = self.session.create_array(len(values), "float32")
        view = memoryview(segment)
        for index, value in enumerate(values):
            view[index] = value
        view.release()
        return segment

    def values(self, held):
        view = memoryview(held)
        try:
            return view.tolist()
        finally:
            view.release()

    def refuses(self, text, function, /, *arguments, **fields):
        return self.assertRaisesText(baton.Refused, text, function, *arguments, **fields)

    def assertEmpty(self, held):
        self.assertFalse(held)
        self.assertIn("empty", repr(held))
        for use in (lambda: held.nbytes, lambda: held.shape, lambda: held.dtype, lambda: held.array,
                    lambda: held.address,
                    lambda: memoryview(held)):
            self.refuses("empty", use)
        held.release()

    # ---- one's own

    def test_a_segment_has_a_shape_and_a_type_and_is_memory(self):
        segment = self.session.create_array((3, 4), "float32")
        self.assertEqual((segment.shape, segment.nbytes, segment.views), ((3, 4), 48, 0))
        view = memoryview(segment)
        self.assertEqual((view.format, view.shape, view.strides, view.readonly, segment.views),
                         ("f", (3, 4), (16, 4), False, 1))
        view[2, 3] = 1.5
        self.assertEqual(view.tolist()[2][3], 1.5)
        view.release()
        self.assertEqual(segment.views, 0)
        self.assertRegex(repr(segment), r"^<baton.Segment: segment \d+\.\d+ \(float32\[3, 4\]\)>$")
        self.assertEqual(self.session.create_segment(5).shape, (5,))
        self.assertEqual(self.session.create_segment(0).nbytes, 0)
        self.assertEqual(memoryview(self.session.create_array((), "int16")).tolist().__class__, int)
        segment.reshape((4, 3))
        self.assertEqual(segment.shape, (4, 3))
        self.refuses("can't become", segment.reshape, 1 << 30)

    def test_what_is_no_segment_is_refused(self):
        self.refuses("not the length", self.session.create_segment, -1)
        self.refuses("big-endian" if numpy else "is not possible", self.session.create_array, 2, ">f4")
        self.refuses("is not possible", self.session.create_array, 1 << 62, "float64")
        self.refuses("dimensions", self.session.create_array, (1,) * 9, "int8")
        self.assertRaises(TypeError, self.session.create_array, "many", "int8")

    def test_an_array_is_the_memory_itself(self):
        if numpy is None:
            self.skipTest("NumPy is not installed")
        segment = self.session.create_array((480, 640), numpy.float32)
        array = segment.array
        self.assertEqual(array.__array_interface__["data"], (segment.address, False))
        self.assertEqual((array.dtype, array.shape, segment.dtype), (numpy.float32, (480, 640), numpy.dtype("float32")))
        array[:] = 0.5
        self.assertEqual(numpy.asarray(segment)[3, 4], 0.5)
        self.assertEqual(numpy.asarray(segment).__array_interface__["data"][0], segment.address)
        for dtype in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
                      "float32",
                      "float64"):
            with self.subTest(dtype=dtype):
                source = numpy.array([0, 1, 1]).astype(dtype)
                copied = self.session.array_from(source)
                self.assertEqual(copied.array.dtype, source.dtype)
                self.assertTrue((copied.array == source).all())
        particle = numpy.dtype([("x", "f4"), ("id", "i8")])
        self.assertEqual(self.session.create_array(5, particle).array.view(particle)["id"].shape, (5,))
        big = numpy.arange(6, dtype=">i4").reshape(2, 3).T
        self.assertTrue((self.session.array_from(big).array == big).all())

    def test_nobody_but_this_user_can_open_what_lies_in_shared_memory(self):
        segment = self.floats(1, 2)
        modes = {path: stat.filemode(os.stat(path).st_mode) for path in glob.glob(f"/dev/shm/baton-{self.session.id}*")}
        self.assertGreaterEqual(len(modes), 3, "ledger, vitals and a segment")
        self.assertEqual(set(modes.values()), {"-rw-------"}, modes)
        segment.release()

    def test_array_from_takes_any_buffer(self):
        self.assertEqual(self.values(self.session.array_from(b"abc")), [97, 98, 99])

    # ---- given

    def test_what_is_given_comes_back_changed_and_the_giver_s_object_is_empty(self):
        segment = self.floats(1, 2, 3)
        before = repr(segment)
        back = self.keeper.ask("Double", segment=segment)
        self.assertEmpty(segment)
        self.assertEqual(self.values(back), [2, 4, 6])
        self.assertEqual(repr(back).split(".")[1], before.split(".")[1], "it is the same segment")

    def test_no_byte_is_copied_on_the_way(self):
        segment = self.floats(*range(1000))
        address = segment.address
        back = self.keeper.ask("Double", segment=segment)
        self.assertEqual(back.address, address, "the same memory at the same place")
        self.assertEqual(len(self.session.actors()), 2)

    def test_elements_of_another_type_are_refused_in_one_notation_where_the_handler_looks_at_them(self):
        lent = self.session.create_array(4, "int64").lend()
        error = self.assertRaisesText(baton.Failed, "(int64[4]) can't be seen as elements of float32", self.keeper.ask,
                                      "Sum", pixels=lent.lease())
        self.assertIn("Keeper::on", error.frames[0], "the first of the actor's own functions")
        self.assertEqual([frame for frame in error.frames if frame.startswith(("baton::", "std::"))], [])

    def test_all_ways_to_send_carry(self):
        self.keeper.send("Hold", segment=self.floats(1), label="a")
        self.assertEqual(self.keeper.ask("HoldAsked", segment=self.floats(2)), 2)
        self.assertEqual(self.keeper.request("HoldAsked", segment=self.floats(3)).get(), 3)
        self.assertEqual(self.session.ask_all([self.keeper], "HoldAsked", segment=self.floats(4)), [4])
        self.assertEqual(self.session.send_all([self.keeper], "Hold", segment=self.floats(5), label="b"), 1)
        self.assertEqual([self.values(self.keeper.ask("GiveBack"))[0] for _ in range(5)], [5, 4, 3, 2, 1])
        made = self.keeper.ask("Make", shape=[2, 2], value=7)
        self.assertEqual((made.note, self.values(made.segment)), ("fresh", [[7, 7], [7, 7]]))
        self.assertIsInstance(made.segment, baton.Segment)

    def test_several_travel_together(self):
        segments = [self.floats(1), self.floats(2)]
        back = self.keeper.ask("Reverse", segments=segments, maybe=self.floats(3))
        self.assertEqual([self.values(one) for one in back], [[2], [1], [3]])
        self.assertEqual(self.keeper.ask("Reverse", segments=[]), [])
        one = self.floats(1)
        self.refuses("Reverse.segments[1]: segment", self.keeper.ask, "Reverse", segments=[one, one])
        self.assertEqual(self.values(one), [1])

    def test_after_a_send_that_is_refused_it_is_still_ours(self):
        segment = self.floats(1)
        self.refuses("Hold.label is missing", self.keeper.send, "Hold", segment=segment)
        self.refuses("Double.segment: expected segment, got integer 4", self.keeper.ask, "Double", segment=4)
        other = self.session.spawn("keeper")
        self.refuses("only one can be given", self.session.send_all, [self.keeper, other], "Hold", segment=segment,
                     label="")
        self.refuses("expected a baton.Segment, got bytes; session.array_from", self.keeper.ask, "Double",
                     segment=b"1234")
        self.refuses("Sum.pixels: expected lease, got segment; lend it and keep the loan, loan = segment.lend(), then "
                     "send loan.lease()", self.keeper.ask, "Sum", pixels=segment)
        self.refuses("Hold.label: expected string, got segment", self.keeper.send, "Hold", segment=self.floats(2),
                     label=segment)
        self.keeper.kill()
        self.keeper.join()
        for way in (self.keeper.send, self.keeper.ask, self.keeper.request):
            self.assertRaises(baton.Gone, way, "HoldAsked" if way != self.keeper.send else "Hold", segment=segment,
                              **({"label": ""} if way == self.keeper.send else {}))
        self.assertEqual(self.values(segment), [1])
        self.assertEqual(self.values(other.ask("Double", segment=segment)), [2])

    def test_an_ask_that_ends_without_a_reply_leaves_it_where_it_was_unless_it_was_taken(self):
        os.kill(self.keeper.pid, signal.SIGSTOP)
        segment = self.floats(1)
        self.assertRaises(baton.TimedOut, self.keeper.ask, "Double", segment=segment, timeout=0.05)
        self.assertEqual(self.values(segment), [1])
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        with self.assertRaises(KeyboardInterrupt):
            self.keeper.ask("Double", segment=segment, timeout=None)
        self.assertEqual(self.values(segment), [1], "Ctrl-C loses nothing")
        os.kill(self.keeper.pid, signal.SIGCONT)
        self.assertEqual(self.values(self.keeper.ask("Double", segment=segment)), [2])
        taken = self.floats(3)
        self.assertRaisesText(baton.Failed, "torn", self.keeper.ask, "Spoil", segment=taken)
        self.assertEmpty(taken)

    def test_a_send_that_a_signal_s_handler_ends_leaves_it_where_it_was(self):
        class Alarm(Exception):
            pass

        def raise_alarm(*_):
            raise Alarm

        previous = signal.signal(signal.SIGALRM, raise_alarm)
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        os.kill(self.keeper.pid, signal.SIGSTOP)
        for letters in (1_000_000, 10_000, 100, 0):  # its window is full then
            with self.assertRaises(baton.Overloaded):
                while True:
                    self.keeper.send("Hold", segment=self.floats(0), label="x" * letters, timeout=0.02)
        segment = self.floats(1)
        for way, command in ((self.keeper.send, "Hold"), (self.keeper.ask, "Double"), (self.keeper.request, "Double")):
            with self.subTest(way=way.__name__):
                fields = {"label": "y" * 100} if command == "Hold" else {}
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                self.assertRaises(Alarm, way, command, segment=segment, timeout=None, **fields)
                self.assertEqual(self.values(segment), [1])
        self.assertEqual(self.session.collect_bounced(count=None, timeout=0), [])
        os.kill(self.keeper.pid, signal.SIGCONT)
        self.session.sync([self.keeper], timeout=60)
        self.assertEqual(self.values(self.keeper.ask("Double", segment=segment)), [2], "it was not sent later")
        self.assertEqual(self.session.find("coordinator").ask("Audit"), [])

    def test_a_session_that_is_killed_ends_every_wait_and_nothing_is_made_any_more(self):
        lent = self.floats(1).lend()
        lease = lent.lease()
        os.kill(self.keeper.pid, signal.SIGSTOP)
        kept = self.keeper.request("KeepLease", pixels=lease)  # if it were released, it would return the lease
        before = time.process_time()
        os.kill(anchor_of(self.session), signal.SIGKILL)
        for wait in (lambda: self.session.collect(timeout=None), lambda: self.session.collect_bounced(timeout=None),
                     lambda: lent.reclaim(timeout=None), lambda: self.session.create_segment(64, timeout=None),
                     lambda: self.session.import_from("anything", 1), lambda: self.keeper.ask("GiveBack", timeout=None),
                     lambda: self.keeper.send("Drop"), self.session.actors):
            self.assertRaisesText(baton.Gone, "the session has ended", wait)
        self.assertLess(time.process_time() - before, 2)
        self.assertRaisesText(baton.Gone, "the session has ended", kept.get)
        self.assertRaises(baton.Gone, self.session.close)
        with baton.session():  # sweeps what the dead one left
            pass

    def test_one_actor_forwards_to_another(self):
        other = self.session.spawn("keeper")
        self.assertEqual(self.keeper.ask("Forward", to=other, segment=self.floats(5)), "sent")
        while not (back := self.given_back(other)):  # nothing orders what two actors send to a third
            pass
        self.assertEqual(self.values(back), [5])

    def given_back(self, keeper):
        try:
            return keeper.ask("GiveBack")
        except baton.Refused:
            return None

    # ---- views

    def test_while_views_are_alive_it_stays(self):
        segment = self.floats(1, 2)
        view = memoryview(segment)
        part = view[1:]
        for function, arguments, fields in [
            (self.keeper.ask, ["Double"], {"segment": segment}),
            (self.keeper.send, ["Hold"], {"segment": segment, "label": ""}),
            (segment.lend, [], {}), (segment.export_as, ["baton_test"], {}), (segment.release, [], {}),
            (segment.reshape, [1], {}),
        ]:
            error = self.refuses("of segment", function, *arguments, **fields)
            self.assertIn("alive", str(error))
            self.assertIn("`del array`", str(error))
            self.assertIn("with segment.view() as array:", str(error))
        self.assertIn("Double.segment: 1 view of", str(self.refuses("", self.keeper.ask, "Double", segment=segment)))
        part.release()
        view.release()
        self.assertEqual(self.values(self.keeper.ask("Double", segment=segment)), [2, 4])

    def test_an_array_is_counted_until_the_last_that_looks_through_it_is_gone(self):
        if numpy is None:
            self.skipTest("NumPy is not installed")
        segment = self.floats(1, 2)
        array = segment.array
        part = array[1:]
        del array
        self.refuses("1 view ", segment.lend)
        del part
        segment.lend().reclaim()

    def test_a_view_of_a_block_ends_with_it(self):
        if numpy is None:
            self.skipTest("NumPy is not installed")
        segment = self.floats(1, 2)
        with segment.view() as array:
            array[:] = 5
            self.assertEqual(segment.views, 1)
            other = array * 2
        self.assertEqual((segment.views, array.size), (0, 0))
        self.assertEqual(other.tolist(), [10, 10])
        with segment.view() as array:
            part = array[1:]
        self.assertEqual((segment.views, part.tolist()), (1, [5]), "what was cut out of it is counted")
        del part
        self.assertEqual(segment.views, 0)
        with segment.view() as array:
            hidden = memoryview(array)
            del array
        self.assertEqual((segment.views, hidden.tolist()), (1, [5, 5]))
        hidden.release()
        del hidden
        self.assertEqual(segment.views, 0)
        with segment.view() as array:
            matrix = array.view(numpy.matrix)
        self.assertEqual((segment.views, matrix.tolist()), (1, [[5, 5]]))
        del matrix, array
        self.assertEqual(segment.views, 0)
        self.assertRaises(ZeroDivisionError, self.divide_in_a_view, segment)
        self.assertEqual(segment.views, 0)

    @staticmethod
    def divide_in_a_view(segment):
        with segment.view() as array:
            return array[0] / 1 / 0 if array is None else 1 // 0

    def test_without_numpy_everything_works_with_memoryviews(self):
        process = self.script("""
            import sys
            sys.modules["numpy"] = None
            import baton
            with baton.session() as session:
                keeper = session.spawn("keeper")
                photo = session.create_array((2, 2), "float32")
                with photo.view() as view:
                    view[1, 1] = 3
                print(photo.dtype, photo.array.format, photo.views)
                print(keeper.ask("Double", segment=photo).array.tolist()[1][1])
                print(session.array_from(b"abc").array.tolist())
            """, env={**os.environ, "XDG_RUNTIME_DIR": self.place})
        out, errors = process.communicate()
        self.assertEqual(out, "<f4 f 0\n6.0\n[97, 98, 99]\n", errors)

    # ---- lent

    def test_a_lease_is_read_by_many_and_not_written(self):
        lent = self.floats(1, 2, 3).lend()
        others = self.session.spawn("keeper", count=2, progress=False)
        self.assertEqual([one.ask("Sum", pixels=lent.lease()) for one in others], [6, 6])
        self.assertEqual(self.keeper.ask("KeepLease", pixels=lent.lease()), 1)
        self.assertEqual(lent.leases_out, 1)
        self.assertRaisesText(baton.TimedOut, "1 leases", lent.reclaim, timeout=0)
        self.refuses("overlaps", lent.slice, 0, 1)
        self.refuses("Double.segment: expected segment, got loan; a loan does not travel: give the segment, "
                     "loan.reclaim()", self.keeper.ask, "Double", segment=lent)
        self.refuses("expected segment, got lease; what is lent can't be given", self.keeper.ask, "Double",
                     segment=lent.lease())
        self.refuses("expected lease, got loan; a loan does not travel: send loan.lease()", self.keeper.ask, "Sum",
                     pixels=lent)
        self.assertRaisesText(TypeError, "publish(): loan must be a Loan, not Segment; lend it and keep the loan",
                              self.session.publish, "name", self.floats(1))
        self.keeper.ask("Drop")
        segment = lent.reclaim()
        self.assertEqual((self.values(segment), bool(lent)), ([1, 2, 3], False))
        self.refuses("empty", lent.lease)

    def test_a_dead_borrower_s_lease_is_in(self):
        lent = self.floats(1).lend()
        self.keeper.ask("KeepLease", pixels=lent.lease())
        self.keeper.kill()
        self.keeper.join()
        self.assertEqual(self.values(lent.reclaim()), [1])

    def test_slices_are_written_by_one_each(self):
        lent = self.floats(*[0] * 6).lend()
        first, second = lent.slice(0, 2), lent.slice(2, 4)
        self.refuses("overlaps", lent.slice, 1, 1)
        self.refuses("slices out", lent.lease)
        self.refuses("no part of", lent.slice, 4, 3)
        self.refuses("is for a borrower", lambda: first.array)
        self.assertEqual(self.keeper.ask("Fill", rows=second, value=5), 2)
        self.assertEqual(self.keeper.ask("Fill", rows=first, value=4), 0)
        self.refuses("empty", self.keeper.ask, "Fill", rows=first, value=4)
        self.assertEqual(self.values(lent.reclaim()), [4, 4, 5, 5, 5, 5])

    def test_what_an_actor_lends_is_read_and_written_here(self):
        self.keeper.ask("HoldAsked", segment=self.floats(1, 2, 3))
        lease = self.keeper.ask("LendMe")
        self.assertIsInstance(lease, baton.Lease)
        self.assertEqual(self.values(lease), [1, 2, 3])
        view = memoryview(lease)
        self.assertTrue(view.readonly)
        self.assertRaises(TypeError, view.__setitem__, 0, 5.0)
        self.refuses("borrowed", self.keeper.ask, "Sum", pixels=lease)
        self.refuses("1 view", lease.release)
        view.release()
        if numpy is not None:
            with lease.view() as array:
                self.assertFalse(array.flags.writeable)
                with self.assertRaises(ValueError):
                    array[0] = 5
                with self.assertRaises(ValueError):
                    array.flags.writeable = True
        lease.release()
        part = self.keeper.ask("SliceForMe", first=1, count=2)
        self.assertEqual((part.first, self.values(part)), (1, [2, 3]))
        view = memoryview(part)
        view[1] = 7
        view.release()
        self.assertRaises(baton.TimedOut, self.keeper.ask, "Reclaim", seconds=0)
        del part, view
        self.assertEqual(self.keeper.ask("Reclaim", seconds=5), 10)

    # ---- messages that come

    def test_collected_messages_bring_segments_and_are_answered_with_one(self):
        self.keeper.send("Show", audience=self.session.address)
        shown, = self.session.collect("Shown", count=1)
        self.assertEqual((shown.title, self.values(shown.photo), self.values(shown.poster)), ("a film", [7], [8]))
        self.assertIsInstance(shown.poster, baton.Lease)
        pending = self.keeper.request("AskBack", audience=self.session.address)
        asked, = self.session.collect("Improve", count=1)
        view = memoryview(asked.photo)
        view[0] = 10
        self.refuses("the reply to Improve: 1 view of", asked.reply, asked.photo)
        view.release()
        asked.reply(asked.photo)
        self.assertEqual(pending.get(), 10)
        self.assertEmpty(asked.photo)

    def test_what_nobody_looks_at_is_released(self):
        before = self.session.create_array(1, "float32")
        self.keeper.send("Show", audience=self.session.address)
        self.session.collect("Shown", count=1)
        self.keeper.request("Make", shape=[4], value=1)
        self.keeper.request("Make", shape=[4], value=1).get()
        self.session.sync()
        gc.collect()
        del before
        held = [row for row in self.listing()
                if row["owner"].startswith("python_segments_test") or row["state"] == "offered"]
        self.assertEqual(held, [])

    def listing(self):
        import json
        program = f"{os.path.dirname(os.path.abspath(baton.__file__))}/../../bin/baton"
        said = subprocess.run([program, "segments", "--json", "--session", self.session.id], capture_output=True,
                              text=True, check=True)
        return [row for row in json.loads(said.stdout)["segments"] if row["state"] != "retired"]

    # ---- what comes back

    def test_a_gift_to_an_actor_that_dies_comes_back_with_its_command(self):
        os.kill(self.keeper.pid, signal.SIGSTOP)
        self.keeper.send("Hold", segment=self.floats(4), label="mine")
        pending = self.keeper.request("HoldAsked", segment=self.floats(5))
        self.assertEqual(self.session.collect_bounced(timeout=0), [])
        self.keeper.kill()
        bounced = sorted(self.session.collect_bounced(count=2), key=lambda one: one.command)
        self.assertEqual([(one.command, one.to, type(one.why)) for one in bounced],
                         [("Hold", self.keeper, baton.Gone), ("HoldAsked", self.keeper, baton.Gone)])
        self.assertIn("Killed", str(bounced[0].why))
        self.assertEqual(bounced[0].fields["label"], "mine")
        self.assertEqual([self.values(one.fields["segment"]) for one in bounced], [[4], [5]])
        self.assertRaises(baton.Gone, pending.get)
        other = self.session.spawn("keeper")
        other.send(bounced[0].command, **bounced[0].fields)
        self.assertEqual(self.values(other.ask("GiveBack")), [4])

    def test_a_lease_that_was_not_taken_comes_back_too(self):
        lent = self.floats(1).lend()
        os.kill(self.keeper.pid, signal.SIGSTOP)
        self.keeper.request("Sum", pixels=lent.lease())
        self.keeper.kill()
        back, = self.session.collect_bounced()
        self.assertIsInstance(back.fields["pixels"], baton.Lease)
        other = self.session.spawn("keeper")
        self.assertEqual(other.ask("Sum", pixels=back.fields["pixels"]), 1)
        lent.reclaim()

    # ---- by name, and budgets

    def test_a_segment_outlives_its_session_by_name(self):
        name = f"test-{os.getpid()}"
        segment = self.floats(1, 2)
        self.refuses("can't be the name", segment.export_as, "baton-mine")
        segment.export_as(name)
        self.assertEmpty(segment)
        self.assertTrue(os.path.exists(f"/dev/shm/{name}"))
        self.session.close()
        session = self.open()
        self.refuses("bytes", session.import_from, name, 1 << 20)
        self.assertEqual(self.values(session.import_from(name, 2, "float32")), [1, 2])
        self.assertFalse(os.path.exists(f"/dev/shm/{name}"))

    def test_an_actor_s_memory_has_a_bound(self):
        small = self.session.spawn("keeper", memory="1M")
        self.assertRaisesText(baton.Error, "no memory for a segment", small.ask, "Make", shape=[1 << 20], value=1,
                              timeout=20)
        small.ask("Make", shape=[1 << 10], value=1)
        for memory in ("much", "0", 0, -1, True, "1X"):
            self.refuses("number of bytes", self.session.spawn, "keeper", memory=memory)

    # ---- the end

    def test_views_outlive_the_session(self):
        segment = self.floats(1, 2)
        view = memoryview(segment)
        self.keeper.ask("HoldAsked", segment=self.floats(3))
        lease = self.keeper.ask("LendMe")
        of_lease = memoryview(lease)
        untouched = self.floats(9)
        self.session.close()
        self.assertEqual((view.tolist(), of_lease.tolist()), ([1, 2], [3]))
        view[0] = 8
        self.assertEqual(view.tolist(), [8, 2])
        for one in (segment, lease, untouched):
            self.assertFalse(one)
            self.assertIn("empty", repr(one))
        self.assertRaises(baton.Gone, memoryview, segment)
        del segment, lease, untouched
        gc.collect()
        self.assertEqual((view.tolist(), of_lease.tolist()), ([8, 2], [3]), "they keep what they look at")

    def test_views_outlive_a_session_that_was_joined_or_that_another_closed(self):
        for who in ("itself", "another"):
            with self.subTest(closed_by=who):
                own = self.open()
                process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(f"""
                    import os, sys
                    import baton
                    session = baton.session(join="{own.id}")
                    segment = session.array_from(bytes(range(10)) * 1000)
                    view = memoryview(segment)
                    print("ready", flush=True)
                    os.read(0, 1)
                    if sys.argv[1] == "itself":
                        session.close()
                    print(view.tolist() == list(range(10)) * 1000, flush=True)
                    """), who], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                self.assertEqual(process.stdout.readline(), "ready\n")
                if who == "another":
                    own.close()
                out, _ = process.communicate("x")
                self.assertEqual((process.returncode, out), (0, "True\n"))
                own.close()

    def test_a_killed_session_leaves_views_alone(self):
        segment = self.floats(1)
        view = memoryview(segment)
        os.kill(anchor_of(self.session), signal.SIGKILL)
        self.assertRaises(baton.Gone, self.session.close)
        self.assertEqual(view.tolist(), [1])
        with baton.session():  # sweeps what the dead one left
            self.assertEqual(view.tolist(), [1])

    def test_any_order_of_letting_go_is_fine(self):
        segment = self.floats(1)
        view = memoryview(segment)
        pending = self.keeper.request("Make", shape=[1], value=1)
        self.session.sync()
        lent = self.floats(2).lend()
        lease = lent.lease()
        del lent
        self.refuses("not lent any more", self.keeper.ask, "Sum", pixels=lease)
        other = [self.floats(3)]
        thread = threading.Thread(target=other.clear)  # is put aside for the session's thread
        thread.start()
        thread.join()
        session, self.session, self.keeper = self.session, None, None
        session.close()
        del session, pending, lease, segment
        gc.collect()
        self.assertEqual(view.tolist(), [1])

    def test_another_thread_and_a_forked_child_can_look_and_not_more(self):
        segment = self.floats(1)
        view = memoryview(segment)
        errors = []

        def look():
            errors.append(view.tolist())
            try:
                memoryview(segment)
            except baton.Refused as error:
                errors.append(str(error))

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        self.assertEqual(errors[0], [1])
        self.assertIn("belongs to the thread", errors[1])
        del look
        child = os.fork()
        if child == 0:
            try:
                code = 0 if view.tolist() == [1] else 2
                try:
                    segment.lend()
                    code = 3
                except baton.Refused:
                    pass
                del view, segment
                gc.collect()
            except BaseException:
                code = 4
            os._exit(code)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        view.release()
        self.assertEqual(self.values(segment), [1])


if __name__ == "__main__":
    unittest.main()
