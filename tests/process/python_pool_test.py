"""The task pool in Python: values by signatures, outcomes, segments, deaths, and Ctrl-C.

    PYTHONPATH=build/dev/python BATON_PROGRAMS=build/dev/bin:build/dev/tests \
        /usr/bin/python3 tests/process/python_pool_test.py

BATON_PROGRAMS holds pool_worker (tests/process/pool/worker_main.cpp). Nothing sleeps.
"""
import asyncio
import gc
import os
import signal
import unittest

import baton
from python_world import World

try:
    import numpy
except ImportError:
    numpy = None


class Pools(World):
    def setUp(self):
        super().setUp()
        self.session = self.open()

    def pool(self, workers=2, **options):
        pool = baton.Pool("pool_worker", workers, session=self.session, progress=False, **options)
        self.addCleanup(pool.stop)
        return pool

    def fifo(self, name):
        path = os.path.join(self.place, name)
        os.mkfifo(path)
        return path

    # ---- what it computes

    def test_a_function_is_mapped_over_values_in_their_order(self):
        pool = self.pool()
        self.assertEqual(pool.map("square", range(1000)), [x * x for x in range(1000)])
        self.assertEqual(pool.map("square", []), [])
        self.assertIn("power(base: int64, exponent: uint8) -> int64", pool.functions())
        self.assertEqual(pool.map("norm", [{"x": 3, "y": 4.0}]), [25.0])

    def test_rows_named_arguments_and_both(self):
        pool = self.pool()
        self.assertEqual(pool.starmap("power", [(2, 10), [3, 3]]), [1024, 27])
        self.assertEqual(pool.starmap("power", named=[{"exponent": 2, "base": 7}]), [49])
        self.assertEqual(pool.starmap("power", [(2,), (3,)], [{"exponent": 5}, {"exponent": 2}]), [32, 9])
        self.assertRaisesText(baton.Refused, "2 rows of arguments and 1 of named ones", pool.starmap, "power",
                              [(2,), (3,)],
                              [{"exponent": 5}])

    def test_one_call_is_begun_and_looked_at_later(self):
        pool = self.pool()
        task = pool.submit("power", 2, exponent=4)
        self.assertEqual(task.get(timeout=10), 16)
        self.assertTrue(task.ready())
        outcome = task.outcome()
        self.assertEqual(str(outcome), "Call to power(2, 4) --> Result: 16")
        self.assertEqual((outcome.function, outcome.arguments, outcome.value, outcome.ok, outcome.error),
                         ("power", (2, 4), 16, True, None))
        self.assertTrue(outcome.worker.startswith("pool_worker"))
        self.assertLessEqual(outcome.started, outcome.finished)
        self.assertEqual(outcome.id, task.id)

    def test_a_task_that_is_only_looked_at_gets_ready(self):
        pool = self.pool(1)
        tasks = [pool.submit("spin", number % 3) for number in range(50)]
        while not all([task.ready() for task in tasks]):
            pass
        self.assertEqual([task.get(0) for task in tasks], [number % 3 for number in range(50)])

    def test_values_of_a_lazy_source_are_taken_as_results_are_looked_at(self):
        pool = self.pool()
        taken = []

        def source():
            for x in range(1_000_000):
                taken.append(x)
                yield x

        results = pool.imap("square", source(), ahead=5)
        for x in range(20):
            self.assertEqual(next(results), x * x)
            self.assertLessEqual(len(taken), x + 5)
        self.assertEqual(list(pool.imap("square", [1, 2, 3])), [1, 4, 9])

    def test_what_stops_a_lazy_source_is_raised_behind_the_results_before_it(self):
        pool = self.pool()

        def source(last):
            yield from range(5)
            if isinstance(last, BaseException):
                raise last
            yield last
            yield 6

        for last, kind, text in ((OSError("the disk is full"), OSError, "the disk is full"),
                                 ("five", baton.Refused, "square(argument 1)"),
                                 (object(), baton.Refused, "square(argument 1)")):
            for ahead in (1, 3, None):
                results = pool.imap("square", source(last), ahead=ahead)
                self.assertEqual([next(results) for _ in range(5)], [0, 1, 4, 9, 16])
                self.assertRaisesText(kind, text, next, results)
                self.assertRaises(StopIteration, next, results)
        results = pool.imap("square", source(KeyboardInterrupt()), ahead=9)
        self.assertRaises(KeyboardInterrupt, next, results)
        for ahead in (0, -1, float("nan"), 2.5, "3", float("inf")):
            self.assertRaisesText(ValueError, "ahead=", pool.imap, "square", [1], ahead=ahead)
        # When a call is refused as a whole, none of its tasks has begun.
        for way, rows in ((pool.map, source(OSError("the disk is full"))), (pool.map, [1, object()]),
                          (pool.starmap, [(1,), ("2",)]),
                          (pool.starmap, source(OSError("the disk is full"))), (pool.submit, object()),
                          (pool.submit, endless := [])):
            endless.append(endless) if rows is endless else None
            self.assertRaises((OSError, baton.Refused, TypeError), way, "square", rows)
        self.assertEqual(pool.map("square", [7]), [49])

    def test_a_lazy_source_goes_on_after_a_wait_that_was_too_short(self):
        pool = self.pool(1)
        gate = self.fifo("gate")
        results = pool.imap("wait_for", [gate], timeout=0.05)
        self.assertRaises(baton.TimedOut, next, results)
        with open(gate, "w", encoding="ascii"):
            pass
        while True:
            try:
                self.assertEqual(list(results), ["released"])
                break
            except baton.TimedOut:
                pass

    def test_tasks_are_added_before_the_start_and_after(self):
        pool = self.pool()
        wrong = baton.Call("square", "x")
        self.assertEqual([pool.add("square", 3), pool.add("cube", 3), pool.add(wrong, id=7)], [1, 2, 7])
        pool.start()
        pool.add("square", 4)
        self.assertRaisesText(baton.Refused, "a task with the id 7 already", pool.add, baton.Call("square", 5), id=7)
        first, second, third, fourth = pool.execute()
        self.assertEqual((first.value, fourth.value), (9, 16))
        self.assertIn("has no task 'cube'", str(second.error))
        self.assertIn("square(argument 1)", str(third))
        self.assertEqual(pool.execute(), [])

    def test_tasks_are_looked_up_by_id(self):
        pool = self.pool(1)
        gate = self.fifo("gate")
        waits = pool.submit("wait_for", gate)
        squares = [pool.submit("square", number) for number in range(3)]
        self.assertEqual(pool.pending(), [waits.id] + [one.id for one in squares])
        self.assertIsNone(pool.find(waits.id))
        with open(gate, "w", encoding="ascii"):
            pass
        while pool.pending():
            pass
        self.assertEqual([pool.find(one.id).value for one in squares], [0, 1, 4])
        self.assertEqual(pool.find(waits.id).value, "released")
        self.assertRaisesText(baton.Refused, "no task of this pool has the id 77", pool.find, 77)

    # ---- how it fails

    def test_what_does_not_fit_is_refused_before_anything_is_sent(self):
        pool = self.pool(1)
        self.assertRaisesText(baton.Refused, "has no task 'cube'; it has square(", pool.submit, "cube", 3)
        self.assertRaisesText(baton.Refused, "square(argument 1): expected int64, got string", pool.map, "square",
                              [1, "2"])
        self.assertRaisesText(baton.Refused, "power(exponent)", pool.submit, "power", 2, 256)
        self.assertRaisesText(baton.Refused, "is missing its argument 'exponent'", pool.submit, "power", 2)
        self.assertRaisesText(baton.Refused, "has no argument 'x'", pool.submit, "power", 2, x=1)
        self.assertRaises(ValueError, pool.map, "square", [1], errors="ignore")
        self.assertEqual(pool.map("square", [5]), [25])

    def test_errors_are_collected_or_the_first_is_raised(self):
        pool = self.pool()
        outcomes = pool.starmap("all_but", [(x, 4) for x in range(300)], errors="collect")
        self.assertEqual([one.value for one in outcomes if one.ok], [x for x in range(300) if x != 4])
        error = outcomes[4].error
        self.assertEqual(str(outcomes[4]), "Call to all_but(4, 4) --> Error: std::out_of_range: no 4")
        self.assertEqual((type(error), error.type, error.function, error.arguments),
                         (baton.Failed, "std::out_of_range", "all_but", (4, 4)))
        self.assertEqual(error.worker, outcomes[4].worker)
        self.assertTrue(1 <= len(error.frames) <= 3)
        with self.assertRaises(baton.Failed):
            outcomes[4].value
        raised = self.assertRaisesText(baton.Failed, "no 4 (in all_but(4, 4), worker pool_worker", pool.starmap,
                                       "all_but",
                                       [(x, 4) for x in range(300)])
        self.assertEqual(raised.type, "std::out_of_range")
        self.assertEqual(pool.map("square", [2, 3]), [4, 9])

    def test_a_dead_worker_is_replaced_and_its_task_tried_again(self):
        pool = self.pool()
        letters = os.path.join(self.place, "letters")
        with open(letters, "w", encoding="ascii") as file:
            file.write("x")
        self.assertEqual(pool.submit("die_while", 42, letters).get(timeout=20), 42)
        killer = pool.submit(baton.Call("die_at", 1, 1), retries=0).outcome(timeout=20)
        self.assertIsInstance(killer.error, baton.Gone)
        self.assertIn("worker gone: pool_worker", str(killer))

    def test_a_task_over_its_timeout_is_given_up(self):
        pool = self.pool(1)
        task = pool.submit(baton.Call("wait_for", self.fifo("never")), timeout=0.05)
        with self.assertRaises(baton.TimedOut):
            task.get(timeout=20)
        self.assertEqual(pool.map("square", [3]), [9])

    def test_a_wait_that_times_out_may_be_taken_up_again(self):
        pool = self.pool(1)
        gate = self.fifo("gate")
        task = pool.submit("wait_for", gate)
        second = pool.submit("square", 3)
        self.assertFalse(task.ready())
        with self.assertRaises(baton.TimedOut):
            task.get(timeout=0)
        second.cancel()
        self.assertIn("cancelled", str(second.outcome().error))
        with open(gate, "w", encoding="ascii"):
            pass
        self.assertEqual(task.get(timeout=10), "released")

    # ---- many outcomes, as they come

    def test_outcomes_come_in_the_order_in_which_they_are_done(self):
        pool = self.pool(2)
        gate = self.fifo("gate")
        slow = pool.submit("wait_for", gate)
        others = pool.map_async("square", range(20))
        outcomes = pool.as_completed([slow, others], timeout=60)
        self.assertEqual(sorted(next(outcomes).value for _ in range(20)), [x * x for x in range(20)])
        self.assertFalse(slow.ready())
        with open(gate, "w", encoding="ascii"):
            pass
        self.assertEqual([outcome.value for outcome in outcomes], ["released"])
        # What is done already comes in that order, too; and nothing of nothing.
        times = [outcome.finished for outcome in pool.as_completed([others, slow])]
        self.assertEqual((len(times), times), (21, sorted(times)))
        self.assertEqual(list(pool.as_completed([])), [])
        self.assertEqual(len(list(pool.as_completed(pool.map_async("square", [1, 2])))), 2)  # held by nobody else

    def test_outcomes_that_do_not_come_in_time_may_be_waited_for_again(self):
        pool = self.pool(1)
        gate = self.fifo("gate")
        tasks = pool.map_async("wait_for", ["/dev/null", gate])
        outcomes = pool.as_completed(tasks, timeout=0.05)
        with self.assertRaises(baton.TimedOut):
            for outcome in outcomes:
                self.assertEqual(outcome.value, "released")
        self.assertFalse(tasks.ready())
        self.assertRaises(baton.TimedOut, tasks.get, timeout=0)
        with open(gate, "w", encoding="ascii"):
            pass
        self.assertEqual(tasks.get(timeout=60), ["released"] * 2)
        self.assertEqual((len(tasks), tasks.unfinished, tasks.ready()), (2, 0, True))

    def test_a_map_that_was_begun_is_what_a_map_is(self):
        pool = self.pool()
        tasks = pool.map_async("square", range(1000))
        self.assertEqual(tasks.get(timeout=60), [x * x for x in range(1000)])
        self.assertEqual(pool.find(tasks.ids[7]).value, 49)
        self.assertEqual(pool.starmap_async("power", [(2,), (3,)], [{"exponent": 5}, {"exponent": 2}]).get(60), [32, 9])
        failing = [(x, 4) for x in range(300)]
        outcomes = pool.starmap_async("all_but", failing, errors="collect").get(timeout=60)
        self.assertEqual([number for number, one in enumerate(outcomes) if not one.ok], [4])
        raising = pool.starmap_async("all_but", failing)
        self.assertRaisesText(baton.Failed, "no 4 (in all_but(4, 4)", raising.get, timeout=60)
        self.assertRaisesText(baton.Failed, "no 4 (in all_but(4, 4)", list,
                              pool.as_completed(pool.starmap_async("all_but", failing)))
        self.assertRaisesText(baton.Refused, "square(argument 1): expected int64, got string", pool.map_async, "square",
                              [1, "2"])
        self.assertEqual(pool.map_async("square", []).get(), [])

    def test_functions_are_called_when_tasks_are_done(self):
        pool = self.pool(1)
        said = []
        gate = self.fifo("gate")
        slow = pool.submit("wait_for", gate)
        slow.then(lambda task: said.append(task.get()))
        tasks = pool.map_async("square", [1, 2])
        # A callback may use the pool, and one that comes too late is called at once.
        tasks.then(lambda tasks: said.append(pool.map("square", tasks.get())))
        self.assertEqual(said, [])
        with open(gate, "w", encoding="ascii"):
            pass
        while not (slow.ready() and tasks.ready()):
            pass
        self.assertEqual(said, ["released", [1, 16]])
        slow.then(lambda task: said.append("late"))
        self.assertEqual(said[2:], ["late"])
        # What one raises leaves the call in which it was called; the others are called by the next.
        for number in range(2):
            pool.submit("square", number).then(lambda task: said.append(task.get()) or 1 // (1 - task.get()))
        with self.assertRaises(ZeroDivisionError):
            while pool.pending() or len(said) < 5:
                pass
        self.assertEqual(said[3:], [0, 1])

    def test_tasks_are_awaited_beside_others(self):
        pool = self.pool(1)
        gate = self.fifo("gate")
        order = []

        async def waits(name, task):
            order.append((name, await task))

        async def opens(task):
            await task
            with open(gate, "w", encoding="ascii"):
                pass

        async def all_of_them():
            quick, slow, many = pool.submit("square", 3), pool.submit("wait_for", gate), pool.map_async("square",
                                                                                                        [4, 5])
            await asyncio.gather(waits("many", many), waits("slow", slow), waits("quick", quick), opens(quick))
            with self.assertRaises(baton.Failed):
                await pool.submit("all_but", 4, 4)

        asyncio.run(asyncio.wait_for(all_of_them(), 60))
        self.assertEqual(sorted(order), [("many", [16, 25]), ("quick", 9), ("slow", "released")])
        self.assertEqual(order[0], ("quick", 9))

    # ---- cancelled

    def test_a_task_that_runs_is_ended_and_one_that_does_not_is_withdrawn(self):
        pool = self.pool(1)
        first = pool.submit("pid", 0).get(timeout=20)
        begun = os.path.join(self.place, "begun")
        gate = self.fifo("never")
        runs = pool.submit("append_and", begun, gate, "/dev/null")
        waits = pool.submit("append_to", begun)
        stays = pool.submit("pid", 0)
        while not os.path.exists(begun):
            pool.pending()
        self.assertEqual((waits.cancel(), runs.cancel()), ("withdrawn", "ended"))
        self.assertRaisesText(baton.Cancelled, "before it began", waits.get)
        self.assertRaisesText(baton.Cancelled, "while it ran: its worker pool_worker", runs.get)
        self.assertTrue(runs.outcome().was_cancelled and isinstance(runs.outcome().error, baton.Refused))
        self.assertNotEqual(stays.get(timeout=20), first)  # by another worker
        self.assertEqual((runs.cancel(), stays.cancel()), (None, None))
        self.assertFalse(stays.outcome().was_cancelled)
        self.assertFalse(os.path.exists(f"/proc/{first}"))
        self.assertEqual(os.path.getsize(begun), 1)
        os.unlink(begun)

    def test_a_map_is_cancelled_whole_or_by_the_ids_of_its_tasks(self):
        pool = self.pool(1)
        gate = self.fifo("never")
        done = os.path.join(self.place, "done")
        tasks = pool.starmap_async("append_and", [(done, "/dev/null", "/dev/null"), (done, gate, "/dev/null")] +
                                   [(done, "/dev/null", "/dev/null")] * 3, errors="collect")
        while not os.path.exists(done) or os.path.getsize(done) < 2:
            pool.pending()
        self.assertEqual(pool.cancel(tasks.ids[3]), "withdrawn")
        self.assertEqual(pool.cancel(tasks.ids[1]), "ended")
        self.assertEqual([outcome.was_cancelled for outcome in tasks.get(timeout=60)],
                         [False, True, False, True, False])
        self.assertEqual(os.path.getsize(done), 4)
        os.unlink(done)
        again = pool.starmap_async("append_and", [(done, gate, "/dev/null")] * 5)
        while not os.path.exists(done) or os.path.getsize(done) < 1:
            pool.pending()
        self.assertEqual(again.cancel(), baton.CancelledTasks(withdrawn=4, ended=1, too_late=0))
        self.assertEqual(os.path.getsize(done), 1)
        os.unlink(done)
        self.assertEqual(again.cancel(), (0, 0, 5))
        self.assertRaises(baton.Refused, again.get)
        self.assertEqual(pool.map("square", [3]), [9])
        self.assertRaisesText(baton.Refused, "no task of this pool has the id 999", pool.cancel, 999)

    # ---- how many workers

    def workers_of(self, pool):
        pool.start()
        names = [row.name for row in self.session.actors() if row.name.startswith("pool_worker")]
        pool.stop()
        return len(names)

    def test_there_are_as_many_workers_as_cores_that_may_be_used(self):
        before = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, before)
        for bound in range(1, len(before) + 1):
            os.sched_setaffinity(0, sorted(before)[:bound])
            pool = baton.Pool("pool_worker", session=self.session, progress=False)
            self.assertLessEqual(self.workers_of(pool), bound)
            self.assertEqual(self.workers_of(pool), baton._baton.usable_cores())
        self.assertEqual(self.workers_of(self.pool(3)), 3)

    def test_the_quota_of_a_cgroup_bounds_them_too(self):
        group, why = None, "there is no cgroup with a quota of processor time"
        for mount, quota, text in (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "50000"),
                                   ("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", "50000"),
                                   ("/sys/fs/cgroup", "cpu.max", "50000 100000")):
            group = f"{mount}/baton-test-{os.getpid()}"
            try:
                os.mkdir(group)
            except OSError as error:
                why = f"no cgroup can be made here: {error}"
                continue
            self.addCleanup(os.rmdir, group)
            try:
                with open(f"{group}/{quota}", "r+", encoding="ascii") as file:
                    file.write(text)
                break
            except OSError as error:
                why = f"no quota can be set here: {error}"
        else:
            self.skipTest(why)

        def enter():
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))

        process = self.script("""
            import baton
            with baton.Pool("pool_worker", progress=False) as pool:
                workers = [row for row in pool._own_session.actors() if row.name.startswith("pool_worker")]
                print(baton._baton.usable_cores(), len(workers))
            """, preexec_fn=enter)
        said, errors = process.communicate(timeout=300)
        self.assertEqual(said, "1 1\n", errors)

    # ---- segments

    @unittest.skipIf(numpy is None, "without NumPy")
    def test_an_array_is_lent_sliced_given_and_made(self):
        pool = self.pool()
        lent = self.session.array_from(numpy.arange(100)).lend()
        self.assertEqual(pool.map("sum", [lent] * 10), [4950] * 10)
        pool.starmap("set", [(baton.slice_of(lent, part * 10, 10), part) for part in range(10)])
        numbers = lent.reclaim()
        self.assertEqual(numbers.array.tolist(), [index // 10 for index in range(100)])
        self.assertRaisesText(baton.Refused, "is missing", pool.submit, "set", numbers)
        self.assertRaisesText(baton.Refused, "expected a baton.Loan", pool.submit, "sum", numbers)
        self.assertRaisesText(baton.Refused, "segment.lend() makes a loan", pool.submit, "sum", numbers)
        self.assertRaisesText(baton.Refused, "expected a baton.Segment", pool.submit, "use_up", numpy.arange(3))
        self.assertRaisesText(baton.Refused, "give the segment, loan.reclaim()", pool.submit, "use_up",
                              self.session.array_from(numpy.arange(3)).lend())
        self.assertTrue(numbers)
        self.assertEqual(pool.submit("use_up", numbers).get(timeout=10), 800)
        self.assertFalse(numbers)
        made = pool.map("range", [1, 10, 100])
        pool.stop()
        self.assertEqual([one.array.sum() for one in made], [0, 45, 4950])

    @unittest.skipIf(numpy is None, "without NumPy")
    def test_a_task_reads_a_range_beside_somebody_who_writes(self):
        pool = self.pool()
        lent = self.session.array_from(numpy.arange(100).reshape(10, 10)).lend()
        self.assertRegex(repr(baton.lease_of(lent, 4, 1)), r"^baton.lease_of\(<baton.Loan: .*>, 4, 1\)$")
        written = lent.slice(5, 2)  # rows 5 and 6
        self.assertEqual(pool.map("sum", [baton.lease_of(lent, 4, 1), baton.lease_of(lent, 7, 3)]), [445, 2535])
        for part in (baton.lease_of(lent, 4, 2), lent):
            self.assertRaisesText(baton.Refused, "", pool.submit("sum", part).get, timeout=10)
        written.release()
        self.assertEqual(pool.submit("sum", lent).get(timeout=10), 4950)
        row = baton.lease_of(lent, 0, 1)
        self.assertRaisesText(baton.Refused, "expected a baton.slice_of", pool.submit, "set", row, 1)
        self.assertRaisesText(baton.Refused, "lease_of() is of a baton.Loan", pool.submit, "sum",
                              baton.lease_of(1, 0, 1))
        lent.reclaim()

    # ---- its life

    def test_a_pool_is_started_again_after_its_end(self):
        pool = self.pool()
        for run in range(2):
            with pool:
                self.assertEqual(pool.map("square", [run]), [run * run])
                unfinished = pool.submit("square", 1)
            self.assertIn(type(unfinished.outcome().error), (type(None), baton.Stopping))
            self.assertEqual([row.name for row in self.session.actors() if "pool_worker" in row.name], [])

    def test_what_is_let_go_in_any_order_leaves_nothing(self):
        pool = baton.Pool("pool_worker", 1, session=self.session, progress=False)
        task = pool.submit("square", 3)
        del pool
        gc.collect()
        self.assertIn(type(task.outcome(timeout=10).error), (type(None), baton.Stopping))
        late = baton.Pool("pool_worker", 1, session=self.session, progress=False)
        outcome = late.submit("range", 10).outcome(timeout=10)
        task = late.submit("square", 3)
        self.session.close()
        del late, outcome, task
        gc.collect()

    def test_a_pool_has_a_session_of_its_own_where_it_is_given_none(self):
        with baton.Pool("pool_worker", workers=1, progress=False) as pool:
            self.assertEqual(pool.map("square", [7]), [49])
        self.assertRaisesText(baton.Refused, "no_such_program", baton.Pool("no_such_program").__enter__)

    def test_ctrl_c_ends_a_run_in_one_line(self):
        gate = self.fifo("gate")
        begun = gate + ".begun"
        process = self.script(f"""
            import baton
            with baton.Pool("pool_worker", workers=2, progress=False) as pool:
                print(*pool.map("pid", [0] * 40))
                pool.starmap("append_and", [({begun!r}, {gate!r}, "/dev/null")] * 2)
            """, start_new_session=True)
        workers = set(process.stdout.readline().split())
        self.assertEqual(len(workers), 2)

        def is_asleep(pid):
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "S"

        # Each stands at the gate, in a task that no request to stop ends.
        while not os.path.exists(begun) or os.path.getsize(begun) < 2 or not all(map(is_asleep, workers)):
            pass
        os.unlink(begun)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 130)
        said = process.stderr.read()
        self.assertNotIn("Traceback", said)
        # The coordinator tells of workers that had to be ended; the script itself says one line.
        told = [line for line in said.splitlines()
                if "coordinator#1.1 warn actor." not in line and "segments: " not in line]
        self.assertEqual(told, ["python: interrupted, stopping"], said)
        for pid in workers:
            self.assertFalse(os.path.exists(f"/proc/{pid}"))


if __name__ == "__main__":
    unittest.main()
